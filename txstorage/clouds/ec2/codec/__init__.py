"""
botocore as a codec: requests of Amazon's Query API, their signatures, and the answers.
"""

from .codec import FORM, ErrorDocument, ServiceCodec, Unreadable
from .endpoints import STS_ADDRESS, check_region, endpoint_of, sts_endpoint
from .signing import signed_headers

__all__ = [
    "FORM",
    "STS_ADDRESS",
    "ErrorDocument",
    "ServiceCodec",
    "Unreadable",
    "check_region",
    "endpoint_of",
    "signed_headers",
    "sts_endpoint",
]
