# -*- test-case-name: tests.embedded.wire.test_times -*-
"""
The services' formats of times, all in UTC.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
#: ISO 8601, from the year alone to the fraction of a second with an offset.
_ISO = re.compile(
    r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2})(?:[ T](\d{1,2})(?::?(\d{2})(?::?(\d{2})(?:[.,](\d+))?)?)?"
    r"(?:Z|([+-])(\d{2})(?::?(\d{2}))?)?)?)?)?\Z",
    re.ASCII,
)


def _formatted(seconds: float, template: str) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime(template)


def identity_time(seconds: float) -> str:
    """Seconds since the epoch in Keystone's format."""
    return _formatted(seconds, "%Y-%m-%dT%H:%M:%S.%fZ")


def volume_time(seconds: float | None) -> str | None:
    """Seconds since the epoch in Cinder's format; ``None``, which is "never", stays ``None``."""
    return None if seconds is None else _formatted(seconds, "%Y-%m-%dT%H:%M:%S.%f")


def compute_time(seconds: float) -> str:
    """Seconds since the epoch in Nova's format."""
    return _formatted(seconds, "%Y-%m-%dT%H:%M:%SZ")


def microseconds(text: str) -> int | None:
    """
    Parse a time by ISO 8601, without an offset in UTC.

    :return: microseconds since the epoch; ``None`` for anything else.
    """
    found = _ISO.match(text)
    if found is None:
        return None
    *parts, fraction, sign, hours, minutes = found.groups()
    year, month, day, hour, minute, second = (
        default if part is None else int(part) for part, default in zip(parts, (0, 1, 1, 0, 0, 0))
    )
    try:
        local = datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)
    except ValueError:
        return None
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    since = (local - _EPOCH) - (-offset if sign == "-" else offset)
    return since // timedelta(microseconds=1) + int(f"{fraction or 0:0<6}"[:6])
