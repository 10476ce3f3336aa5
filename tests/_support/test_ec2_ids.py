"""
Tests for :mod:`txstorage._support.notations.ec2_ids`.
"""

from __future__ import absolute_import, division, print_function

from twisted.trial.unittest import SynchronousTestCase

from txstorage._support.notations.ec2_ids import is_ec2_id


class EC2IdsTests(SynchronousTestCase):
    """The forms of ids."""

    def test_forms(self):
        """Both lengths are ids of their kind, and of no other."""
        for digits in (u"0123456789abcdef0", u"1234abcd"):
            self.assertTrue(is_ec2_id(u"vol", u"vol-" + digits))
            self.assertTrue(is_ec2_id(u"i", u"i-" + digits))
            self.assertFalse(is_ec2_id(u"i", u"vol-" + digits))
            self.assertFalse(is_ec2_id(u"vol", digits))

    def test_others(self):
        """Nothing that only resembles an id is one."""
        for text in (u"", u"vol-", u"vol-0123", u"vol-0123456789ABCDEF0", u"vol-1234abcd\n",
                     u"xvol-1234abcd", u"vol-1234abcde", u"vol-0123456789abcdef01"):
            self.assertFalse(is_ec2_id(u"vol", text), text)
