"""
The page that shows the service live, for people with a browser.
"""

from __future__ import annotations
