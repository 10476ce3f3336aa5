"""Tests for :mod:`txstorage.docker.diagnosis.sockets`."""

from __future__ import annotations

import os
import socket
import tempfile

from twisted.trial.unittest import SynchronousTestCase

from txstorage.docker.diagnosis.results import CheckResult
from txstorage.docker.diagnosis.sockets import check_sockets


class SocketsTests(SynchronousTestCase):
    """The places in which engines look for plugins."""

    def setUp(self) -> None:
        # A socket's path has a bound of 108 bytes.
        directory = tempfile.TemporaryDirectory(prefix="txstorage-test-")
        self.addCleanup(directory.cleanup)
        self.place = directory.name
        self.specs = os.path.join(self.place, "specs")
        os.mkdir(self.specs)

    def socket(self, name: str, listening: bool) -> str:
        """:return: the path of a socket, at which a process listens or not."""
        path = os.path.join(self.place, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        made = socket.socket(socket.AF_UNIX)
        made.bind(path)
        if listening:
            made.listen(0)
            self.addCleanup(made.close)
        else:
            made.close()
        return path

    def write(self, name: str, text: str) -> str:
        """Write a file that describes a plugin; :return: its path."""
        path = os.path.join(self.specs, name)
        with open(path, "w") as opened:
            opened.write(text)
        return path

    def found(self) -> CheckResult:
        """:return: the finding."""
        return check_sockets(self.place, (self.specs, self.specs + ".none"))

    def test_well(self) -> None:
        """Plugins that listen are no problem, also with a full queue; nor are other files."""
        path = self.socket("full.sock", True)
        for _ in range(3):
            client = socket.socket(socket.AF_UNIX)
            self.addCleanup(client.close)
            client.setblocking(False)
            try:
                client.connect(path)
            except BlockingIOError:
                break
        self.write("one.spec", f"unix://{path}\n")
        self.write("two.json", f'{{"Name": "two", "Addr": "unix://{path}"}}')
        self.write("far.spec", "tcp://plugin.example.org:8080")
        self.write("README", "nothing")
        self.assertEqual("ok", self.found().outcome)

    def test_dead_sockets(self) -> None:
        """A socket at which nothing listens is a failure, also one of a managed plugin."""
        self.socket("living.sock", True)
        for name in ("dead.sock", "managed/dead.sock"):
            path = self.socket(name, False)
            found = self.found()
            self.assertEqual("fail", found.outcome)
            self.assertIn(path, found.detail)
            self.assertIn(path, found.remedy)
            self.assertNotIn("living", found.detail)
            os.unlink(path)

    def test_dead_specs(self) -> None:
        """So is a file that names such a socket, or one that is not there."""
        dead = self.socket("dead", False)
        for address in (dead, self.place + "/none.sock"):
            for name, text in (
                ("p.spec", f"unix://{address}"),
                ("p.json", f'{{"Name": "p", "Addr": "unix://{address}"}}'),
            ):
                path = self.write(name, text)
                found = self.found()
                self.assertEqual("fail", found.outcome, text)
                self.assertIn(path, found.remedy)
                os.unlink(path)

    def test_damaged_specs(self) -> None:
        """A file without an address is a warning."""
        for name, text in (
            ("p.spec", ""),
            ("p.json", "{"),
            ("p.json", "[]"),
            ("p.json", '{"Addr": 7}'),
            ("p.spec", "/run/p.sock"),
        ):
            path = self.write(name, text)
            found = self.found()
            self.assertEqual(("warning", True), (found.outcome, path in found.remedy), text)
            os.unlink(path)
