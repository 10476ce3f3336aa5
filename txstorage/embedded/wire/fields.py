# -*- test-case-name: tests.embedded.wire.test_fields -*-
"""
The fields of requests' bodies, checked by JSON schemas.

Like the real services, a schema follows Draft 4, and only its first error is reported, in the
service's words.  A schema's keywords stand in the order of their checks.  Sources: the modules
``validators`` of ``cinder.api.validation``, ``nova.api.validation`` and
``keystone.common.validation``.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import Any, Callable, cast

import attr

from . import account_refusals, refusals, volume_refusals
from .exchange import WireError
from .tables import server_refusals
from .versions import COMPUTE, VOLUME, Dialect

UUID = {"type": "string", "format": "uuid"}
OPTIONAL_TEXT = {"type": ["string", "null"]}
OPTIONAL_UUID = {"oneOf": [{"type": "null"}, UUID]}


def wrapped(name: str, schema: Mapping[str, Any], **more: object) -> dict[str, Any]:
    """
    :param name: of the member that a body wraps.
    :param more: further keywords of the body's schema.
    :return: the schema of the body.
    """
    return {"type": "object", "properties": {name: schema}, "required": [name], **more}


def is_uuid(value: object) -> bool:
    """Check for a UUID in one of its usual spellings."""
    try:
        return isinstance(value, str) and bool(uuid.UUID(value))
    except ValueError:
        return False


@attr.s(frozen=True, auto_attribs=True)
class Mismatch:
    """
    A schema's error.

    :ivar keyword: the keyword that the value does not match.
    :ivar path: of the value, from the body's root: members and indexes.
    :ivar value: the value.
    :ivar wanted: the keyword's value in the schema.
    :ivar schema: the schema that has the keyword.
    """

    keyword: str
    path: tuple[object, ...]
    value: Any
    wanted: Any
    schema: Mapping[str, Any]

    @property
    def types(self) -> str:
        """The types that the schema allows."""
        types = [self.wanted] if isinstance(self.wanted, str) else self.wanted
        return ", ".join(map(repr, types))

    @property
    def missing(self) -> str:
        """The first required member that the object lacks."""
        return str(next(name for name in self.wanted if name not in self.value))

    @property
    def unknown(self) -> list[str]:
        """The object's members that the schema neither names nor matches."""
        patterns = self.schema.get("patternProperties", {})
        return sorted(
            name
            for name in self.value
            if name not in self.schema.get("properties", {})
            and not any(re.search(pattern, name) for pattern in patterns)
        )


class BodySchema:
    """
    A JSON schema of one service's bodies.

    :param schema: the schema.
    :param in_words: makes the service's refusal of a schema's error.
    """

    def __init__(
        self, schema: Mapping[str, Any], in_words: Callable[[Mismatch], WireError]
    ) -> None:
        self._schema = schema
        self._in_words = in_words

    @cached_property
    def _validator(self) -> Any:
        # The library takes a tenth of a start, which no request without a body needs.
        from .requests.validator import validator

        return validator(self._schema)

    def explainers(self) -> list[Callable[..., WireError]]:
        """
        :return: the functions that can make the refusal of a body, of whatever service; the
            documentation reads the errors of a route from them.
        """
        fields = set(_keywords(self._schema["properties"]))
        return [
            _in_keystones_words,
            *([_in_managers_words] if self._in_words is _in_managers_words else []),
            *(make for keyword, make in _OF_BODY.items() if keyword in self._schema),
            *(make for keyword, make in _OF_FIELD.items() if keyword in fields),
        ]

    def check(self, body: object) -> None:
        """:raises WireError: 400, the body does not match the schema."""
        error = next(self._validator.iter_errors(body), None)
        if error is not None:
            schema = cast("Mapping[str, Any]", error.schema)
            path = tuple(error.absolute_path)
            keyword, wanted = str(error.validator), error.validator_value
            raise self._in_words(Mismatch(keyword, path, error.instance, wanted, schema))


