"""Tests of the judges: a driver that breaks a property is found, by the judge of that property."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, ensureDeferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase, TestCase

from tests.helpers.child import shared_service
from txstorage.testing.faults.exchanges import Question

from . import schedules, world
from .judges import Mutation, mutation_of
from .schedule import Dataset, Schedule, Step, schedule_from
from .schedules import Leaks, perform
from .world import Tally, World

A, B, ELSEWHERE = Dataset(0, 0), Dataset(0, 1), Dataset(1, 0)
NODE = ("node-1", 0)
VOLUME, SERVER = "3a9c1f0e-0000-4000-8000-000000000001", "3a9c1f0e-0000-4000-8000-000000000002"

#: Two volumes and one of another cluster; each operation at least once.
STEPS = tuple(
    Step(operation, "node-1", dataset.cluster, dataset, "node-1", None, None)
    for operation, dataset in [
        *(("create", A), ("create", B), ("create", ELSEWHERE)),
        *(("attach", A), ("attach", B), ("path", A), ("path", B)),
        *(("create", A), ("list", A), ("detach", B), ("destroy", B)),
    ]
)
CALM = Schedule(0, 0.0, (), STEPS, ("node-1", "absent", "absent") * 2)


def replaced(method: str, by: Callable[[World, Any, Any], Any]) -> Callable[[World], None]:
    """:return: a mutation of a world's first driver, from a function that wraps a method."""

    def mutate(world: World) -> None:
        api = world.drivers[NODE]
        original = getattr(api, method)
        setattr(api, method, lambda *arguments: by(world, original, arguments))

    return mutate


def _another_path(world: World, original: Any, arguments: Any) -> Any:
    [volume_id] = arguments
    other = [id for id in world.ids.values() if id != volume_id]
    return original(other[0] if other else volume_id)


def _another_volume(world: World, original: Any, arguments: Any) -> Any:
    def change(volume: Any) -> Any:
        if A not in world.ids or volume.dataset_id != world.datasets[A]:
            return volume
        return type(volume)(
            blockdevice_id=world.ids[B], size=volume.size, dataset_id=volume.dataset_id
        )

    return original(*arguments).addCallback(change)


def _doubled_list(world: World, original: Any, arguments: Any) -> Any:
    return original().addCallback(lambda volumes: volumes * 2)


def _list_of_all(world: World, original: Any, arguments: Any) -> Any:
    return world.drivers["node-1", 1].list_volumes()


def _list_and_destroy(world: World, original: Any, arguments: Any) -> Any:
    api = world.drivers[NODE]
    api.detach_volume(world.ids[A]).addErrback(lambda _: None)
    return original()


def _spoiling_detach(world: World, original: Any, arguments: Any) -> Any:
    with open(world.machine.file(world.ids[A]), "r+b") as opened:
        opened.seek(4096)
        opened.write(b"spoilt")
    return original(*arguments)


def _leaking_attach(world: World, original: Any, arguments: Any) -> Any:
    opened = os.open(os.devnull, os.O_RDONLY)
    _LEFT.append(lambda: os.close(opened))
    return original(*arguments)


def _late_attach(world: World, original: Any, arguments: Any) -> Any:
    _LEFT.append(reactor.callLater(1000, lambda: None).cancel)  # type: ignore[attr-defined]
    return original(*arguments)


_LEFT: list[Callable[[], object]] = []
_WARM: list[bool] = []

#: A broken driver, and the words that the violation begins with.
MUTANTS: dict[str, tuple[Callable[[World], None], str]] = {
    "another volume's path": (replaced("get_device_path", _another_path), "path: "),
    "a path without an end": (replaced("get_device_path", lambda *_: Deferred()), "deadline: "),
    "an error of Python's": (replaced("list_volumes", lambda *_: fail(TypeError())), "errors: "),
    "a second volume": (replaced("create_volume", _another_volume), "one volume: "),
    "a doubled list": (replaced("list_volumes", _doubled_list), "one volume: a list"),
    "another cluster's list": (replaced("list_volumes", _list_of_all), "isolation: "),
    "an unasked detach": (replaced("list_volumes", _list_and_destroy), "mutation: "),
    "a destroy of nothing": (replaced("destroy_volume", lambda *_: succeed(None)), "wish: "),
    "a detach that writes": (replaced("detach_volume", _spoiling_detach), "data: "),
    "a leaked descriptor": (replaced("attach_volume", _leaking_attach), "leak: {'descriptors'"),
    "a leaked call": (replaced("attach_volume", _late_attach), "leak: {'delayed calls'"),
}


