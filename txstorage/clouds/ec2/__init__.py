"""
Amazon EC2: volumes of EBS, and the instances that they are attached to.
"""

from .codec import ServiceCodec, endpoint_of
from .credentials import AccessKeys, KeySource, default_chain
from .service import EC2Service
from .session import EC2Session

__all__ = [
    "AccessKeys",
    "EC2Service",
    "EC2Session",
    "KeySource",
    "ServiceCodec",
    "default_chain",
    "endpoint_of",
]
