# -*- test-case-name: tests.embedded.test_recovery -*-
"""
The recovery of a lost database from the files beside it.

A service that began anew beside the files of a lost database would have another cluster id, and
none of the volumes.  Nothing is changed until an operator has seen what can be restored.
"""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Callable, Collection, Mapping
from contextlib import closing, suppress
from typing import Any

import attr
import yaml

from .disk import sync_directory
from .machine.files import PREFIX, SNAPSHOT_PREFIX
from .memory import FACTS, ServiceMemory
from .settings import DEFAULT_TYPE, GIB
from .state_directory import ServeError, StateDirectory
from .store.records import SnapshotRecord, VolumeRecord
from .store.sidecar_content import (
    DamagedSidecar,
    Sidecar,
    ids_with_file,
    ids_with_sidecar,
    read_sidecar,
    read_snapshot_sidecar,
)
from .store.store import Store

#: Files that SQLite keeps beside a database.
_BESIDE = ("-wal", "-shm", "-journal", "")


@attr.s(frozen=True, auto_attribs=True)
class Restorable:
    """
    A volume that can be restored.

    :ivar problem: the part of it that is lost; empty when all of it is there.
    """

    volume: VolumeRecord
    problem: str = ""


@attr.s(frozen=True, auto_attribs=True)
class RestorableSnapshot:
    """
    A snapshot that can be restored.

    :ivar problem: as a volume's.
    """

    snapshot: SnapshotRecord
    problem: str = ""


@attr.s(frozen=True, auto_attribs=True)
class Remains:
    """
    The remains of a service without its database.

    :ivar volumes: the oldest first.
    :ivar nodes: server ids by name.
    :ivar facts: ids, by their names in the store; missing ones are lost.
    :ivar snapshots: the oldest first; each one's volume is among the volumes.
    :ivar lost_facts: the names of the ids that will be new.
    """

    volumes: tuple[Restorable, ...]
    nodes: Mapping[str, str]
    facts: Mapping[str, str]
    snapshots: tuple[RestorableSnapshot, ...] = ()

    @property
    def lost_facts(self) -> tuple[str, ...]:
        """The names of the ids that nothing has kept, so that clients must be changed."""
        return tuple(name for name in FACTS if name not in self.facts)


# -- whether a database is lost ----------------------------------------------------


def _counts(path: str) -> tuple[int, int]:
    """:return: the numbers of nodes and of volumes in a database, which may not exist."""
    if not os.path.exists(path) or not os.path.getsize(path):
        return 0, 0
    with closing(sqlite3.connect(path)) as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        if not {"servers", "volumes"} <= tables:
            return 0, 0
        nodes = database.execute("SELECT count(*) FROM servers").fetchone()
        columns = {row[1] for row in database.execute("PRAGMA table_info(volumes)")}
        # Earlier releases had no other name for it.
        root = "root" if "root" in columns else "bootable"
        volumes = database.execute(f"SELECT count(*) FROM volumes WHERE NOT {root}").fetchone()
    return nodes[0], volumes[0]


def is_lost(state: StateDirectory) -> bool:
    """
    Check for a database that is missing, or is empty beside files that it should know.

    Files of volumes and snapshots are made after their rows and removed before them, and nodes'
    files are made after their rows; so no crash looks like a loss.
    """
    try:
        nodes, volumes = _counts(state.database)
    except sqlite3.Error:
        # A database that can't be read is there; its problem is reported when it is opened.
        return False
    names = os.listdir(state.volumes)
    files = ids_with_file(names) + ids_with_file(names, SNAPSHOT_PREFIX)
    if not nodes:
        return bool(files or state.agents() or os.path.exists(state.memory))
    return bool(files) and not volumes


def refuse_lost(state: StateDirectory) -> None:
    """
    :raises ServeError: the database is lost.
    """
    if not is_lost(state):
        return
    files = ids_with_file(os.listdir(state.volumes))
    agents = [os.path.basename(path) for path in state.agents().values()]
    count = "1 volume" if len(files) == 1 else f"{len(files)} volumes"
    found = [f"the files of {count}"] if files else []
    raise ServeError(
        "the database {} is missing or empty, but {} has {}".format(
            state.database, state.path, ", ".join(found + agents) or "a service.json"
        ),
        "put the database back from a copy, see what can be restored without it with "
        f"'txstorage serve --state-dir {state.path} --recover', or give another --state-dir",
    )


def unknown_files(
    state: StateDirectory,
    volumes: Collection[VolumeRecord],
    snapshots: Collection[SnapshotRecord] = (),
) -> list[str]:
    """:return: warnings about files that a database, such as an old copy, lacks."""
    names = os.listdir(state.volumes)
    known = {
        "volumes": (PREFIX, {volume.volume_id for volume in volumes}),
        "snapshots": (SNAPSHOT_PREFIX, {snapshot.snapshot_id for snapshot in snapshots}),
    }
    found = {kind: set(ids_with_file(names, prefix)) - ids for kind, (prefix, ids) in known.items()}
    return [
        f"warning: {state.volumes} has files of unknown {kind}, which are left alone: "
        + ", ".join(sorted(unknown))
        for kind, unknown in found.items()
        if unknown
    ]


