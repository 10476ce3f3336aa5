# -*- test-case-name: tests.cli.test_volumes -*-
"""The operations on existing volumes that the commands run."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred

from ..app import App, CommandResult, ConfiguredCloud
from ..resources.observing import named, observed, volume_of
from ..resources.operations import destroy_each, show_each
from ..resources.references import VolumeReferences, node_id
from ..resources.several import Shown, for_each
from ..running import IReactor
from .details import described, with_snapshots
from .documents import to_document


def show(app: App, volumes: Sequence[str], interval: float | None) -> None:
    """
    :param interval: seconds between two looks; ``None`` for one look.
    """
    show_each(app, VolumeReferences, volumes, with_snapshots, interval)


def attach(app: App, volumes: Sequence[str], node: str | None) -> None:
    """
    :param node: the word for a node; ``None`` for this node.
    """

    async def operation(reactor: IReactor) -> CommandResult:
        with observed(app, reactor, "Attaching " + named("volume", volumes)) as cloud:
            references = await VolumeReferences.of(cloud).resolve(volumes)
            target = (
                await cloud.driver.compute_instance_id()
                if node is None
                else await node_id(cloud.service, node)
            )

            async def work(volume_id: str) -> Shown:
                await cloud.driver.attach_volume(volume_id, target)
                document = await described(cloud, volume_id)
                path = document["device_path"]
                if path is None:
                    return document, f"Volume {volume_id} is attached to {target}"
                return document, path if len(references) == 1 else f"{volume_id} {path}"

            return await for_each(app, references, work)

    app.perform(operation)


def detach(app: App, volumes: Sequence[str]) -> None:
    """Detach volumes."""

    async def operation(reactor: IReactor) -> CommandResult:
        with observed(app, reactor, "Detaching " + named("volume", volumes)) as cloud:

            async def work(volume_id: str) -> Shown:
                await cloud.driver.detach_volume(volume_id)
                document = to_document(await volume_of(cloud, volume_id))
                # Another caller's attach, or the remains of one, may hold the volume now.
                status = document["status"]
                now = "" if status == "available" else f"; its status is now {status}"
                return document, f"Volume {volume_id} is detached{now}"

            return await for_each(app, await VolumeReferences.of(cloud).resolve(volumes), work)

    app.perform(operation)


def path(app: App, volumes: Sequence[str]) -> None:
    """Print device paths."""

    async def operation(reactor: IReactor) -> CommandResult:
        with observed(app, reactor, "Looking for devices") as cloud:
            references = await VolumeReferences.of(cloud).resolve(volumes)

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

    def destroy_one(cloud: ConfiguredCloud, volume_id: str) -> Deferred[None]:
        return cloud.driver.destroy_volume(volume_id)

    destroy_each(app, VolumeReferences, volumes, destroy_one, yes)


__all__ = ["attach", "destroy", "detach", "path", "show"]
