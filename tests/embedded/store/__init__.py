"""Tests for ``txstorage.embedded.store``."""

from __future__ import annotations
