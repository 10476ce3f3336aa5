"""Transfers of volumes between projects."""

from __future__ import annotations
