"""Tests of what runs the tests."""

from __future__ import annotations
