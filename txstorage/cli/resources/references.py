# -*- test-case-name: tests.cli.resources.test_references -*-
"""From the words that people use for volumes, snapshots and nodes to ids."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID

import attr

from ..._support.notations.uuids import is_uuid_like
from ...clouds.interface import IVolumeService
from ...docker.options import NAME as DOCKER_NAME
from ...errors import UnknownServer, UnknownSnapshot
from ...interfaces import UnknownVolume
from ..app import ConfiguredCloud
from ..errors import Explanation, explain
from .clusters import is_of, labels_of
from .matching import AmbiguousName, the_only

if TYPE_CHECKING:
    from typing_extensions import Self


async def node_id(service: IVolumeService, reference: str) -> str:
    """
    :param reference: the id of a node in any spelling, its beginning, or the node's name.
    :raises UnknownServer: the cloud has no such node.
    :raises AmbiguousName: it has several.
    """
    if is_uuid_like(reference):
        return str(UUID(reference))
    servers = await service.list_servers()
    named = [(each.server_id, each.name) for each in servers]
    return the_only(reference, named, UnknownServer(reference), {})


@attr.s(frozen=True, auto_attribs=True)
class Reference:
    """
    A word for a volume or a snapshot.

    :ivar kind: ``volume`` or ``snapshot``.
    :ivar text: the word.
    :ivar identity: the id; ``None`` if there is none.
    :ivar error: the reason why there is none.
    """

    kind: str
    text: str
    identity: str | None = None
    error: Exception | None = None

    @property
    def explanation(self) -> Explanation | None:
        """Return the error for people."""
        return None if self.error is None else explain(self.error)


class References:
    """
    The words for resources of one kind in one command, looked up with at most one list.

    :param service: the cloud.
    :param cluster_id: the cluster, whose resources count; ``None`` for those of all clusters.
    :ivar kind: such as ``volume``.
    """

    kind: str

    def __init__(self, service: IVolumeService, cluster_id: UUID | None) -> None:
        self._service = service
        self._cluster_id = cluster_id
        self._named: list[tuple[str, str]] | None = None
        self._remarks: dict[str, str] = {}

    @classmethod
    def of(cls, cloud: ConfiguredCloud) -> Self:
        """Return the words for the resources of the configured cluster."""
        return cls(cloud.service, cloud.configuration.cluster_id)

    async def identity(self, reference: str) -> str:
        """
        :param reference: the id of a resource in any spelling, its beginning, or a name.
        :raises Exception: the cluster has no such resource; not raised for a whole id.
        :raises AmbiguousName: it has several.
        """
        if is_uuid_like(reference):
            return str(UUID(reference))
        if self._named is None:
            self._named = await self._list()
        return the_only(reference, self._named, self._unknown(reference), self._remarks)

    async def resolve(self, references: Iterable[str]) -> list[Reference]:
        """Look up several words; each resource counts once."""
        found: dict[str, Reference] = {}
        for text in references:
            try:
                identity = await self.identity(text)
            except (UnknownVolume, UnknownSnapshot, AmbiguousName) as error:
                found.setdefault(text, Reference(self.kind, text, error=error))
            else:
                found.setdefault(identity, Reference(self.kind, text, identity))
        return list(found.values())

    def _unknown(self, reference: str) -> Exception:
        raise NotImplementedError()

    async def _list(self) -> list[tuple[str, str]]:
        """Return pairs of an id and a name, and keep the remarks."""
        raise NotImplementedError()


class VolumeReferences(References):
    """The words for volumes."""

    kind = "volume"

    def _unknown(self, reference: str) -> Exception:
        return UnknownVolume(reference)

    async def _list(self) -> list[tuple[str, str]]:
        page = await self._service.list_volumes(labels_of(self._cluster_id))
        mine = [each for each in page.volumes if is_of(each, self._cluster_id)]
        named = [(each.volume_id, each.name) for each in mine]
        named += [(each.volume_id, each.labels.get(DOCKER_NAME, "")) for each in mine]
        # A volume that the driver can't read makes a beginning ambiguous, too.
        return named + [(volume_id, "") for volume_id, _ in page.malformed]


class SnapshotReferences(References):
    """The words for snapshots; each volume may have a snapshot of one name."""

    kind = "snapshot"

    def _unknown(self, reference: str) -> Exception:
        return UnknownSnapshot(reference)

    async def _list(self) -> list[tuple[str, str]]:
        page = await self._service.list_snapshots(labels_of(self._cluster_id))
        mine = [each for each in page.snapshots if is_of(each, self._cluster_id)]
        self._remarks = {
            each.snapshot_id: f" ('{each.name}' of volume {each.volume_id})" for each in mine
        }
        named = [(each.snapshot_id, each.name) for each in mine]
        return named + [(snapshot_id, "") for snapshot_id, _ in page.malformed]


__all__ = [
    "Reference",
    "References",
    "SnapshotReferences",
    "VolumeReferences",
    "node_id",
]
