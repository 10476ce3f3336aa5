"""Tests for ``txstorage.embedded``."""

from __future__ import annotations
