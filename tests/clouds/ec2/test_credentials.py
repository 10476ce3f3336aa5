"""
Tests for :mod:`txstorage.clouds.ec2.credentials`.
"""

from __future__ import absolute_import, division, print_function

from twisted.trial.unittest import SynchronousTestCase

from txstorage._support.json_values import Malformed
from txstorage.clouds.ec2.credentials import AccessKeys

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
        """Missing keys, expired ones and ones that are no words are refused."""
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
