"""
The decompression of bodies, within the bounds.
"""

from __future__ import absolute_import, division, print_function

import zlib

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http_headers import Headers

from tests.helpers.properties import RELAXED
from txstorage._http.bodies import Gunzip, Uncompressed, Undecodable, decoder_for
from txstorage._http.bounds import OutOfBounds


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

    @settings(**RELAXED)
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
