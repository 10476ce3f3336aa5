# -*- test-case-name: tests.cli.test_volumes -*-
"""``txstorage volumes``: the driver's operations."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import click
from rich.box import HEAVY_HEAD, Box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from ..clouds import Attachment, Volume
from ..driver.labels import belongs_to, cluster_labels, dataset_of
from ..errors import DeviceError, MalformedLabels
from ..interfaces import UnknownInstanceID, UnknownVolume
from .app import App, CommandResult, ConfiguredCloud
from .progress import progress
from .running import IReactor
from .sizes import Size, format_size, rounding
from .tables import AdaptiveTable
from .terminal import one_line, visible

pass_app = click.make_pass_decorator(App)


@click.group()
def volumes() -> None:
    """List, create, attach, detach and destroy the cluster's volumes."""


# -- documents and tables --------------------------------------------------------


def to_document(volume: Volume) -> dict[str, Any]:
    """
    :return: a volume of this cluster as a JSON value; ``problem`` is the reason if its labels don't
        identify a dataset, and ``None`` otherwise.
    """
    dataset_id, problem = None, None
    attachments: tuple[Attachment, ...] = volume.attachments
    try:
        dataset_id = str(dataset_of(volume))
    except MalformedLabels as error:
        problem = error.message
    return {
        "volume_id": volume.volume_id,
        "dataset_id": dataset_id,
        "size": volume.size,
        "status": volume.status,
        "attached_to": [each.server_id for each in attachments],
        "volume_type": volume.volume_type,
        "name": volume.name,
        "created_at": volume.created_at,
        "labels": dict(volume.labels),
        "problem": problem,
    }


_COLUMNS = (
    ("Volume", "volume_id"),
    ("Dataset", "dataset_id"),
    ("Size", "size"),
    ("Status", "status"),
    ("Attached to", "attached_to"),
    ("Type", "volume_type"),
)


def _cell(name: str, value: Any) -> Text:
    if name == "size":
        return Text(format_size(value))
    if isinstance(value, list):
        return Text(one_line(", ".join(str(each) for each in value)) or "-")
    return Text("-" if value is None else one_line(str(value)))


def _listed(documents: list[dict[str, Any]]) -> AdaptiveTable:
    """Show one row per volume or, on a terminal so narrow that ids would be broken, one table per
    volume."""
    names = [name for _, name in _COLUMNS]
    return AdaptiveTable(
        lambda box: _list_table(documents, box),
        lambda: Group(*(_show_table({name: each[name] for name in names}) for each in documents)),
    )


def _list_table(documents: list[dict[str, Any]], box: Box | None) -> Table:
    table = Table(box=box)
    for title, name in _COLUMNS:
        table.add_column(title, justify="right" if name == "size" else "left", overflow="fold")
    for document in documents:
        row = [_cell(name, document[name]) for _, name in _COLUMNS]
        table.add_row(*row, style="red" if document["problem"] else None)
    return table


def _shown(document: dict[str, Any]) -> AdaptiveTable:
    return AdaptiveTable(lambda box: _show_table(document, box))


def _show_table(document: dict[str, Any], box: Box | None = HEAVY_HEAD) -> Table:
    table = Table(show_header=False, box=box)
    for name, value in document.items():
        if isinstance(value, dict):
            value = ["{}={}".format(*item) for item in sorted(value.items())]
        table.add_row(name.replace("_", " "), _cell(name, value))
    return table


# -- common parts of the commands -------------------------------------------------


@contextmanager
def _observed(app: App, reactor: IReactor, description: str) -> Iterator[ConfiguredCloud]:
    """Provide the cloud, and on a terminal a spinner with the last status seen."""
    with progress(app.progress_console(), description) as note:
        yield app.cloud(reactor, lambda status: setattr(note, "text", status))


async def _volume(cloud: ConfiguredCloud, volume_id: str) -> Volume:
    """
    :raises UnknownVolume: the volume does not exist, or belongs to another cluster.
    """
    volume: Volume = await cloud.service.get_volume(volume_id)
    cluster_id: Any = cloud.configuration.cluster_id
    if not belongs_to(volume, cluster_id):
        raise UnknownVolume(volume_id)
    return volume


async def _here(cloud: ConfiguredCloud) -> str | None:
    """Return this node's instance id, or ``None`` if this machine is no node of the cloud."""
    try:
        server: str = await cloud.driver.compute_instance_id()
    except UnknownInstanceID:
        return None
    return server


async def _described(cloud: ConfiguredCloud, volume_id: str) -> dict[str, Any]:
    document = to_document(await _volume(cloud, volume_id))
    document["device_path"] = None
    # The search for the instance id may take seconds on a machine that is no node.
    if document["attached_to"] and await _here(cloud) in document["attached_to"]:
        try:
            document["device_path"] = (await cloud.driver.get_device_path(volume_id)).path
        except DeviceError as error:
            document["problem"] = error.message
    return document


