"""Random schedules of operations, cancellations and faults; ``make test-faults`` runs more."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.internet import reactor
from twisted.internet.defer import ensureDeferred
from twisted.internet.threads import blockingCallFromThread, deferToThread
from twisted.trial.unittest import SynchronousTestCase, TestCase

from tests.helpers.child import shared_service
from tests.helpers.wire import retry_soon

from .run import default_kinds
from .schedule import RATES, Schedule, beginning, schedule_from, step_from, wishes_from
from .schedules import Leaks, perform
from .world import Tally

#: Random sources that Hypothesis shrinks.
SOURCES = st.randoms(use_true_random=False)


def drawn_schedules() -> st.SearchStrategy[Schedule]:
    """:return: a strategy of schedules, which shrinks to few steps and few faults."""
    steps = st.lists(SOURCES.map(step_from), max_size=20).map(tuple)
    return st.builds(
        lambda seed, rate, first, steps, wishes: Schedule(
            seed, rate, default_kinds(), first + steps, wishes
        ),
        st.integers(0, 2**32),
        st.sampled_from((0.0, *RATES)),
        SOURCES.map(beginning),
        steps,
        SOURCES.map(wishes_from),
    )


class ScheduleTests(SynchronousTestCase):
    """The schedules of seeds."""

    def test_seed(self) -> None:
        """A seed repeats its schedule, and another seed has another."""
        first = schedule_from(1, ("401",))
        self.assertEqual(first, schedule_from(1, ("401",)))
        self.assertNotEqual(first.steps, schedule_from(2, ("401",)).steps)
        operations = {
            step.operation for seed in range(50) for step in schedule_from(seed, ()).steps
        }
        self.assertEqual({"create", "attach", "path", "detach", "destroy", "list"}, operations)


class SchedulesTests(TestCase):
    """The driver under random schedules, on the embedded service with loop devices."""

    timeout = 600
    if os.getuid() != 0:
        skip = "loop devices need root"

    def setUp(self) -> None:
        retry_soon(self)
        self.service = shared_service()

    def test_schedules(self) -> Any:
        """No schedule breaks a property: see docs/reliability.rst."""
        tally = Tally()

        @settings(
            max_examples=int(os.environ.get("TXSTORAGE_SCHEDULES", "30")),
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(drawn_schedules())
        def hold(schedule: Schedule) -> None:
            async def judge() -> None:
                tally.violations.clear()
                await perform(self.service, schedule, tally)
                self.assertEqual([], tally.violations)

            blockingCallFromThread(reactor, lambda: ensureDeferred(judge()))  # type: ignore

        async def run() -> None:
            await perform(self.service, schedule_from(0, ()), Tally())
            leaks = Leaks(self.service.state)
            await deferToThread(hold)
            await leaks.judge(tally, "all schedules")
            self.assertEqual([], tally.violations)
            self.assertGreater(sum(tally.faults.values()), 0)

        # The thread pool's threads and descriptors are there before the first count.
        return deferToThread(lambda: None).addCallback(lambda _: ensureDeferred(run()))
