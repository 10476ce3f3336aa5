"""Tests for ``txstorage.cli.resources``."""

from __future__ import annotations
