# -*- test-case-name: tests._support.test_timestamps -*-
"""
Times as the clouds write them: ISO 8601.
"""

from __future__ import absolute_import, division, print_function

import re
from calendar import timegm
from datetime import datetime

from ..compat import text_type

MYPY = False
if MYPY:
    from typing import Any, Optional  # noqa: F401

_TIMESTAMP = re.compile(
    u"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:[.][0-9]+)?"
    u"(?:Z|([+-])([0-9]{2}):?([0-9]{2}))?\\Z"
)


def seconds_since_epoch(timestamp):
    # type: (Any) -> Optional[float]
    """
    :param timestamp: text such as ``2026-11-22T16:27:04.000000Z``; without a zone, it is UTC.
    :return: whole seconds since the epoch; ``None`` for anything else.
    """
    match = _TIMESTAMP.match(timestamp) if isinstance(timestamp, text_type) else None
    if match is None:
        return None
    try:
        parsed = datetime.strptime(match.group(1), "%Y-%m-%dT%H:%M:%S")
    except ValueError:
        return None
    sign, hours, minutes = match.group(2) or u"+", match.group(3) or 0, match.group(4) or 0
    ahead = int(sign + u"1") * (int(hours) * 3600 + int(minutes) * 60)
    return float(timegm(parsed.timetuple()) - ahead)


__all__ = ["seconds_since_epoch"]
