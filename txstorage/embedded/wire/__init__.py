"""
The embedded service's HTTP: exchanges, refusals, microversions and pages.
"""

from __future__ import annotations
