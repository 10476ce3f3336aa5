# -*- test-case-name: tests.test_compat -*-
"""
The only place that asks which Python this is.
"""

from __future__ import absolute_import, division, print_function

import json
import sys

PY2 = sys.version_info[0] == 2

if PY2:  # pragma: no cover (each interpreter runs one side)
    text_type = unicode  # noqa: F821
    integer_types = (int, long)  # noqa: F821
    from urllib import quote as _quote

    from urlparse import parse_qsl as _parse_qsl
    from urlparse import urljoin, urlsplit, urlunsplit

    def native(text):
        """Text as ``str``, which on Python 2 is bytes."""
        return text.encode("utf-8") if isinstance(text, text_type) else text

    def quote(text, safe=u""):
        """Percent-encode text; safe for one path segment by default."""
        return _quote(text.encode("utf-8"), safe.encode("ascii")).decode("ascii")

    def parse_qsl(query):
        """The pairs of a query, as text; empty values are kept."""
        pairs = _parse_qsl(query.encode("utf-8"), keep_blank_values=True)
        return [(as_text(name), as_text(value)) for name, value in pairs]

else:  # pragma: no cover
    text_type = str
    integer_types = (int,)
    from urllib.parse import parse_qsl as _parse_qsl
    from urllib.parse import quote as _quote
    from urllib.parse import urljoin, urlsplit, urlunsplit

    def native(text):
        """Text as ``str``."""
        return text

    def quote(text, safe=""):
        """Percent-encode text; safe for one path segment by default."""
        return _quote(text, safe=safe)

    def parse_qsl(query):
        """The pairs of a query, as text; empty values are kept."""
        return _parse_qsl(query, keep_blank_values=True)


def as_text(value):
    """
    Text from text or UTF-8 bytes; anything that does not decode is replaced,
    because the result is for messages and logs.

    :rtype: text
    """
    if isinstance(value, text_type):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return text_type(value)


def to_json_bytes(value):
    """
    :param value: anything JSON can say.
    :return: ``bytes``, ASCII.
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
    "urljoin",
    "urlsplit",
    "urlunsplit",
]
