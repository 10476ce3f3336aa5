"""
Snapshots, copies and growing survive a ``kill -9`` of the service at every step.

A step is a call that changes the disk.  The first group of tests ends the process's work at each of
the steps in turn, in memory; the second one kills a real service after each of its answers.
"""

from __future__ import annotations

import http.client
import json
import os
from typing import Any, Callable
from urllib.parse import urlsplit

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.application import Application
from txstorage.embedded.machine import copies
from txstorage.embedded.machine.devices import FileDevices
from txstorage.embedded.machine.files import VolumeFiles
from txstorage.embedded.settings import GIB, Settings
from txstorage.embedded.store.records import NewSnapshot, NewVolume
from txstorage.embedded.store.store import Store

from ..helpers.child import EmbeddedService
from ..helpers.loops import loops_below
from .support import temporary_directory

SETTINGS = Settings(password="p", application_secret="s")
NEW = NewVolume("n", None, 1, "gold", {})
#: The calls of ``os`` that change the disk.
CALLS = ("open", "pwrite", "ftruncate", "utime", "fsync", "rename", "unlink")
DATA = b"data" * 500_000


class Killed(BaseException):
    """The end of the process in a test."""


class StepTests(SynchronousTestCase):
    """The process's work ends at each step, and another process takes over."""

    def setUp(self) -> None:
        self.patch(copies, "share", lambda reading, writing: False)
        self.directory = temporary_directory(self)
        for name in ("devices", "volumes"):
            os.mkdir(os.path.join(self.directory, name))
        self.start()
        self.volume_id = self.store.add_volume(NEW).volume_id
        self.restart()
        with open(self.files.path(self.volume_id), "r+b") as opened:
            opened.write(DATA)

    def start(self) -> None:
        """Begin as a new process does, up to its first request."""
        self.clock = Clock()
        self.store = Store(os.path.join(self.directory, "db"), self.clock.seconds)
        self.addCleanup(self.store.close)
        self.files = VolumeFiles(os.path.join(self.directory, "volumes"))
        devices = FileDevices(self.files, os.path.join(self.directory, "devices"))
        self.application = Application(self.clock, self.store, devices, SETTINGS)

    def restart(self) -> None:
        """Begin as a new process does, and let everything happen."""
        self.start()
        self.assertEqual(self.successResultOf(self.application.start()), [])
        self.clock.pump([0.1] * 10)

    def killed_at(self, step: int) -> bool:
        """
        Start, and end the process's work before a step.

        :return: whether there was such a step.
        """
        self.start()
        with_steps = Steps(step)
        for name in CALLS:
            setattr(os, name, with_steps.limited(getattr(os, name)))
        try:
            self.application.start()
            self.clock.pump([0.1] * 10)
        finally:
            for name in CALLS:
                setattr(os, name, getattr(os, name).real)
        self.flushLoggedErrors(Killed)
        return with_steps.count > step

    def through(self, begin: Callable[[], None], done: Callable[[], None]) -> None:
        """
        :param begin: records an operation in the store.
        :param done: asserts that the operation is complete.
        """
        step = 0
        begin()
        while self.killed_at(step):
            self.restart()
            done()
            begin()
            step += 1
        done()
        self.assertGreater(step, 2, "there were too few steps")

    def assert_data(self, path: str, size: int = 1) -> None:
        """Assert that a file has the volume's data."""
        self.assertEqual(os.path.getsize(path), size * GIB)
        with open(path, "rb") as opened:
            self.assertEqual(opened.read(len(DATA)), DATA)

    def test_snapshot(self) -> None:
        """Each snapshot that was begun is made, with the volume's data."""

        def done() -> None:
            every = self.store.snapshots.every()
            self.assertEqual({each.status for each in every}, {"available"})
            for each in every:
                self.assert_data(self.files.snapshot_path(each.snapshot_id))

        new = NewSnapshot(self.volume_id, None, None, 1, "gold", {})
        self.through(lambda: self.store.snapshots.add(new) and None, done)  # type: ignore[func-returns-value]

    def test_copy(self) -> None:
        """Each copy that was begun is made, with the origin's data."""
        wanted = NewVolume("c", None, 2, "gold", {}, source_volid=self.volume_id)

        def done() -> None:
            every = [each for each in self.store.volumes() if each.source_volid]
            self.assertEqual({each.status for each in every}, {"available"})
            for each in every:
                self.assert_data(self.files.path(each.volume_id), 2)

        self.through(lambda: self.store.add_volume(wanted) and None, done)  # type: ignore[func-returns-value]

    def test_grow(self) -> None:
        """The volume has its last acknowledged size, and its data."""
        self.size = 1

        def begin() -> None:
            self.size += 1
            self.store.grow(self.volume_id, self.size)

        def done() -> None:
            volume = self.store.volume(self.volume_id)
            assert volume is not None
            self.assertEqual((volume.status, volume.size), ("available", self.size))
            self.assert_data(self.files.path(self.volume_id), self.size)

        self.through(begin, done)

    def test_delete(self) -> None:
        """Snapshots that are being deleted go, and their volume stays."""

        def begin() -> None:
            new = NewSnapshot(self.volume_id, None, None, 1, "gold", {})
            snapshot_id = self.store.snapshots.add(new).snapshot_id
            source, target = self.files.path(self.volume_id), self.files.snapshot_path(snapshot_id)
            VolumeFiles(self.files.directory).copies.make(source, target, GIB)
            self.store.snapshots.set_status(snapshot_id, "deleting")

        def done() -> None:
            self.assertEqual(self.store.snapshots.every(), [])
            self.assertEqual(os.listdir(self.files.directory), ["volume-" + self.volume_id])
            self.assert_data(self.files.path(self.volume_id))

        self.through(begin, done)


