"""Tests of the packages, in a clean root: ``make test-packages``."""

from __future__ import annotations
