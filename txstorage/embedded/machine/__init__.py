"""
The embedded service's machine: files, loop devices and transitions.
"""

from __future__ import annotations
