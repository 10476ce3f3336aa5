"""Random schedules with two nodes; ``python -m tests.docker.schedules`` runs more."""

from __future__ import annotations

import os
import subprocess

from twisted.trial.unittest import SynchronousTestCase, TestCase

from tests.helpers.child import EmbeddedService

from .schedule import ACTIONS, Step, schedule_from
from .schedules import ACTIONS as PERFORMED
from .schedules import perform, perform_step
from .world import Tally, World

#: The seeds of the schedules that the tests run; each of them has found a fault.
SEEDS = (12, 1000, 2002)


class SeedTests(SynchronousTestCase):
    """The schedules of seeds."""

    def test_seed(self) -> None:
        """A seed repeats its schedule, and another seed has another."""
        self.assertEqual(schedule_from(1), schedule_from(1))
        self.assertNotEqual(schedule_from(1), schedule_from(2))

    def test_actions(self) -> None:
        """Each action is performed, and is in some schedule; so is each victim."""
        steps = [step for seed in range(50) for step in schedule_from(seed)]
        self.assertEqual(set(ACTIONS), {step.action for step in steps})
        self.assertEqual(set(ACTIONS), set(PERFORMED))
        victims = {step.strike.victim for step in steps if step.strike}
        self.assertEqual({"plugin", "service"}, victims)


class _ServiceTestCase(TestCase):
    """A service of its own, which schedules kill."""

    timeout = 240
    if os.getuid() != 0:
        skip = "loop devices and mounts need root"

    def setUp(self) -> None:
        self.service = EmbeddedService("--max-volumes", "-1")
        self.addCleanup(self.service.remove)
        self.service.start()
        self.tally = Tally()


class SchedulesTests(_ServiceTestCase):
    """The plugin."""

    async def test_schedules(self) -> None:
        """No schedule loses data, mounts a volume twice, or leaves an attachment."""
        for seed in SEEDS:
            await perform(self.service, seed, self.tally)
        self.assertEqual([], self.tally.violations)
        self.assertGreater(self.tally.outcomes["mounted"], 5)
        self.assertGreater(self.tally.files, 5)


class JudgesTests(_ServiceTestCase):
    """The judges, with damage that they must see."""

    async def setUp(self) -> None:
        super().setUp()
        self.world = World(self.service, 1, self.tally)
        await self.world.open()
        self.addCleanup(self.world.close)
        await self.perform("start")
        self.first, self.second = self.world.nodes
        [self.use] = self.first.uses
        self.assertEqual([], self.tally.violations)

    async def perform(self, action: str) -> None:
        """Perform an action with the first node and volume."""
        await perform_step(self.world, Step(action, 0, 0, 0.0))

    def assert_seen(self, text: str) -> None:
        self.assertIn(text, "\n".join(self.tally.violations))

    async def test_lost(self) -> None:
        """A file that is gone is seen under the container, and in the next one."""
        [name] = self.use.volume.files
        os.unlink(os.path.join(self.use.container.folder, name))
        self.world.judge()
        self.assert_seen("lost files under a container")
        await self.perform("stop")
        await self.perform("start")
        self.assert_seen("is lost")

    async def test_changed(self) -> None:
        """A file with another content is seen."""
        [name] = self.use.volume.files
        with open(os.path.join(self.use.container.folder, name), "ab") as opened:
            opened.write(b"x")
        self.world.judge_files(self.use.volume, self.use.container.folder)
        self.assert_seen(f"{name} of {self.use.volume.name}")

    async def test_two_nodes(self) -> None:
        """A volume that is mounted on both nodes is seen."""
        point = os.path.join(self.second.plugin.mounts, "stolen")
        os.makedirs(point)
        device = f"/dev/block/{os.major(self.use.device)}:{os.minor(self.use.device)}"
        if not os.path.exists(device):
            with open("/proc/self/mountinfo") as opened:
                number = f"{os.major(self.use.device)}:{os.minor(self.use.device)}"
                [device, *_] = [line.split()[-2] for line in opened if f" {number} " in line]
        subprocess.run(["mount", device, point], check=True)
        self.world.judge()
        self.assert_seen("is mounted on both nodes")

    async def test_host(self) -> None:
        """A folder of the host in place of a volume's is seen, and what is written there."""
        point = os.path.join(self.first.plugin.mounts, "empty")
        os.makedirs(os.path.join(point, "data"))
        self.world.run_container(self.first, self.world.volumes[1], "c", point)
        self.assert_seen("is on the host")
        self.world.judge()
        self.assert_seen("has files, and no mount")

    async def test_denied(self) -> None:
        """A volume that a plugin denies is seen."""
        self.world.volumes.append(type(self.use.volume)("never", exists=True))
        await self.world.get(self.first, self.world.volumes[-1])
        self.assert_seen("never is denied")
