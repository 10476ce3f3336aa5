"""Tests for :mod:`txstorage.docker.diagnosis.local_volumes`."""

from __future__ import annotations

import os
import socket
import tempfile
from threading import Thread

from twisted.trial.unittest import SynchronousTestCase

from txstorage.docker.diagnosis.local_volumes import check_local_volumes
from txstorage.docker.diagnosis.results import CheckResult

#: An engine's answer.
ANSWER = 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"Volumes": %s}'


class LocalVolumesTests(SynchronousTestCase):
    """Local volumes in the place of the plugin's."""

    def setUp(self) -> None:
        # A socket's path has a bound of 108 bytes.
        directory = tempfile.TemporaryDirectory(prefix="txstorage-test-")
        self.addCleanup(directory.cleanup)
        self.path = os.path.join(directory.name, "docker.sock")
        self.requests: list[str] = []

    def engine(self, answer: str | None) -> None:
        """Answer one request as an engine does; ``None`` never answers."""
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(self.path)
        listening.listen()

        def serve() -> None:
            with listening, listening.accept()[0] as connection:
                self.requests.append(connection.recv(65536).decode())
                if answer is None:
                    connection.recv(1)
                else:
                    connection.sendall(answer.encode())

        thread = Thread(target=serve)
        thread.start()
        self.addCleanup(os.unlink, self.path)
        self.addCleanup(thread.join)

    def found(self, timeout: float = 30.0) -> CheckResult:
        """:return: the finding about two volumes of the plugin."""
        return check_local_volumes(self.path, {"notes": "ext4", "pg": "xfs"}, timeout)

    def test_shadowing(self) -> None:
        """A local volume with the name of one of the plugin's is a failure, with its remedy."""
        self.engine(ANSWER % '[{"Name": "other"}, {"Name": "pg"}]')
        found = self.found()
        self.assertEqual("fail", found.outcome)
        self.assertIn("docker volume rm pg", found.remedy)
        self.assertNotIn("notes", found.detail + found.remedy)
        # Engines wait for all plugins unless only local volumes are asked for.
        self.assertIn("GET /volumes?filters=%7B%22driver%22%3A%20%5B%22local%22%5D%7D ",
                      self.requests[0])  # fmt: skip

    def test_well(self) -> None:
        """Other local volumes are no problem; engines have null for none."""
        for volumes in ('[{"Name": "other"}]', "null"):
            self.engine(ANSWER % volumes)
            self.assertEqual("ok", self.found().outcome)
            self.doCleanups()
            self.setUp()

    def test_no_engine(self) -> None:
        """Without an engine nothing is checked."""
        self.assertEqual("skipped", self.found().outcome)

    def test_broken_engine(self) -> None:
        """An engine that can't be asked is a warning, and is not waited for without end."""
        for answer in ("HTTP/1.1 500 No\r\n\r\n", "nonsense", ANSWER % "[7]", ANSWER % "7", None):
            self.engine(answer)
            found = self.found(30.0 if answer else 0.1)
            self.assertEqual("warning", found.outcome, answer)
            self.assertEqual(answer is None, "takes too long" in found.detail)
            self.doCleanups()
            self.setUp()
