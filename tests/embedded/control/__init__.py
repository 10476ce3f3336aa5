"""Tests for ``txstorage.embedded.control``."""

from __future__ import annotations
