# -*- test-case-name: tests.embedded.wire.test_times -*-
"""
The services' formats of times, all in UTC.
"""

from __future__ import annotations

from datetime import datetime, timezone


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
