# -*- test-case-name: tests._support.test_compat -*-
"""
The differences between Python 2 and 3; no other module checks the Python version.
"""

from __future__ import absolute_import, division, print_function

import json
import sys

MYPY = False
if MYPY:
    from typing import Any, List, Text, Tuple  # noqa: F401

PY2 = sys.version_info[0] == 2

if PY2:  # pragma: no cover (each interpreter runs one side)
    text_type = unicode  # noqa: F821
    integer_types = (int, long)  # noqa: F821
    from urllib import quote as _quote
    from urllib import unquote as _unquote

    from urlparse import parse_qsl as _parse_qsl
    from urlparse import urljoin, urlsplit, urlunsplit

    def native(text):
        # type: (Text) -> str
        """Convert text to ``str``; UTF-8 bytes on Python 2."""
        return text.encode("utf-8") if isinstance(text, text_type) else text

    def quote(text, safe=u""):
        # type: (Text, Text) -> Text
        """Percent-encode text; by default the result is one path segment."""
        return _quote(text.encode("utf-8"), safe.encode("ascii")).decode("ascii")

    def unquote(text):
        # type: (Text) -> Text
        """Decode percent-encoded text."""
        return _unquote(text.encode("utf-8")).decode("utf-8", "replace")

    def parse_qsl(query):
        # type: (Text) -> List[Tuple[Text, Text]]
        """Parse a query string to pairs of text, with empty values."""
        pairs = _parse_qsl(query.encode("utf-8"), keep_blank_values=True)
        return [(as_text(name), as_text(value)) for name, value in pairs]

else:  # pragma: no cover
    text_type = str
    integer_types = (int,)
    from urllib.parse import parse_qsl as _parse_qsl
    from urllib.parse import quote as _quote
    from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

    def native(text):
        # type: (Text) -> str
        """Return text, which is ``str`` already."""
        return text

    def quote(text, safe=""):
        # type: (Text, Text) -> Text
        """Percent-encode text; by default the result is one path segment."""
        return _quote(text, safe=safe)

    def parse_qsl(query):
        # type: (Text) -> List[Tuple[Text, Text]]
        """Parse a query string to pairs of text, with empty values."""
        return _parse_qsl(query, keep_blank_values=True)


def as_text(value):
    # type: (object) -> Text
    """
    Convert a value to text for messages and logs.

    :param value: text, UTF-8 bytes, or any other object, whose ``str()`` is used.
    :return: text; bytes that are not UTF-8 become replacement characters.
    """
    if isinstance(value, text_type):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return text_type(value)


def to_json_bytes(value):
    # type: (Any) -> bytes
    """
    Encode a value as JSON.

    :param value: of the types that the standard library's ``json`` encodes.
    :return: ASCII bytes.
    """
    return json.dumps(value).encode("ascii")


__all__ = [
    "PY2",
    "as_text",
    "integer_types",
    "native",
    "parse_qsl",
    "quote",
    "text_type",
    "to_json_bytes",
    "unquote",
    "urljoin",
    "urlsplit",
    "urlunsplit",
]
