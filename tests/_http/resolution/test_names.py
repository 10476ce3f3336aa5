"""
Tests for :mod:`txstorage._http.resolution.names`.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import Deferred
from twisted.internet.error import DNSLookupError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage._http.resolution import RememberedNames

NAME = ("cloud.example", 443)


class RememberedNamesTests(SynchronousTestCase):
    """The memory of names."""

    def setUp(self):
        self.clock = Clock()
        self.names = RememberedNames(self.clock)
        self.asked = []

    def find(self, name=NAME):
        return self.names.addresses(name, lambda: self.asked.append(name) or ["192.0.2.1"])

    def test_kept(self):
        """Addresses are kept for 30 seconds, and no longer."""
        for moment, questions in ((0, 1), (29.9, 1), (0.2, 2), (29.9, 2)):
            self.clock.advance(moment)
            self.assertEqual(["192.0.2.1"], self.successResultOf(self.find()))
            self.assertEqual([NAME] * questions, self.asked)

    def test_forgotten(self):
        """Forgotten addresses are asked for again; to forget unknown ones is harmless."""
        self.find()
        self.names.forget(NAME)
        self.names.forget(NAME)
        self.find()
        self.assertEqual([NAME] * 2, self.asked)

    def test_apart(self):
        """Each name has its own addresses."""
        other = ("other.example", 443)
        for name in (NAME, other, NAME):
            self.find(name)
        self.assertEqual([NAME, other], self.asked)

    def test_shared(self):
        """Callers of one moment share a question."""
        answer = Deferred()
        found = [self.names.addresses(NAME, lambda: self.asked.append(NAME) or answer)
                 for _ in range(3)]
        answer.callback(["192.0.2.1"])
        self.assertEqual([["192.0.2.1"]] * 3, [self.successResultOf(d) for d in found])
        self.assertEqual([NAME], self.asked)

    def test_no_answer(self):
        """A failure and an answer without an address are not kept."""
        def fail():
            raise DNSLookupError()

        self.failureResultOf(self.names.addresses(NAME, fail), DNSLookupError)
        self.assertEqual([], self.successResultOf(self.names.addresses(NAME, list)))
        self.find()
        self.assertEqual([NAME], self.asked)

    def test_bounded(self):
        """Of more than 100 names, those that were resolved first are forgotten."""
        names = [("{}.example".format(number), 443) for number in range(101)]
        for name in names:
            self.find(name)
        del self.asked[:]
        for name in reversed(names):
            self.find(name)
        self.assertEqual([names[0]], self.asked)
