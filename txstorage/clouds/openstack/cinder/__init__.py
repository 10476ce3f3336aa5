"""
Cinder: the Block Storage API, version 3.
"""

from __future__ import absolute_import, division, print_function

from .host_attachments import HostAttachments
from .messages import failure_reason
from .snapshots import CinderSnapshots
from .volumes import Cinder
from .wire import GIB, MAX_GIB, SERVICE_TYPES, attached_to, place_of

__all__ = [
    "Cinder",
    "CinderSnapshots",
    "GIB",
    "HostAttachments",
    "MAX_GIB",
    "SERVICE_TYPES",
    "attached_to",
    "failure_reason",
    "place_of",
]
