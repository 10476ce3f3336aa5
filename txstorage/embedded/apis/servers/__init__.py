"""Compute's lists of servers."""

from __future__ import annotations
