"""
Tests for :mod:`txstorage.driver.attach_queue`.
"""

from __future__ import absolute_import, division, print_function

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage.driver.attach_queue import DEPTHS, AttachQueues, next_depth

from ..helpers.memory import HERE, THERE
from ..helpers.properties import RELAXED


class NextDepthTests(SynchronousTestCase):
    """The decision about the number of attaches at once."""

    def test_table(self):
        """The depth follows the time of an attach beside others, between two and ten."""
        for depth, ahead, seconds, alone, expected in [
            # one by one: each waits for those ahead of it
            (2, 1, 4.0, 2.0, 2),
            (5, 4, 10.0, 2.0, 4),
            (5, 2, 6.0, 2.0, 4),
            # together
            (2, 1, 2.0, 2.0, 3),
            (9, 8, 2.4, 2.0, 10),
            (10, 9, 2.0, 2.0, 10),
            # not as many as allowed were in progress, so nothing is known about more
            (5, 3, 2.0, 2.0, 5),
            # nothing to compare
            (2, 0, 2.0, 2.0, 2),
            (2, 1, 2.0, None, 2),
        ]:
            self.assertEqual(
                expected, next_depth(depth, ahead, seconds, alone), (depth, ahead, seconds, alone)
            )

    @settings(**RELAXED)
    @given(st.integers(*DEPTHS), st.integers(0, 9), st.floats(0, 1e9), st.floats(0, 1e9))
    def test_bounds(self, depth, ahead, seconds, alone):
        """The depth changes by one at most, and stays within its bounds."""
        found = next_depth(depth, ahead, seconds, alone)
        self.assertTrue(DEPTHS[0] <= found <= DEPTHS[1])
        self.assertTrue(abs(found - depth) <= 1)


class PlaceTests(SynchronousTestCase):
    """Places in the queue of a server."""

    def setUp(self):
        self.clock = Clock()
        self.queues = AttachQueues(self.clock)

    def places(self, count, server_id=HERE):
        places = [self.queues.place(server_id) for _ in range(count)]
        return places, [place.wait() for place in places]

    def test_two_at_once(self):
        """Two attaches are in progress; each that ends makes way for the next in order."""
        places, turns = self.places(4)
        self.assertEqual([True, True, False, False], [turn.called for turn in turns])
        self.assertEqual(u"attached", places[1].end(u"attached"))
        self.assertEqual([True, True, True, False], [turn.called for turn in turns])

    def test_servers_apart(self):
        """Each server has a queue of its own."""
        self.places(2)
        [place], [turn] = self.places(1, THERE)
        self.successResultOf(turn)

    def test_again(self):
        """An attach that repeats its request keeps its place, and ends once."""
        places, _ = self.places(2)
        self.successResultOf(places[0].wait())
        places[0].end(None)
        places[0].end(None)
        _, turns = self.places(2)
        self.assertEqual([True, False], [turn.called for turn in turns])

    def test_never_asked(self):
        """An attach that never asked for its turn does not make way for others."""
        self.places(2)
        self.queues.place(HERE).end(None)
        [_], [turn] = self.places(1)
        self.assertNoResult(turn)

    def test_cancelled(self):
        """A cancelled attach gives up its place."""
        places, turns = self.places(4)
        turns[2].cancel()
        self.failureResultOf(turns[2], CancelledError)
        places[2].end(None)
        places[0].end(None)
        self.successResultOf(turns[3])

    def test_deadline(self):
        """The deadline begins at the head of the queue, or with an attach that never queues."""
        places, _ = self.places(3)
        idle = self.queues.place(HERE)
        self.clock.advance(7)
        self.assertEqual(
            [3, 3, 10, 3], [place.time_left(10) for place in places + [idle]]
        )
        places[0].end(None)
        self.clock.advance(4)
        self.assertEqual([-1, 6], [place.time_left(10) for place in places[1:]])

    def rounds(self, count):
        """:return: the numbers of attaches at once, of a server that takes 2 s for any number."""
        waiting = list(zip(*self.places(40)))
        sizes = []
        for _ in range(count):
            begun = [(place, turn) for place, turn in waiting if turn.called]
            waiting = [each for each in waiting if each not in begun]
            sizes.append(len(begun))
            self.clock.advance(2.0)
            for place, _ in begun:
                place.learn()
            for place, _ in begun:
                place.end(None)
        return sizes

    def test_learns(self):
        """A server that carries out attaches together gets more at once, one by one."""
        self.assertEqual([2, 3, 4, 5, 6, 7], self.rounds(6))
