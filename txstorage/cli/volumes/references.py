# -*- test-case-name: tests.cli.volumes.test_references -*-
"""From the words that people use for volumes and nodes to ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Callable, Protocol
from uuid import UUID

import attr

from ..._support.uuids import is_uuid_like
from ...clouds.interface import IVolumeService
from ...driver.labels import belongs_to, cluster_labels
from ...errors import StorageError, UnknownServer
from ...interfaces import UnknownVolume
from ..app import ConfiguredCloud
from ..errors import Explanation, explain

#: Characters of the shortest beginning of an id that stands for the id.
SHORTEST = 4


class AmbiguousName(StorageError):
    """
    A name, or the beginning of an id, is that of several volumes or nodes.

    :param reference: the name.
    :param ids: of the volumes or nodes.
    """

    remedy = "give the whole id, or more of it"

    def __init__(self, reference: str, ids: Iterable[str]) -> None:
        super().__init__(f"'{reference}' may be any of these: {', '.join(sorted(ids))}")


class _Named(Protocol):
    @property
    def name(self) -> str: ...


def matching(reference: str, named: Iterable[tuple[str, str]]) -> list[str]:
    """
    Look for a reference: first for that id, then for that name, then for the beginning of an id.
    Case does not matter.

    :param named: pairs of an id and a name, which may be empty.
    :return: the ids that match equally well.
    """
    wanted, known = reference.lower(), list(named)
    kinds: Sequence[Callable[[str, str], bool]] = (
        lambda identity, name: identity.lower() == wanted,
        lambda identity, name: bool(name) and name.lower() == wanted,
        lambda identity, name: len(wanted) >= SHORTEST and identity.lower().startswith(wanted),
    )
    for matches in kinds:
        found = [identity for identity, name in known if matches(identity, name)]
        if found:
            return found
    return []


def _the_only(reference: str, named: Iterable[tuple[str, str]], unknown: Exception) -> str:
    found = matching(reference, named)
    if not found:
        raise unknown
    if len(found) > 1:
        raise AmbiguousName(reference, found)
    return found[0]


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
    return _the_only(reference, named, UnknownServer(reference))


@attr.s(frozen=True, auto_attribs=True)
class Reference:
    """
    A word for a volume.

    :ivar text: the word.
    :ivar volume_id: the volume; ``None`` if there is none.
    :ivar error: the reason why there is none.
    """

    text: str
    volume_id: str | None = None
    error: Exception | None = None

    @property
    def explanation(self) -> Explanation | None:
        """Return the error for people."""
        return None if self.error is None else explain(self.error)


class VolumeReferences:
    """
    The words for volumes in one command, looked up with at most one list.

    :param cloud: the cloud, of which the volumes of the configured cluster count.
    """

    def __init__(self, cloud: ConfiguredCloud) -> None:
        self._cloud = cloud
        self._named: list[tuple[str, str]] | None = None

    async def volume_id(self, reference: str) -> str:
        """
        :param reference: the id of a volume in any spelling, its beginning, or the volume's name.
        :raises UnknownVolume: the cluster has no such volume; not raised for a whole id.
        :raises AmbiguousName: it has several.
        """
        if is_uuid_like(reference):
            return str(UUID(reference))
        if self._named is None:
            self._named = await self._list()
        return _the_only(reference, self._named, UnknownVolume(reference))

    async def resolve(self, references: Iterable[str]) -> list[Reference]:
        """Look up several words; each volume counts once."""
        found: dict[str, Reference] = {}
        for text in references:
            try:
                volume_id = await self.volume_id(text)
            except (UnknownVolume, AmbiguousName) as error:
                found.setdefault(text, Reference(text, error=error))
            else:
                found.setdefault(volume_id, Reference(text, volume_id))
        return list(found.values())

    async def _list(self) -> list[tuple[str, str]]:
        cluster_id: Any = self._cloud.configuration.cluster_id
        page = await self._cloud.service.list_volumes(cluster_labels(cluster_id))
        mine = [each for each in page.volumes if belongs_to(each, cluster_id)]
        named = [(each.volume_id, each.name) for each in mine]
        # A volume that the driver can't read makes a beginning ambiguous, too.
        return named + [(volume_id, "") for volume_id, _ in page.malformed]


__all__ = ["SHORTEST", "AmbiguousName", "Reference", "VolumeReferences", "matching", "node_id"]
