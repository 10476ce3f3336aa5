"""
Credentials of Amazon's clouds: access keys, and the places that they come from.
"""

from .chain import KeyChain, default_chain
from .keys import AccessKeys
from .metadata import InstanceMetadata
from .source import KeySource

__all__ = ["AccessKeys", "InstanceMetadata", "KeyChain", "KeySource", "default_chain"]
