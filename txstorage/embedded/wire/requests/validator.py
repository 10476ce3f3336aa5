# -*- test-case-name: tests.embedded.wire.test_fields -*-
"""
The validator of requests' bodies.

:mod:`..fields` imports it when the first body is checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft4Validator, FormatChecker, ValidationError
from jsonschema.validators import extend

from ..fields import is_uuid


def _as_number(value: object) -> int | None:
    if isinstance(value, str):
        # The schema's pattern has admitted only digits.  A number with more of them than any
        # limit is too large either way.
        return int(value.lstrip("0")[:20] or "0")
    return value if isinstance(value, int) else None


def _minimum(_: object, least: int, value: object, schema: object) -> Iterator[ValidationError]:
    number = _as_number(value)
    if number is not None and number < least:
        yield ValidationError("too small")


def _maximum(_: object, most: int, value: object, schema: object) -> Iterator[ValidationError]:
    number = _as_number(value)
    if number is not None and number > most:
        yield ValidationError("too great")


def _patterns(
    validator: Any, patterns: Mapping[str, Mapping[str, Any]], value: Any, schema: object
) -> Iterator[ValidationError]:
    """
    The keyword ``patternProperties``, without the validator's general way for a text that fits: a
    body may have thousands of labels.
    """
    if not isinstance(value, dict):
        return
    for pattern, inner in patterns.items():
        most = inner["maxLength"] if set(inner) == {"type", "maxLength"} else -1
        texts = most >= 0 and inner["type"] == "string"
        for name, member in value.items():
            if re.search(pattern, name) is None:
                continue
            if not (texts and isinstance(member, str) and len(member) <= most):
                yield from validator.descend(member, inner, path=name, schema_path=pattern)


#: Draft 4, but the text of a number has a minimum and a maximum, too.
TextNumberValidator = extend(
    Draft4Validator,
    {"minimum": _minimum, "maximum": _maximum, "patternProperties": _patterns},
)
_FORMATS = FormatChecker(formats=())
_FORMATS.checks("uuid")(is_uuid)


def validator(schema: Mapping[str, Any]) -> Any:
    """:return: the validator of a schema."""
    return TextNumberValidator(schema, format_checker=_FORMATS)
