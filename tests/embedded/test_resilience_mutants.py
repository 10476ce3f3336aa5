"""
Tests of the suites of interrupted operations: each driver, or cloud, that is wrong in one way fails
where it should.

:mod:`tests.embedded.test_contract` has the right ones.
"""

from __future__ import annotations

from typing import Any, Callable

from twisted.internet.defer import Deferred
from twisted.trial.reporter import TestResult
from twisted.trial.unittest import SynchronousTestCase

from txstorage.driver.creation.once import Creation
from txstorage.driver.creation.volumes import VolumeCreation
from txstorage.driver.operations import BlockDeviceDriver
from txstorage.embedded.machine.copies import Copies
from txstorage.embedded.machine.files import VolumeFiles

from . import test_contract

#: Names, so that the runner of tests does not take the suites for this module's.
VOLUMES, COPIES = "ResilienceTests", "CopyResilienceTests"
_grow_file = VolumeFiles.grow


def problems(suite: str, name: str) -> str:
    """Run one test of a suite, and return its tracebacks; empty when it passes."""
    result = TestResult()
    getattr(test_contract, suite)(name).run(result)
    return "\n".join(each.getTraceback() for _, each in result.failures + result.errors)


def request_again(creation: Any, failure: Any) -> Any:
    """Send a request again after a lost answer, without a search for its result."""
    return creation._adopt_or_request([])


def copy_twice_as_large(creation: Any, found: Any, original: Any) -> Any:
    """Request twice the source's size."""
    return creation._create(2 * found.size, *original.ids)


def copy_nothing(copies: Any, source: str, unfinished: str, size: int, target: str) -> None:
    """Make an empty copy."""
    with open(unfinished, "wb") as made:
        made.truncate(size)


def grow_emptied(files: Any, volume_id: str, size: int) -> int:
    """Lose the data of the file that grows."""
    files.cut(volume_id, 0)
    return _grow_file(files, volume_id, size)


def grow_once_more(driver: Any, volume_id: str, size: int) -> Any:
    """Grow to a size that nobody requested."""
    return driver._grow(volume_id, 2 * size)


def keep_snapshot(driver: Any, snapshot_id: str) -> Deferred[None]:
    """Destroy nothing, after as many requests as a destroy has."""
    looks = driver.list_snapshots()
    for _ in range(4):
        looks.addCallback(lambda _: driver.list_snapshots())
    done: Deferred[None] = looks.addCallback(lambda _: None)
    return done


class MutantsTests(SynchronousTestCase):
    """The suites of interrupted operations fail wrong drivers."""

    def assert_caught(
        self, owner: Any, name: str, wrong: Callable[..., Any], tests: dict[str, str], suite: str
    ) -> None:
        """
        :param wrong: replaces the owner's method of that name.
        :param tests: the tests that fail, and the part of the traceback that each must have.
        """
        right = getattr(owner, name)
        for test, place in tests.items():
            setattr(owner, name, wrong)
            try:
                found = problems(suite, test)
            finally:
                setattr(owner, name, right)
            self.assertIn(place, found, test)

    def test_two_volumes(self) -> None:
        """
        Two volumes of a dataset are seen, though a list shows only one of them; and two snapshots
        of a name are.
        """
        place = "datasets had more than one volume"
        for suite, tests in (
            (VOLUMES, {"test_create_loses_responses": place}),
            (
                COPIES,
                {
                    "test_clone_loses_responses": place,
                    "test_restore_loses_responses": place,
                    "test_snapshot_loses_responses": "[snapshot] = yield",
                },
            ),
        ):
            self.assert_caught(Creation, "_not_accepted", request_again, tests, suite)

    def test_other_size(self) -> None:
        """A copy that has another size than its source is seen."""
        place = "self.assertEqual(source.size, volume.size)"
        tests = {"test_clone_cancelled": place, "test_restore_cancelled": place}
        self.assert_caught(VolumeCreation, "_copy", copy_twice_as_large, tests, COPIES)

    def test_other_data(self) -> None:
        """A copy, or a snapshot, without the data is seen."""
        tests = {
            f"test_{operation}_loses_requests": "the copy has other data"
            for operation in ("snapshot", "clone", "restore")
        }
        self.assert_caught(Copies, "_fill", copy_nothing, tests, COPIES)

    def test_grown_without_data(self) -> None:
        """A volume that loses its data when it grows is seen."""
        tests = {"test_grow_loses_requests": "the volume has other data"}
        self.assert_caught(VolumeFiles, "grow", grow_emptied, tests, COPIES)

    def test_grown_too_far(self) -> None:
        """A volume of another size than the requested one is seen."""
        tests = {"test_grow_cancelled": "self.assertIn(volume.set"}
        self.assert_caught(BlockDeviceDriver, "grow_volume", grow_once_more, tests, COPIES)

    def test_snapshot_stays(self) -> None:
        """A snapshot that is not destroyed is seen."""
        tests = {"test_discard_loses_requests": "self.assertEqual([], left)"}
        self.assert_caught(BlockDeviceDriver, "destroy_snapshot", keep_snapshot, tests, COPIES)

    def test_right(self) -> None:
        """The suite's tests pass a right driver, also in this way."""
        self.assertEqual(problems(COPIES, "test_clone_loses_responses"), "")
