"""Compute's quotas of projects."""

from __future__ import annotations
