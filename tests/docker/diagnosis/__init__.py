"""Tests for :mod:`txstorage.docker.diagnosis`."""

from __future__ import annotations
