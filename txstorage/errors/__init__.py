# -*- test-case-name: tests.test_errors -*-
"""
What can go wrong besides Flocker's own exceptions.

Each message says what failed, on which volume, and why; each error also
carries a remedy: what the operator can do about it.  No message ever holds a
secret.
"""

from __future__ import absolute_import, division, print_function

from ._base import (
    DriverStopped,
    InvalidConfiguration,
    InvalidDatasetID,
    InvalidSize,
    StorageError,
    UnknownProfile,
    UnknownServer,
    WouldWaitForItself,
)
from ._services import (
    AuthenticationFailed,
    CertificateRejected,
    ClientCertificateRejected,
    Conflict,
    EndpointMissing,
    MicroversionMissing,
    NotTheService,
    PermissionDenied,
    QuotaExceeded,
    RateLimited,
    RequestRefused,
    ResourceNotFound,
    ResponseLost,
    ServiceBroken,
    ServiceError,
    TransportError,
    Unreachable,
)
from ._volumes import (
    DatasetConflict,
    DeviceAmbiguous,
    DeviceBusy,
    DeviceError,
    DeviceMismatch,
    DeviceNotFound,
    DeviceStillPresent,
    MalformedLabels,
    OperationFailed,
    OperationTimedOut,
    StillAttached,
    UnidentifiedNode,
    UnusableStatus,
    VolumeError,
)

__all__ = [
    "AuthenticationFailed",
    "CertificateRejected",
    "ClientCertificateRejected",
    "Conflict",
    "DatasetConflict",
    "DeviceAmbiguous",
    "DeviceBusy",
    "DeviceError",
    "DeviceMismatch",
    "DeviceNotFound",
    "DeviceStillPresent",
    "DriverStopped",
    "EndpointMissing",
    "InvalidConfiguration",
    "InvalidDatasetID",
    "InvalidSize",
    "MalformedLabels",
    "MicroversionMissing",
    "NotTheService",
    "OperationFailed",
    "OperationTimedOut",
    "PermissionDenied",
    "QuotaExceeded",
    "RateLimited",
    "RequestRefused",
    "ResourceNotFound",
    "ResponseLost",
    "ServiceBroken",
    "ServiceError",
    "StillAttached",
    "StorageError",
    "TransportError",
    "UnidentifiedNode",
    "UnknownProfile",
    "UnknownServer",
    "Unreachable",
    "UnusableStatus",
    "VolumeError",
    "WouldWaitForItself",
]
