"""
Tests for :mod:`txstorage.driver.lifecycle.snapshots`: every cell of every table.
"""

from __future__ import absolute_import, division, print_function

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.properties import RELAXED
from txstorage.clouds import Snapshot
from txstorage.driver.lifecycle import GONE, MAXIMUM_REQUESTS, Decision, Phase, Progress
from txstorage.driver.lifecycle.snapshots import AWAITED, TABLES, chosen, decide, is_proved

PHASES = list(Phase.iterconstants())

#: The statuses of ``cinder.objects.fields.SnapshotStatus`` that a user can see, and absence.
STATUSES = {
    u"creating",
    u"available",
    u"deleting",
    u"error",
    u"error_deleting",
    u"unmanaging",
    u"backing-up",
    u"restoring",
    GONE,
}

WAIT, DONE, BAD = Decision.WAIT, Decision.DONE, Decision.UNUSABLE

#: The expected decision of each operation in each status, the same in all phases.
EXPECTED = {
    u"create": {
        u"creating": WAIT,
        u"available": DONE,
        u"backing-up": DONE,
        u"restoring": DONE,
        u"deleting": BAD,
        GONE: Decision.FAILED,
    },
    u"copy": {
        u"creating": WAIT,
        u"available": DONE,
        u"backing-up": WAIT,
        u"restoring": WAIT,
        u"deleting": WAIT,
        GONE: Decision.UNKNOWN,
    },
    u"destroy": {
        u"creating": WAIT,
        u"backing-up": WAIT,
        u"restoring": WAIT,
        u"deleting": WAIT,
        u"error_deleting": BAD,
        u"unmanaging": BAD,
    },
}


def outcome(operation, status, phase=Phase.FRESH, requests=0):
    return decide(Progress(operation, phase=phase, requests=requests), status)


class TablesTests(SynchronousTestCase):
    """The tables of snapshots."""

    def test_complete(self):
        """Each table has all statuses, with a cell for each phase, and an awaited event."""
        self.assertEqual(set(TABLES), set(AWAITED))
        for table in TABLES.values():
            self.assertEqual(STATUSES, set(table))
            self.assertEqual({3}, {len(row) for row in table.values()})

    def test_cells(self):
        """The statuses that a phase does not matter for lead where they should."""
        for operation, expected in EXPECTED.items():
            for status, phase in product(expected, PHASES):
                self.assertIs(expected[status], outcome(operation, status, phase), status)

    def test_stuck(self):
        """Nothing can be made of a snapshot in error."""
        for operation, status, phase in product(
            (u"create", u"copy"), (u"error", u"error_deleting", u"unmanaging"), PHASES
        ):
            self.assertIs(BAD, outcome(operation, status, phase))

    def test_destroy(self):
        """
        A snapshot that can be deleted is, up to the maximum of requests: the cloud restores the
        status of one whose data is still needed.
        """
        for status, phase in product((u"available", u"error"), PHASES):
            self.assertIs(Decision.REQUEST, outcome(u"destroy", status, phase))
            self.assertIs(
                Decision.FAILED,
                outcome(u"destroy", status, Phase.REQUESTED, MAXIMUM_REQUESTS),
            )

    def test_gone(self):
        """A snapshot that is gone at the first look is unknown, and later destroyed."""
        self.assertIs(Decision.UNKNOWN, outcome(u"destroy", GONE))
        self.assertIs(DONE, outcome(u"destroy", GONE, Phase.JOINED))
        self.assertIs(DONE, outcome(u"destroy", GONE, Phase.REQUESTED))

    @settings(**RELAXED)
    @given(st.text(), st.sampled_from(PHASES), st.sampled_from(sorted(TABLES)))
    def test_unlisted(self, status, phase, operation):
        """No operation acts on a status that is not listed."""
        if status not in STATUSES:
            self.assertIs(BAD, outcome(operation, status, phase))

    def test_proof(self):
        """A list proves what can't be undone and a first request, but no error."""
        proved = {
            (phase, decision)
            for phase, decision in product(PHASES, Decision.iterconstants())
            if is_proved(Progress(u"destroy", phase=phase), decision)
        }
        self.assertEqual(
            set(product(PHASES, (WAIT, DONE))) | {(Phase.FRESH, Decision.REQUEST)}, proved
        )

    def test_chosen(self):
        """The oldest of several is chosen, then the smallest id, one being deleted last."""

        def snapshot(snapshot_id, created_at, status=u"available"):
            return Snapshot(snapshot_id, u"v", status, 1, created_at=created_at)

        first, second = snapshot(u"b", u"1"), snapshot(u"c", u"1")
        later, doomed = snapshot(u"a", u"2"), snapshot(u"0", u"0", u"deleting")
        self.assertIs(first, chosen([doomed, later, second, first]))
        self.assertIs(later, chosen([doomed, later]))
