# -*- test-case-name: tests.embedded.page.test_live -*-
"""The page of a running service, with all its parts."""

from __future__ import annotations

from typing import Any, Callable

from twisted.internet.interfaces import IReactorTime

from ..accounts.attempts import Attempts
from ..control.recent import RecentLog, ServedRequest
from ..machine.engine import Engine
from ..machine.files import VolumeFiles
from ..settings import USER, Settings
from ..store.records import VolumeRecord
from ..store.store import Store
from .access import one_login
from .feed import Feed
from .overview import Disk, Source
from .resource import PageResource
from .state import Resource, SettledTransition, identified


class LivePage:
    """
    The page.

    :ivar resource: of the path ``/`` for browsers, and of all paths below ``/page``.
    :ivar transitions: those that ended last.
    :param reactor: for time.
    :param wall_time: returns seconds since the epoch.
    :param requests: the last requests.
    :param attempts: counts wrong logins.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        store: Store,
        settings: Settings,
        files: VolumeFiles,
        wall_time: Callable[[], float],
        requests: RecentLog[ServedRequest],
        attempts: Attempts,
    ) -> None:
        self._wall_time = wall_time
        self.transitions: RecentLog[SettledTransition] = RecentLog()
        source = Source(store, Disk(reactor, files), requests, self.transitions)
        self._feed = Feed(reactor, source)
        check = one_login(USER, settings.password)
        self.resource = PageResource(self._feed, settings.local, check, attempts)

    def observe(self, *engines: Engine) -> None:
        """Record the transitions of engines."""
        for engine in engines:
            engine.settled = self._settled

    def _settled(self, subject: Any, status: str, reason: str) -> None:
        self.transitions.add(settled(subject, status, reason, self._wall_time()))

    def stop(self) -> None:
        """End what browsers receive; they connect again when the service is back."""
        self._feed.stop()


def settled(subject: Resource, status: str, reason: str, time: float) -> SettledTransition:
    """
    Make the record of a transition that has ended.

    :param subject: as it was before.
    :param status: the new one.
    :param time: seconds since the epoch.
    """
    kind, subject_id = identified(subject)
    attachment = subject.attachment if isinstance(subject, VolumeRecord) else None
    return SettledTransition(
        time=time,
        kind=kind,
        subject_id=subject_id,
        name=subject.name,
        begin=subject.status,
        end=status,
        server_id=None if attachment is None else attachment.server_id,
        reason=reason,
    )
