"""
The embedded service's three APIs: requests, views and versions.
"""

from __future__ import annotations
