# -*- test-case-name: tests.embedded.test_serve -*-
"""``txstorage serve``: the embedded service in the foreground."""

from __future__ import annotations

import gc
import signal
import sqlite3
import sys
from collections.abc import Iterable
from typing import Any, cast

import click
import yaml
from twisted.internet import task
from twisted.internet.defer import Deferred

from ...embedded.accounts.declarations import (
    Declaration,
    InvalidAccounts,
    merged,
    parse_option,
)
from ...embedded.accounts.files import read_file
from ...embedded.service import EmbeddedService, IServiceReactor, ServiceOptions, exposure
from ...embedded.state_directory import ServeError
from ..app import App, default_state_dir
from ..errors import explain
from ..running import CommandInterrupted, Interrupts, IReactor, end_with_input
from ..settings_file import settings_option
from ..shell import pass_app
from ..terminal import as_json as document_as_json
from ..terminal import echo, one_line
from .ec2_options import ec2_options, ec2_settings, refuse_without_port
from .recover import recover as recover_database

#: Seconds that a thread which waits for the interpreter's lock gives to the one that has it.  The
#: writer gives the lock away in each statement; with Python's 5 ms, it would get the lock back too
#: late while the reactor is busy, and more so the more clients ask for the result.
_SWITCH_INTERVAL = 0.0002
#: New objects from which on Python looks for cycles among them.
_MANY_OBJECTS = 10_000


def declarations(users: Iterable[str], path: str | None) -> tuple[Declaration, ...]:
    """
    :param users: each of the form ``NAME:PROJECT:ROLES``.
    :param path: of a file with more of them, if any.
    :raises InvalidAccounts: they can't be used.
    """
    in_file = [] if path is None else read_file(path)
    return tuple(merged([*map(_parsed, users), *in_file]))


def _parsed(user: str) -> Declaration:
    try:
        return parse_option(user)
    except InvalidAccounts as error:
        raise InvalidAccounts(f"--user {user}: {error}") from error


def _own_process() -> None:
    """Set up Python for a service that has the process to itself, once it has started."""
    sys.setswitchinterval(_SWITCH_INTERVAL)
    # The objects of modules and routes stay until the end.
    gc.freeze()
    gc.set_threshold(_MANY_OBJECTS)


def _announce(service: EmbeddedService, auth_url: str, agent: str, as_json: bool) -> None:
    if as_json:
        document = {
            "auth_url": auth_url,
            "agent": yaml.safe_load(agent),
            "remarks": service.remarks,
        }
        if service.ec2 is not None:
            document["ec2"] = {"api": service.ec2.api, "metadata": service.ec2.metadata}
        click.echo(document_as_json(document))
        return
    for remark in service.remarks:
        echo("# " + one_line(remark))
    echo(agent, nl=False)
    echo("txstorage ready: " + auth_url)


async def run(
    reactor: IReactor, options: ServiceOptions, as_json: bool = False, remarks: tuple[str, ...] = ()
) -> None:
    """
    Serve until the reactor is stopped.

    :param as_json: whether the output is JSON.
    :param remarks: more remarks to print.
    :raises SystemExit: with 1, when the service can't start.
    """
    service = EmbeddedService(cast(IServiceReactor, reactor), options)
    service.remarks.extend(remarks)
    # The reactor does not notice the end of programs that start before it runs.
    running: Deferred[None] = Deferred()
    reactor.callWhenRunning(running.callback, None)
    await running
    reactor.addSystemEventTrigger(
        "before", "shutdown", lambda: Deferred.fromCoroutine(service.stop())
    )
    warning = exposure(options)
    if warning:
        echo("Warning: " + one_line(warning), err=True)
    try:
        auth_url, agent = await service.start()
        _own_process()
        _announce(service, auth_url, agent, as_json)
    except (ServeError, OSError, sqlite3.Error) as error:
        explain(error).report(as_json)
        raise SystemExit(1) from error
    # A signal ends it.
    await Deferred()


