"""The wire contract of Compute's servers that clients make, and of a project in Compute."""

from __future__ import annotations
