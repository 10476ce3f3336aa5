"""Tests for :mod:`txstorage.docker.jobs`."""

from __future__ import annotations

from typing import Any

from eliot.testing import capture_logging
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage.docker.jobs import Jobs
from txstorage.errors import StillRunning


class JobsTests(SynchronousTestCase):
    """Jobs that end when the test says so."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.jobs = Jobs(self.clock)
        self.running: list[tuple[str, Deferred[str]]] = []

    def run_job(self, name: str, key: str, seconds: float | None = None) -> Deferred[str]:
        """Run a job, whose key is also its operation."""

        async def work() -> str:
            d: Deferred[str] = Deferred()
            self.running.append((key, d))
            return await d

        return Deferred.fromCoroutine(self.jobs.run(name, key, work, seconds, key))

    def keys(self) -> list[str]:
        """The keys of the jobs that have begun."""
        return [key for key, _ in self.running]

    def test_result(self) -> None:
        """The caller gets the result, and then nothing is left."""
        d = self.run_job("pg", "mount", 10)
        self.assertTrue(self.jobs.busy("pg"))
        self.running[0][1].callback("done")
        self.assertEqual("done", self.successResultOf(d))
        self.assertFalse(self.jobs.busy("pg"))
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_failure(self) -> None:
        """All callers get the failure."""
        callers = [self.run_job("pg", "mount"), self.run_job("pg", "mount")]
        self.running[0][1].errback(ValueError("no"))
        for each in callers:
            self.failureResultOf(each, ValueError)
        self.assertFalse(self.jobs.busy("pg"))

    def test_one_at_a_time(self) -> None:
        """Jobs of one volume follow one another; those of others do not wait."""
        for key in ("a", "b", "c"):
            self.run_job("pg", key)
        self.run_job("other", "d")
        self.assertEqual(["a", "d"], self.keys())
        self.running[0][1].callback("")
        self.assertEqual(["a", "d", "b"], self.keys())
        self.running[2][1].callback("")
        self.assertEqual(["a", "d", "b", "c"], self.keys())

    def test_joined(self) -> None:
        """A caller joins the last job of its key, but never one before another job."""
        self.run_job("pg", "mount")
        self.run_job("pg", "mount")
        self.run_job("pg", "unmount")
        last = self.run_job("pg", "mount")
        self.running[0][1].callback("first")
        self.running[1][1].callback("")
        self.assertEqual(["mount", "unmount", "mount"], self.keys())
        self.running[2][1].callback("second")
        self.assertEqual("second", self.successResultOf(last))

    def test_outlives_its_caller(self) -> None:
        """A job continues when its caller's time is over, and another caller joins it."""
        late = self.run_job("pg", "mount", 10)
        self.clock.advance(10)
        error = self.failureResultOf(late, StillRunning).value
        self.assertIn("mount has not ended within 10 s", str(error))
        joined = self.run_job("pg", "mount", 10)
        self.assertEqual(["mount"], self.keys())
        self.running[0][1].callback("done")
        self.assertEqual("done", self.successResultOf(joined))

    @capture_logging(None)
    def test_abandoned(self, logger: Any) -> None:
        """The error of a job whose callers have left is in the log, and in no other case."""
        late = self.run_job("pg", "mount", 10)
        self.clock.advance(10)
        self.failureResultOf(late, StillRunning)
        self.running[0][1].errback(ValueError("no"))
        [message] = logger.messages
        self.assertEqual(("pg", "no"), (message["subject"], message["reason"]))
        self.failureResultOf(self.with_failure(), ValueError)
        self.assertEqual(1, len(logger.messages))

    def with_failure(self) -> Deferred[str]:
        """:return: a caller whose job has failed."""
        waiting = self.run_job("pg", "mount", 10)
        self.running[-1][1].errback(ValueError("no"))
        return waiting

    def test_cancelled_caller(self) -> None:
        """A caller that is cancelled leaves the job and its other callers alone."""
        callers = [self.run_job("pg", "mount", 10), self.run_job("pg", "mount")]
        callers[0].cancel()
        self.failureResultOf(callers[0], CancelledError)
        self.running[0][1].callback("done")
        self.assertEqual("done", self.successResultOf(callers[1]))

    def test_stop(self) -> None:
        """At the end all jobs are cancelled, also those that have not begun."""
        callers: list[Any] = [self.run_job("pg", key) for key in ("a", "b")]
        callers.append(self.run_job("other", "c"))
        self.successResultOf(Deferred.fromCoroutine(self.jobs.stop()))
        for each in callers:
            self.failureResultOf(each, CancelledError)
        self.assertFalse(self.jobs.busy("pg"))