@click.command()
@settings_option("serve", "port: 8780")
@click.option(
    "--state-dir",
    metavar="PATH",
    type=click.Path(),
    default=default_state_dir,
    help="Where everything is kept.  [default: /var/lib/txstorage for root, else "
    "~/.local/share/txstorage]",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8780,
    show_default=True,
    help="The port to listen on; 0: any free one.",
)
@click.option(
    "--node",
    "nodes",
    metavar="NAME",
    multiple=True,
    help="Declare a node; repeatable.  Later starts remember the nodes.  [default: node-1 node-2]",
)
@click.option(
    "--user",
    "users",
    metavar="NAME:PROJECT:ROLES",
    multiple=True,
    help="Declare a user with roles in a project, with commas between the roles: admin, manager, "
    "member, reader, service; repeatable.  Give it at each start.  The password is generated in "
    "the state directory.",
)
@click.option(
    "--accounts",
    metavar="PATH",
    type=click.Path(),
    help="Declare the users of this YAML file, too.",
)
@click.option("--tls", is_flag=True, help="Use TLS with a certificate that is generated.")
@click.option(
    "--tls-cert", metavar="PATH", type=click.Path(), help="Use TLS with this certificate (PEM)."
)
@click.option("--tls-key", metavar="PATH", type=click.Path(), help="The certificate's key (PEM).")
@click.option(
    "--devices",
    type=click.Choice(["auto", "loop", "file"]),
    default="auto",
    show_default=True,
    help="What an attached volume is: a loop device, or a regular file.",
)
@click.option(
    "--root-volumes",
    type=click.Choice(["shown", "hidden", "none"]),
    default="shown",
    show_default=True,
    help="Whether Block Storage's lists show the nodes' root volumes; none: the nodes are backed "
    "by an image, and have none.",
)
@click.option(
    "--transition-delay",
    type=click.FloatRange(0),
    default=0.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a volume stays in each transient status.",
)
@click.option(
    "--max-volumes",
    type=click.IntRange(-1),
    default=1000,
    show_default=True,
    help="The quota of volumes; -1: none.",
)
@click.option(
    "--max-snapshots",
    type=click.IntRange(-1),
    default=1000,
    show_default=True,
    help="The quota of snapshots; -1: none.",
)
@click.option(
    "--max-gigabytes",
    type=click.IntRange(-1),
    default=-1,
    show_default=True,
    help="The quota in GiB of volumes and snapshots; -1: none.",
)
@click.option(
    "--max-backups",
    type=click.IntRange(-1),
    default=1000,
    show_default=True,
    help="The quota of backups; -1: none.",
)
@click.option(
    "--max-backup-gigabytes",
    type=click.IntRange(-1),
    default=-1,
    show_default=True,
    help="The quota in GiB of backups; -1: none.",
)
@click.option(
    "--page-size",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    help="The greatest number of entries in one page of a list.",
)
@click.option(
    "--token-lifetime",
    type=click.FloatRange(0, min_open=True),
    default=3600.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a token is valid.",
)
@ec2_options
@click.option(
    "--test-routes",
    is_flag=True,
    help="Serve routes for tests, too: faults, a log of requests, a clock, a reset that destroys "
    "every volume.",
)
@click.option(
    "--recover",
    is_flag=True,
    help="Show what can be restored of a lost database, ask, restore it, and serve.",
)
@click.option("--yes", is_flag=True, help="With --recover: do not ask.")
@click.option(
    "--until-input-ends",
    is_flag=True,
    hidden=True,
    help="Stop when standard input, a pipe, ends: with the program that started it.",
)
@pass_app
def serve(
    app: App,
    /,
    state_dir: str,
    host: str,
    port: int,
    nodes: tuple[str, ...],
    users: tuple[str, ...],
    accounts: str | None,
    tls: bool,
    tls_cert: str | None,
    tls_key: str | None,
    devices: str,
    root_volumes: str,
    ec2_port: int | None,
    test_routes: bool,
    recover: bool,
    yes: bool,
    until_input_ends: bool,
    **behaviour: Any,
) -> None:
    """
    Serve volumes of this machine over the HTTP APIs of OpenStack and EC2.

    Prints the agent.yml for a node, and 'txstorage ready: URL' when it accepts connections.  All
    data survives a restart.  In a browser, '/' at that address shows the service live.
    """
    if (tls_cert is None) != (tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key go together")
    if tls and tls_cert is not None:
        raise click.UsageError("--tls generates a certificate; leave it out with --tls-cert")
    refuse_without_port(click.get_current_context())
    if yes and not recover:
        raise click.UsageError("--yes goes with --recover")
    try:
        declared = declarations(users, accounts)
    except InvalidAccounts as error:
        raise click.UsageError(str(error)) from error
    options = ServiceOptions(
        state_dir=state_dir,
        host=host,
        port=port,
        nodes=nodes,
        tls=tls,
        tls_cert=tls_cert,
        tls_key=tls_key,
        devices=devices,
        root_volumes=root_volumes,
        ec2_port=ec2_port,
        ec2=ec2_settings(behaviour),
        behaviour=behaviour,
        users=declared,
        test_routes=test_routes,
    )
    remarks = _recovered(app, state_dir, yes) if recover else ()
    interrupts = Interrupts()

    def main(reactor: IReactor) -> Any:
        reactor.callWhenRunning(interrupts.install, reactor)
        if until_input_ends:
            end_with_input(reactor)
        return Deferred.fromCoroutine(run(reactor, options, app.json, remarks))

    try:
        task.react(main)
    except SystemExit as end:
        # SIGINT and SIGTERM are the ordinary ways to stop a service.
        if interrupts.number == signal.SIGHUP and not end.code:
            raise SystemExit(CommandInterrupted(interrupts.number).exit_code) from None
        raise


def _recovered(app: App, state_dir: str, confirmed: bool) -> tuple[str, ...]:
    """
    :return: remarks about the recovery.
    :raises SystemExit: there was none.
    """
    try:
        return recover_database(app, state_dir, confirmed)
    except (ServeError, OSError) as error:
        explain(error).report(app.json)
        raise SystemExit(1) from error
