"""Compute's parts for administrators: its one host, and the processes on it."""

from __future__ import annotations
