"""
The decoding of compressed bodies and of JSON, within the bounds.
"""

from __future__ import absolute_import, division, print_function

import json
import zlib

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http_headers import Headers

from txstorage._http.bounds import Bounds, OutOfBounds
from txstorage._http.decoding import Gunzip, Uncompressed, Undecodable, decoder_for, json_within

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.text())
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


def gzipped(data):
    """Data in gzip's format."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


class DecoderTests(SynchronousTestCase):
    """Content encodings."""

    def chosen(self, *values):
        """The class of the decoder for a header's values."""
        return type(decoder_for(Headers({b"Content-Encoding": list(values)})))

    def test_choice(self):
        """One gzip is decoded; two encodings, and unknown ones, are refused."""
        self.assertIs(type(decoder_for(Headers({}))), Uncompressed)
        for values in ((b"",), (b"identity",), (b"identity, identity",)):
            self.assertIs(self.chosen(*values), Uncompressed, values)
        for values in ((b"gzip",), (b" GZIP ",), (b"identity, gzip",)):
            self.assertIs(self.chosen(*values), Gunzip, values)
        for values in ((b"gzip, gzip",), (b"gzip", b"gzip"), (b"br",), (b"gzip,br",), (b"x" * 99,)):
            self.assertIs(self.chosen(*values), Undecodable, values)
            decoder = decoder_for(Headers({b"content-encoding": list(values)}))
            self.assertRaises(OutOfBounds, decoder.decode, b"x", 1)

    @given(data=st.binary(), cut=st.integers(min_value=1, max_value=9))
    def test_pieces(self, data, cut):
        """Data that fit come out whole, whatever the pieces."""
        decoder, packed = Gunzip(), gzipped(data)
        pieces = [packed[at : at + cut] for at in range(0, len(packed), cut)]
        self.assertEqual(data, b"".join(decoder.decode(piece, len(data)) for piece in pieces))

    def test_room(self):
        """At most one byte more than there is room for comes out."""
        self.assertEqual(11, len(Gunzip().decode(gzipped(b"a" * 10 ** 6), 10)))

    def test_not_gzip(self):
        """Data of another format are refused."""
        self.assertRaises(OutOfBounds, Gunzip().decode, b"hello", 10)


class JSONTests(SynchronousTestCase):
    """JSON within the bounds."""

    @given(VALUES)
    def test_as_python(self, value):
        """A value within the bounds is decoded as Python's own decoder does."""
        encoded = json.dumps(value).encode("ascii")
        bounds = Bounds(json_nesting=100, number_characters=10 ** 6)
        self.assertEqual(json.loads(encoded.decode("ascii")), json_within(encoded, bounds))

    def refused(self, body, **limits):
        """The reason of a body that exceeds a bound."""
        return self.assertRaises(OutOfBounds, json_within, body, Bounds(**limits)).reason

    def test_nesting(self):
        """Lists and objects nest as deep as the bound, and no deeper."""
        self.assertEqual([[]], json_within(b"[[]]", Bounds(json_nesting=2)))
        self.assertEqual({u"a": []}, json_within(b'{"a": []}', Bounds(json_nesting=2)))
        for body in (b"[[[]]]", b'{"a": [{}]}', b"[" * 10 ** 5 + b"]" * 10 ** 5):
            self.assertIn(u"2 levels", self.refused(body, json_nesting=2))

    def test_values(self):
        """A body has as many values as the bound, and no more."""
        self.assertEqual([1, 2, 3], json_within(b"[1,2,3]", Bounds(json_values=3)))
        self.assertIn(u"3 values", self.refused(b"[1,2,3,4]", json_values=3))

    def test_numbers(self):
        """A number has as many characters as the bound, and no more."""
        for number in (b"123", b"1.5", b"1e5"):
            json_within(b"[" + number + b"]", Bounds(number_characters=3))
            self.assertIn(u"number", self.refused(b"[" + number + b"0]", number_characters=3))

    def test_constants(self):
        """Python's own words for numbers are not JSON."""
        for body in (b"NaN", b"[Infinity]", b"-Infinity"):
            self.assertRaises(ValueError, json_within, body)
