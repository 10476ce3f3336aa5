"""Nodes, their power and their network, and the runs that they belong to."""

from __future__ import annotations
