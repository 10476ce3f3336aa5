"""
Tests for :mod:`txstorage.driver.lifecycle.volumes`: every cell of every table.
"""

from __future__ import absolute_import, division, print_function

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.properties import RELAXED
from txstorage.clouds import Volume
from txstorage.driver.lifecycle import (
    AWAITED,
    DEAD_SERVER,
    GONE,
    MAXIMUM_REQUESTS,
    ON_HOST,
    REFUSALS,
    TABLES,
    Decision,
    Phase,
    Progress,
    Where,
    chosen,
    decide,
    whereabouts,
)
from txstorage.errors import Conflict, UnknownServer
from txstorage.interfaces import UnknownVolume

TARGET = u"target"
OTHER = u"other"
SERVERS = {Where.NOWHERE: (), Where.HERE: (TARGET,), Where.ELSEWHERE: (OTHER,)}
PHASES = list(Phase.iterconstants())
ATTACHMENT_CHANGES = (u"reserved", u"attaching", u"detaching", u"busy")
PLACES = list(Where.iterconstants())

#: The statuses of all tables, an empty status, and an unlisted status.
STATUSES = sorted({status for table in TABLES.values() for status in table}) + [u"", u"new-fangled"]


def outcome(operation, status, phase=Phase.FRESH, where=Where.NOWHERE, requests=0):
    progress = Progress(operation, frozenset([TARGET]), phase, requests)
    return decide(progress, status, SERVERS[where])


def every_cell(operation):
    for status, phase, where in product(STATUSES, PHASES, PLACES):
        yield status, phase, where, outcome(operation, status, phase, where)


class TablesTests(SynchronousTestCase):
    """Properties of all tables."""

    def test_complete(self):
        """Each row of each table has one cell for each phase and place."""
        for table in TABLES.values():
            for status, row in table.items():
                self.assertEqual(9, len(row), status)
                self.assertTrue(all(cell in Decision.iterconstants() for cell in row), status)

    def test_all_operations(self):
        """Each table's operation has an awaited event."""
        self.assertEqual(set(TABLES) | {u"grow"}, set(AWAITED))

    def test_again_never_leaves(self):
        """``AGAIN`` is never returned: ``decide`` resolves it."""
        for operation in TABLES:
            self.assertNotIn(Decision.AGAIN, [cell[-1] for cell in every_cell(operation)])

    def test_requests_are_bounded(self):
        """No request is repeated after the maximum of requests."""
        for operation, status, where in product(TABLES, STATUSES, PLACES):
            self.assertNotEqual(
                Decision.REQUEST,
                outcome(operation, status, Phase.REQUESTED, where, MAXIMUM_REQUESTS),
                (operation, status, where),
            )

    def test_gone_is_final(self):
        """A volume that is gone leads to neither a request nor a wait."""
        for operation, phase, where in product(TABLES, PHASES, PLACES):
            self.assertNotIn(
                outcome(operation, GONE, phase, where), (Decision.REQUEST, Decision.WAIT)
            )

    @settings(**RELAXED)
    @given(st.text(), st.sampled_from(PHASES), st.sampled_from(PLACES))
    def test_unlisted(self, status, phase, where):
        """No operation acts on a status that is not listed."""
        if status not in STATUSES:
            for operation in TABLES:
                self.assertIs(Decision.UNUSABLE, outcome(operation, status, phase, where))


    def test_on_a_host(self):
        """
        A volume that another program attached to a host is waited for by no operation, and changed
        by none.
        """
        expected = {
            u"attach": Decision.ATTACHED,
            u"detach": Decision.ATTACHED_TO_HOST,
            u"destroy": Decision.STILL_ATTACHED,
            u"create": Decision.DONE,
            u"copy": Decision.DONE,
        }
        for operation, phase, where in product(TABLES, PHASES, PLACES):
            self.assertIs(expected[operation], outcome(operation, ON_HOST, phase, where))


class RefusalsTests(SynchronousTestCase):
    """The table of refusals."""

    def test_only_conflicts_without_end(self):
        """Only a request that meets a conflict is repeated until the deadline."""
        self.assertEqual({Conflict: None}, {k: n for k, n in REFUSALS if n is None})
        self.assertEqual({MAXIMUM_REQUESTS}, {n for _, n in REFUSALS if n is not None})

    def test_unprocessed(self):
        """Every refusal means that the request was certainly not carried out."""
        for kind, _ in REFUSALS:
            if kind not in (UnknownVolume, UnknownServer):
                self.assertTrue(kind.certainly_unprocessed, kind)


