"""Tests for ``txstorage.cli.doctor.command``."""

from __future__ import annotations
