"""Tests for :mod:`txstorage.cli.docker_plugin`."""

from __future__ import annotations
