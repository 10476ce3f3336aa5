"""Requests for new servers, and the making of these."""

from __future__ import annotations
