"""Tests for ``txstorage.filesystem``."""

from __future__ import annotations
