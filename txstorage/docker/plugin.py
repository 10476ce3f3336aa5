# -*- test-case-name: tests.docker.test_whole -*-
"""
The operations of the Docker volume plugin.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from twisted.internet.defer import CancelledError

from .._support.notations.sizes import format_size
from ..errors import (
    BeingRemoved,
    EncryptionUnavailable,
    HeldByNode,
    InUse,
    InvalidOption,
    KeyRefused,
    NoSuchVolume,
    OperationTimedOut,
    OptionConflict,
    ProgramMissing,
    ServiceBroken,
    StorageError,
    TransportError,
)
from ..interfaces import UnknownVolume
from .catalog import Catalog
from .decisions import REFUSALS, MountStep
from .jobs import Jobs
from .journal import Journal, KnownVolume
from .mounts import Mounts
from .options import (
    REMOVING,
    checked_name,
    checked_options,
    differences,
    filesystem_options,
    labels_for,
    options_in,
)
from .releases import Releases
from .settings import Deadlines, Defaults

# The errors after which a removal may have taken place.
_INTERRUPTED = (TransportError, ServiceBroken, OperationTimedOut, CancelledError)
# The errors of a node that lacks what a volume needs.
_UNFIT = (EncryptionUnavailable, KeyRefused, ProgramMissing)


class VolumePlugin:
    """
    The operations that engines call.  Each returns what the protocol answers, or raises a
    ``StorageError``.

    :param driver: provides ``IBlockDeviceAsyncAPI`` and the interfaces of
        :mod:`txstorage.interfaces.extensions`.
    :param catalog: the :class:`~txstorage.docker.catalog.Catalog`.
    :param journal: the :class:`~txstorage.docker.journal.Journal`.
    :param mounts: the :class:`~txstorage.docker.mounts.Mounts`.
    :param jobs: the :class:`~txstorage.docker.jobs.Jobs`.
    :param releases: the :class:`~txstorage.docker.releases.Releases`.
    :param defaults: the :class:`~txstorage.docker.settings.Defaults`.
    :param deadlines: the :class:`~txstorage.docker.settings.Deadlines`.
    """

    def __init__(
        self,
        driver: Any,
        catalog: Catalog,
        journal: Journal,
        mounts: Mounts,
        jobs: Jobs,
        releases: Releases,
        defaults: Defaults = Defaults(),
        deadlines: Deadlines = Deadlines(),
    ) -> None:
        self._driver = driver
        self._catalog = catalog
        self._journal = journal
        self._mounts = mounts
        self._jobs = jobs
        self._releases = releases
        self._defaults = defaults
        self._deadlines = deadlines

    # -- volumes ---------------------------------------------------------------------

    async def create(self, name: str, given: Mapping[str, object] | None) -> None:
        """
        Create a volume, exactly once in the cluster, or find it.

        :raises InvalidName: it is not a name.
        :raises InvalidOption: an option is unknown, or has an invalid value.
        :raises OptionConflict: the volume exists with other options.
        """
        checked_name(name)
        options = checked_options(name, given)
        key = ("create", tuple(sorted(options.items())))
        await self._jobs.run(
            name, key, lambda: self._create(name, options), self._deadlines.long, "its creation"
        )

    async def _create(self, name: str, options: Mapping[str, str]) -> None:
        record = await self._catalog.present(name)
        if record is None:
            record = await self._make(name, options)
        if REMOVING in record.labels:
            raise BeingRemoved(name)
        unit = await self._driver.allocation_unit()
        found = differences(await self._resolved(name, options), record.labels, record.size, unit)
        if found:
            raise OptionConflict(name, found)

    async def _make(self, name: str, options: Mapping[str, str]) -> KnownVolume:
        options = await self._resolved(name, options)
        labels = labels_for(name, options, self._defaults.kind)
        filesystem_options(labels)
        if "from" in options:
            return await self._catalog.adopt(name, options["from"], labels)
        snapshot, original = options.get("snapshot"), options.get("clone")
        size = int(options["size"]) if "size" in options else None
        if size is None and snapshot is None and original is None:
            size = self._defaults.size
        return await self._catalog.create(
            name,
            size,
            labels,
            profile_name=options.get("profile"),
            snapshot_id=snapshot,
            blockdevice_id=original,
        )

    async def _resolved(self, name: str, options: Mapping[str, str]) -> dict[str, str]:
        """:return: a coroutine of options whose sources are ids."""
        resolved = dict(options)
        if "clone" in resolved:
            known = await self._catalog.present(resolved["clone"])
            if known is not None:
                resolved["clone"] = known.blockdevice_id
        if "snapshot" in resolved:
            resolved["snapshot"] = await self._snapshot(name, resolved["snapshot"])
        return resolved

    async def _snapshot(self, name: str, wanted: str) -> str:
        found = await self._driver.list_snapshots()
        ids = [each.snapshot_id for each in found if wanted in (each.snapshot_id, each.name)]
        if len(ids) > 1:
            raise InvalidOption(
                name, "snapshot", f"{len(ids)} snapshots are named {wanted}", "use the id of one"
            )
        # The id of a snapshot that other tools made is not listed.
        return str(ids[0]) if ids else wanted

    async def remove(self, name: str) -> None:
        """
        Destroy a volume.  A volume that does not exist is not an error.

        :raises InUse: it is in use on this node.
        :raises HeldByNode: another node has it.
        """
        await self._jobs.run(
            name, "remove", lambda: self._remove(name), self._deadlines.short, "its removal"
        )

    async def _remove(self, name: str) -> None:
        record = await self._catalog.present(name)
        if record is None:
            return
        try:
            await self._check_removable(record)
            # From now on, no node mounts it: the removal may be resumed at any time.
            node = await self._mounts.node()
            record = await self._catalog.label(record, {REMOVING: node})
            await self._mounts.unmount(name)
            if record.attached_to is not None:
                await self._detach(record)
            await self._driver.destroy_volume(record.blockdevice_id)
        except (NoSuchVolume, UnknownVolume):
            pass
        except _INTERRUPTED:
            # The engine may have forgotten the volume by now, so the removal will be resumed.
            raise
        except Exception:
            with suppress(StorageError, UnknownVolume):
                await self._catalog.unlabel(record, REMOVING)
            raise
        self._journal.forget(name)

    async def _check_removable(self, record: KnownVolume) -> None:
        users = await self._mounts.users(record.name)
        if users:
            raise InUse(record.name, map(str, users))
        node = await self._mounts.node()
        place, step = await self._mounts.next_step(record, node)
        # A removal does not wait for the node of an idle volume.
        if step in (MountStep.REFUSE, MountStep.WAIT):
            raise HeldByNode(record.name, record.attached_to or node, *REFUSALS[place])

    async def _detach(self, record: KnownVolume) -> None:
        if record.attached_to == await self._mounts.node():
            await self._mounts.detach(record)
        else:
            await self._driver.detach_volume(record.blockdevice_id)

    # -- mounts ------------------------------------------------------------------------

    async def mount(self, name: str, claim: str) -> str:
        """
        Attach and mount a volume.

        :param claim: the engine's id of this use.
        :return: a coroutine of the path for containers.
        :raises NoSuchVolume: it does not exist.
        :raises HeldByNode: another node has it.
        """
        self._releases.touch(name)
        record = await self._jobs.run(
            name, "mount", lambda: self._mount(name), self._deadlines.long, "its mount"
        )
        self._journal.claim(name, claim)
        self._releases.touch(name)
        return self._mounts.path(record)

    async def _mount(self, name: str) -> KnownVolume:
        record = await self._catalog.present(name)
        if record is None:
            raise NoSuchVolume(name)
        if REMOVING in record.labels:
            raise BeingRemoved(name)
        try:
            return await self._mounts.mount(record)
        except _UNFIT:
            # Another node may be able to mount it.
            with suppress(StorageError):
                await self._mounts.detach(record)
            raise

    async def grow(self, name: str) -> None:
        """Grow the file system of a mounted volume that has grown."""
        if self._mounts.is_mounted(name):
            await self._jobs.run(name, "mount", lambda: self._mount(name))

    async def unmount(self, name: str, claim: str) -> None:
        """
        Give a use back.  The mount ends when there is no other use.

        :param claim: the engine's id of the use.
        """
        self._releases.touch(name)
        self._journal.give_back(name, claim)
        await self._releases.check(name, self._deadlines.short)

    # -- answers from what is known ---------------------------------------------------

    def path(self, name: str) -> str:
        """:return: the path for containers of a mounted volume; else empty."""
        record = self._catalog.known(name)
        return self._mounts.path(record) if record and self._mounts.is_mounted(name) else ""

    async def get(self, name: str) -> dict[str, Any]:
        """
        Describe a volume, from the journal when it is known: engines take every error for proof
        that there is no such volume, and put an empty local one in its place.

        :return: a coroutine of the protocol's description.
        :raises NoSuchVolume: the cloud certainly has none.
        :raises StorageError: nothing is known; the caller must not answer.
        """
        record = self._catalog.known(name)
        if record is None:
            record = await self._jobs.run(
                name,
                "find",
                lambda: self._catalog.find(name),
                self._deadlines.search,
                "its search",
            )
            if record is None:
                raise NoSuchVolume(name)
        return self._described(record)

    def list(self) -> list[dict[str, Any]]:
        """:return: the protocol's descriptions of all known volumes."""
        return [self._described(each) for each in self._catalog.all_known()]

    def _described(self, record: KnownVolume) -> dict[str, Any]:
        status: dict[str, Any] = {
            "id": record.blockdevice_id,
            "size": format_size(record.size),
            "attached to": record.attached_to or "",
            "options": options_in(record.labels),
        }
        if REMOVING in record.labels:
            status["removing"] = True
        problem = self._catalog.problem
        if problem is not None or self._catalog.refreshed is None:
            status["stale"] = str(problem or "the cloud has not answered yet")
        described = {
            "Name": record.name,
            "Mountpoint": self.path(record.name),
            "Status": status,
        }
        if record.created_at:
            # Go refuses a time without a zone, and an empty one.
            described["CreatedAt"] = record.created_at.partition("+")[0].rstrip("Z") + "Z"
        return described


__all__ = ["VolumePlugin"]
