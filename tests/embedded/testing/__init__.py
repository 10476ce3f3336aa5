"""Tests for ``txstorage.embedded.testing``."""

from __future__ import annotations
