"""Tests of the side that engines see."""

from __future__ import annotations
