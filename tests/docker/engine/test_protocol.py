"""Tests for :mod:`txstorage.docker.engine.protocol`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from txstorage.docker.engine.protocol import encoded, fields_of, options_in, text_in
from txstorage.errors import MalformedRequest


class FieldsTests(SynchronousTestCase):
    """The bodies of requests."""

    def test_read(self) -> None:
        """Fields are those of the JSON object, whose end is a newline."""
        fields = fields_of(b'{"Name": "pg", "Opts": null}\n')
        self.assertEqual(("pg", {}), (text_in(fields, "Name"), options_in(fields)))
        self.assertEqual({"a": "1"}, options_in({"Opts": {"a": "1"}}))
        self.assertEqual({}, options_in({}))

    def test_refused(self) -> None:
        """Anything but an object is an error: an interrupted request is repeated without a body."""
        for body in (b"", b"\n", b"{", b"[]", b'"a"', b"null", b"\xff", b"[" * 10**5):
            self.assertRaises(MalformedRequest, fields_of, body)
        self.assertRaises(MalformedRequest, fields_of, b'{"a": "' + b"x" * 2**20 + b'"}')

    def test_missing(self) -> None:
        """A field that is missing, empty or of another type is an error."""
        for fields in ({}, {"Name": ""}, {"Name": 1}, {"Name": None}):
            self.assertRaises(MalformedRequest, text_in, fields, "Name")
        for value in ([], "", 0, "a"):
            self.assertRaises(MalformedRequest, options_in, {"Opts": value})

    def test_encoded(self) -> None:
        """An answer is a line of JSON."""
        self.assertEqual(b'{"Err": "\\u00e4"}\n', encoded({"Err": "ä"}))
