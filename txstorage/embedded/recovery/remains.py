# -*- test-case-name: tests.embedded.recovery -*-
"""The remains of a service without its database: what can be restored from the files."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any, Generic, TypeVar

import attr
import yaml

from ..machine.files import BACKUP_PREFIX, PREFIX, SNAPSHOT_PREFIX
from ..memory import FACTS, ServiceMemory
from ..settings import DEFAULT_TYPE, GIB
from ..state_directory import ServeError, StateDirectory
from ..store.features.backups import BackupRecord
from ..store.records import SnapshotRecord, VolumeRecord
from ..store.sidecar_content import (
    DamagedSidecar,
    Sidecar,
    ids_with_file,
    ids_with_sidecar,
    read_backup_sidecar,
    read_sidecar,
    read_snapshot_sidecar,
)
from .loss import is_lost

#: The project of volumes whose owner is lost, beside those of several projects: nobody's, so that
#: only administrators see them.
LOST_OWNER = "lost-owner"

#: A volume, a snapshot or a backup.
R = TypeVar("R", VolumeRecord, SnapshotRecord, BackupRecord)


@attr.s(frozen=True, auto_attribs=True)
class Restorable(Generic[R]):
    """
    A volume, a snapshot or a backup that can be restored.

    :ivar problem: the part of it that is lost; empty when all of it is there.
    """

    record: R
    problem: str = ""


@attr.s(frozen=True, auto_attribs=True)
class Remains:
    """
    The remains of a service without its database.

    :ivar volumes: the oldest first.
    :ivar nodes: server ids by name.
    :ivar facts: ids, by their names in the store; missing ones are lost.
    :ivar snapshots: the oldest first; each one's volume is among the volumes.
    :ivar backups: the oldest first.
    :ivar lost_facts: the names of the ids that will be new.
    """

    volumes: tuple[Restorable[VolumeRecord], ...]
    nodes: Mapping[str, str]
    facts: Mapping[str, str]
    snapshots: tuple[Restorable[SnapshotRecord], ...] = ()
    backups: tuple[Restorable[BackupRecord], ...] = ()

    @property
    def lost_facts(self) -> tuple[str, ...]:
        """The names of the ids that nothing has kept, so that clients must be changed."""
        return tuple(name for name in FACTS if name not in self.facts)


def examine(state: StateDirectory) -> Remains:
    """
    Look for everything that can be restored, and change nothing.

    :raises ServeError: the database is not lost, or the files contradict each other.
    """
    if not is_lost(state):
        raise ServeError(
            f"the database {state.database} is not lost: there is nothing to recover",
            "start without --recover; a damaged database has to be moved away first",
        )
    memory = ServiceMemory.load(state.memory)
    names = os.listdir(state.volumes)
    agents = _agents(state)
    nodes = dict(memory.nodes) or {name: ids["instance_id"] for name, ids in agents.items()}
    sidecars: dict[str, Sidecar] = {}
    found = []
    for volume_id in sorted({*ids_with_file(names), *ids_with_sidecar(names)}):
        restorable = _restorable(state, volume_id, sidecars)
        found.append(_with_known_server(restorable, nodes))
    snapshots = _copies(
        *(state, names, SNAPSHOT_PREFIX),
        lambda key: read_snapshot_sidecar(state.volumes, key).snapshot,
    )
    backups = _copies(
        *(state, names, BACKUP_PREFIX), lambda key: read_backup_sidecar(state.volumes, key).backup
    )
    owners = {sidecar.volume.project_id for sidecar in sidecars.values()}
    owners |= {each.record.project_id for each in snapshots}
    owners |= {each.record.project_id for each in backups}
    if owners - {None}:
        found = [
            each if each.record.volume_id in sidecars else _without_owner(each) for each in found
        ]
    found += _placeholders(found, snapshots)
    found.sort(key=lambda each: (each.record.created_at, each.record.volume_id))
    facts = dict(memory.facts)
    facts.setdefault("cluster_id", _one("cluster ids", _cluster_ids(sidecars, agents)))
    facts.setdefault("project_id", _one("project ids", {s.project_id for s in sidecars.values()}))
    kept = {name: value for name, value in facts.items() if value}
    return Remains(tuple(found), nodes, kept, tuple(snapshots), tuple(backups))


def _agents(state: StateDirectory) -> dict[str, dict[str, Any]]:
    """The ``dataset`` sections of the nodes' files that can be read."""
    found = {}
    for name, path in state.agents().items():
        with suppress(OSError, yaml.YAMLError, TypeError, KeyError), open(path) as opened:
            dataset = yaml.safe_load(opened)["dataset"]
            found[name] = {key: str(dataset[key]) for key in ("instance_id", "cluster_id")}
    return found


