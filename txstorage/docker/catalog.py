# -*- test-case-name: tests.docker.test_whole -*-
"""
The volumes that the plugin knows: the cloud's, and the journal of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

import attr
from twisted.internet.defer import DeferredLock
from twisted.internet.interfaces import IReactorTime

from ..errors import InvalidOption, NoSuchVolume, StorageError
from ..interfaces import LabelledVolume, UnknownVolume
from .journal import Journal, KnownVolume
from .options import NAME, dataset_of


def record_of(found: LabelledVolume) -> KnownVolume:
    """
    :param found: a volume that has a name.
    :return: the :class:`~txstorage.docker.journal.KnownVolume` of it.
    """
    volume = found.volume
    return KnownVolume(
        name=found.labels[NAME],
        blockdevice_id=volume.blockdevice_id,
        size=volume.size,
        attached_to=volume.attached_to,
        labels=found.labels,
        created_at=found.created_at,
    )


def chosen(listed: Iterable[LabelledVolume]) -> list[KnownVolume]:
    """
    Choose a volume for each name, as the driver does: when two nodes create one at once there may
    be two, the second of which is never used.

    :param listed: volumes that have names.
    :return: their records, one for each name: of the oldest volume, then of the smallest id.
    """
    found: dict[str, LabelledVolume] = {}
    for each in listed:
        name = each.labels[NAME]
        found[name] = min(found.get(name, each), each, key=_seniority)
    return [record_of(each) for each in found.values()]


def _seniority(found: LabelledVolume) -> tuple[bool, str, str]:
    return found.status == "deleting", found.created_at, found.volume.blockdevice_id


class Catalog:
    """
    The volumes by name.

    :param reactor: provides ``IReactorTime``.
    :param driver: provides ``ILabelledBlockDeviceAsyncAPI`` and
        ``ISnapshottingBlockDeviceAsyncAPI``.
    :param cluster_id: the cluster.
    :param journal: the :class:`~txstorage.docker.journal.Journal`.
    :ivar refreshed: the reactor's time of the last list, or ``None``.
    :ivar problem: the error of the last attempt, or ``None``.
    """

    def __init__(
        self, reactor: IReactorTime, driver: Any, cluster_id: UUID, journal: Journal
    ) -> None:
        self._reactor = reactor
        self._driver = driver
        self._cluster_id = cluster_id
        self._journal = journal
        self._turn = DeferredLock()
        self._begun = 0
        self._changes: dict[str, float] = {}
        self.refreshed: float | None = None
        self.problem: Exception | None = None

    # -- the known volumes --------------------------------------------------------

    def known(self, name: str) -> KnownVolume | None:
        """:return: the last known state of a volume; ``None`` when it is not known."""
        return self._journal.volume(name)

    def all_known(self) -> list[KnownVolume]:
        """:return: the last known states of all volumes, by name."""
        return self._journal.volumes()

    async def find(self, name: str) -> KnownVolume | None:
        """
        Find a volume, in the cloud when it is not known.

        :return: a coroutine of the :class:`KnownVolume`; of ``None`` when the cloud certainly
            has none.
        :raises StorageError: the cloud can't answer.
        """
        found = self.known(name)
        if found is None:
            await self.refresh()
            found = self.known(name)
        return found

    # -- the cloud -----------------------------------------------------------------

    async def present(self, name: str) -> KnownVolume | None:
        """
        Find a volume as it is in the cloud: another node may have removed it, and made another one
        of its name.

        :return: a coroutine of the :class:`KnownVolume`; of ``None`` when the cloud certainly
            has none.
        :raises StorageError: the cloud can't answer.
        """
        known = self.known(name)
        if known is not None:
            with suppress(NoSuchVolume):
                return await self.current(known)
        return await self.find(name)

    async def current(self, record: KnownVolume) -> KnownVolume:
        """
        Read a volume's state in the cloud.

        :return: a coroutine of the :class:`KnownVolume`.
        :raises NoSuchVolume: it no longer exists.
        """
        try:
            found = await self._driver.get_labelled_volume(record.blockdevice_id)
        except UnknownVolume:
            self._journal.forget(record.name)
            raise NoSuchVolume(record.name) from None
        return self._keep(record.name, found)

    async def create(
        self,
        name: str,
        size: int | None,
        labels: Mapping[str, str],
        **source: str | None,
    ) -> KnownVolume:
        """
        Create a volume, exactly once in the cluster.

        :param size: bytes, or ``None`` for the source's.
        :param labels: the volume's labels.
        :param source: as those of ``create_labelled_volume``.
        :return: a coroutine of the :class:`KnownVolume`, also of a volume that another node made.
        """
        dataset_id = dataset_of(self._cluster_id, name)
        found = await self._driver.create_labelled_volume(dataset_id, size, labels, **source)
        return self._keep(name, found)

    async def adopt(self, name: str, blockdevice_id: str, labels: Mapping[str, str]) -> KnownVolume:
        """
        Give a name to a volume that belongs to no cluster.

        :return: a coroutine of the :class:`KnownVolume`.
        :raises InvalidOption: it does not exist, or belongs to a cluster.
        """
        dataset_id = dataset_of(self._cluster_id, name)
        try:
            found = await self._driver.adopt_volume(blockdevice_id, dataset_id, labels)
        except UnknownVolume:
            raise InvalidOption(
                name,
                "from",
                f"there is no volume {blockdevice_id}, or it belongs to another cluster",
                "use the id of a volume that belongs to no cluster",
            ) from None
        return self._keep(name, found)

    async def label(self, record: KnownVolume, labels: Mapping[str, str]) -> KnownVolume:
        """
        Add or replace labels.

        :return: a coroutine of the changed :class:`KnownVolume`.
        """
        return self._keep(record.name, await self._driver.set_labels(record.blockdevice_id, labels))

    async def unlabel(self, record: KnownVolume, label: str) -> KnownVolume:
        """
        Remove a label.

        :return: a coroutine of the changed :class:`KnownVolume`.
        """
        if label not in record.labels:
            return record
        await self._driver.remove_label(record.blockdevice_id, label)
        rest = {key: value for key, value in record.labels.items() if key != label}
        self._changes[record.name] = self._reactor.seconds()
        changed = attr.evolve(record, labels=rest)
        self._journal.keep([changed])
        return changed

    async def refresh(self) -> None:
        """
        Read the list of volumes.  Callers share a list that begins after they asked.

        :return: a coroutine of ``None``.
        :raises StorageError: the cloud can't answer.
        """
        first = self._begun + 1
        await self._turn.acquire()
        try:
            if self._begun < first:
                self._begun += 1
                await self._read()
                self.problem = None
            elif self.problem is not None:
                raise self.problem
        except StorageError as error:
            self.problem = error
            raise
        finally:
            self._turn.release()

    async def _read(self) -> None:
        began = self._reactor.seconds()
        listed = await self._driver.list_labelled_volumes()
        records = chosen(each for each in listed if self._is_ours(each))
        changed = self._changed_since(began)
        self._journal.keep(each for each in records if each.name not in changed)
        names = {each.name for each in records}
        for record in self.all_known():
            if record.name not in names | changed:
                # A list proves nothing by what it lacks.
                with suppress(NoSuchVolume):
                    await self.current(record)
        self.refreshed = self._reactor.seconds()

    def _is_ours(self, found: LabelledVolume) -> bool:
        """:return: whether a volume has the name from which its dataset follows."""
        name = found.labels.get(NAME)
        return name is not None and found.volume.dataset_id == dataset_of(self._cluster_id, name)

    def _keep(self, name: str, found: LabelledVolume) -> KnownVolume:
        """KnownVolume what the cloud has answered about one volume."""
        self._changes[name] = self._reactor.seconds()
        record = attr.evolve(record_of(found), name=name)
        self._journal.keep([record])
        return self.known(name) or record

    def _changed_since(self, time: float) -> set[str]:
        """:return: the volumes of which more is known than a list that began at a time."""
        self._changes = {name: at for name, at in self._changes.items() if at >= time}
        return set(self._changes)


__all__ = ["Catalog", "chosen", "record_of"]
