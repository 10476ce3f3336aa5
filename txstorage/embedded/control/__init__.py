"""
The parts of the embedded service that observe and control it, for tests and for its page.
"""

from __future__ import annotations
