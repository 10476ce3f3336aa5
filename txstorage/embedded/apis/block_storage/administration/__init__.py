"""Block Storage's parts for administrators: its processes, hosts and pools."""

from __future__ import annotations
