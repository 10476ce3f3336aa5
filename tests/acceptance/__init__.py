"""Flocker's own acceptance tests, on nodes with agents, certificates and engines of their own."""

from __future__ import annotations
