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
from .machine.files import PREFIX
from .memory import FACTS, ServiceMemory
from .settings import DEFAULT_TYPE, GIB
from .state_directory import ServeError, StateDirectory
from .store.records import VolumeRecord
from .store.sidecars import (
    DamagedSidecar,
    Sidecar,
    read_sidecar,
    volumes_with_file,
    volumes_with_sidecar,
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
class Remains:
    """
    The remains of a service without its database.

    :ivar volumes: the oldest first.
    :ivar nodes: server ids by name.
    :ivar facts: ids, by their names in the store; missing ones are lost.
    :ivar lost_facts: the names of the ids that will be new.
    """

    volumes: tuple[Restorable, ...]
    nodes: Mapping[str, str]
    facts: Mapping[str, str]

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
        volumes = database.execute("SELECT count(*) FROM volumes WHERE NOT bootable").fetchone()
    return nodes[0], volumes[0]


def is_lost(state: StateDirectory) -> bool:
    """
    Check for a database that is missing, or is empty beside files that it should know.

    Volumes' files are made after their rows and removed before them, and nodes' files are made
    after their rows; so no crash looks like a loss.
    """
    try:
        nodes, volumes = _counts(state.database)
    except sqlite3.Error:
        # A database that can't be read is there; its problem is reported when it is opened.
        return False
    files = volumes_with_file(os.listdir(state.volumes))
    if not nodes:
        return bool(files or state.agents() or os.path.exists(state.memory))
    return bool(files) and not volumes


def refuse_lost(state: StateDirectory) -> None:
    """
    :raises ServeError: the database is lost.
    """
    if not is_lost(state):
        return
    files = volumes_with_file(os.listdir(state.volumes))
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


def unknown_files(state: StateDirectory, volumes: Collection[VolumeRecord]) -> list[str]:
    """:return: a warning about volumes' files that a database, such as an old copy, lacks."""
    known = {volume.volume_id for volume in volumes}
    unknown = sorted(set(volumes_with_file(os.listdir(state.volumes))) - known)
    if not unknown:
        return []
    return [
        f"warning: {state.volumes} has files of unknown volumes, which are left alone: "
        + ", ".join(unknown)
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
    for volume_id in sorted({*volumes_with_file(names), *volumes_with_sidecar(names)}):
        restorable = _restorable(state, volume_id, sidecars)
        found.append(_with_known_server(restorable, nodes))
    found.sort(key=lambda each: (each.volume.created_at, each.volume.volume_id))
    facts = dict(memory.facts)
    facts.setdefault("cluster_id", _one("cluster ids", _cluster_ids(sidecars, agents)))
    facts.setdefault("project_id", _one("project ids", {s.project_id for s in sidecars.values()}))
    kept = {name: value for name, value in facts.items() if value}
    return Remains(tuple(found), nodes, kept)


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
        volume = VolumeRecord(
            sequence=0,
            volume_id=volume_id,
            name=None,
            description=None,
            size=max(size, 1),
            status="available",
            volume_type=DEFAULT_TYPE,
            bootable=False,
            created_at=created_at,
            updated_at=None,
            metadata={},
            attachment=None,
        )
        return Restorable(volume, f"its name and labels are lost: {error}")
    if not os.path.exists(path):
        return Restorable(sidecar.volume, "its file is missing")
    if os.path.getsize(path) != sidecar.volume.size * GIB:
        return Restorable(sidecar.volume, f"its file has {os.path.getsize(path)} bytes")
    return Restorable(sidecar.volume)


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
    for each in remains.volumes:
        store.restore_volume(each.volume)
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
