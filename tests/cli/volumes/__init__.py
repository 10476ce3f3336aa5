"""Tests for ``txstorage.cli.volumes``."""

from __future__ import annotations
