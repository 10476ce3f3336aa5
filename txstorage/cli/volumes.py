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
from ..driver.places import host_place
from ..errors import DeviceError, MalformedLabels
from ..interfaces import UnknownInstanceID, UnknownVolume
from .app import App, CommandResult, ConfiguredCloud
from .progress import progress
from .running import IReactor
from .sizes import Size, format_size
from .tables import AdaptiveTable
from .terminal import one_line

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
        "attached_to": [each.server_id for each in attachments if each.server_id],
        "attached_to_hosts": [each.host_name for each in attachments if not each.server_id],
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
    if isinstance(value, dict):
        value = ["{}={}".format(*item) for item in sorted(value.items())]
    if isinstance(value, list):
        return Text(one_line(", ".join(str(each) for each in value)) or "-")
    return Text("-" if value is None else one_line(str(value)))


def _places(document: dict[str, Any]) -> Text:
    """Show the servers, and the hosts to which another program attached the volume."""
    hosts = map(host_place, document["attached_to_hosts"])
    return _cell("attached_to", [*document["attached_to"], *hosts])


def _size_of_device(document: dict[str, Any]) -> Text:
    """Show the size of the device, and the difference from the volume's."""
    size = document["device_size"]
    if size is None:
        return Text("-")
    difference = size - document["size"]
    if not difference:
        return Text(format_size(size))
    than = "larger" if difference > 0 else "smaller"
    return Text(f"{size} bytes: {format_size(abs(difference))} {than} than the volume")


_CELLS = {"attached_to": _places, "device_size": _size_of_device}


def _cell_of(name: str, document: dict[str, Any]) -> Text:
    return _CELLS[name](document) if name in _CELLS else _cell(name, document[name])


def _listed(documents: list[dict[str, Any]]) -> AdaptiveTable:
    """Show one row per volume or, on a terminal so narrow that ids would be broken, one table per
    volume."""
    names = [name for _, name in _COLUMNS]
    return AdaptiveTable(
        lambda box: _list_table(documents, box),
        lambda: Group(*(_show_table(each, names) for each in documents)),
    )


def _list_table(documents: list[dict[str, Any]], box: Box | None) -> Table:
    table = Table(box=box)
    for title, name in _COLUMNS:
        table.add_column(title, justify="right" if name == "size" else "left", overflow="fold")
    for document in documents:
        row = [_cell_of(name, document) for _, name in _COLUMNS]
        table.add_row(*row, style="red" if document["problem"] else None)
    return table


def _shown(document: dict[str, Any]) -> AdaptiveTable:
    # The table shows the hosts among the servers.
    names = [name for name in document if name != "attached_to_hosts"]
    return AdaptiveTable(lambda box: _show_table(document, names, box))


def _show_table(document: dict[str, Any], names: list[str], box: Box | None = HEAVY_HEAD) -> Table:
    table = Table(show_header=False, box=box)
    for name in names:
        table.add_row(name.replace("_", " "), _cell_of(name, document))
    return table


# -- common parts of the commands -------------------------------------------------


@contextmanager
def _observed(app: App, reactor: IReactor, description: str) -> Iterator[ConfiguredCloud]:
    """Provide the cloud, and on a terminal a spinner with the last status seen."""
    with progress(app.progress_console(), description) as note:
        yield app.cloud(reactor, lambda status: setattr(note, "text", one_line(status)))


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
    document["device_path"] = document["device_size"] = None
    # The search for the instance id may take seconds on a machine that is no node.
    if document["attached_to"] and await _here(cloud) in document["attached_to"]:
        try:
            path: Any = await cloud.driver.get_device_path(volume_id)
            document["device_path"], document["device_size"] = path.path, path.size
        except DeviceError as error:
            document["problem"] = error.message
    if "error" in document["status"] and document["problem"] is None:
        document["problem"] = await cloud.service.failure_reason(volume_id) or None
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
        return CommandResult(document, _shown(document))

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
        # Another caller's attach, or the remains of one, may hold the volume now.
        status = document["status"]
        now = "" if status == "available" else f"; its status is now {status}"
        return CommandResult(document, f"Volume {volume} is detached{now}")

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
    question = f"Destroy volume {one_line(volume)} and all data on it?"
    click.confirm(question, abort=True, err=True)


__all__: tuple[str, ...] = ("to_document", "volumes")
