# -*- coding: utf-8 -*-
"""
Tests for :mod:`txstorage._support.compat`.
"""

from __future__ import absolute_import, division, print_function

from twisted.trial.unittest import SynchronousTestCase

from txstorage._support.compat import (
    as_text,
    native,
    parse_qsl,
    quote,
    text_type,
    to_json_bytes,
)


class TextTests(SynchronousTestCase):
    """Conversions between text, ``str`` and bytes."""

    def test_as_text(self):
        """
        Text is returned unchanged, UTF-8 is decoded, and other objects are converted by ``str()``.
        """
        for value, text in [(u"caf\xe9", u"caf\xe9"), (b"caf\xc3\xa9", u"caf\xe9"), (7, u"7")]:
            self.assertEqual(text, as_text(value))
            self.assertIsInstance(as_text(value), text_type)

    def test_undecodable(self):
        """Bytes that are not UTF-8 become replacement characters."""
        self.assertEqual(u"caf\ufffd", as_text(b"caf\xe9"))

    def test_native(self):
        """Text becomes the interpreter's ``str``."""
        self.assertIsInstance(native(u"caf\xe9"), str)
        self.assertEqual(u"caf\xe9", as_text(native(u"caf\xe9")))

    def test_json(self):
        """JSON is ASCII bytes."""
        self.assertEqual(b'{"a": "\\u00e9"}', to_json_bytes({u"a": u"\xe9"}))


class URLTests(SynchronousTestCase):
    """Percent-encoding and query strings."""

    def test_quote(self):
        """A quoted text is one path segment, unless more characters are safe."""
        self.assertEqual(u"a%2Fb%20%C3%A9", quote(u"a/b \xe9"))
        self.assertEqual(u"a/b", quote(u"a/b", safe=u"/"))
        self.assertIsInstance(quote(u"a"), text_type)

    def test_query(self):
        """A query becomes pairs of text, with empty values and repeated names."""
        pairs = parse_qsl(u"a=%C3%A9&b=&a=2")
        self.assertEqual([(u"a", u"\xe9"), (u"b", u""), (u"a", u"2")], pairs)
        for pair in pairs:
            self.assertIsInstance(pair[0], text_type)
            self.assertIsInstance(pair[1], text_type)
