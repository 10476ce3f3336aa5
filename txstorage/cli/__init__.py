"""
The command line: ``txstorage``.
"""

from __future__ import annotations