# -- what can be restored -----------------------------------------------------------


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
    snapshots = _snapshots(state, names)
    found += _placeholders(found, snapshots)
    found.sort(key=lambda each: (each.volume.created_at, each.volume.volume_id))
    facts = dict(memory.facts)
    facts.setdefault("cluster_id", _one("cluster ids", _cluster_ids(sidecars, agents)))
    facts.setdefault("project_id", _one("project ids", {s.project_id for s in sidecars.values()}))
    kept = {name: value for name, value in facts.items() if value}
    return Remains(tuple(found), nodes, kept, tuple(snapshots))


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


def _restorable(state: StateDirectory, volume_id: str, read: dict[str, Sidecar]) -> Restorable:
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
    if not os.path.exists(path):
        return Restorable(sidecar.volume, "its file is missing")
    size, volume = os.path.getsize(path), sidecar.volume
    if volume.growing is not None and size == volume.growing * GIB:
        return Restorable(attr.evolve(volume, size=volume.growing, growing=None))
    if size != volume.size * GIB:
        return Restorable(volume, f"its file has {size} bytes")
    return Restorable(volume)


def _snapshots(state: StateDirectory, names: Collection[str]) -> list[RestorableSnapshot]:
    """
    The snapshots that have a sidecar.  The file of one without is left alone, since nothing says
    whose volume's it is.
    """
    found = []
    for snapshot_id in ids_with_sidecar(names, SNAPSHOT_PREFIX):
        path = os.path.join(state.volumes, SNAPSHOT_PREFIX + snapshot_id)
        with suppress(DamagedSidecar):
            snapshot = read_snapshot_sidecar(state.volumes, snapshot_id).snapshot
            problem = "" if os.path.exists(path) else "its file is missing"
            if not problem and os.path.getsize(path) != snapshot.size * GIB:
                problem = f"its file has {os.path.getsize(path)} bytes"
            found.append(RestorableSnapshot(snapshot, problem))
    return sorted(found, key=lambda each: (each.snapshot.created_at, each.snapshot.snapshot_id))


def _placeholders(
    found: Collection[Restorable], snapshots: Collection[RestorableSnapshot]
) -> list[Restorable]:
    """Volumes in error for the snapshots that nothing else of their volumes remains of."""
    known = {each.volume.volume_id for each in found}
    missing = {each.snapshot.volume_id: each.snapshot for each in snapshots}
    return [
        Restorable(
            _unnamed(volume_id, snapshot.size, snapshot.created_at, "error"),
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


def _with_known_server(found: Restorable, nodes: Mapping[str, str]) -> Restorable:
    attachment = found.volume.attachment
    if attachment is None or not attachment.by_compute or attachment.server_id in nodes.values():
        return found
    volume = attr.evolve(found.volume, attachment=None, status="available")
    return Restorable(volume, found.problem or f"its server {attachment.server_id} is lost")


# -- the restoration ------------------------------------------------------------------


def restore(state: StateDirectory, remains: Remains, clock: Callable[[], float]) -> None:
    """
    Make a database from the remains.  After a crash it is either complete or still lost.

    :param clock: returns seconds since the epoch.
    :raises ServeError: there is no room for it.
    """
    made = state.database + ".restored"
    try:
        for suffix in _BESIDE:
            with suppress(FileNotFoundError):
                os.unlink(made + suffix)
        # Made with mode 0600, whatever the umask is.
        os.close(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        with closing(Store(made, clock)) as store, store.transaction():
            _fill(store, remains)
        _set_aside(state.database)
        os.rename(made, state.database)
        sync_directory(state.path)
    except (OSError, sqlite3.Error) as error:
        raise ServeError(
            f"can't restore the database {state.database}: {error}",
            "remove the cause, and repeat the recovery",
        ) from error


def _fill(store: Store, remains: Remains) -> None:
    for name, value in remains.facts.items():
        store.set_fact(name, value)
    for name, server_id in remains.nodes.items():
        store.declare_server(name, server_id)
    for name in sorted({each.volume.volume_type for each in remains.volumes}):
        # An administrator's, whose extra specs are lost.
        if store.types.find(name) is None:
            store.types.add(name)
    for each in remains.volumes:
        store.restore_volume(each.volume)
    for restorable in remains.snapshots:
        store.snapshots.restore(restorable.snapshot)
    devices = [
        each.volume.attachment.node_device for each in remains.volumes if each.volume.attachment
    ]
    if devices:
        # All attached volumes have devices of one kind.
        store.set_fact("devices", "loop" if str(devices[0]).startswith("/dev/") else "file")


def _set_aside(path: str) -> None:
    """Rename a database, and what SQLite keeps beside it, which must not meet another database."""
    aside = f"{path}.lost-{uuid.uuid4().hex[:8]}"
    for suffix in _BESIDE:
        with suppress(FileNotFoundError):
            os.rename(path + suffix, aside + suffix)
