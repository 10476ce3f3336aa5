"""The durable state beside volumes: their types, projects' quotas, and users' credentials."""

from __future__ import annotations
