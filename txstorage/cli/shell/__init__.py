"""
The command line's frame: groups that import their commands late, and the global options.
"""

from __future__ import annotations

from .fish import Fish
from .group import Commands, LazyCommand
from .options import app_of, pass_app, wants_json, with_global_options

__all__ = [
    "Commands",
    "Fish",
    "LazyCommand",
    "app_of",
    "pass_app",
    "wants_json",
    "with_global_options",
]
