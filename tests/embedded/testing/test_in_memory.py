"""Tests of the double in memory."""

from __future__ import annotations

import os
from typing import Any

from treq.client import HTTPClient
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase, TestCase
from twisted.web.client import ResponseNeverReceived
from twisted.web.iweb import IAgent
from zope.interface.verify import verifyObject

from txstorage.embedded.testing import InMemoryOpenStack, in_memory

from ..support import password_auth


class InMemoryOpenStackTests(SynchronousTestCase):
    """Tests of :class:`InMemoryOpenStack`."""

    def setUp(self) -> None:
        self.use(transition_delay=5)

    def use(self, **settings: Any) -> None:
        """Use a double with these settings, and a client of it."""
        self.cloud = InMemoryOpenStack(**settings)
        self.addCleanup(self.cloud.close)
        body = password_auth(self.cloud.password)
        answer = self.successResultOf(self.cloud.treq.post(self.tokens, json=body))
        self.headers = {"X-Auth-Token": answer.headers.getRawHeaders("X-Subject-Token")[0]}

    @property
    def tokens(self) -> str:
        """The address of tokens."""
        return self.cloud.auth_url + "/auth/tokens"

    def url(self, path: str = "") -> str:
        """An address of volumes."""
        return self.cloud.auth_url.replace("/identity/v3", "/volume/v3/volumes") + path

    def create(self) -> Deferred[Any]:
        """Request a volume."""
        body = {"volume": {"size": 1}}
        created: Deferred[Any] = self.cloud.treq.post(self.url(), json=body, headers=self.headers)
        return created

    def created(self) -> str:
        """Request a volume; :return: its id."""
        answer = self.successResultOf(self.create())
        volume_id: str = self.successResultOf(answer.json())["volume"]["id"]
        return volume_id

    def status(self, volume_id: str) -> str:
        """Return a volume's status."""
        got = self.cloud.treq.get(self.url("/" + volume_id), headers=self.headers)
        document = self.successResultOf(self.successResultOf(got).json())
        status: str = document["volume"]["status"]
        return status

    def test_agent(self) -> None:
        """The agent has the interface of Twisted's."""
        self.assertTrue(verifyObject(IAgent, self.cloud.agent))

    def test_transitions(self) -> None:
        """Transitions happen when the clock is advanced, at their times."""
        volume_id = self.created()
        self.cloud.advance(4)
        self.assertEqual(self.status(volume_id), "creating")
        self.cloud.advance(1)
        self.assertEqual(self.status(volume_id), "available")

    def test_without_delay(self) -> None:
        """Without a delay, a transition has happened by the next request."""
        self.use()
        self.assertEqual(self.status(self.created()), "available")

    def test_clients_clock(self) -> None:
        """A client that polls by the double's clock sees each step at its time."""
        volume_id = self.created()
        begun = self.cloud.clock.seconds()
        seen: list[tuple[float, str]] = []

        def poll() -> None:
            seen.append((self.cloud.clock.seconds() - begun, self.status(volume_id)))
            if seen[-1][1] == "creating":
                self.cloud.clock.callLater(2, poll)

        poll()
        self.cloud.advance(60)
        expected = [(0, "creating"), (2, "creating"), (4, "creating"), (6, "available")]
        self.assertEqual([(round(time), status) for time, status in seen], expected)
        self.assertEqual(round(self.cloud.clock.seconds() - begun), 60)

    def test_late(self) -> None:
        """A late answer comes when the clock is advanced."""
        self.cloud.fail("POST /volume/v3/volumes", delay=30)
        answered = self.create()
        self.cloud.advance(29)
        self.assertNoResult(answered)
        self.cloud.advance(1)
        self.assertEqual(self.successResultOf(answered).code, 202)

    def test_lost(self) -> None:
        """A lost answer fails as on a network, and its request was carried out."""
        self.cloud.fail("POST /volume/v3/volumes", lost="answer")
        self.failureResultOf(self.create(), ResponseNeverReceived)
        got = self.successResultOf(self.cloud.treq.get(self.url(), headers=self.headers))
        self.assertEqual(len(self.successResultOf(got.json())["volumes"]), 1)

    def test_controls(self) -> None:
        """Requests are recorded, faults listed, and all of them forgotten at a reset."""
        self.created()
        fault = self.cloud.fail("volume", status=500)
        self.assertEqual(self.cloud.faults[0]["id"], fault.fault_id)
        self.assertEqual(self.cloud.requests[-1].body, {"volume": {"size": 1}})
        now = self.cloud.clock.seconds()
        self.cloud.reset()
        self.assertEqual((self.cloud.requests, self.cloud.faults), ([], []))
        self.assertEqual(self.cloud.clock.seconds(), now)

    def test_close(self) -> None:
        """A closed one leaves neither files nor delayed calls, also with a late answer."""
        directory = self.cloud._directory
        self.created()
        self.cloud.fail("volume", delay=60)
        late = self.create()
        self.cloud.close()
        self.assertEqual(
            (os.path.exists(directory), self.cloud.clock.getDelayedCalls()), (False, [])
        )
        self.assertNoResult(late)
        self.cloud.close()

    def test_no_start(self) -> None:
        """An unknown setting is an error, and leaves no directory."""
        made: list[str] = []
        make = in_memory.scratch_directory
        self.patch(in_memory, "scratch_directory", lambda: made.append(make()) or made[0])
        error = self.assertRaises(TypeError, InMemoryOpenStack, transition_delya=1)
        self.assertIn("transition_delya", str(error))
        self.assertFalse(os.path.exists(made[0]))


class ReactorTests(TestCase):
    """Tests with a client that uses the reactor."""

    async def test_body(self) -> None:
        """A body that a producer makes by the reactor's time is received as a whole."""
        with InMemoryOpenStack() as cloud:
            body = password_auth(cloud.password)
            # Its producers of bodies are cooperative tasks.
            answer = await HTTPClient(cloud.agent).post(cloud.auth_url + "/auth/tokens", json=body)
            self.assertEqual(answer.code, 201)
