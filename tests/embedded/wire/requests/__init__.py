"""Tests for ``txstorage.embedded.wire``."""

from __future__ import annotations
