"""Tests for ``txstorage.cli.shell``."""

from __future__ import annotations
