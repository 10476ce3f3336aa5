"""Tests for ``txstorage.embedded.machine``."""

from __future__ import annotations
