"""
Tests for ``txstorage.cli.observed``.
"""

from __future__ import annotations

from typing import Any
from unittest import mock

import attr
from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from txstorage.cli.observed import ObservedService, SentRequests
from txstorage.clouds import Snapshot, Volume
from txstorage.errors import RequestRefused, ResponseLost, UnknownSnapshot, Unreachable
from txstorage.interfaces import UnknownVolume

VOLUME = Volume("v", "attaching", 1)
SNAPSHOT = Snapshot("s", "v", "creating", 1)
CREATE = ("name", 2**30, {}, None, "snapshot", None)
SNAPSHOTTED = "create a snapshot 'n' of volume v"
REFUSED = Unreachable("GET", "http://cloud", "Connection was refused")


class LookTests(SynchronousTestCase):
    """The text of a spinner."""

    def setUp(self) -> None:
        self.seen: list[str] = []
        self.service = mock.Mock()
        self.observed = ObservedService(self.service, self.seen.append)

    def look(self, outcome: Any, name: str = "get_volume") -> None:
        """Look once."""
        failed = isinstance(outcome, Exception)
        answer = fail(outcome) if failed else succeed(outcome)
        setattr(self.service, name, lambda *args: answer)
        looked = getattr(self.observed, name)("v")
        if failed:
            self.failureResultOf(looked, type(outcome))
        else:
            self.assertIs(self.successResultOf(looked), outcome)

    def test_status(self) -> None:
        """The status of each returned volume and snapshot is observed, and both are passed on."""
        self.look(VOLUME)
        self.look(SNAPSHOT, "get_snapshot")
        self.assertEqual(self.seen, ["attaching", "creating"])
        self.assertIs(self.observed.settle, self.service.settle)

    def test_progress(self) -> None:
        """The part of a snapshot that is made is observed, and only while it is being made."""
        for status in ("creating", "available"):
            self.look(attr.evolve(SNAPSHOT, status=status, progress="42%"), "get_snapshot")
        self.look(REFUSED, "get_snapshot")
        self.look(attr.evolve(SNAPSHOT, progress="43%"), "get_snapshot")
        self.look(REFUSED, "get_snapshot")
        self.assertEqual(
            self.seen,
            [
                "creating, 42% done",
                "available",
                "available: 1 failed look: Connection was refused",
                "available",
                "creating, 43% done",
                "creating, 43% done: 1 failed look: Connection was refused",
            ],
        )

    def test_outage(self) -> None:
        """Failed looks are counted, with their reason, until one succeeds."""
        self.look(VOLUME)
        for name in ("get_volume", "list_volumes", "list_attachments", "list_snapshots"):
            self.look(REFUSED, name)
        self.look({}, "list_device_names")
        self.look(REFUSED)
        self.assertEqual(
            self.seen,
            [
                "attaching",
                "attaching: 1 failed look: Connection was refused",
                "attaching: 2 failed looks: Connection was refused",
                "attaching: 3 failed looks: Connection was refused",
                "attaching: 4 failed looks: Connection was refused",
                "attaching",
                "attaching: 1 failed look: Connection was refused",
            ],
        )

    def test_before_a_status(self) -> None:
        """Failed looks are shown even if nothing was seen yet."""
        self.look(REFUSED, "list_volumes")
        self.assertEqual(self.seen, ["1 failed look: Connection was refused"])

    def test_gone(self) -> None:
        """An answer that a volume or a snapshot is gone is not a failed look."""
        self.look(UnknownVolume("v"))
        self.look(UnknownSnapshot("s"), "get_snapshot")
        self.assertEqual(self.seen, [])


class RequestTests(SynchronousTestCase):
    """The requests of an interrupted command."""

    def setUp(self) -> None:
        self.sent = SentRequests()
        self.service = mock.Mock()
        self.observed = ObservedService(self.service, lambda status: None, self.sent)

    def test_requests(self) -> None:
        """Each request for a change is recorded when it is sent, and when it is accepted."""
        for name, arguments, what, answer, outcome in (
            ("create_volume", CREATE, "create a volume of 1 GiB", VOLUME, " as volume v"),
            ("create_snapshot", ("v", "n", {}), SNAPSHOTTED, SNAPSHOT, " as snapshot s"),
            ("delete_snapshot", ("s",), "destroy snapshot s", None, ""),
            ("extend_volume", ("v", 2**31, True), "grow volume v to 2 GiB", None, ""),
            ("delete_volume", ("v",), "destroy volume v", None, ""),
            ("set_labels", ("v", {"a": "b"}), "label volume v", {"a": "b"}, ""),
            ("remove_label", ("v", "a"), "remove the label 'a' of volume v", None, ""),
            ("request_attach", ("v", "s"), "attach volume v to s", None, ""),
            ("request_detach", ("v", "s"), "detach volume v from s", None, ""),
        ):
            self.setUp()
            waiting: Deferred[Any] = Deferred()
            request = mock.Mock(return_value=waiting)
            setattr(self.service, name, request)
            sent = getattr(self.observed, name)(*arguments)
            request.assert_called_once_with(*arguments)
            self.assertEqual(str(self.sent), f"{what} (sent, and not answered yet)")
            waiting.callback(answer)
            self.assertIs(self.successResultOf(sent), answer)
            self.assertEqual(str(self.sent), f"{what} (accepted{outcome})")

    def test_refused(self) -> None:
        """A request that was certainly not processed is forgotten, and another one is not."""
        for error, expected in (
            (RequestRefused("POST", "http://cloud", 400, "no"), ""),
            (UnknownVolume("v"), ""),
            (UnknownSnapshot("s"), ""),
            (REFUSED, ""),
            (ResponseLost("POST", "http://cloud", "x"), "sent, and not answered yet"),
        ):
            self.setUp()
            self.service.delete_volume = lambda volume_id, error=error: fail(error)
            self.failureResultOf(self.observed.delete_volume("v"), type(error))
            self.assertIn(expected, str(self.sent))
            self.assertEqual(bool(expected), bool(str(self.sent)))
