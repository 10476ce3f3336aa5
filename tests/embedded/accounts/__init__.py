"""Tests for ``txstorage.embedded.accounts``."""

from __future__ import annotations
