# -*- test-case-name: tests.cli.volumes.test_creation -*-
"""``txstorage volumes create`` and ``grow``: volumes of a size."""

from __future__ import annotations

from typing import Callable
from uuid import UUID, uuid4

import attr
from twisted.internet.defer import Deferred

from ...interfaces import BlockDeviceVolume
from ..app import App, CommandResult, ConfiguredCloud
from ..resources.documents import Document, details_of
from ..resources.observing import observed, volume_of
from ..resources.references import SnapshotReferences, VolumeReferences
from ..running import IReactor
from ..sizes import exact_size, format_size, rounding
from .details import described
from .documents import to_document

#: From a dataset's id to the volume.
Create = Callable[[UUID], "Deferred[BlockDeviceVolume]"]


@attr.s(frozen=True, auto_attribs=True, kw_only=True)
class CreateOptions:
    """
    The options of a create.

    :ivar size: bytes; ``None`` for the size of the snapshot or of the other volume.
    :ivar dataset: its dataset; ``None`` for a new one.
    :ivar profile: the name of a profile, or ``None``.
    :ivar from_snapshot: the word for the snapshot whose data it begins with, or ``None``.
    :ivar clone: the word for the volume whose data it begins with, or ``None``.
    """

    size: int | None = None
    dataset: UUID | None = None
    profile: str | None = None
    from_snapshot: str | None = None
    clone: str | None = None

    def title(self) -> str:
        """Return a description of the operation."""
        size = "" if self.size is None else f" of {format_size(self.size)}"
        if self.from_snapshot is not None:
            return f"Creating a volume{size} from snapshot {self.from_snapshot}"
        if self.clone is not None:
            return f"Creating a volume{size} from volume {self.clone}"
        return f"Creating a volume{size}"

    async def plan(self, cloud: ConfiguredCloud) -> Create:
        """
        Look up the words for a snapshot or a volume.

        :return: from a dataset to the driver's operation.
        """
        driver, size = cloud.driver, self.size
        if self.from_snapshot is not None:
            snapshot_id = await SnapshotReferences.of(cloud).identity(self.from_snapshot)
            return lambda dataset: driver.create_volume_from_snapshot(dataset, snapshot_id, size)
        if self.clone is not None:
            volume_id = await VolumeReferences.of(cloud).identity(self.clone)
            return lambda dataset: driver.clone_volume(dataset, volume_id, size)
        assert size is not None
        if self.profile is not None:
            profile = self.profile
            return lambda dataset: driver.create_volume_with_profile(dataset, size, profile)
        return lambda dataset: driver.create_volume(dataset, size)


def create(app: App, options: CreateOptions) -> None:
    """Create a volume."""

    async def operation(reactor: IReactor) -> CommandResult:
        dataset_id = options.dataset or uuid4()
        with observed(app, reactor, options.title()) as cloud:
            start = await options.plan(cloud)
            try:
                created = await start(dataset_id)
            except BaseException:
                if options.dataset is None and app.sent:
                    # A retry without this id would create a second volume.
                    app.warn(f"to repeat this, add --dataset {dataset_id}")
                    app.outcomes["dataset_id"] = str(dataset_id)
                raise
            document = to_document(await volume_of(cloud, created.blockdevice_id))
        _note_rounding(app, options.size, document)
        shown = details_of(document)
        return CommandResult({**document, "requested_size": options.size}, shown)

    app.perform(operation)


def _note_rounding(app: App, requested: int | None, document: Document) -> None:
    rounded = "" if requested is None else rounding(requested, document["size"])
    if rounded:
        app.note(rounded)


def grow(app: App, volume: str, size: int) -> None:
    """
    :param volume: the word for a volume.
    :param size: bytes.
    """

    async def operation(reactor: IReactor) -> CommandResult:
        with observed(app, reactor, f"Growing volume {volume} to {format_size(size)}") as cloud:
            volume_id = await VolumeReferences.of(cloud).identity(volume)
            await cloud.driver.grow_volume(volume_id, size)
            document = await described(cloud, volume_id)
        _note_rounding(app, size, document)
        app.note(
            "A file system on the volume has not grown with it: use resize2fs for ext2 to ext4, "
            "and xfs_growfs for XFS"
        )
        shown = f"Volume {volume_id} has {exact_size(document['size'])}"
        return CommandResult({**document, "requested_size": size}, shown)

    app.perform(operation)


__all__ = ["CreateOptions", "create", "grow"]
