# -*- test-case-name: tests.docker.test_command -*-
"""``txstorage docker-plugin``: the Docker volume plugin in the foreground."""

from __future__ import annotations

import signal
import sqlite3
from typing import TYPE_CHECKING

import click
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError

from ...docker import Defaults, PluginSettings
from ...errors import InvalidConfiguration, StorageError
from ...filesystem import KINDS
from ..app import App, CommandResult
from ..doctor.findings import Finding, result_of
from ..errors import explain
from ..progress import progress
from ..running import CommandInterrupted, IReactor
from ..settings_file import settings_option
from ..shell import pass_app
from ..sizes import Size
from ..terminal import as_json, echo, one_line
from .addresses import MetricsAddress, exposure
from .checking import check_all, checked_app, surroundings_of

if TYPE_CHECKING:
    from ...docker import DockerPlugin

_SETTINGS = PluginSettings()
#: The errors of a start that the user can remedy.
_FAILURES = (InvalidConfiguration, StorageError, CannotListenError, OSError, sqlite3.Error)


def _ready(app: App, plugin: DockerPlugin, socket: str) -> None:
    if app.json:
        click.echo(as_json({"socket": socket, "remarks": plugin.remarks}))
        return
    for remark in plugin.remarks:
        echo("# " + one_line(remark))
    echo(f"txstorage docker-plugin ready: {socket}")


async def run(app: App, reactor: IReactor, settings: PluginSettings) -> None:
    """
    Serve until the reactor is stopped.

    :raises InvalidConfiguration: the configuration is invalid.
    :raises SocketUnusable: the socket's path can't be used.
    """
    # The doctor imports this module, and needs no server.
    from ...docker import DockerPlugin

    cloud = app.cloud(reactor)
    cluster_id = cloud.configuration.cluster_id
    if cluster_id is None:
        raise InvalidConfiguration("cluster_id", "is missing", "set it to the cluster's UUID")
    plugin = DockerPlugin(reactor, cloud.driver, cluster_id, settings)
    try:
        await plugin.start()
        _ready(app, plugin, settings.socket)
        # A signal ends it.
        await Deferred()
    finally:
        await plugin.stop()


async def _check(app: App, reactor: IReactor, settings: PluginSettings) -> CommandResult:
    """Carry out the checks, and show their findings as the doctor does."""
    driver, problem = checked_app(app, reactor)
    with progress(app.progress_console(), "Checking"):
        found = await check_all(reactor, driver, surroundings_of(settings))
    if problem is not None:
        found = {"cloud": problem, **found}
    findings = [
        Finding(name, each.outcome, each.detail, remedy=each.remedy) for name, each in found.items()
    ]
    return result_of(findings)


@click.command("docker-plugin")
@settings_option("docker-plugin", "size: 20GiB")
@click.option(
    "--socket",
    metavar="PATH",
    type=click.Path(),
    default=_SETTINGS.socket,
    show_default=True,
    help="The socket at which engines connect, whose name is the driver's; 'systemd' for the one "
    "that systemd has opened.",
)
@click.option(
    "--state-dir",
    metavar="PATH",
    type=click.Path(),
    default=_SETTINGS.state_dir,
    show_default=True,
    help="The directory of the journal.",
)
@click.option(
    "--mounts",
    metavar="PATH",
    type=click.Path(),
    help="The directory of the mount points.  [default: mounts, in the state directory]",
)
@click.option(
    "--size",
    type=Size(),
    default="10GiB",
    show_default=True,
    help="The size of volumes for which none is given.",
)
@click.option(
    "--fs",
    type=click.Choice(list(KINDS)),
    default="ext4",
    show_default=True,
    help="The file system of volumes for which none is given.",
)
@click.option(
    "--takeover",
    type=click.Choice(["dead", "never"]),
    default="dead",
    show_default=True,
    help="Whether to take volumes from nodes that the cloud reports as off or gone, unless a "
    "volume has a choice of its own.",
)
@click.option(
    "--luks-key-file",
    metavar="PATH",
    type=click.Path(),
    help="The file with the key of encrypted volumes, the same on all nodes, mode 0600.",
)
@click.option(
    "--linger",
    type=click.FloatRange(0, 60),
    default=0.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a volume stays attached after its last use, for containers that come back.",
)
@click.option(
    "--check",
    is_flag=True,
    help="Check the cloud, the programs, the journal, the sockets of plugins, the engine's view of "
    "the mounts, and local volumes that hide the plugin's; then end.",
)
@click.option(
    "--metrics",
    type=MetricsAddress(),
    metavar="[HOST:]PORT",
    help="Where Prometheus finds /metrics, and others /healthz; a port alone is one of 127.0.0.1.  "
    "[default: nowhere]",
)
@pass_app
def docker_plugin(
    app: App,
    /,
    check: bool,
    socket: str,
    state_dir: str,
    mounts: str | None,
    size: int,
    fs: str,
    takeover: str,
    luks_key_file: str | None,
    linger: float,
    metrics: tuple[str, int] | None,
) -> None:
    """
    Give Docker, Compose, Swarm and Podman persistent volumes of the configured cloud.

    Needs root.  Engines find the plugin by its socket: 'docker volume create -d txstorage NAME'.
    """
    settings = PluginSettings(
        socket=socket,
        state_dir=state_dir,
        mounts=mounts,
        defaults=Defaults(size, fs, takeover),
        luks_key_file=luks_key_file,
        linger=linger,
        metrics=metrics,
    )
    if exposure(metrics):
        app.warn(exposure(metrics))
    if check:
        app.perform(lambda reactor: _check(app, reactor, settings))
        return
    try:
        app.run(lambda reactor: run(app, reactor, settings))
    except CommandInterrupted as interrupted:
        # SIGINT and SIGTERM are the ordinary ways to stop a service.
        if interrupted.number == signal.SIGHUP:
            raise SystemExit(interrupted.exit_code) from None
    except _FAILURES as error:
        explain(error).report(app.json)
        raise SystemExit(1) from error


__all__ = ["docker_plugin", "run"]
