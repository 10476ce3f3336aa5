"""QoS specs and encryption of volume types, and the filters of their list."""

from __future__ import annotations
