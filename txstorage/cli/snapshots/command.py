# -*- test-case-name: tests.cli.snapshots.test_command -*-
"""
The commands of ``txstorage snapshots``.

Each imports its operation when it runs: the operations need Twisted, and the help does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from ..resources.options import listing, watching
from ..shell import Commands, pass_app
from ..shell.completion import SNAPSHOT, VOLUME
from .columns import COLUMNS

if TYPE_CHECKING:
    from ..app import App


@click.group(cls=Commands, aliases={"ls": "list", "rm": "destroy"})
def snapshots() -> None:
    """
    List, create and destroy snapshots of the cluster's volumes.

    A SNAPSHOT is an id, a snapshot's name, or the beginning of an id, at least four characters.
    Case does not matter.  Snapshots of several volumes may have the same name; then the name is an
    error that lists them.

    To use the data of a snapshot, create a volume with "txstorage volumes create --from-snapshot".

    With several snapshots, each has an outcome of its own, and the exit code is 1 if one failed.
    """


class Label(click.ParamType):  # type: ignore[type-arg]
    """A command line argument: ``KEY=VALUE``."""

    name = "label"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """See ``click.ParamType``."""
        if isinstance(value, tuple):
            key, text = value
            return key, text
        key, separator, text = value.partition("=")
        if not separator:
            self.fail(f"{value!r} is not KEY=VALUE", param, ctx)
        return key, text


some_snapshots = click.argument(
    "snapshots", type=SNAPSHOT, metavar="SNAPSHOT...", nargs=-1, required=True
)


@snapshots.command("list")
@click.option(
    "--volume",
    "volumes",
    type=VOLUME,
    metavar="VOLUME",
    multiple=True,
    help="Only snapshots of this volume: id or name.",
)
@click.option("--name", "names", multiple=True, help="Only snapshots with this name.")
@click.option("--status", "statuses", multiple=True, help="Only snapshots with this status.")
@click.option(
    "--dataset", "datasets", type=click.UUID, multiple=True, help="Only this dataset's snapshots."
)
@listing("snapshot", COLUMNS)
@pass_app
def list_command(
    app: App,
    volumes: tuple[str, ...],
    names: tuple[str, ...],
    statuses: tuple[str, ...],
    datasets: tuple[UUID, ...],
    sort: str | None,
    reverse: bool,
    **form: Any,
) -> None:
    """
    List the snapshots of the cluster's volumes.

    A filter may be repeated: a snapshot passes if one of its values fits.  A snapshot has to pass
    all filters.
    """
    from ..resources.listing import Selection, View
    from .listing import list_snapshots

    filters = {"name": names, "status": statuses, "dataset_id": [str(each) for each in datasets]}
    selection = Selection(filters=filters, sort=sort, reverse=reverse)
    list_snapshots(app, selection, volumes, View.of(**form))


@snapshots.command("show")
@some_snapshots
@watching
@pass_app
def show_command(app: App, snapshots: tuple[str, ...], watch: bool, interval: float) -> None:
    """Show everything about snapshots."""
    from .operations import show

    show(app, snapshots, interval if watch else None)


@snapshots.command("create")
@click.argument("volume", type=VOLUME)
@click.argument("name", required=False)
@click.option(
    "--label",
    "labels",
    type=Label(),
    metavar="KEY=VALUE",
    multiple=True,
    help="A label for the snapshot; may be repeated.",
)
@pass_app
def create_command(
    app: App, volume: str, name: str | None, labels: tuple[tuple[str, str], ...]
) -> None:
    """
    Create a snapshot of VOLUME.

    NAME is by default the current time, such as 20261127T054046Z.

    If the volume already has a snapshot of that name, the command fails, and the error says when
    that snapshot was made.  Only if that snapshot is still being made, as after an interrupted
    command, the command waits for it instead.

    The volume may be attached.  The snapshot then has the data that the device has received, as
    after a power failure.  To include the data that is still in memory, freeze the file system with
    "fsfreeze --freeze" and unfreeze it afterwards, or stop the programs that write to it.
    """
    from .creation import create

    given = dict(labels)
    if len(given) < len(labels):
        raise click.UsageError("a label is given twice")
    create(app, volume, name, given)


@snapshots.command("destroy")
@some_snapshots
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_app
def destroy_command(app: App, snapshots: tuple[str, ...], yes: bool) -> None:
    """
    Destroy snapshots.

    Their volumes, and the volumes made from them, remain.
    """
    from ..resources.confirmation import check_interactive
    from .operations import destroy

    if not yes:
        check_interactive("snapshot")
    destroy(app, snapshots, yes)


__all__: tuple[str, ...] = ("snapshots",)
