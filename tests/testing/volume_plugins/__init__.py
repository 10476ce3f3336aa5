"""Tests of the suite for volume plugins."""

from __future__ import annotations
