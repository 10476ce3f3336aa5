"""Tests for ``txstorage.cli.demo.command``."""

from __future__ import annotations
