# -*- test-case-name: tests.cli.test_volumes -*-
"""The operations on volumes that the commands run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

from rich.console import RenderableType

from ...clouds import Volume
from ...driver.labels import belongs_to
from ...errors import DeviceError
from ...interfaces import UnknownInstanceID, UnknownVolume
from ..app import App, CommandResult, ConfiguredCloud
from ..progress import Note, progress
from ..running import IReactor
from ..sizes import format_size, rounding
from ..terminal import one_line
from .confirmation import confirm
from .documents import details_of, to_document
from .references import VolumeReferences, node_id
from .several import for_each
from .watching import watch

Shown = tuple[Any, "str | RenderableType"]


@contextmanager
def observed(
    app: App, reactor: IReactor, description: str, note: Note | None = None
) -> Iterator[ConfiguredCloud]:
    """Provide the cloud, and on a terminal a spinner with the last status seen."""
    with progress(app.progress_console(), description, note) as shown:
        yield app.cloud(reactor, lambda status: setattr(shown, "text", one_line(status)))


def named(references: Sequence[str]) -> str:
    """Return the volumes of a command, for a title."""
    return f"volume {references[0]}" if len(references) == 1 else f"{len(references)} volumes"


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
            device: Any = await cloud.driver.get_device_path(volume_id)
            document["device_path"], document["device_size"] = device.path, device.size
        except DeviceError as error:
            document["problem"] = error.message
    if "error" in document["status"] and document["problem"] is None:
        document["problem"] = await cloud.service.failure_reason(volume_id) or None
    return document


def show(app: App, volumes: Sequence[str], interval: float | None) -> None:
    """
    :param interval: seconds between two looks; ``None`` for one look.
    """

    async def look(reactor: IReactor, cloud: ConfiguredCloud) -> CommandResult:
        async def work(volume_id: str) -> Shown:
            document = await _described(cloud, volume_id)
            return document, details_of(document)

        return await for_each(app, await VolumeReferences(cloud).resolve(volumes), work)

    async def operation(reactor: IReactor) -> CommandResult:
        if interval is not None:
            cloud = app.cloud(reactor)
            return await watch(app, reactor, interval, lambda: look(reactor, cloud))
        with observed(app, reactor, "Looking") as cloud:
            return await look(reactor, cloud)

    app.perform(operation)


def create(app: App, size: int, dataset: UUID | None, profile: str | None) -> None:
    """
    :param size: bytes.
    """

    async def operation(reactor: IReactor) -> CommandResult:
        dataset_id = dataset or uuid4()
        with observed(app, reactor, "Creating a volume of " + format_size(size)) as cloud:
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
        return CommandResult({**document, "requested_size": size}, details_of(document))

    app.perform(operation)


async def _create(cloud: ConfiguredCloud, dataset_id: UUID, size: int, profile: str | None) -> Any:
    if profile is None:
        return await cloud.driver.create_volume(dataset_id, size)
    return await cloud.driver.create_volume_with_profile(dataset_id, size, profile)


def attach(app: App, volumes: Sequence[str], node: str | None) -> None:
    """
    :param node: the word for a node; ``None`` for this node.
    """

    async def operation(reactor: IReactor) -> CommandResult:
        with observed(app, reactor, "Attaching " + named(volumes)) as cloud:
            references = await VolumeReferences(cloud).resolve(volumes)
            target = (
                await cloud.driver.compute_instance_id()
                if node is None
                else await node_id(cloud.service, node)
            )

            async def work(volume_id: str) -> Shown:
                await cloud.driver.attach_volume(volume_id, target)
                document = await _described(cloud, volume_id)
                path = document["device_path"]
                if path is None:
                    return document, f"Volume {volume_id} is attached to {target}"
                return document, path if len(references) == 1 else f"{volume_id} {path}"

            return await for_each(app, references, work)

    app.perform(operation)


def detach(app: App, volumes: Sequence[str]) -> None:
    """Detach volumes."""

    async def operation(reactor: IReactor) -> CommandResult:
        with observed(app, reactor, "Detaching " + named(volumes)) as cloud:

            async def work(volume_id: str) -> Shown:
                await cloud.driver.detach_volume(volume_id)
                document = to_document(await _volume(cloud, volume_id))
                # Another caller's attach, or the remains of one, may hold the volume now.
                status = document["status"]
                now = "" if status == "available" else f"; its status is now {status}"
                return document, f"Volume {volume_id} is detached{now}"

            return await for_each(app, await VolumeReferences(cloud).resolve(volumes), work)

    app.perform(operation)


def path(app: App, volumes: Sequence[str]) -> None:
    """Print device paths."""

    async def operation(reactor: IReactor) -> CommandResult:
        with observed(app, reactor, "Looking for devices") as cloud:
            references = await VolumeReferences(cloud).resolve(volumes)

            async def work(volume_id: str) -> Shown:
                found = (await cloud.driver.get_device_path(volume_id)).path
                document = {"volume_id": volume_id, "device_path": found}
                return document, found if len(references) == 1 else f"{volume_id} {found}"

            return await for_each(app, references, work)

    app.perform(operation)


def destroy(app: App, volumes: Sequence[str], yes: bool) -> None:
    """
    :param yes: whether the user has confirmed it.
    """

    async def operation(reactor: IReactor) -> CommandResult:
        note = Note()
        with observed(app, reactor, "Looking", note) as cloud:
            references = await VolumeReferences(cloud).resolve(volumes)
        found = [each.volume_id for each in references if each.volume_id is not None]
        if found and not yes:
            confirm(found)

        async def work(volume_id: str) -> Shown:
            await cloud.driver.destroy_volume(volume_id)
            document = {"volume_id": volume_id, "destroyed": True}
            return document, f"Volume {volume_id} is destroyed"

        with progress(app.progress_console(), "Destroying " + named(volumes), note):
            return await for_each(app, references, work)

    app.perform(operation)


__all__ = ["attach", "create", "destroy", "detach", "observed", "path", "show"]
