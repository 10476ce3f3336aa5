"""
``txstorage doctor``: checks of a configuration and of the cloud it names.
"""

from __future__ import annotations

from .command import doctor

__all__ = ["doctor"]
