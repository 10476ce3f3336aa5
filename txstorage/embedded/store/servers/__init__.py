"""The durable state of Compute's servers: the nodes, and those that clients make."""

from __future__ import annotations
