"""Tests of the room that the service keeps for itself, and of a full disk."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import sqlite3
import stat
import subprocess
import urllib.error
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.disk import RESERVE, UNFINISHED, Reserve, is_full, write_private

from .support import CloudTests, temporary_directory
from .test_serve import Child


class IsFullTests(SynchronousTestCase):
    """Tests of :func:`is_full`."""

    def test_table(self) -> None:
        """A full disk and an exhausted quota count, from SQLite too; other errors do not."""
        for error, expected in (
            (OSError(errno.ENOSPC, "x"), True),
            (OSError(errno.EDQUOT, "x"), True),
            (sqlite3.OperationalError("database or disk is full"), True),
            (OSError(errno.EIO, "x"), False),
            (sqlite3.OperationalError("disk I/O error"), False),
            (ValueError("disk is full"), False),
            (None, False),
        ):
            self.assertIs(is_full(error), expected, error)


class WritePrivateTests(SynchronousTestCase):
    """Tests of :func:`write_private`."""

    def setUp(self) -> None:
        self.path = os.path.join(temporary_directory(self), "file")

    def content(self) -> bytes:
        """The file's content."""
        with open(self.path, "rb") as opened:
            return opened.read()

    def test_private(self) -> None:
        """Only the owner can read the file, despite the umask; a killed write's rest is gone."""
        self.addCleanup(os.umask, os.umask(0))
        with open(self.path + UNFINISHED, "wb") as opened:
            opened.write(b"a longer rest")
        write_private(self.path, b"new")
        self.assertEqual(self.content(), b"new")
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o600)
        self.assertEqual(os.listdir(os.path.dirname(self.path)), ["file"])

    def test_all_or_nothing(self) -> None:
        """A failed write keeps the old file and leaves no other."""
        write_private(self.path, b"old")
        self.patch(os, "replace", _fail)
        self.assertRaises(OSError, write_private, self.path, b"new")
        self.assertEqual(os.listdir(os.path.dirname(self.path)), ["file"])
        self.assertEqual(self.content(), b"old")


def _fail(one: str, other: str) -> None:
    raise OSError()


class ReserveTests(SynchronousTestCase):
    """Tests of :class:`Reserve`."""

    def setUp(self) -> None:
        self.path = os.path.join(temporary_directory(self), "reserve")
        self.reserve = Reserve(self.path)

    def taken(self) -> int:
        """The bytes that the file takes."""
        return os.stat(self.path).st_blocks * 512

    def test_kept(self) -> None:
        """The room is really taken, by a private file, and given back."""
        self.assertTrue(self.reserve.keep())
        self.assertGreaterEqual(self.taken(), RESERVE)
        self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o600)
        self.assertTrue(self.reserve.keep())
        self.assertTrue(self.reserve.release())
        self.assertEqual(self.taken(), 0)
        self.assertFalse(self.reserve.release())
        self.assertTrue(self.reserve.keep())

    def test_nothing_to_release(self) -> None:
        """Without a file there is no room to give back."""
        self.assertFalse(self.reserve.release())

    def test_full(self) -> None:
        """On a full disk the room is not taken, and no part of it either."""

        def refuse(opened: int, offset: int, length: int) -> None:
            os.ftruncate(opened, 4096)
            raise OSError(errno.ENOSPC, "No space left on device")

        self.patch(os, "posix_fallocate", refuse)
        self.assertFalse(self.reserve.keep())
        self.assertEqual(self.taken(), 0)

    def test_other_error(self) -> None:
        """Another error is not a full disk."""

        def refuse(opened: int, offset: int, length: int) -> None:
            raise OSError(errno.EIO, "Input/output error")

        self.patch(os, "posix_fallocate", refuse)
        self.assertRaises(OSError, self.reserve.keep)


