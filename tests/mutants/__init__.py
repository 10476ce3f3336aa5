"""Mutation testing: ``make mutants``, its parts and their tests."""

from __future__ import annotations
