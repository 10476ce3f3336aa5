"""Backups: whole copies of volumes, which outlive them."""

from __future__ import annotations