def _keywords(properties: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """The keywords of properties and of those inside them, by which their errors are explained."""
    for schema in properties.values():
        yield from (_explained_by(keyword, schema) for keyword in schema)
        for name in ("properties", "patternProperties"):
            yield from _keywords(schema.get(name, {}))


def _explained_by(keyword: str, schema: Mapping[str, Any]) -> str:
    # A member that a schema with patterns does not admit matches none of them.
    named = keyword == "additionalProperties" and "patternProperties" in schema
    return "patternProperties" if named else keyword


# -- the words of Cinder and Nova -------------------------------------------------


def volume_body(schema: Mapping[str, Any]) -> BodySchema:
    """Return a schema of Block Storage's bodies."""
    return BodySchema(schema, lambda error: _in_words(VOLUME, error))


def compute_body(schema: Mapping[str, Any]) -> BodySchema:
    """Return a schema of Compute's bodies."""
    return BodySchema(schema, lambda error: _in_words(COMPUTE, error))


def only_member(body: Mapping[str, Any], dialect: Dialect) -> str:
    """
    :return: the action in a body.
    :raises WireError: 400, the body has another number of members than one.
    """
    if len(body) != 1:
        raise refusals.MALFORMED_BODY(dialect)
    return next(iter(body))


def _unexpected(names: Collection[str]) -> str:
    return "{} {} unexpected".format(
        ", ".join(map(repr, names)), "was" if len(names) == 1 else "were"
    )


def _unmatched(names: Collection[str]) -> str:
    return "{} {} not".format(", ".join(map(repr, names)), "does" if len(names) == 1 else "do")


def _mismatch(dialect: Dialect, name: str, error: Mismatch) -> WireError:
    if name == "device":
        return refusals.BAD_DEVICE(error.value, error.value)
    if name == "key_size":
        return volume_refusals.KEY_SIZE_IS_NO_NUMBER()
    if dialect is COMPUTE:
        return server_refusals.NO_QUOTA(name, error.value, error.value)
    if name == "host":
        return volume_refusals.BAD_HOST(name, error.value, error.value)
    if name == "new_size":
        return refusals.NEW_SIZE_IS_NO_NUMBER(error.value, error.value)
    return refusals.SIZE_IS_NO_NUMBER(error.value, error.value)


def _not_listed(dialect: Dialect, name: str, error: Mismatch) -> WireError:
    if name == "mode":
        return refusals.BAD_MODE(name, error.value, error.value)
    if dialect is COMPUTE:
        return server_refusals.BAD_CHOICE(name, error.value, error.value, list(error.wanted))
    return refusals.NO_FORCE(name, error.value, error.value, list(error.wanted))


def _too_long(dialect: Dialect, name: str, error: Mismatch) -> WireError:
    if dialect is COMPUTE:
        return server_refusals.BAD_LENGTH(name, error.value, error.value, "long")
    return refusals.LABEL_TOO_LONG(name, error.value, error.value)


def _empty(dialect: Dialect, name: str, error: Mismatch) -> WireError:
    if dialect is COMPUTE:
        return server_refusals.EMPTY_FIELD(name, error.value, error.value)
    return refusals.IS_EMPTY(name, error.value, error.value)


def _too_small(dialect: Dialect, name: str, error: Mismatch) -> WireError:
    text = str(error.value).strip()
    if dialect is COMPUTE and error.wanted == 1:
        return server_refusals.TOO_FEW_SERVERS(name, error.value, text)
    if dialect is COMPUTE:
        return server_refusals.BELOW_MINIMUM(name, error.value, text)
    return refusals.TOO_SMALL(name, error.value, text, error.wanted)


def _no_alternative(dialect: Dialect, name: str, error: Mismatch) -> WireError:
    return refusals.NO_SCHEMA(dialect, name, error.value, error.value)


#: By the schema's keyword: the refusal of a field of Cinder's or Nova's.
_OF_FIELD: dict[str, Callable[[Dialect, str, Mismatch], WireError]] = {
    "type": lambda dialect, name, error: refusals.NOT_OF_TYPE(
        dialect, name, error.value, error.value, error.types
    ),
    "format": lambda dialect, name, error: refusals.NOT_A_UUID(
        dialect, name, error.value, error.value
    ),
    "required": lambda dialect, name, error: refusals.MISSING_FIELD(
        dialect, name, error.value, error.missing
    ),
    "additionalProperties": lambda dialect, name, error: refusals.ADDITIONAL_FIELD(
        dialect, name, error.value, _unexpected(error.unknown)
    ),
    "patternProperties": lambda dialect, name, error: (
        account_refusals.SPEC_KEY if name == "extra_specs" else refusals.LABEL_KEY
    )(name, error.value, _unmatched(error.unknown)),
    "pattern": _mismatch,
    "minimum": _too_small,
    "maximum": lambda dialect, name, error: (
        server_refusals.ABOVE_MAXIMUM if dialect is COMPUTE else refusals.TOO_GREAT
    )(name, error.value, str(error.value).strip(), error.wanted),
    "maxLength": _too_long,
    "maxItems": _too_long,
    "enum": _not_listed,
    "uniqueItems": lambda dialect, name, error: volume_refusals.NOT_UNIQUE(
        name, error.value, error.value
    ),
    "oneOf": _no_alternative,
    "anyOf": _no_alternative,
    "minLength": _empty,
    "minItems": _empty,
    "minProperties": lambda dialect, name, error: refusals.IS_EMPTY(name, error.value, error.value),
    "maxProperties": lambda dialect, name, error: refusals.LABELS_TOO_MANY(
        name, error.value, error.value
    ),
}

#: By the schema's keyword: the refusal of a body of Cinder's or Nova's.
_OF_BODY: dict[str, Callable[[Dialect, Mismatch], WireError]] = {
    "required": lambda dialect, error: refusals.MISSING_MEMBER(dialect, error.missing),
    "additionalProperties": lambda dialect, error: (
        refusals.UNKNOWN_FLAVOR_PARAMETER if dialect is COMPUTE else refusals.ADDITIONAL_MEMBER
    )(_unexpected(error.unknown)),
    "maxProperties": lambda dialect, error: account_refusals.TOO_MANY_MEMBERS(error.value),
    "type": lambda dialect, error: refusals.BODY_IS_NO_OBJECT(dialect, error.value),
    "anyOf": lambda dialect, error: volume_refusals.NO_ALTERNATIVE(error.value),
}


def _in_words(dialect: Dialect, error: Mismatch) -> WireError:
    if not error.path:
        return _OF_BODY[error.keyword](dialect, error)
    explained = _OF_FIELD[_explained_by(error.keyword, error.schema)]
    return explained(dialect, str(error.path[-1]), error)


# -- the words of Keystone --------------------------------------------------------


def identity_body(schema: Mapping[str, Any]) -> BodySchema:
    """Return a schema of Identity's bodies."""
    return BodySchema(schema, _in_keystones_words)


def _in_keystones_words(error: Mismatch) -> WireError:
    path = "/".join(map(str, error.path))
    field = f"Invalid input for field '{path}': " if path else ""
    if error.keyword == "required":
        return refusals.MISSING_PROPERTY(field, error.missing)
    return refusals.WRONG_TYPE(field, error.value, error.types)


def managed_body(schema: Mapping[str, Any]) -> BodySchema:
    """Return a schema of the bodies with which administrators manage what Identity has."""
    return BodySchema(schema, _in_managers_words)


#: By the schema's keyword: the end of a message.
_OF_PROPERTY: dict[str, Callable[[Mismatch], str]] = {
    "type": lambda error: f"{error.value!r} is not of type {error.types}",
    "required": lambda error: f"'{error.missing}' is a required property",
    "minLength": lambda error: f"{error.value!r} should be non-empty",
    "maxLength": lambda error: f"{error.value!r} is too long",
    "maxItems": lambda error: f"{error.value!r} is too long",
    "pattern": lambda error: f"{error.value!r} does not match {error.wanted!r}",
    "enum": lambda error: f"{error.value!r} is not one of {error.wanted!r}",
    "uniqueItems": lambda error: f"{error.value!r} has non-unique elements",
    "additionalProperties": lambda error: (
        f"Additional properties are not allowed ({_unexpected(error.unknown)})"
    ),
}


def _in_managers_words(error: Mismatch) -> WireError:
    if not error.path:
        return _in_keystones_words(error)
    end = _OF_PROPERTY[error.keyword](error)
    return account_refusals.BAD_PROPERTY(error.path[-1], error.value, end)
