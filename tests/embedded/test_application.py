"""Tests of the service in memory."""

from __future__ import annotations

import os
from typing import Any
from unittest import mock

from eliot.testing import capture_logging
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.test.requesthelper import DummyRequest

from txstorage._configuration.configuration import Configuration
from txstorage._log import SERVER_FAULT, SERVER_REQUEST
from txstorage._support.compat import as_text
from txstorage.embedded.control.recent import ServedRequest
from txstorage.embedded.testing import in_memory_cloud

from .support import CloudTests


class InMemoryCloudTests(SynchronousTestCase):
    """Tests of :func:`in_memory_cloud`."""

    def test_nodes(self) -> None:
        """Each node is a server with an id of its own and a root volume."""
        cloud = in_memory_cloud(Clock(), nodes=("a", "b"))
        self.addCleanup(cloud.close)
        self.assertEqual(sorted(cloud.nodes), ["a", "b"])
        for server_id in cloud.nodes.values():
            (root,) = cloud.store.attachments.of_server(server_id)
            volume = cloud.store.volume(root.volume_id)
            assert volume is not None
            self.assertTrue(volume.root)

    def test_close(self) -> None:
        """Closing the cloud leaves neither files nor delayed calls."""
        clock = Clock()
        cloud = in_memory_cloud(clock, transition_delay=5.0)
        directory = os.path.dirname(cloud.devices_directory)
        cloud.close()
        self.assertFalse(os.path.exists(directory))
        self.assertEqual(clock.getDelayedCalls(), [])

    def test_credentials(self) -> None:
        """The credentials are a driver's configuration."""
        cloud = in_memory_cloud(Clock())
        self.addCleanup(cloud.close)
        self.assertTrue(Configuration.from_mapping(cloud.credentials))


class ApplicationTests(CloudTests):
    """Tests of :class:`~txstorage.embedded.application.Application`."""

    def test_stop(self) -> None:
        """After a stop no transition happens, but the requested ones are kept."""
        got = self.volumes("POST", body={"volume": {"size": 1}})
        self.successResultOf(self.cloud.application.stop())
        self.settle()
        self.assertEqual(self.status(got.body["volume"]["id"]), "creating")


class RequestLogTests(CloudTests):
    """Tests of the log of requests."""

    def setUp(self) -> None:
        super().setUp()
        self.known = self.cloud.application.requests.number

    def logged(self, logger: Any, kind: Any) -> list[dict[str, Any]]:
        """The fields of the messages of a type."""
        found = [each for each in logger.messages if each.get("message_type") == kind.message_type]
        left_out = {"message_type", "task_uuid", "task_level", "timestamp"}
        return [{name: each[name] for name in set(each) - left_out} for each in found]

    @capture_logging(None)
    def test_each_request(self, logger: Any) -> None:
        """
        Each request id that a client gets is logged, with the method, the path without the query,
        and the status.
        """
        got = [
            self.volumes("GET", "?limit=1"),
            self.volumes("GET", "/nothing"),
            self.nova("POST", "/nosuch", {}),
            self.ask("GET", "/"),
            self.ask("GET", "/healthcheck"),
        ]
        self.assertEqual(
            [each["request_id"] for each in self.logged(logger, SERVER_REQUEST)],
            [each.headers["x-openstack-request-id"] for each in got],
        )
        self.assertEqual(
            [
                (as_text(each["method"]), as_text(each["path"]), each["status"])
                for each in self.logged(logger, SERVER_REQUEST)
            ],
            [
                ("GET", f"/volume/v3/{self.project}/volumes", 200),
                ("GET", f"/volume/v3/{self.project}/volumes/nothing", 404),
                ("POST", "/compute/v2.1/nosuch", 404),
                ("GET", "/", 200),
                ("GET", "/healthcheck", 200),
            ],
        )

    @capture_logging(None)
    def test_no_secret(self, logger: Any) -> None:
        """The log has neither tokens nor passwords."""
        self.setUp()
        self.volumes("GET")
        text = str(logger.messages)
        self.assertNotIn(str(self.token), text)
        self.assertNotIn(self.cloud.settings.password, text)

    @capture_logging(None)
    def test_fault(self, logger: Any) -> None:
        """A fault of the service is logged with its traceback, under the client's request id."""
        self.patch(self.cloud.store, "volumes", mock.Mock(side_effect=RuntimeError("oops")))
        got = self.volumes("GET")
        [fault] = self.logged(logger, SERVER_FAULT)
        self.assertEqual(fault["request_id"], got.headers["x-openstack-request-id"])
        self.assertIn("RuntimeError: oops", fault["traceback"])
        self.assertIn("Traceback", fault["traceback"])
        [request] = self.logged(logger, SERVER_REQUEST)
        self.assertEqual((request["status"], request["request_id"]), (500, fault["request_id"]))
        [reported] = self.flushLoggedErrors(RuntimeError)
        self.assertIn("oops", str(reported.value))

    @capture_logging(None)
    def test_client_gone(self, logger: Any) -> None:
        """A request whose client left before the response has no status."""
        request = DummyRequest([b"volume"])
        request.method, request.uri, request.path = b"GET", b"/volume?a=b", b"/volume"
        request.code = 200
        self.cloud.application.resource().getChildWithDefault(b"volume", request)
        request.processingFailed(Failure(ConnectionLost()))
        [logged] = self.logged(logger, SERVER_REQUEST)
        self.assertEqual((logged["path"], logged["status"]), ("/volume", None))
        [(_, kept)] = self.cloud.application.requests.since(self.known)
        self.assertEqual((kept.path, kept.query, kept.status), ("/volume", "a=b", None))

    def test_kept(self) -> None:
        """
        The last requests are kept, with the id, the microversion and the times, and without bodies.
        """
        self.clock.advance(5)
        got = self.cinder("POST", "/volumes?x=1", {"volume": {"size": 1}}, version="3.60")
        [(_, kept)] = self.cloud.application.requests.since(self.known)
        self.assertEqual(
            kept,
            ServedRequest(
                time=self.clock.seconds(),
                duration=0.0,
                method="POST",
                path=f"/volume/v3/{self.project}/volumes",
                query="x=1",
                status=202,
                request_id=got.headers["x-openstack-request-id"],
                microversion="3.60",
            ),
        )
