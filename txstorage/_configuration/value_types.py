# -*- test-case-name: tests._configuration.test_configuration -*-
"""
Types of the configuration's values.
"""

from __future__ import absolute_import, division, print_function

import io
from uuid import UUID

import attr

from .._support.compat import as_text, integer_types, text_type
from .._support.notations.addresses import read_address
from .._support.notations.ec2_ids import is_ec2_id
from .environment.proxies import read_proxy

MYPY = False
if MYPY:
    from typing import Any, Callable, Dict, Text  # noqa: F401


def _text(value):
    # type: (Any) -> Text
    if isinstance(value, bytes):
        value = value.decode("utf-8")
    if not isinstance(value, text_type) or not value.strip():
        raise ValueError()
    return value


def _boolean(value):
    # type: (Any) -> bool
    if not isinstance(value, bool):
        raise ValueError()
    return value


def _positive(value):
    # type: (Any) -> float
    if isinstance(value, bool) or not isinstance(value, integer_types + (float,)):
        raise ValueError()
    if not 0 < value < float("inf"):
        raise ValueError()
    return float(value)


def _uuid(value):
    # type: (Any) -> UUID
    return value if isinstance(value, UUID) else UUID(_text(value))


def _instance_id(value):
    # type: (Any) -> Text
    text = text_type(value) if isinstance(value, UUID) else _text(value)
    return text if is_ec2_id(u"i", text) else text_type(UUID(text))


def _address(value):
    # type: (Any) -> Text
    # A password in an address would appear in logs and messages.  For the same reason a wrong
    # address is not shown.
    return read_address(_text(value)).url.rstrip(u"/")


def _proxy(value):
    # type: (Any) -> Any
    text = _text(value)
    return False if text == u"none" else read_proxy(text, u"the key proxy")


def _readable_file(value):
    # type: (Any) -> Text
    path = _text(value)
    if u"\0" in path:
        raise ValueError()  # as open() does on 3.x; on 2.7 it raises TypeError
    with io.open(path, "rb") as opened:
        opened.read(1)
    return path


def _profiles(value):
    # type: (Any) -> Dict[Text, Text]
    if not callable(getattr(value, "items", None)):
        raise ValueError()
    return {_text(name): _text(volume_type) for name, volume_type in value.items()}


def _system_scope(value):
    # type: (Any) -> Text
    if _text(value) != u"all":
        raise ValueError()
    return u"all"


def _interface(value):
    # type: (Any) -> Text
    # Keystone v2's names were publicURL etc.; older openrc files still have them.
    name = _text(value)
    name = name[:-3] if name.endswith(u"URL") else name
    if name not in (u"public", u"internal", u"admin"):
        raise ValueError()
    return name


def _attach_through(value):
    # type: (Any) -> Text
    if _text(value) not in (u"compute", u"storage"):
        raise ValueError()
    return _text(value)


@attr.s(frozen=True)
class ValueType(object):
    """
    The type of a key's value.

    :ivar text expected: a description that completes "must be ...".
    :ivar parse: called with a value; returns the value to use, or raises ``ValueError`` or
        ``EnvironmentError``.
    :ivar bool literal: whether an environment variable's text is used as it is, and not parsed
        as YAML.
    :ivar bool shown: whether messages may show a wrong value.
    :ivar bool checked: whether a value that seems damaged is refused.
    """

    expected = attr.ib()  # type: Text
    parse = attr.ib(repr=False)  # type: Callable[[Any], Any]
    literal = attr.ib(default=True)  # type: bool
    shown = attr.ib(default=True)  # type: bool
    checked = attr.ib(default=True)  # type: bool


TEXT = ValueType(u"text that is not empty", _text)
BOOLEAN = ValueType(u"true or false", _boolean, literal=False)
SECONDS = ValueType(u"a number of seconds greater than 0", _positive, literal=False)
RATE = ValueType(u"a number greater than 0", _positive, literal=False)
UUID_VALUE = ValueType(u"a UUID", _uuid)
INSTANCE_ID = ValueType(u"a UUID, or an id of EC2 such as i-0123456789abcdef0", _instance_id)
ADDRESS = ValueType(u"an http or https address without a user or password", _address, shown=False)
# A path may contain anything; that the file can be read is proof enough.
FILE = ValueType(u"the path of a file that can be read", _readable_file, checked=False)
# The damage of an address with a password is not shown.
PROXY = ValueType(
    u"the address of an HTTP proxy, or none", _proxy, shown=False, checked=False
)
PROFILES = ValueType(u"a mapping of profile names to volume types", _profiles, literal=False)
INTERFACE = ValueType(u"public, internal or admin", _interface)

SYSTEM_SCOPE = ValueType(u"all", _system_scope)
ATTACH_THROUGH = ValueType(u"compute or storage", _attach_through)

_TYPE_NAMES = (
    (bool, u"true or false"),
    (integer_types + (float,), u"a number"),
    ((text_type, bytes), u"text"),
    (dict, u"a mapping"),
    ((list, tuple), u"a list"),
)


def type_name(value):
    # type: (Any) -> Text
    """
    Name a value's type as YAML's documentation does.

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
    "INSTANCE_ID",
    "INTERFACE",
    "PROFILES",
    "PROXY",
    "RATE",
    "SECONDS",
    "SYSTEM_SCOPE",
    "TEXT",
    "UUID_VALUE",
    "ValueType",
    "type_name",
]
