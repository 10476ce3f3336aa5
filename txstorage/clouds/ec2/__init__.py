"""
Amazon EC2: volumes of EBS, and the instances that they are attached to.
"""

from .codec import STS_ADDRESS, ServiceCodec, check_region, endpoint_of, sts_endpoint
from .credentials import AccessKeys, InstanceMetadata, KeySource, default_chain
from .service import EC2Service
from .session import EC2Session
from .volumes import split_type

__all__ = [
    "AccessKeys",
    "EC2Service",
    "EC2Session",
    "InstanceMetadata",
    "KeySource",
    "STS_ADDRESS",
    "ServiceCodec",
    "check_region",
    "default_chain",
    "endpoint_of",
    "split_type",
    "sts_endpoint",
]
