"""
Tests for :mod:`txstorage.driver.lifecycle.growth`: every cell of the table.
"""

from __future__ import absolute_import, division, print_function

from itertools import product

from twisted.trial.unittest import SynchronousTestCase

from txstorage.driver.lifecycle import (
    GONE,
    MAXIMUM_REQUESTS,
    ON_HOST,
    TABLES,
    Decision,
    Phase,
    Progress,
)
from txstorage.driver.lifecycle.growth import GROW, decide, is_proved

PHASES = list(Phase.iterconstants())
USABLE = (u"available", u"in-use", ON_HOST)
PASSING = (u"reserved", u"attaching", u"detaching", u"busy")


def outcome(status, size, phase=Phase.FRESH, requests=0):
    """:return: the decision about a volume of a size, which is to reach 2."""
    return decide(Progress(u"grow", phase=phase, requests=requests), status, size, 2)


class GrowthTests(SynchronousTestCase):
    """The table of growth."""

    def test_same_statuses(self):
        """The table has a row for each status of a volume."""
        self.assertEqual(set(TABLES[u"attach"]), set(GROW))

    def test_reached(self):
        """A volume that has the size, or a larger one, is done in each settled status."""
        for status, size, phase in product(USABLE + PASSING, (2, 3), PHASES):
            self.assertIs(Decision.DONE, outcome(status, size, phase))

    def test_smaller(self):
        """A smaller volume that can grow is asked to, up to the maximum of requests."""
        for status, phase in product(USABLE, PHASES):
            self.assertIs(Decision.REQUEST, outcome(status, 1, phase))
        for status in USABLE:
            self.assertIs(
                Decision.FAILED, outcome(status, 1, Phase.REQUESTED, MAXIMUM_REQUESTS)
            )

    def test_between(self):
        """While an attachment begins or ends, or the volume is busy, a smaller volume waits."""
        for status, phase in product(PASSING + (u"extending", u"creating", u"deleting"), PHASES):
            self.assertIs(Decision.WAIT, outcome(status, 1, phase))

    def test_extending(self):
        """A volume that grows at the moment is not done, whatever its size."""
        for size, phase in product((1, 2, 3), PHASES):
            self.assertIs(Decision.WAIT, outcome(u"extending", size, phase))

    def test_errors(self):
        """An error status, and one that is not listed, ends the operation."""
        for status, size, phase in product((u"error_extending", u"error", u"odd"), (1, 2), PHASES):
            self.assertIs(Decision.UNUSABLE, outcome(status, size, phase))
        for phase in PHASES:
            self.assertIs(Decision.UNKNOWN, outcome(GONE, 0, phase))

    def test_proof(self):
        """A list proves a reached size and a first request, but no error and no second request."""
        proved = {
            (phase, decision): is_proved(Progress(u"grow", phase=phase), decision)
            for phase in PHASES
            for decision in Decision.iterconstants()
        }
        self.assertEqual(
            {(phase, decision) for phase in PHASES for decision in (Decision.WAIT, Decision.DONE)}
            | {(Phase.FRESH, Decision.REQUEST)},
            {key for key, value in proved.items() if value},
        )
