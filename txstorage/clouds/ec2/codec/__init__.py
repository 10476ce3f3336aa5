"""
botocore as a codec: requests of Amazon's Query API, their signatures, and the answers.
"""

from .codec import FORM, ErrorDocument, ServiceCodec, Unreadable
from .endpoints import check_region, endpoint_of
from .signing import signed_headers

__all__ = [
    "FORM",
    "ErrorDocument",
    "ServiceCodec",
    "Unreadable",
    "check_region",
    "endpoint_of",
    "signed_headers",
]
