"""Requests: their routes, and the validator of their bodies."""

from __future__ import annotations
