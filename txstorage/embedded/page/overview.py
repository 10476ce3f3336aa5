# -*- test-case-name: tests.embedded.page.test_overview -*-
"""
The overview of the service: what the page shows, read from the store, the logs and the disk.
"""

from __future__ import annotations

import json
from collections.abc import Hashable
from itertools import islice

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ..control.recent import RecentLog, ServedRequest
from ..disk import allocated_bytes, free_bytes
from ..machine.backup_transitions import BACKUP_TRANSITIONS
from ..machine.files import VolumeFiles
from ..machine.server_transitions import SERVER_TRANSITIONS
from ..machine.transitions import TRANSITIONS, transition_of
from ..store.records import Usage, VolumeFilter
from ..store.servers.records import ServerRecord
from ..store.store import Store
from .state import (
    NODE_VOLUMES,
    RECENT,
    ROWS,
    DiskUse,
    Overview,
    Resource,
    SettledTransition,
    state,
)

_log = Logger()
#: Seconds from one look at the disk to the next.
_LOOK = 2.0
#: The paths of the page itself, whose requests are not shown on it.
OWN_PATHS = "/page/"
_MOVING = VolumeFilter(columns={"status": sorted(TRANSITIONS), "root": False})


class Disk:
    """
    The room on the disk, which a thread looks up now and then.

    :ivar use: as it was found last; ``None`` at first.
    """

    def __init__(self, reactor: IReactorTime, files: VolumeFiles) -> None:
        self._reactor = reactor
        self._files = files
        self._due = reactor.seconds()
        self._looking = False
        self.use: DiskUse | None = None

    def look(self) -> None:
        """Look at the disk, unless that was done just now, or is being done."""
        if self._looking or self._reactor.seconds() < self._due:
            return
        self._looking = True
        looked: Deferred[DiskUse] = self._files.aside(_disk_use, self._files.directory)
        looked.addCallbacks(self._found, lambda why: _log.failure("The disk has no answer", why))
        looked.addBoth(self._looked)

    def _found(self, use: DiskUse) -> None:
        self.use = use

    def _looked(self, _: object) -> None:
        self._looking = False
        self._due = self._reactor.seconds() + _LOOK


def _disk_use(directory: str) -> DiskUse:
    return DiskUse(allocated_bytes(directory), free_bytes(directory))


class Source:
    """
    The source of the page's state.

    :param requests: the last requests.
    :param transitions: the transitions that ended last.
    """

    def __init__(
        self,
        store: Store,
        disk: Disk,
        requests: RecentLog[ServedRequest],
        transitions: RecentLog[SettledTransition],
    ) -> None:
        self._store = store
        self._disk = disk
        self._requests = requests
        self._transitions = transitions

    def version(self) -> Hashable:
        """Return a value that differs from the former one if the state may differ."""
        self._disk.look()
        numbers = self._requests.number, self._transitions.number
        return self._store.searches.version(), numbers, self._disk.use

    def state(self, text: str) -> dict[str, str]:
        """
        Return the state's members, encoded as JSON.

        :param text: the filter: a part of the id, name, status or node of the volumes to show.
        """
        return {name: json.dumps(value) for name, value in state(self.overview(text)).items()}

    def overview(self, text: str = "") -> Overview:
        """Read the records."""
        store = self._store
        every = store.servers.of_projects(None)
        # The nodes in the order of their declarations, then the servers that clients made last.
        servers = [each for each in reversed(every) if each.is_node]
        servers += [each for each in every if not each.is_node]
        volumes, matching_volumes = store.searches.containing(text, ROWS)
        snapshots, matching_snapshots = store.snapshots.containing(text, ROWS)
        counts = store.attachments.counts()
        return Overview(
            servers=servers,
            attached={
                server.server_id: store.searches.on_server(server.server_id, NODE_VOLUMES)
                for server in servers[:ROWS]
                if server.server_id in counts
            },
            attached_counts=counts,
            volumes=volumes,
            matching_volumes=matching_volumes,
            moving=self._moving(servers),
            snapshots=snapshots,
            matching_snapshots=matching_snapshots,
            transitions=[each for _, each in islice(reversed(self._transitions.since()), RECENT)],
            requests=self._shown_requests(),
            usage=Usage(
                volumes=store.searches.containing("", 0)[1],
                snapshots=store.snapshots.containing("", 0)[1],
                gigabytes=store.quotas.promised(),
            ),
            disk=self._disk.use,
        )

    def _moving(self, servers: list[ServerRecord]) -> list[Resource]:
        store = self._store
        backups = [each for each in store.backups.every() if each.status in BACKUP_TRANSITIONS]
        building = [each for each in servers if each.status in SERVER_TRANSITIONS]
        return [
            # A volume that is reserved by a host waits for its client.
            *(
                volume
                for volume in store.volumes(_MOVING, limit=RECENT)
                if transition_of(volume) is not None
            ),
            *store.snapshots.moving(RECENT),
            *backups[:RECENT],
            *building[:RECENT],
        ]

    def _shown_requests(self) -> list[ServedRequest]:
        newest = reversed(self._requests.since())
        others = (each for _, each in newest if not each.path.startswith(OWN_PATHS))
        return list(islice(others, RECENT))
