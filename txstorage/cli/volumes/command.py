# -*- test-case-name: tests.cli.test_volumes -*-
"""
The commands of ``txstorage volumes``.

Each imports its operation when it runs: the operations need Twisted, and the help does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from ..resources.options import listing, watching
from ..shell import Commands, pass_app
from ..shell.completion import NODE, SNAPSHOT, VOLUME
from ..sizes import Size
from .columns import COLUMNS

if TYPE_CHECKING:
    from ..app import App


@click.group(cls=Commands, aliases={"ls": "list", "rm": "destroy"})
def volumes() -> None:
    """
    List, create, grow, attach, detach and destroy the cluster's volumes.

    A VOLUME is an id, a volume's name, its name in Docker, or the beginning of an id, at least four
    characters.  A NODE is an id or its beginning, or the name of an instance of the cloud.  Case
    does not matter.

    With several volumes, each has an outcome of its own, and the exit code is 1 if one failed.
    """


some_volumes = click.argument("volumes", type=VOLUME, metavar="VOLUME...", nargs=-1, required=True)


@volumes.command("list")
@click.option("--status", "statuses", multiple=True, help="Only volumes with this status.")
@click.option(
    "--attached-to",
    type=NODE,
    metavar="NODE",
    multiple=True,
    help="Only volumes of this node: id or name.",
)
@click.option(
    "--dataset", "datasets", type=click.UUID, multiple=True, help="Only this dataset's volumes."
)
@click.option("--type", "volume_types", multiple=True, help="Only volumes of this type.")
@click.option(
    "--orphans",
    is_flag=True,
    help="Only volumes that are never used, because their dataset has or had another.",
)
@listing("volume", COLUMNS)
@pass_app
def list_command(
    app: App,
    statuses: tuple[str, ...],
    attached_to: tuple[str, ...],
    datasets: tuple[UUID, ...],
    volume_types: tuple[str, ...],
    orphans: bool,
    sort: str | None,
    reverse: bool,
    **form: Any,
) -> None:
    """
    List the cluster's volumes.

    A filter may be repeated: a volume passes if one of its values fits.  A volume has to pass all
    filters.

    A dataset has one volume, the oldest.  Another volume with the dataset's label, which some other
    program made, is an orphan: it is never used, also when the dataset's volume is gone.  Look at
    its data ("txstorage volumes attach"), then destroy it ("txstorage volumes destroy").
    """
    from ..resources.listing import Selection, View
    from .listing import list_volumes

    filters = {
        "status": statuses,
        "dataset_id": [str(each) for each in datasets],
        "volume_type": volume_types,
    }
    selection = Selection(filters=filters, sort=sort, reverse=reverse)
    list_volumes(app, selection, attached_to, View.of(**form), orphans)


@volumes.command("show")
@some_volumes
@watching
@pass_app
def show_command(app: App, volumes: tuple[str, ...], watch: bool, interval: float) -> None:
    """Show everything about volumes."""
    from .operations import show

    show(app, volumes, interval if watch else None)


@volumes.command("create")
@click.argument("size", type=Size(), required=False)
@click.option("--dataset", type=click.UUID, help="The dataset it is for [default: a new one].")
@click.option("--profile", help="gold, silver, bronze or another configured profile.")
@click.option(
    "--from-snapshot",
    type=SNAPSHOT,
    metavar="SNAPSHOT",
    help="The snapshot whose data the volume begins with.",
)
@click.option(
    "--clone",
    type=VOLUME,
    metavar="VOLUME",
    help="The volume whose data the new one begins with.",
)
@pass_app
def create_command(app: App, size: int | None, **given: Any) -> None:
    """
    Create a volume of SIZE: 1GiB, 20G, or a number of bytes.

    Units are as in "numfmt --from=auto": 1G and 1GB are 1000000000 bytes, 1Gi and 1GiB are
    1073741824.  Clouds have volumes of whole GiB, so the size is rounded up.

    A dataset has one volume.  If DATASET already has a volume, the command prints that volume.

    With --from-snapshot or --clone, the volume is a copy with a dataset of its own, and SIZE may be
    omitted: the copy then has the size of the source.  A SNAPSHOT is an id, a name, or the
    beginning of an id.  A volume to clone may be attached: see "txstorage snapshots create --help".
    """
    from .creation import CreateOptions, create

    copies = [each for each in ("from_snapshot", "clone") if given[each] is not None]
    if len(copies) == 2:
        raise click.UsageError("--from-snapshot and --clone exclude each other")
    if copies and given["profile"] is not None:
        raise click.UsageError("a copy has the type of its source, so --profile is not possible")
    if size is None and not copies:
        raise click.UsageError("SIZE is missing; only --from-snapshot and --clone do without")
    create(app, CreateOptions(size=size, **given))


@volumes.command("grow")
@click.argument("volume", type=VOLUME)
@click.argument("size", type=Size())
@pass_app
def grow_command(app: App, volume: str, size: int) -> None:
    """
    Grow VOLUME to SIZE.

    SIZE has the units of "create", and is rounded up as there.

    The volume may be attached; on this node the command waits until the device has the size.  A
    file system on the volume does not grow with it: use resize2fs or xfs_growfs afterwards.
    Volumes never shrink.
    """
    from .creation import grow

    grow(app, volume, size)


@volumes.command("attach")
@some_volumes
@click.option(
    "--to", "node", type=NODE, metavar="NODE", help="The node's id or name [default: this node]."
)
@pass_app
def attach_command(app: App, volumes: tuple[str, ...], node: str | None) -> None:
    """Attach volumes, and print the paths of their devices on this node."""
    from .operations import attach

    attach(app, volumes, node)


@volumes.command("detach")
@some_volumes
@pass_app
def detach_command(app: App, volumes: tuple[str, ...]) -> None:
    """Detach volumes from every node to which they are attached."""
    from .operations import detach

    detach(app, volumes)


@volumes.command("path")
@some_volumes
@pass_app
def path_command(app: App, volumes: tuple[str, ...]) -> None:
    """Print the device paths of volumes that are attached to this node."""
    from .operations import path

    path(app, volumes)


@volumes.command("destroy")
@some_volumes
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_app
def destroy_command(app: App, volumes: tuple[str, ...], yes: bool) -> None:
    """Destroy volumes and all data on them."""
    from ..resources.confirmation import check_interactive
    from .operations import destroy

    if not yes:
        check_interactive("volume")
    destroy(app, volumes, yes)


__all__: tuple[str, ...] = ("volumes",)
