"""Tests for ``txstorage.cli.snapshots``."""

from __future__ import annotations
