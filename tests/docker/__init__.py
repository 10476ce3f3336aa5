"""Tests of the Docker volume plugin."""

from __future__ import annotations
