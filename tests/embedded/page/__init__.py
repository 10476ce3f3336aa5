"""
Tests of the page that shows the service live.
"""

from __future__ import annotations
