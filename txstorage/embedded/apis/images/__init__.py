"""The Image service: one image, which no client can change."""

from __future__ import annotations
