"""
The decoding of JSON within the bounds, a piece at a time.
"""

from __future__ import absolute_import, division, print_function

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from txstorage._http import json_reader
from txstorage._http.bounds import Bounds, OutOfBounds
from txstorage._http.json_reader import PIECE, JSONReader, json_within

from ..helpers.properties import RELAXED

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(10 ** 12), 10 ** 12), st.text())
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


class JSONTests(SynchronousTestCase):
    """JSON within the bounds."""

    @settings(**RELAXED)
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


class PiecesTests(SynchronousTestCase):
    """Documents that are longer than a piece."""

    #: Pieces of a few bytes, so that each place of a document is the end of one.
    SHORT = 8

    def outcome(self, decode, body):
        """The value, or ``None`` for a body that is not JSON."""
        try:
            return decode(body)
        except ValueError:
            return None

    def in_pieces(self, body, piece=SHORT):
        """Decode a body in short pieces."""
        self.patch(json_reader, "PIECE", piece)
        bounds = Bounds(json_nesting=100, text_characters=10 ** 6)
        return json_within(body, bounds)

    def plain(self, body):
        """Decode a body with Python's own decoder, without its own words for numbers."""
        return json.loads(body.decode("utf-8"), parse_constant=lambda word: int(u"x"))

    @settings(max_examples=50, **RELAXED)
    @given(VALUES, st.sampled_from([None, 0, 3]), st.booleans(), st.integers(1, 100))
    def test_as_python(self, value, indent, ascii_only, piece):
        """A document is decoded as Python's own decoder does, whatever the length of the pieces."""
        body = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
        body = body if isinstance(body, bytes) else body.encode("utf-8")
        self.assertEqual(self.plain(body), self.in_pieces(body, piece))

    @settings(max_examples=50, **RELAXED)
    @given(VALUES, st.integers(0, 300), st.integers(0, 2), st.sampled_from(u'[]{},:"\\x1 \xff'))
    def test_malformed(self, value, at, removed, added):
        """Malformed documents are refused exactly where Python's own decoder refuses them."""
        body = json.dumps([value, {u"a": value}]).encode("ascii")
        at = min(at, len(body))
        broken = body[:at] + added.encode("latin-1") + body[at + removed :]
        for candidate in (broken, body[:at]):
            self.assertEqual(
                self.outcome(self.plain, candidate), self.outcome(self.in_pieces, candidate)
            )

    def test_nesting(self):
        """The bound of the nesting counts the levels in long and in short parts together."""
        long_text = b'"' + b"a" * (2 * PIECE) + b'"'
        for start, end in ((b"[[", b"]]"), (b'[{"a":1,', b"}]"), (b'{"a":[', b"]}")):
            body = start + long_text + (b":" if end == b"}]" else b",") + b"[[]]" + end
            self.assertIsNot(None, json_within(body, Bounds(json_nesting=4)), body[:9])
            refused = self.assertRaises(OutOfBounds, json_within, body, Bounds(json_nesting=3))
            self.assertIn(u"3 levels", refused.reason)

    def test_texts(self):
        """A long text or key is as long as the bound, and no longer."""
        limit = 3 * PIECE
        for start, end in ((b'"', b'"'), (b'["', b'",1]'), (b'{"', b'":1}'), (b'{"a":"', b'"}')):
            for filler in (b"", b" " * PIECE):
                body = start + b"a" * limit + end + filler
                self.assertIsNot(None, json_within(body, Bounds(text_characters=limit)))
                refused = self.assertRaises(
                    OutOfBounds, json_within, body, Bounds(text_characters=limit - 1)
                )
                self.assertIn(u"text", refused.reason)

    def test_steps(self):
        """No step reads more than some pieces, or more than some hundred values."""
        for body in (
            b"[" + b",".join([b"[]"] * 40000) + b"]",
            b"[" * 30 + b",".join([b'{"a":[1,2,3]}'] * 9000) + b"]" * 30,
            b"[" + b",".join([b'"' + b"a" * 5000 + b'"'] * 200) + b"]",
            b"[" + b" " * 10 ** 6 + b"]",
        ):
            reader, work = JSONReader(body), []
            scan = reader._scan

            def counted(text, at, scan=scan, work=work):
                work[-1][0] += len(text) - at
                value, end = scan(text, at)
                work[-1][0] += end - len(text)
                work[-1][1] += 1
                return value, end

            reader._scan = counted
            work.append([0, 0])
            for _ in reader.steps():
                work.append([0, 0])
            self.assertEqual(json.loads(body.decode("ascii")), reader.value)
            self.assertLessEqual(max(length for length, _ in work), 4 * PIECE)
            self.assertLess(max(count for _, count in work), 1000)
            self.assertGreater(len(work), len(body) // (2 * PIECE))