def _cluster_ids(sidecars: Mapping[str, Sidecar], agents: Mapping[str, Any]) -> set[str]:
    # People may have edited the agents' files.
    written = {sidecar.cluster_id for sidecar in sidecars.values()}
    return written or {agent["cluster_id"] for agent in agents.values()}


def _one(what: str, values: set[str]) -> str:
    """
    :return: the one value; empty when there is none.
    :raises ServeError: there are several.
    """
    if len(values) > 1:
        raise ServeError(
            f"the files have several {what}: {', '.join(sorted(values))}",
            "move the files that belong to another service out of the directory",
        )
    return "".join(values)


def _restorable(
    state: StateDirectory, volume_id: str, read: dict[str, Sidecar]
) -> Restorable[VolumeRecord]:
    """
    :param read: gets the sidecar, if it can be read.
    """
    path = os.path.join(state.volumes, PREFIX + volume_id)
    try:
        read[volume_id] = sidecar = read_sidecar(state.volumes, volume_id)
    except DamagedSidecar as error:
        size = -(-os.path.getsize(path) // GIB) if os.path.exists(path) else 0
        created_at = os.path.getmtime(path) if os.path.exists(path) else 0.0
        volume = _unnamed(volume_id, max(size, 1), created_at, "available")
        return Restorable(volume, f"its name and labels are lost: {error}")
    volume, grown = sidecar.volume, sidecar.volume.growing
    if grown is not None and not _problem(state, PREFIX + volume_id, grown):
        return Restorable(attr.evolve(volume, size=grown, growing=None))
    problem = _problem(state, PREFIX + volume_id, volume.size)
    if not problem and sidecar.offered:
        problem = "its transfer is lost: offer it again"
    return Restorable(volume, problem)


def _without_owner(found: Restorable[VolumeRecord]) -> Restorable[VolumeRecord]:
    """A volume that would be the first project's, although another may have owned it."""
    volume = attr.evolve(found.record, project_id=LOST_OWNER)
    return Restorable(
        volume, f"{found.problem}; its project is lost, so only administrators see it"
    )


def _copies(
    state: StateDirectory, names: Collection[str], prefix: str, read: Callable[[str], R]
) -> list[Restorable[R]]:
    """
    The snapshots or the backups that have a sidecar.  The file of one without is left alone, since
    nothing says whose volume's it is.

    :param read: returns the record of an id.
    """
    found: list[Restorable[R]] = []
    for key in sorted(ids_with_sidecar(names, prefix)):
        with suppress(DamagedSidecar):
            record = read(key)
            found.append(Restorable(record, _problem(state, prefix + key, record.size)))
    return sorted(found, key=lambda each: each.record.created_at)


def _problem(state: StateDirectory, name: str, size: int) -> str:
    """
    :param size: in GiB, that a file should have.
    :return: the problem of the file, or an empty text.
    """
    path = os.path.join(state.volumes, name)
    if not os.path.exists(path):
        return "its file is missing"
    found = os.path.getsize(path)
    return "" if found == size * GIB else f"its file has {found} bytes"


def _placeholders(
    found: Collection[Restorable[VolumeRecord]], snapshots: Collection[Restorable[SnapshotRecord]]
) -> list[Restorable[VolumeRecord]]:
    """Volumes in error for the snapshots that nothing else of their volumes remains of."""
    known = {each.record.volume_id for each in found}
    missing = {each.record.volume_id: each.record for each in snapshots}
    return [
        Restorable(
            attr.evolve(
                _unnamed(volume_id, snapshot.size, snapshot.created_at, "error"),
                project_id=snapshot.project_id,
                user_id=snapshot.user_id,
            ),
            "only its snapshots remain",
        )
        for volume_id, snapshot in missing.items()
        if volume_id not in known
    ]


def _unnamed(volume_id: str, size: int, created_at: float, status: str) -> VolumeRecord:
    return VolumeRecord(
        sequence=0,
        volume_id=volume_id,
        name=None,
        description=None,
        size=size,
        status=status,
        volume_type=DEFAULT_TYPE,
        bootable=False,
        created_at=created_at,
        updated_at=None,
        metadata={},
        attachment=None,
    )


def _with_known_server(
    found: Restorable[VolumeRecord], nodes: Mapping[str, str]
) -> Restorable[VolumeRecord]:
    attachment = found.record.attachment
    if attachment is None or not attachment.by_compute or attachment.server_id in nodes.values():
        return found
    volume = attr.evolve(found.record, attachment=None, status="available")
    return Restorable(volume, found.problem or f"its server {attachment.server_id} is lost")


__all__ = [
    "LOST_OWNER",
    "Remains",
    "Restorable",
    "examine",
]
