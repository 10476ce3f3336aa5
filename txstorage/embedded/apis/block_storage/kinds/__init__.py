"""QoS specs and encryption of volume types."""

from __future__ import annotations
