"""The project on fresh machines: ``make test-fresh``."""

from __future__ import annotations
