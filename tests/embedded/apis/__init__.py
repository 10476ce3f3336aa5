"""Tests for ``txstorage.embedded.apis``."""

from __future__ import annotations
