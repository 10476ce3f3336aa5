# -*- test-case-name: tests._support.test_uuids -*-
"""
The spellings of UUIDs.
"""

from __future__ import absolute_import, division, print_function

import re

MYPY = False
if MYPY:
    from typing import Text  # noqa: F401

_CANONICAL = re.compile(u"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\\Z")
_HEXADECIMAL = re.compile(u"[0-9a-f]{32}\\Z")


def is_uuid(text):
    # type: (Text) -> bool
    """Check for a UUID in the canonical spelling: lower case, with hyphens."""
    return _CANONICAL.match(text) is not None


def is_uuid_like(text):
    # type: (Text) -> bool
    """Check for a UUID in either case, with or without its hyphens, as OpenStack accepts ids."""
    lowered = text.lower()
    return is_uuid(lowered) or _HEXADECIMAL.match(lowered) is not None


__all__ = ["is_uuid", "is_uuid_like"]
