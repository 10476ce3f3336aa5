"""
OpenStack behind the seam: Identity v3, Block Storage v3 and Compute v2.1.
"""

from __future__ import absolute_import, division, print_function

from .service import OpenStackService
from .session import Credentials, CredentialSource, Session
from .without_compute import StandaloneService

__all__ = ["CredentialSource", "Credentials", "OpenStackService", "Session", "StandaloneService"]
