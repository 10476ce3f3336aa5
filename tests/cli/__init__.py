"""Tests for ``txstorage.cli``."""

from __future__ import annotations
