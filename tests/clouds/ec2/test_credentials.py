"""
Tests for :mod:`txstorage.clouds.ec2.credentials`.
"""

from __future__ import absolute_import, division, print_function

from eliot.testing import LoggedMessage, capture_logging
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage._log import TOKEN_KEPT
from txstorage._support.json_values import Malformed
from txstorage.clouds.ec2.credentials import AccessKeys, KeySource
from txstorage.errors import CredentialsUnavailable

WIRE = {
    u"AccessKeyId": u"AKID",
    u"SecretAccessKey": u"s3cret",
    u"Token": u"t0ken",
    u"Expiration": u"1970-01-01T01:00:00Z",
}


class AccessKeysTests(SynchronousTestCase):
    """Access keys."""

    def test_from_wire(self):
        """Temporary keys have a lifetime, by the service's own clock."""
        self.assertEqual(
            AccessKeys(u"AKID", u"s3cret", u"t0ken", 3000.0), AccessKeys.from_wire(WIRE, 600.0)
        )
        self.assertIs(None, AccessKeys.from_wire(WIRE, None).lifetime)
        self.assertIs(None, AccessKeys.from_wire(dict(WIRE, Expiration=7), 0.0).lifetime)
        self.assertEqual(
            7 * 86400.0,
            AccessKeys.from_wire(dict(WIRE, Expiration=u"1990-01-01T00:00:00Z"), 0.0).lifetime,
        )

    def test_malformed(self):
        """Missing keys, expired ones and ones that are not words are refused."""
        for changes, answered in [
            ({u"AccessKeyId": None}, 0.0),
            ({u"SecretAccessKey": u""}, 0.0),
            ({u"SecretAccessKey": u"a\nb"}, 0.0),
            ({u"Token": u"a b"}, 0.0),
            ({}, 3600.0),
        ]:
            wire = dict(WIRE, **changes)
            self.assertRaises(Malformed, AccessKeys.from_wire, wire, answered)

    def test_secrets(self):
        """The secrets are known, so that they can be kept out of messages."""
        keys = AccessKeys.from_wire(WIRE, None)
        self.assertEqual((u"s3cret", u"t0ken"), keys.secrets)
        self.assertEqual((u"s",), AccessKeys(u"a", u"s").secrets)


class KeySourceTests(SynchronousTestCase):
    """The keys in use."""

    def setUp(self):
        """A source of keys that live for an hour."""
        self.clock = Clock()
        self.loading = []
        self.source = KeySource(self.clock, self.load)

    def load(self):
        """Load keys when the test delivers them."""
        self.loading.append(Deferred())
        return self.loading[-1]

    def deliver(self, name, lifetime=3600.0):
        """Deliver keys."""
        self.loading[-1].callback(AccessKeys(name, u"s", u"t", lifetime))

    def current(self):
        """The name of the keys in use."""
        return self.successResultOf(self.source.current()).access_key

    def test_single_flight(self):
        """Callers that come together share one load, and later ones need none."""
        waiting = [self.source.current() for _ in range(3)]
        self.assertEqual(1, len(self.loading))
        self.deliver(u"a")
        for each in waiting:
            self.assertEqual(u"a", self.successResultOf(each).access_key)
        self.clock.advance(2999)
        self.assertEqual((u"a", 1), (self.current(), len(self.loading)))

    def test_early(self):
        """Keys are renewed ten minutes before their end, and nobody waits for that."""
        self.source.current()
        self.deliver(u"a")
        self.clock.advance(3000)
        self.assertEqual((u"a", 2), (self.current(), len(self.loading)))
        self.assertEqual((u"a", 2), (self.current(), len(self.loading)))
        self.deliver(u"b")
        self.assertEqual((u"b", 2), (self.current(), len(self.loading)))

    def test_last_minute(self):
        """In their last minute, keys are no longer used during a renewal."""
        self.source.current()
        self.deliver(u"a")
        self.clock.advance(3541)
        waiting = self.source.current()
        self.assertNoResult(waiting)
        self.deliver(u"b")
        self.assertEqual(u"b", self.successResultOf(waiting).access_key)

    @capture_logging(None)
    def test_kept(self, logger):
        """Keys that can't be renewed stay in use until their end; the log reports it once."""
        self.source.current()
        self.deliver(u"a")
        self.clock.advance(3000)
        for _ in range(2):
            self.assertEqual(u"a", self.current())
            self.loading[-1].errback(CredentialsUnavailable(u"no"))
            self.assertEqual((u"a",), (self.current(),))
            self.clock.advance(31)
        self.assertEqual(2, len(LoggedMessage.of_type(logger.messages, TOKEN_KEPT)))
        self.clock.advance(600)
        failing = self.source.current()
        self.loading[-1].errback(CredentialsUnavailable(u"no"))
        self.failureResultOf(failing, CredentialsUnavailable)

    def test_discard(self):
        """Keys that a service refused are loaded again, once."""
        self.source.current()
        self.deliver(u"a")
        keys = self.successResultOf(self.source.current())
        self.source.discard(keys)
        waiting = self.source.current()
        self.deliver(u"b")
        self.assertEqual(u"b", self.successResultOf(waiting).access_key)
        self.source.discard(keys)
        self.assertEqual((u"b", 2), (self.current(), len(self.loading)))

    def test_fixed(self):
        """Keys without an end are never renewed."""
        self.source = KeySource.fixed(self.clock, AccessKeys(u"a", u"s"))
        self.clock.advance(1e9)
        self.assertEqual(u"a", self.current())
