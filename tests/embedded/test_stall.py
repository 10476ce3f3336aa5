"""Tests of the service on a disk that hangs: every request that needs no disk is answered."""

from __future__ import annotations

import os
import threading
from typing import Any

import treq
import yaml
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from txstorage.embedded.machine.copies import Copies
from txstorage.embedded.machine.files import VolumeFiles
from txstorage.embedded.service import EmbeddedService, ServiceOptions
from txstorage.embedded.store.database import Database

from .support import password_auth, temporary_directory

#: Seconds; a busy machine is slow.
PATIENCE = 60.0


class HangingDiskTests(TestCase):
    """Tests with a disk that hangs while the test wants it."""

    timeout = PATIENCE

    async def setUp(self) -> None:
        self.running = threading.Event()
        self.running.set()
        self.hung: list[str] = []
        for owner, name in ((Database, "commit"), (os, "fsync")):
            self.patch(owner, name, self.hangs(getattr(owner, name)))
        directory = temporary_directory(self)
        self.service = EmbeddedService(
            reactor, ServiceOptions(state_dir=directory, devices="file", nodes=("n",))
        )
        self.addCleanup(lambda: Deferred.fromCoroutine(self.service.stop()))
        self.addCleanup(self.running.set)
        auth_url, agent = await self.service.start()
        dataset = yaml.safe_load(agent)["dataset"]
        with open(dataset["password_file"]) as opened:
            body = password_auth(opened.read().strip())
        response = await treq.post(auth_url + "/auth/tokens", json=body, persistent=False)
        (self.token,) = response.headers.getRawHeaders("x-subject-token")
        self.url = auth_url.replace("identity/v3", "volume/v3/volumes")

    def hangs(self, real: Any) -> Any:
        """Make a function of the disk wait while the disk hangs."""

        def function(*arguments: Any) -> Any:
            if not self.running.is_set():
                self.hung.append(threading.current_thread().name)
                if threading.current_thread() is threading.main_thread():
                    # Blocking here would hang the test as well.
                    raise AssertionError("the reactor's thread waits for the disk")
                assert self.running.wait(PATIENCE)
            return real(*arguments)

        return function

    async def ask(
        self, method: str, path: str = "", body: Any = None, kind: str = "volumes"
    ) -> Any:
        """Make one exchange; :return: the status, and the body."""
        response = await treq.request(
            method,
            self.url[: -len("volumes")] + kind + path,
            json=body,
            headers={"X-Auth-Token": self.token},
            persistent=False,
        )
        content = await response.content()
        return response.code, content and await response.json()

    def begin(self, method: str, path: str = "", body: Any = None) -> Deferred[Any]:
        """Begin an exchange."""
        return Deferred.fromCoroutine(self.ask(method, path, body))

    async def until_hung(self) -> None:
        """Wait until a function of the disk hangs; the reactor turns."""
        while not self.hung:
            self.assertEqual((await self.ask("GET"))[0], 200)

    async def test_commit(self) -> None:
        """
        While a commit hangs, other requests are answered, with the state before it; the change is
        answered after the commit.
        """
        self.running.clear()
        new = {"volume": {"size": 1, "name": "new"}}
        creating = [self.begin("POST", body=new) for _ in range(3)]
        await self.until_hung()
        for _ in range(3):
            code, listed = await self.ask("GET", "?name=new")
            self.assertEqual((code, listed), (200, {"volumes": []}))
        for each in creating:
            self.assertNoResult(each)
        self.running.set()
        made = [(await each)[1]["volume"]["id"] for each in creating]
        _, listed = await self.ask("GET", "?name=new")
        self.assertEqual({volume["id"] for volume in listed["volumes"]}, set(made))

    async def test_transition(self) -> None:
        """While the disk makes a volume's file, or removes one, requests are answered."""
        for name in ("create", "remove"):
            self.patch(VolumeFiles, name, self.hanging(getattr(VolumeFiles, name)))
        _, made = await self.ask("POST", body={"volume": {"size": 1}})
        path = "/" + made["volume"]["id"]
        await self.until_hung()
        self.running.set()
        await self.reaches(path, "available")
        self.hung.clear()
        await self.ask("DELETE", path)
        await self.until_hung()
        self.running.set()
        await self.reaches(path, "404")

    async def test_copies(self) -> None:
        """While the disk copies a volume's data, or extends its file, requests are answered."""
        _, made = await self.ask("POST", body={"volume": {"size": 1}})
        path, volume_id = "/" + made["volume"]["id"], made["volume"]["id"]
        await self.reaches(path, "available")
        for owner, name in ((Copies, "make"), (VolumeFiles, "grow")):
            self.patch(owner, name, self.hanging(getattr(owner, name)))
        snapshot = {"snapshot": {"volume_id": volume_id}}
        for request in (
            ("POST", "", {"volume": {"source_volid": volume_id}}),
            ("POST", path + "/action", {"os-extend": {"new_size": 2}}),
            ("POST", "", snapshot, "snapshots"),
        ):
            code, _ = await self.ask(*request)
            self.assertEqual(code, 202)
            await self.until_hung()
            self.assertNotIn(threading.main_thread().name, self.hung)
            self.running.set()
            self.hung.clear()
            await self.reaches(path, "available")

    def hanging(self, real: Any) -> Any:
        """Let the disk hang from a method's call on."""

        def function(*arguments: Any) -> Any:
            self.running.clear()
            return real(*arguments)

        return function

    async def reaches(self, path: str, wanted: str) -> None:
        """Wait until a volume has a status."""
        found = ""
        while found != wanted:
            code, body = await self.ask("GET", path)
            found = "404" if code == 404 else body["volume"]["status"]
