# -*- test-case-name: tests.cli.test_volumes -*-
"""
The commands of ``txstorage volumes``.

Each imports its operation when it runs: the operations need Twisted, and the help does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable
from uuid import UUID

import click

from ..shell import Commands, pass_app
from ..shell.completion import NODE, VOLUME
from ..sizes import Size
from .columns import COLUMNS, Columns

if TYPE_CHECKING:
    from ..app import App


@click.group(cls=Commands, aliases={"ls": "list", "rm": "destroy"})
def volumes() -> None:
    """
    List, create, attach, detach and destroy the cluster's volumes.

    A VOLUME is an id, a volume's name, or the beginning of an id, at least four characters.  A NODE
    is an id or its beginning, or the name of a server of the cloud.  Case does not matter.

    With several volumes, each has an outcome of its own, and the exit code is 1 if one failed.
    """


some_volumes = click.argument("volumes", type=VOLUME, metavar="VOLUME...", nargs=-1, required=True)


def watching(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a command that can look again and again."""
    function = click.option(
        "--interval",
        type=click.FloatRange(0.1),
        default=2.0,
        show_default=True,
        metavar="SECONDS",
        help="The time between two looks of --watch.",
    )(function)
    return click.option(
        "--watch",
        is_flag=True,
        help="Print the result again when it changes, until Ctrl-C; with --json, one line each.",
    )(function)


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
@click.option("--sort", type=click.Choice(list(COLUMNS)), metavar="COLUMN", help="The order.")
@click.option("--reverse", is_flag=True, help="Reverse the order.")
@click.option(
    "--columns",
    type=Columns(),
    default=(),
    metavar="COLUMN,...",
    help=f"The columns to show, without --json: {', '.join(COLUMNS)}.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print ids only.")
@click.option("--all-clusters", is_flag=True, help="List the volumes of all clusters.")
@watching
@pass_app
def list_command(
    app: App,
    columns: tuple[str, ...],
    quiet: bool,
    all_clusters: bool,
    watch: bool,
    interval: float,
    **selection: Any,
) -> None:
    """
    List the cluster's volumes.

    A filter may be repeated: a volume passes if one of its values fits.  A volume has to pass all
    filters.
    """
    from .listing import Selection, View, list_volumes

    view = View(
        columns=columns,
        quiet=quiet,
        all_clusters=all_clusters,
        interval=interval if watch else None,
    )
    list_volumes(app, Selection(**selection), view)


@volumes.command("show")
@some_volumes
@watching
@pass_app
def show_command(app: App, volumes: tuple[str, ...], watch: bool, interval: float) -> None:
    """Show everything about volumes."""
    from .operations import show

    show(app, volumes, interval if watch else None)


@volumes.command("create")
@click.argument("size", type=Size())
@click.option("--dataset", type=click.UUID, help="The dataset it is for [default: a new one].")
@click.option("--profile", help="gold, silver, bronze or another configured profile.")
@pass_app
def create_command(app: App, size: int, dataset: UUID | None, profile: str | None) -> None:
    """
    Create a volume of SIZE: 1GiB, 20G, or a number of bytes.

    Units are as in "numfmt --from=auto": 1G and 1GB are 1000000000 bytes, 1Gi and 1GiB are
    1073741824.  Clouds have volumes of whole GiB, so the size is rounded up.

    A dataset has one volume.  If DATASET already has a volume, the command prints that volume.
    """
    from .operations import create

    create(app, size, dataset, profile)


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
    from .confirmation import check_interactive
    from .operations import destroy

    if not yes:
        check_interactive()
    destroy(app, volumes, yes)


__all__: tuple[str, ...] = ("volumes",)