class JudgesTests(TestCase):
    """Each property, broken once."""

    timeout = 60
    if os.getuid() != 0:
        skip = "loop devices need root"

    def setUp(self) -> None:
        self.patch(world, "TIMEOUT", 2.0)
        self.patch(world, "SLACK", 0.3)
        self.patch(schedules, "SETTLING", 3.0)
        self.patch(schedules, "REPETITIONS", 2)
        self.addCleanup(lambda: [_LEFT.pop()() for _ in list(_LEFT)])
        self.service = shared_service()

    async def judged(self, mutate: Callable[[World], object]) -> list[str]:
        """:return: the violations of the calm schedule with a broken driver."""
        if not _WARM:
            # The first schedule opens what stays open, such as the reactor's threads.
            await perform(self.service, schedule_from(0, (), 8), Tally())
            _WARM.append(True)
        # Trial's own timeout begins, and the reactor runs, before the first count.
        await world.sleep(0.05)
        tally = Tally()
        leaks = Leaks(self.service.state)
        await perform(self.service, CALM, tally, mutate=mutate)
        await leaks.judge(tally, "seed 0")
        return tally.violations

    def test_right(self) -> Deferred[None]:
        """The driver without a mutation breaks no property."""

        async def judge() -> None:
            self.assertEqual([], await self.judged(lambda world: None))

        return ensureDeferred(judge())


def _test(mutate: Callable[[World], None], words: str) -> Any:
    def test(self: JudgesTests) -> Deferred[None]:
        async def judge() -> None:
            found = await self.judged(mutate)
            expected = "seed 0: " + words
            self.assertTrue(any(each.startswith(expected) for each in found), found)

        return ensureDeferred(judge())

    test.__doc__ = f"A violation of ``{words.strip(': ')}`` is found."
    return test


for _name, _mutant in MUTANTS.items():
    setattr(JudgesTests, "test_" + _name.replace(" ", "_").replace("'", ""), _test(*_mutant))


class MutationsTests(SynchronousTestCase):
    """Requests that change something, as they cross a proxy."""

    def test_operations(self) -> None:
        """Each mutation is assigned to its operation, its volume and its server."""
        attach = f"/compute/v2.1/servers/{SERVER}/os-volume_attachments"
        for method, target, body, mutation in [
            (
                "POST",
                "/volume/v3/volumes",
                b'{"volume": {"metadata": {"flocker-dataset-id": "d"}}}',
                Mutation("create", "d"),
            ),
            ("DELETE", f"/volume/v3/p/volumes/{VOLUME}", b"", Mutation("destroy", VOLUME)),
            (
                "POST",
                attach,
                b'{"volumeAttachment": {"volumeId": "v"}}',
                Mutation("attach", "v", SERVER),
            ),
            ("DELETE", f"{attach}/{VOLUME}", b"", Mutation("detach", VOLUME)),
            ("PUT", "/volume/v3/volumes/1", b"", Mutation("other", "PUT /volume/v3/volumes/1")),
            (
                "POST",
                f"/volume/v3/volumes/{VOLUME}/metadata",
                b'{"metadata": {"flocker-superseded-by": "v"}}',
                Mutation("mark", VOLUME),
            ),
            (
                "POST",
                f"/volume/v3/volumes/{VOLUME}/metadata",
                b'{"metadata": {"flocker-superseded-by": "v", "x": "y"}}',
                Mutation("other", f"POST /volume/v3/volumes/{VOLUME}/metadata"),
            ),
            ("GET", f"/volume/v3/volumes/{VOLUME}", b"", None),
            ("POST", "/identity/v3/auth/tokens", b"{}", None),
        ]:
            self.assertEqual(mutation, mutation_of(Question(method, target, body)))
