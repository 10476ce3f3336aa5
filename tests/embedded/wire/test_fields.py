"""
Tests for :mod:`txstorage.embedded.wire.fields`.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis.strategies import dictionaries, integers, none, one_of, sampled_from, text
from jsonschema import Draft4Validator
from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.wire.exchange import WireError
from txstorage.embedded.wire.fields import (
    OPTIONAL_TEXT,
    UUID,
    BodySchema,
    compute_body,
    identity_body,
    is_uuid,
    only_member,
    volume_body,
    wrapped,
)
from txstorage.embedded.wire.requests.validator import TextNumberValidator
from txstorage.embedded.wire.versions import VOLUME

from ...helpers.properties import RELAXED

ID = "0b4c6e1e-5a2f-4f6d-8a3b-1c2d3e4f5a6b"
LABELS = {
    "type": ["object", "null"],
    "patternProperties": {"^[a-zA-Z0-9-_:. /]{1,255}$": {"type": "string", "maxLength": 255}},
    "additionalProperties": False,
    "minProperties": 1,
    "maxProperties": 2,
}
THING: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": UUID,
        "name": OPTIONAL_TEXT,
        "size": {
            "type": ["integer", "string"],
            "pattern": "^[0-9]+$",
            "minimum": 1,
            "maximum": 99,
        },
        "mode": {"enum": ["rw", "ro"]},
        "metadata": LABELS,
    },
    "required": ["id"],
    "additionalProperties": False,
}
FIELD = "Invalid input for field/attribute "


class BodyTests(SynchronousTestCase):
    """Bodies against one schema, in the words of Cinder and Nova."""

    schema = volume_body(wrapped("thing", THING, additionalProperties=False))

    def problem(self, schema: BodySchema, body: object) -> str:
        """Return the message of a refusal."""
        error = self.assertRaises(WireError, schema.check, body)
        (fault,) = error.answer.body.values()
        return str(fault["message"])

    def of(self, **members: object) -> str:
        """Return the message of the refusal of a thing, which has an id."""
        return self.problem(self.schema, {"thing": {"id": ID, **members}})

    def test_right(self) -> None:
        """A body that matches passes; the text of a number is one."""
        for more in (
            {},
            {"name": None, "size": 99, "mode": "ro"},
            {"size": "1"},
            {"size": "0" * 30 + "99"},
            {"metadata": {"a b": "x" * 255}},
            {"metadata": None},
        ):
            self.schema.check({"thing": {"id": ID, **more}})

    def test_body(self) -> None:
        """The errors of the body itself name no field."""
        for body, message in (
            ({}, "'thing' is a required property"),
            ([1], "[1] is not of type 'object'"),
            (
                {"thing": {"id": ID}, "b": 1, "a": 1},
                "Additional properties are not allowed ('a', 'b' were unexpected)",
            ),
        ):
            self.assertEqual(self.problem(self.schema, body), message)

    def test_object(self) -> None:
        """The errors of an object name it and show it."""
        for thing, problem in (
            (1, "1 is not of type 'object'"),
            ({}, "'id' is a required property"),
            (
                {"id": ID, "z": 1},
                "Additional properties are not allowed ('z' was unexpected)",
            ),
        ):
            self.assertEqual(
                self.problem(self.schema, {"thing": thing}),
                f"{FIELD}thing. Value: {thing}. {problem}",
            )

    def test_field(self) -> None:
        """The errors of a field name it alone, and show its value."""
        for name, value, problem in (
            ("id", 1, "1 is not of type 'string'"),
            ("id", "x", "'x' is not a 'uuid'"),
            ("name", 1, "1 is not of type 'string', 'null'"),
            ("size", True, "True is not of type 'integer', 'string'"),
            ("size", 1.0, "1.0 is not of type 'integer', 'string'"),
            ("size", "1x", "'1x' does not match '^[0-9]+$'"),
            ("size", 0, "0 is less than the minimum of 1"),
            ("size", "0", "0 is less than the minimum of 1"),
            ("size", "00", "00 is less than the minimum of 1"),
            ("size", 100, "100 is greater than the maximum of 99"),
            ("size", "9" * 5000, "9" * 5000 + " is greater than the maximum of 99"),
            ("mode", "x", "'x' is not one of ['rw', 'ro']"),
            ("metadata", {}, "{} should be non-empty"),
            ("metadata", dict.fromkeys("abc", ""), "{} has too many properties"),
        ):
            shown = problem.replace("{}", str(value))
            self.assertEqual(self.of(**{name: value}), f"{FIELD}{name}. Value: {value}. {shown}")

    def test_labels(self) -> None:
        """The error of a label's value names its key; the errors of keys come afterwards."""
        regex = "any of the regexes: '^[a-zA-Z0-9-_:. /]{1,255}$'"
        one, two = {"?": ""}, {"?": "", "!": ""}
        for labels, message in (
            ({"?": "", "a": 1}, f"{FIELD}a. Value: 1. 1 is not of type 'string'"),
            ({"a": "x" * 256}, f"{FIELD}a. Value: {'x' * 256}. {'x' * 256!r} is too long"),
            (one, f"{FIELD}metadata. Value: {one}. '?' does not match {regex}"),
            (two, f"{FIELD}metadata. Value: {two}. '!', '?' do not match {regex}"),
        ):
            self.assertEqual(self.of(metadata=labels), message)

    @settings(**RELAXED)
    @given(
        dictionaries(
            one_of(sampled_from(["a", "b", "?"]), text(max_size=2)),
            one_of(text(max_size=3), integers(), none(), dictionaries(text(), text(), max_size=1)),
            max_size=3,
        ),
        sampled_from(
            [
                {"type": "string", "maxLength": 2},
                {"type": "string"},
                {"maxLength": 2},
                {"type": ["string", "null"], "maxLength": 2},
                {"type": "object", "maxLength": 2},
                {"type": "string", "maxLength": 2, "pattern": "x"},
            ]
        ),
    )
    def test_as_the_library(self, value: dict[str, Any], inner: dict[str, Any]) -> None:
        """A schema's patterns find the same errors as the library's own, in the same order."""
        schema = {"patternProperties": {"^[a-z]": inner, "^[ab?]": {"type": "string"}}}
        ours, theirs = (
            [(each.message, each.path) for each in validator(schema).iter_errors(value)]
            for validator in (TextNumberValidator, Draft4Validator)
        )
        self.assertEqual(ours, theirs)

    def test_compute(self) -> None:
        """Nova has the same words, but a device of its own."""
        schema = compute_body(wrapped("thing", {"properties": {"device": {"pattern": "^/dev/"}}}))
        self.assertIn("'x' does not match", self.problem(schema, {"thing": {"device": "x"}}))

    def test_identity(self) -> None:
        """Keystone names a field by its whole path."""
        schema = identity_body(THING)
        for body, message in (
            ({}, "'id' is a required property"),
            ({"id": 1}, "Invalid input for field 'id': 1 is not of type 'string'"),
            (
                {"id": ID, "metadata": {"a": 1}},
                "Invalid input for field 'metadata/a': 1 is not of type 'string'",
            ),
        ):
            self.assertEqual(self.problem(schema, body), message)


class ActionTests(SynchronousTestCase):
    """:func:`only_member`."""

    def test_one(self) -> None:
        """The action is the only member's name."""
        self.assertEqual(only_member({"os-start": None}, VOLUME), "os-start")

    def test_others(self) -> None:
        """Neither no member nor two are an action."""
        for body in ({}, {"a": 1, "b": 2}):
            self.assertRaises(WireError, only_member, body, VOLUME)


class UUIDTests(SynchronousTestCase):
    """:func:`is_uuid`."""

    def test_spellings(self) -> None:
        """Each usual spelling passes, and nothing else."""
        for value, expected in (
            (ID, True),
            (ID.upper(), True),
            (ID.replace("-", ""), True),
            (f"{{{ID}}}", True),
            (ID[:-1], False),
            ("", False),
            (None, False),
            (5, False),
        ):
            self.assertIs(is_uuid(value), expected, value)
