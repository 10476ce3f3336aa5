"""Tests for :mod:`txstorage.docker.monitoring`."""

from __future__ import annotations
