"""
EC2's volumes: descriptions, creation with tokens, growth.
"""

from .batches import Descriptions
from .recent import LAG, RecentChanges, may_be_processed
from .types import split_type
from .volumes import EC2Volumes

__all__ = [
    "LAG",
    "Descriptions",
    "EC2Volumes",
    "RecentChanges",
    "may_be_processed",
    "split_type",
]
