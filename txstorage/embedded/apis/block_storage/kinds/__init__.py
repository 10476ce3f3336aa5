"""What administrators keep of volume types beside their extra specs."""

from __future__ import annotations