class AnswerTests(CloudTests):
    """Tests of the responses to changes without room."""

    def test_every_service(self) -> None:
        """The response is 507 with "disk full" in each service's format."""
        volume = self.create()

        def full(change: Any) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        self.patch(self.cloud.store, "write", full)
        body = {"metadata": {"a": "b"}}
        for got, kind in (
            (self.volumes("POST", f"/{volume}/metadata", body), "insufficientStorage"),
            (self.attach(volume), "insufficientStorage"),
            (
                self.ask("DELETE", "/identity/v3/auth/tokens", X_Subject_Token=str(self.token)),
                "error",
            ),
        ):
            self.assertEqual((got.code, list(got.body)), (507, [kind]))
            self.assertIn("disk full", got.message)

    def test_create(self) -> None:
        """Without room beside the reserve, no volume is created; other changes succeed."""
        volume = self.create()
        before = self.volumes("GET").body
        files = self.cloud.application._devices.files
        self.patch(files, "has_room", lambda: False)
        got = self.volumes("POST", body={"volume": {"size": 1}})
        self.assertEqual(got.code, 507)
        self.assertIn("disk full", got.message)
        self.assertEqual(self.volumes("GET").body, before)
        self.assertEqual(self.volumes("DELETE", "/" + volume).code, 202)
        self.settle()
        self.assertEqual(self.status(volume), "404")


class FullDiskTests(SynchronousTestCase):
    """Tests of a process whose state directory is on a small disk that others fill."""

    if os.geteuid() != 0:
        skip = "a file system takes root"

    def setUp(self) -> None:
        self.directory = temporary_directory(self)
        mount = ["mount", "-t", "tmpfs", "-o", "size=16m,mode=700", "tmpfs", self.directory]
        subprocess.check_call(mount)
        self.addCleanup(subprocess.check_call, ["umount", self.directory])
        self.start()

    def start(self) -> None:
        """Start the service, and log in."""
        self.child = Child(self, self.directory, "--devices", "file")
        self.child.log_in()

    def fill(self) -> None:
        """Fill the disk to its last byte."""
        for size in (4096, 1):
            with (
                contextlib.suppress(OSError),
                open(self.path("filler"), "ab", buffering=0) as filler,
            ):
                while True:
                    filler.write(bytes(size))
        self.assertEqual(os.statvfs(self.directory).f_bfree, 0)

    def path(self, *names: str) -> str:
        """A path in the state directory."""
        return os.path.join(self.directory, *names)

    def written(self) -> str:
        """Create and attach a volume with 3 MiB on it."""
        volume = self.child.create()
        self.child.wait(volume, "available")
        self.child.attach(volume)
        self.child.wait(volume, "in-use")
        with open(self.path("devices", volume), "r+b") as opened:
            opened.write(os.urandom(3 * 2**20))
        return volume

    def destroy(self, volume: str) -> None:
        """Detach and destroy a volume."""
        self.child.detach(volume)
        self.child.wait(volume, "available")
        self.child.delete(volume)
        self.child.wait(volume, "404")

    def test_destroy(self) -> None:
        """
        On a full disk a user can log in and destroy a volume, which makes room; until then no
        volume can be created, and the error says why.
        """
        volume = self.written()
        self.fill()
        self.child.log_in()
        error = self.assertRaises(urllib.error.HTTPError, self.child.create)
        self.assertEqual(error.code, 507)
        self.assertIn("disk full", json.load(error)["insufficientStorage"]["message"])
        # The reserve is for changes of existing volumes.
        url = self.child.volumes + f"/{volume}/metadata"
        got, _ = self.child.ask("PUT", url, {"metadata": {"a": "b"}})
        self.assertEqual(got, {"metadata": {"a": "b"}})
        self.destroy(volume)
        self.child.wait(self.child.create(), "available")

    def test_others_take_all(self) -> None:
        """
        Volumes can be attached, detached and destroyed even while others take all room at once; a
        label, which must not be lost, can't be changed then.
        """
        volume = self.written()
        url = self.child.volumes + f"/{volume}/metadata"
        for _ in range(5):
            self.fill()
            self.child.detach(volume)
            self.child.wait(volume, "available")
            self.child.attach(volume)
            self.child.wait(volume, "in-use")
        self.fill()
        with self.assertRaises(urllib.error.HTTPError) as raised:
            self.child.ask("PUT", url, {"metadata": {"a": "b"}})
        self.assertEqual(raised.exception.code, 507)
        self.destroy(volume)

    def test_start(self) -> None:
        """A service that was killed, or stopped, on a full disk starts there, and can destroy."""
        for how in (signal.SIGKILL, signal.SIGTERM):
            volume = self.written()
            self.fill()
            self.child.end(how)
            self.fill()
            self.start()
            self.assertIn("disk full", self.child.output)
            self.destroy(volume)
            os.unlink(self.path("filler"))
