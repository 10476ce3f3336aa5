"""Machines on this machine, each with a systemd and a Docker Engine, for tests of several nodes."""

from __future__ import annotations
