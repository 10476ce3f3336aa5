"""Cinder's actions on a volume, beside those that change its size or its status."""

from __future__ import annotations
