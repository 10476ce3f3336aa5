"""Tests of the programs that run the tests."""

from __future__ import annotations