class Steps:
    """Counts steps, and permits no more than some."""

    def __init__(self, most: int) -> None:
        self.count = 0
        self._most = most

    def limited(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that counts as a step."""

        def step(*arguments: Any, **options: Any) -> Any:
            self.count += 1
            # A process that has ended does not clean up either.
            if self.count > self._most:
                raise Killed()
            return real(*arguments, **options)

        step.real = real  # type: ignore[attr-defined]
        return step


class ServiceTests(SynchronousTestCase):
    """A real service, with loop devices where that is possible, and its kill."""

    #: The numbers of answers after which the service is killed.
    moments = range(3)

    def setUp(self) -> None:
        self.service = EmbeddedService()
        self.addCleanup(self.service.remove)
        self.service.start()
        self.log_in()

    def log_in(self) -> None:
        """Get a token."""
        found = self.service.configuration("node-1")
        self.address = urlsplit(found["auth_url"])
        self.server = found["instance_id"]
        user = {"name": "txstorage", "domain": {"name": "Default"}}
        identity = {"methods": ["password"], "password": {"user": user}}
        with open(os.path.join(self.service.state, "password")) as opened:
            user["password"] = opened.read().strip()
        self.token = ""
        got = self.send("POST", "/identity/v3/auth/tokens", {"auth": {"identity": identity}})
        self.token = got[0]["X-Subject-Token"]

    def send(self, method: str, path: str, body: Any = None) -> tuple[Any, int, Any]:
        """:return: the headers, the status and the body of an answer."""
        connection = http.client.HTTPConnection(str(self.address.hostname), self.address.port)
        headers = {"OpenStack-API-Version": "volume 3.66", "X-Auth-Token": self.token}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.headers, answer.status, json.loads(content) if content else None

    def look(self, kind: str, object_id: str) -> Any:
        """Show a volume or a snapshot."""
        _, _, found = self.send("GET", f"/volume/v3/{kind}s/{object_id}")
        return found[kind]

    def until(self, kind: str, object_id: str, status: str) -> Any:
        """Wait until a volume or a snapshot has a status."""
        for _ in range(5000):
            found = self.look(kind, object_id)
            if found["status"] == status:
                return found
        raise self.failureException(found)

    def make(self, kind: str, looks: int | None, **wanted: Any) -> str:
        """
        Make a volume or a snapshot.

        :param looks: the number of looks after which to kill the service; ``None``: never.
        """
        _, status, made = self.send("POST", f"/volume/v3/{kind}s", {kind: wanted})
        self.assertEqual(status, 202, made)
        object_id: str = made[kind]["id"]
        if looks is not None:
            self.kill(kind, object_id, looks)
        self.until(kind, object_id, "available")
        return object_id

    def kill(self, kind: str, object_id: str, looks: int) -> None:
        """Kill the service after some looks, and start it again."""
        for _ in range(looks):
            self.look(kind, object_id)
        self.service.kill()
        self.service.start()

    def attached(self) -> tuple[str, str]:
        """:return: the id of a volume that is attached, and its device."""
        volume_id = self.make("volume", None, size=1)
        path = f"/compute/v2.1/servers/{self.server}/os-volume_attachments"
        self.send("POST", path, {"volumeAttachment": {"volumeId": volume_id}})
        self.until("volume", volume_id, "in-use")
        if self.service.loop_devices:
            (device,) = loops_below(self.service.state)
            return volume_id, device
        return volume_id, os.path.join(self.service.state, "devices", volume_id)

    def write(self, device: str, data: bytes) -> None:
        """Write to a device, without waiting for the disk."""
        with open(device, "r+b") as opened:
            opened.write(data)

    def read(self, name: str) -> bytes:
        """Return the beginning of a file of the service."""
        with open(os.path.join(self.service.state, "volumes", name), "rb") as opened:
            return opened.read(len(DATA))

    def test_snapshots(self) -> None:
        """
        A snapshot of a volume in use has what was written to the device before the request, as has
        the volume that is made from it; both are made once.
        """
        volume_id, device = self.attached()
        for looks in self.moments:
            data = os.urandom(len(DATA))
            self.write(device, data)
            snapshot_id = self.make("snapshot", looks, volume_id=volume_id)
            self.write(device, DATA)
            self.assertEqual(self.read("snapshot-" + snapshot_id), data)
            restored = self.make("volume", looks, snapshot_id=snapshot_id, size=2)
            self.assertEqual(self.read("volume-" + restored), data)
            copied = self.make("volume", looks, source_volid=volume_id)
            self.assertEqual(self.read("volume-" + copied), DATA)
        names = [name for name in self.names() if "." not in name]
        self.assertEqual(len(names), 1 + 3 * len(self.moments))
        self.assertEqual(self.names(), sorted(names + [name + ".json" for name in names]))

    def names(self) -> list[str]:
        """The names of the files of volumes and snapshots."""
        return sorted(os.listdir(os.path.join(self.service.state, "volumes")))

    def test_grow(self) -> None:
        """A volume in use has its new size, its data, and the same device."""
        volume_id, device = self.attached()
        self.write(device, DATA)
        for looks in self.moments:
            body = {"os-extend": {"new_size": 2 + looks}}
            _, status, _ = self.send("POST", f"/volume/v3/volumes/{volume_id}/action", body)
            self.assertEqual(status, 202)
            self.kill("volume", volume_id, looks)
            self.assertEqual(self.until("volume", volume_id, "in-use")["size"], 2 + looks)
            with open(device, "rb") as opened:
                self.assertEqual(opened.seek(0, os.SEEK_END), (2 + looks) * GIB)
        self.assertEqual(self.read("volume-" + volume_id), DATA)

    def test_cascade(self) -> None:
        """A volume goes with its snapshots."""
        for looks in self.moments:
            volume_id = self.make("volume", None, size=1)
            for _ in range(2):
                self.make("snapshot", None, volume_id=volume_id)
            path = f"/volume/v3/volumes/{volume_id}"
            _, status, _ = self.send("DELETE", path + "?cascade=true")
            self.assertEqual(status, 202)
            for _ in range(looks):
                self.send("GET", path)
            self.service.kill()
            self.service.start()
            while self.send("GET", path)[1] != 404:
                pass
            self.assertEqual(self.names(), [])
