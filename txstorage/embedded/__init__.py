"""
The embedded service: Identity, Block Storage and Compute on one host.
"""

from __future__ import annotations