class AttachTests(SynchronousTestCase):
    """The table of attach."""

    def test_requests_only_available(self):
        """An attach is requested only for a volume that is available and unattached."""
        requested = {cell[:3] for cell in every_cell(u"attach") if cell[3] is Decision.REQUEST}
        self.assertEqual({(u"available", phase, Where.NOWHERE) for phase in PHASES}, requested)

    def test_done_only_here(self):
        """An attach is done when the volume is in use on the target, but not at the first poll."""
        done = {cell[:3] for cell in every_cell(u"attach") if cell[3] is Decision.DONE}
        self.assertEqual(
            {(u"in-use", phase, Where.HERE) for phase in (Phase.JOINED, Phase.REQUESTED)}, done
        )

    def test_already_attached(self):
        """A volume in use is refused: on any server at the first poll, on another server later."""
        refused = {
            cell[:3]
            for cell in every_cell(u"attach")
            if cell[3] is Decision.ATTACHED and cell[0] != ON_HOST
        }
        self.assertEqual(
            {(u"in-use", phase, Where.ELSEWHERE) for phase in PHASES}
            | {(u"in-use", Phase.FRESH, Where.HERE)},
            refused,
        )

    def test_joins(self):
        """A volume in transition is waited for, whichever caller began the transition."""
        for status, phase in product(ATTACHMENT_CHANGES, PHASES):
            self.assertIs(Decision.WAIT, outcome(u"attach", status, phase))

    def test_gone(self):
        """A volume that is gone is unknown."""
        for phase in PHASES:
            self.assertIs(Decision.UNKNOWN, outcome(u"attach", GONE, phase))


class DetachTests(SynchronousTestCase):
    """The table of detach."""

    def test_requests_only_in_use_here(self):
        """A detach is requested only for a volume in use on the operation's servers."""
        requested = {cell[:3] for cell in every_cell(u"detach") if cell[3] is Decision.REQUEST}
        self.assertEqual({(u"in-use", phase, Where.HERE) for phase in PHASES}, requested)

    def test_never_done_while_here(self):
        """A detach is not done while the volume is attached to the operation's servers."""
        done = [cell for cell in every_cell(u"detach") if cell[3] is Decision.DONE]
        self.assertNotIn(Where.HERE, [cell[2] for cell in done])
        self.assertNotIn(Phase.FRESH, [cell[1] for cell in done])

    def test_loose(self):
        """An unattached volume that is available, in error or being created can't be detached."""
        loose = {cell[0] for cell in every_cell(u"detach") if cell[3] is Decision.UNATTACHED}
        self.assertTrue({u"available", u"error", u"creating", u"maintenance"} <= loose)
        self.assertFalse(
            loose & {u"in-use", u"deleting", GONE}.union(ATTACHMENT_CHANGES)
        )

    def test_broken_and_attached(self):
        """An attached volume in a status that only an operator ends can't be detached."""
        self.assertIs(Decision.UNUSABLE, outcome(u"detach", u"error", where=Where.HERE))

    def test_busy_and_attached(self):
        """An attached volume in a transient status is waited for."""
        self.assertIs(Decision.WAIT, outcome(u"detach", u"extending", where=Where.HERE))

    def test_ends_in_reserved(self):
        """
        A requested detach is done when the volume is attached nowhere and reserved; before the
        request, a detach waits for the reservation's end.
        """
        for status in (u"reserved", u"attaching"):
            self.assertIs(Decision.DONE, outcome(u"detach", status, Phase.REQUESTED))
            for phase in (Phase.FRESH, Phase.JOINED):
                self.assertIs(Decision.WAIT, outcome(u"detach", status, phase))

    def test_somebody_else_was_quick(self):
        """A requested detach is done when the volume is attached to another server."""
        self.assertIs(
            Decision.DONE, outcome(u"detach", u"in-use", Phase.REQUESTED, Where.ELSEWHERE)
        )

    def test_refused_by_the_guest(self):
        """A requested detach of a volume in use again is repeated, up to the maximum."""
        cell = (u"detach", u"in-use", Phase.REQUESTED, Where.HERE)
        self.assertIs(Decision.REQUEST, outcome(*cell, requests=MAXIMUM_REQUESTS - 1))
        self.assertIs(Decision.FAILED, outcome(*cell, requests=MAXIMUM_REQUESTS))


