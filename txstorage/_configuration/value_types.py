# -*- test-case-name: tests._configuration.test_configuration -*-
"""
Kinds of keys: what a value must be.
"""

from __future__ import absolute_import, division, print_function

import io
from uuid import UUID

import attr

from .._support.compat import as_text, integer_types, text_type, urlsplit


def _text(value):
    if isinstance(value, bytes):
        value = value.decode("utf-8")
    if not isinstance(value, text_type) or not value.strip():
        raise ValueError()
    return value


def _boolean(value):
    if not isinstance(value, bool):
        raise ValueError()
    return value


def _positive(value):
    if isinstance(value, bool) or not isinstance(value, integer_types + (float,)):
        raise ValueError()
    if not 0 < value < float("inf"):
        raise ValueError()
    return float(value)


def _uuid(value):
    return value if isinstance(value, UUID) else UUID(_text(value))


def _uuid_text(value):
    return text_type(_uuid(value))


def _address(value):
    parts = urlsplit(_text(value))
    # A password in an address would end up in logs and messages; for the same
    # reason a wrong address is not shown.
    if parts.scheme not in (u"http", u"https") or not parts.hostname or u"@" in parts.netloc:
        raise ValueError()
    parts.port  # Raises ValueError when it is not a number.
    return _text(value).rstrip(u"/")


def _readable_file(value):
    path = _text(value)
    if u"\0" in path:
        raise ValueError()  # which is what 3.x raises for it; 2.7 raises TypeError
    with io.open(path, "rb") as opened:
        opened.read(1)
    return path


def _profiles(value):
    if not callable(getattr(value, "items", None)):
        raise ValueError()
    return {_text(name): _text(volume_type) for name, volume_type in value.items()}


def _system_scope(value):
    if _text(value) != u"all":
        raise ValueError()
    return u"all"


def _interface(value):
    # Older clients and openrc files say publicURL.
    value = _text(value)
    value = value[:-3] if value.endswith(u"URL") else value
    if value not in (u"public", u"internal", u"admin"):
        raise ValueError()
    return value


def _attach_through(value):
    if _text(value) not in (u"compute", u"storage"):
        raise ValueError()
    return _text(value)


@attr.s(frozen=True)
class Kind(object):
    """
    What a key's value must be.

    :ivar text expected: completes "must be ...".
    :ivar parse: called with a value; returns the value to use, or raises
        ``ValueError`` or ``EnvironmentError``.
    :ivar bool literal: whether an environment variable's text is the value
        itself, rather than the YAML of it.
    :ivar bool shown: whether messages may show a wrong value.
    """

    expected = attr.ib()
    parse = attr.ib(repr=False)
    literal = attr.ib(default=True)
    shown = attr.ib(default=True)


TEXT = Kind(u"text that is not empty", _text)
BOOLEAN = Kind(u"true or false", _boolean, literal=False)
SECONDS = Kind(u"a number of seconds greater than 0", _positive, literal=False)
RATE = Kind(u"a number greater than 0", _positive, literal=False)
UUID_VALUE = Kind(u"a UUID", _uuid)
UUID_TEXT = Kind(u"a UUID", _uuid_text)
ADDRESS = Kind(u"an http or https address without a user or password", _address, shown=False)
FILE = Kind(u"the path of a file that can be read", _readable_file)
PROFILES = Kind(u"a mapping of profile names to volume types", _profiles, literal=False)
INTERFACE = Kind(u"public, internal or admin", _interface)

SYSTEM_SCOPE = Kind(u"all", _system_scope)
ATTACH_THROUGH = Kind(u"compute or storage", _attach_through)

_TYPE_NAMES = (
    (bool, u"true or false"),
    (integer_types + (float,), u"a number"),
    ((text_type, bytes), u"text"),
    (dict, u"a mapping"),
    ((list, tuple), u"a list"),
)


def type_name(value):
    """
    What a value is, in an operator's words.

    :rtype: text
    """
    for types, name in _TYPE_NAMES:
        if isinstance(value, types):
            return name
    return as_text(type(value).__name__)


__all__ = [
    "ADDRESS",
    "ATTACH_THROUGH",
    "BOOLEAN",
    "FILE",
    "INTERFACE",
    "PROFILES",
    "RATE",
    "SECONDS",
    "SYSTEM_SCOPE",
    "TEXT",
    "UUID_TEXT",
    "UUID_VALUE",
    "Kind",
    "type_name",
]
