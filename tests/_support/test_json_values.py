"""
Tests for :mod:`txstorage._support.json_values`.
"""

from __future__ import absolute_import, division, print_function

from twisted.trial.unittest import SynchronousTestCase

from txstorage._support.json_values import (
    Malformed,
    identifier,
    member,
    object_member,
    objects_in,
    same_id,
    text_member,
    whole_number,
)

UUID = u"ad0c1257-3bb2-4e2c-a681-7c70ba3a31b0"
ODD = (None, True, 0, 1.5, u"", u"text", [], [1], {}, {u"a": 1})


class JSONValuesTests(SynchronousTestCase):
    """Members of decoded JSON."""

    def test_member(self):
        """A member of anything but an object is ``None``."""
        for value in ODD:
            self.assertIs(None, member(value, u"x"))
        self.assertEqual(1, member({u"x": 1}, u"x"))

    def test_text_member(self):
        """An optional text is empty unless it is a text."""
        for value in ODD:
            expected = value if value in (u"", u"text") else u""
            self.assertEqual(expected, text_member({u"x": value}, u"x"))

    def test_identifier(self):
        """An identifier is a printable word of at most 255 characters."""
        for value in (u"in-use", UUID, u"x" * 255, u"caf\xe9"):
            self.assertEqual(value, identifier({u"id": value}, u"id"))
        for value in ODD + (
            u"two words", u"a\nb", u"a\x1b[2J", u"a\x85", u"\ud800", u"\u2028", u"x" * 256,
        ):
            if value != u"text":
                error = self.assertRaises(Malformed, identifier, {u"id": value}, u"id")
                self.assertIn(u"its id", error.problem)
                self.assertTrue(len(error.problem) < 100)
        self.assertIn(u"missing", self.assertRaises(Malformed, identifier, [], u"id").problem)

    def test_whole_number(self):
        """A number is whole, not negative, and not above the maximum."""
        for value, expected in (
            (0, 0), (9, 9), (10, None), (-1, None), (True, None), (1.0, None), (u"1", None),
            (10 ** 5000, None), (None, None),
        ):
            self.assertEqual(expected, whole_number({u"x": value}, u"x", 9))

    def test_objects(self):
        """Anything but an object, or a list of objects, is empty."""
        for value in ODD:
            self.assertEqual(
                value if isinstance(value, dict) else {}, object_member({u"x": value}, u"x")
            )
            self.assertEqual([], objects_in(value))
        self.assertEqual([{}, {u"a": 1}], objects_in([1, {}, None, {u"a": 1}]))

    def test_same_id(self):
        """UUIDs are equal in any spelling; other ids only when they are identical."""
        for one, other, same in (
            (UUID, UUID, True),
            (UUID, UUID.upper(), True),
            (UUID, UUID.replace(u"-", u""), True),
            (UUID, UUID[:-1] + u"1", False),
            (u"vol-1", u"vol-1", True),
            (u"vol-1", u"VOL-1", False),
            (UUID, u"", False),
        ):
            self.assertEqual(same, same_id(one, other))