class DestroyTests(SynchronousTestCase):
    """The table of destroy."""

    def test_never_while_attached(self):
        """A destroy is never requested for an attached volume."""
        requested = {cell[2] for cell in every_cell(u"destroy") if cell[3] is Decision.REQUEST}
        self.assertEqual({Where.NOWHERE}, requested)

    def test_requests_where_cinder_deletes(self):
        """A destroy is requested in the statuses in which Cinder deletes volumes."""
        requested = {cell[0] for cell in every_cell(u"destroy") if cell[3] is Decision.REQUEST}
        self.assertEqual(
            {u"available", u"error", u"error_restoring", u"error_extending", u"error_managing"},
            requested,
        )

    def test_done_only_when_gone(self):
        """A destroy is done when the volume is gone, but not when it is gone at the first poll."""
        done = {cell[:2] for cell in every_cell(u"destroy") if cell[3] is Decision.DONE}
        self.assertEqual({(GONE, Phase.JOINED), (GONE, Phase.REQUESTED)}, done)
        self.assertIs(Decision.UNKNOWN, outcome(u"destroy", GONE))

    def test_half_deleted(self):
        """A deletion that failed in the cloud is an error."""
        for phase in PHASES:
            self.assertIs(Decision.UNUSABLE, outcome(u"destroy", u"error_deleting", phase))


class CreateTests(SynchronousTestCase):
    """The table of create."""

    def test_never_requests(self):
        """The table never repeats a create's request."""
        self.assertNotIn(Decision.REQUEST, [cell[3] for cell in every_cell(u"create")])

    def test_waits_only_in_the_making(self):
        """A create waits only for a volume that is being created or filled."""
        waits = {cell[0] for cell in every_cell(u"create") if cell[3] is Decision.WAIT}
        self.assertEqual({u"creating", u"downloading"}, waits)

    def test_failed(self):
        """A volume in error is unusable; a volume that disappeared is a failure."""
        self.assertIs(Decision.UNUSABLE, outcome(u"create", u"error", Phase.REQUESTED))
        self.assertIs(Decision.FAILED, outcome(u"create", GONE, Phase.REQUESTED))


class ProgressTests(SynchronousTestCase):
    """The progress of an operation."""

    def test_waiting(self):
        """A wait at the first poll joins; a wait after a request changes nothing."""
        self.assertIs(Phase.JOINED, Progress(u"attach").waiting().phase)
        requested = Progress(u"attach").requested()
        self.assertEqual(requested, requested.waiting())

    def test_requested(self):
        """A request is counted and changes the phase."""
        self.assertEqual(
            Progress(u"attach", phase=Phase.REQUESTED, requests=2),
            Progress(u"attach").requested().requested(),
        )

    def test_refused(self):
        """A refused request is counted, and the phase is not ``REQUESTED``."""
        self.assertEqual(
            Progress(u"attach", phase=Phase.JOINED, requests=1), Progress(u"attach").refused()
        )

    def test_about(self):
        """``about`` sets the servers."""
        self.assertEqual(frozenset([OTHER]), Progress(u"detach").about([OTHER]).servers)


class WhereaboutsTests(SynchronousTestCase):
    """The place of a volume, relative to an operation."""

    def test_each(self):
        """Each :class:`Where` follows from the volume's and the operation's servers."""
        self.assertIs(Where.NOWHERE, whereabouts([], [TARGET]))
        self.assertIs(Where.HERE, whereabouts([OTHER, TARGET], [TARGET]))
        self.assertIs(Where.ELSEWHERE, whereabouts([OTHER], [TARGET]))


def volume(volume_id, status, created_at):
    return Volume(volume_id=volume_id, status=status, size=1, created_at=created_at)


class VolumeTests(SynchronousTestCase):
    """The choice of a volume, and the servers."""

    @settings(**RELAXED)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from([u"available", u"deleting", u"error"]),
                st.sampled_from([u"2026-01-01", u"2026-01-02"]),
                st.sampled_from(u"abcdef"),
            ),
            min_size=1,
            max_size=6,
        ),
        st.randoms(),
    )
    def test_chosen(self, fields, random):
        """
        The choice is the same for every order of the list: the oldest volume, but no volume that is
        being deleted while there is another.
        """
        volumes = list(
            {i: volume(i, status, at) for status, at, i in fields}.values()
        )
        shuffled = list(volumes)
        random.shuffle(shuffled)
        pick = chosen(volumes)
        self.assertEqual(pick, chosen(shuffled))
        lasting = [v for v in volumes if v.status != u"deleting"] or volumes
        self.assertIn(pick, lasting)
        self.assertEqual(
            min((v.created_at, v.volume_id) for v in lasting), (pick.created_at, pick.volume_id)
        )

    def test_dead_servers(self):
        """A server that may be running is not dead."""
        alive = {u"ACTIVE", u"REBOOT", u"HARD_REBOOT", u"MIGRATING", u"UNKNOWN", u"PAUSED"}
        alive |= {u"SUSPENDED", u"ERROR", u"RESCUE", u"VERIFY_RESIZE", u"BUILD"}
        self.assertFalse(alive & DEAD_SERVER)
        self.assertIn(u"SHUTOFF", DEAD_SERVER)