# -- the commands -----------------------------------------------------------------


@volumes.command("list")
@pass_app
def list_command(app: App) -> None:
    """List the cluster's volumes."""

    async def operation(reactor: IReactor) -> CommandResult:
        with _observed(app, reactor, "Listing volumes") as cloud:
            cluster_id: Any = cloud.configuration.cluster_id
            page = await cloud.service.list_volumes(cluster_labels(cluster_id))
        mine = [to_document(each) for each in page.volumes if belongs_to(each, cluster_id)]
        malformed = [{"volume_id": name, "problem": problem} for name, problem in page.malformed]
        for bad in malformed + [each for each in mine if each["problem"]]:
            app.warn("Volume {volume_id}: {problem}".format(**bad))
        return CommandResult({"volumes": mine, "malformed": malformed}, _listed(mine))

    app.perform(operation)


@volumes.command("show")
@click.argument("volume")
@pass_app
def show_command(app: App, volume: str) -> None:
    """Show everything about one volume."""

    async def operation(reactor: IReactor) -> CommandResult:
        with _observed(app, reactor, "Looking") as cloud:
            document = await _described(cloud, volume)
        return CommandResult(document, _shown(document))

    app.perform(operation)


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

    async def operation(reactor: IReactor) -> CommandResult:
        dataset_id = dataset or uuid4()
        with _observed(app, reactor, "Creating a volume of " + format_size(size)) as cloud:
            try:
                created = await _create(cloud, dataset_id, size, profile)
            except BaseException:
                if dataset is None:
                    # A retry without this id would create a second volume.
                    app.warn(f"to repeat this, add --dataset {dataset_id}")
                raise
            document = to_document(await _volume(cloud, created.blockdevice_id))
        rounded = rounding(size, document["size"])
        if rounded:
            app.note(rounded)
        return CommandResult({**document, "requested_size": size}, _shown(document))

    app.perform(operation)


async def _create(cloud: ConfiguredCloud, dataset_id: UUID, size: int, profile: str | None) -> Any:
    if profile is None:
        return await cloud.driver.create_volume(dataset_id, size)
    return await cloud.driver.create_volume_with_profile(dataset_id, size, profile)


@volumes.command("attach")
@click.argument("volume")
@click.option("--to", "server", metavar="INSTANCE_ID", help="[default: this node]")
@pass_app
def attach_command(app: App, volume: str, server: str | None) -> None:
    """Attach a volume, and print the path of its device on this node."""

    async def operation(reactor: IReactor) -> CommandResult:
        with _observed(app, reactor, "Attaching volume " + volume) as cloud:
            target = server or await cloud.driver.compute_instance_id()
            await cloud.driver.attach_volume(volume, target)
            document = await _described(cloud, volume)
        path = document["device_path"]
        return CommandResult(document, path or f"Volume {volume} is attached to {target}")

    app.perform(operation)


@volumes.command("detach")
@click.argument("volume")
@pass_app
def detach_command(app: App, volume: str) -> None:
    """Detach a volume from every node to which it is attached."""

    async def operation(reactor: IReactor) -> CommandResult:
        with _observed(app, reactor, "Detaching volume " + volume) as cloud:
            await cloud.driver.detach_volume(volume)
            document = to_document(await _volume(cloud, volume))
        return CommandResult(document, f"Volume {volume} is detached")

    app.perform(operation)


@volumes.command("path")
@click.argument("volume")
@pass_app
def path_command(app: App, volume: str) -> None:
    """Print the device path of a volume that is attached to this node."""

    async def operation(reactor: IReactor) -> CommandResult:
        with _observed(app, reactor, "Looking for the device") as cloud:
            path = (await cloud.driver.get_device_path(volume)).path
        return CommandResult({"volume_id": volume, "device_path": path}, path)

    app.perform(operation)


@volumes.command("destroy")
@click.argument("volume")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_app
def destroy_command(app: App, volume: str, yes: bool) -> None:
    """Destroy a volume and all data on it."""
    if not yes:
        _confirm(volume)

    async def operation(reactor: IReactor) -> CommandResult:
        with _observed(app, reactor, "Destroying volume " + volume) as cloud:
            await cloud.driver.destroy_volume(volume)
        return CommandResult(
            {"volume_id": volume, "destroyed": True}, f"Volume {volume} is destroyed"
        )

    app.perform(operation)


def is_interactive() -> bool:
    """Check that standard input is a terminal."""
    return sys.stdin.isatty()


def _confirm(volume: str) -> None:
    """
    :raises click.UsageError: standard input is no terminal.
    :raises click.Abort: the user declined.
    """
    if not is_interactive():
        raise click.UsageError("without a terminal, destroying a volume requires --yes")
    click.confirm(visible(f"Destroy volume {volume} and all data on it?"), abort=True, err=True)


__all__: tuple[str, ...] = ("to_document", "volumes")
