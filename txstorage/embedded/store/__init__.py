"""
The embedded service's durable state, in SQLite.
"""

from __future__ import annotations
