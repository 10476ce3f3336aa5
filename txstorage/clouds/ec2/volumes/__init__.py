"""
EC2's volumes: descriptions, creation with tokens, growth.
"""

from .recent import RecentChanges
from .types import split_type
from .volumes import EC2Volumes

__all__ = ["EC2Volumes", "RecentChanges", "split_type"]
