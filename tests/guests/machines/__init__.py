"""The virtual machines: their kernel, their initial file system, and their emulated hardware."""

from __future__ import annotations
