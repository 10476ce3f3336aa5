"""Tests of the EC2 face of the embedded service."""

from __future__ import annotations
