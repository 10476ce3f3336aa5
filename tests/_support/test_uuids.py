"""
Tests for :mod:`txstorage._support.notations.uuids`.
"""

from __future__ import absolute_import, division, print_function

from twisted.trial.unittest import SynchronousTestCase

from txstorage._support.notations.uuids import is_uuid, is_uuid_like

CANONICAL = u"0b4c6e1e-5a2f-4f6d-8a3b-1c2d3e4f5a6b"


class UUIDTests(SynchronousTestCase):
    """:func:`is_uuid` and :func:`is_uuid_like`."""

    def test_spellings(self):
        """Each spelling, by the checks that it passes."""
        for text, canonical, like in (
            (CANONICAL, True, True),
            (CANONICAL.upper(), False, True),
            (CANONICAL.replace(u"-", u""), False, True),
            (CANONICAL.replace(u"-", u"").upper(), False, True),
            (CANONICAL + u"\n", False, False),
            (CANONICAL[:-1], False, False),
            (CANONICAL + u"0", False, False),
            (u"{" + CANONICAL + u"}", False, False),
            (CANONICAL.replace(u"-", u"", 1), False, False),
            (u"g" + CANONICAL[1:], False, False),
            (u"i-00000001", False, False),
            (u"", False, False),
        ):
            self.assertEqual((is_uuid(text), is_uuid_like(text)), (canonical, like), text)
