"""
The bounds of answers, each under its attacks.

The attacks come over real sockets, and the client has a process of its own.
"""

from __future__ import absolute_import, division, print_function

import attr
from twisted.trial.unittest import SynchronousTestCase

from txstorage import errors
from txstorage._http.bounds import BOUNDS, Bounds

from .attacks import ATTACKS, HostileServer, measure

#: MiB of resident memory above that of an idle client.
MEMORY = 64
#: Seconds of the process's own time; an idle machine takes about a half, a busy one takes more.
STALL = 0.1
#: A stall of the client's own is in each measurement, one of a busy machine is not.
MEASUREMENTS = 3


class AttacksTests(SynchronousTestCase):
    """Hostile answers."""

    def setUp(self):
        self.server = HostileServer()
        self.addCleanup(self.server.close)

    def measured(self, name):
        """The first measurement without a long stall, or else the last."""
        for _ in range(MEASUREMENTS):
            seen = measure(self.server.url, name)
            if seen["stall"] < STALL:
                break
        return seen

    def test_attacks(self):
        """Each attack ends with an error of txstorage, in bounded memory, without a long stall."""
        for name, (_, _, words) in sorted(ATTACKS.items()):
            seen = self.measured(name)
            self.assertLess(seen["rss"], MEMORY, (name, seen))
            self.assertLess(seen["stall"], STALL, (name, seen))
            if words is None:
                self.assertEqual(u"none", seen["error"], name)
            else:
                kind = getattr(errors, seen["error"].partition(":")[0])
                self.assertTrue(issubclass(kind, errors.StorageError), (name, seen))
                self.assertIn(words, seen["error"], name)

    def test_each_bound(self):
        """Each bound has an attack."""
        names = {bound for bound, _, _ in ATTACKS.values()}
        self.assertEqual({field.name for field in attr.fields(Bounds)}, names)

    def test_described(self):
        """Each bound has a limit above zero, a unit and a meaning."""
        for field in attr.fields(Bounds):
            self.assertGreater(getattr(BOUNDS, field.name), 0)
            self.assertTrue(field.metadata["unit"] and field.metadata["part"], field.name)
