"""Tests for :mod:`txstorage.docker.releases`, and of volumes that linger."""

from __future__ import annotations

import gc
from typing import Any
from unittest.mock import Mock

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock, deferLater
from twisted.trial.unittest import SynchronousTestCase

from txstorage.docker.jobs import Jobs
from txstorage.docker.releases import Releases
from txstorage.errors import StorageError

from .support import PluginTestCase, both, read, write


class LingerTests(PluginTestCase):
    """Volumes that stay attached for a time after their last use."""

    settings: dict[str, Any] = {"linger": 2.0}

    async def setUp(self) -> None:
        await super().setUp()
        await self.first.ask("Create", size="1")
        write(await self.first.mount())
        await self.first.ask("Unmount", claim="c1")

    async def test_back(self) -> None:
        """A container that comes back finds the volume attached, and keeps it."""
        self.assertEqual(self.first.server_id, await self.attached_to())
        before = self.first.agent.moments
        self.assertEqual("data", read(await self.first.mount("c2")))
        requests = (self.first.agent.moments - before) / 3
        self.assertLess(requests, 5)
        await deferLater(reactor, 2.5)
        self.assertEqual(self.first.server_id, await self.attached_to())
        answer = await self.second.ask("Mount", claim="c3")
        self.assertIn("which is alive", answer["Err"])

    async def test_left(self) -> None:
        """A volume that nothing comes back to is detached."""
        await deferLater(reactor, 2.0)
        for _ in range(50):
            if await self.attached_to() is None:
                break
            await deferLater(reactor, 0.1)
        self.assertIsNone(await self.attached_to())

    async def test_wanted_elsewhere(self) -> None:
        """Another node waits for an idle volume, and gets it."""
        self.assertEqual("data", read(await self.second.mount()))
        self.assertEqual(self.second.server_id, await self.attached_to())

    async def test_killed(self) -> None:
        """A plugin that ends before the time is over detaches the volume after its next start."""
        await self.first.stop()
        await self.first.start()
        for _ in range(50):
            if await self.attached_to() is None:
                break
            await deferLater(reactor, 0.1)
        self.assertIsNone(await self.attached_to())

    async def test_removed(self) -> None:
        """A volume that lingers can be removed."""
        self.assertEqual({"Err": ""}, await self.first.ask("Remove"))
        self.assertEqual([], await self.volumes())

    async def test_both_want_it(self) -> None:
        """When both nodes want an idle volume, one gets it, and its data."""
        answers = await both(
            self.first.ask("Mount", claim="c2"), self.second.ask("Mount", claim="c2")
        )
        mounted = [each for each in answers if each["Err"] == ""]
        self.assertEqual(1, len(mounted), answers)
        self.assertEqual("data", read(mounted[0]["Mountpoint"]))


class OverTests(SynchronousTestCase):
    """The end of a volume's time to linger, which nothing waits for."""

    def over(self) -> tuple[Deferred[None], Jobs]:
        """End it; :return: the Deferred of the cloud's answer, and the jobs."""
        asked: Deferred[None] = Deferred()
        clock, mounts = Clock(), Mock()
        mounts.users.return_value = asked
        jobs = Jobs(clock)
        Releases(clock, Mock(), Mock(), mounts, jobs)._over("pg")
        return asked, jobs

    def reported(self) -> list[type[BaseException]]:
        """The types of the errors that nothing handled."""
        gc.collect()
        return [failure.type for failure in self.flushLoggedErrors()]

    def test_stopped(self) -> None:
        """A plugin that ends meanwhile has nothing to report."""
        asked, jobs = self.over()
        self.successResultOf(Deferred.fromCoroutine(jobs.stop()))
        self.assertEqual([], self.reported())

    def test_trouble(self) -> None:
        """Trouble with the cloud is left to the upkeep; a defect is reported."""
        for kind, reported in [(StorageError, []), (KeyError, [KeyError])]:
            self.over()[0].errback(kind("pg"))
            self.assertEqual(reported, self.reported())
