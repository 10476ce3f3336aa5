# -*- test-case-name: tests.clouds.ec2.test_failures -*-
"""
EC2's error codes, and the errors of txstorage that they mean.

Source: "Error codes for the Amazon EC2 API" of the developer guide.
"""

from __future__ import absolute_import, division, print_function

from .... import errors
from ..remedies import REMEDIES

MYPY = False
if MYPY:
    from typing import Any, Dict, Iterable, Optional, Text, Tuple, Type  # noqa: F401

    from ...._http.messages import Response  # noqa: F401
    from ..codec import ErrorDocument  # noqa: F401

_KEYS = (
    u"check the access key, its secret and, of temporary keys, the session token, and that they "
    u"are of the account and the partition of 'region'"
)
_UNKNOWN_KEY = (
    u"check the access key's id: the key may be deleted or inactive, belong to another partition "
    u"(China's, GovCloud's) than 'region', or be a temporary one, which needs its session token"
)
_WRONG_SECRET = (
    u"check the secret access key, which is not that of the access key's id; a secret may be cut "
    u"off, or changed by a shell"
)
_ENDED = (
    u"replace the temporary access key, its secret and its session token; txstorage renews those "
    u"of a role or a web identity by itself"
)
_CLOCK = (
    u"set this machine's clock, for example with chrony, or replace temporary keys, which may have "
    u"ended"
)
_POLICY = (
    u"allow the action in the IAM policy of the user or the role; 'aws sts "
    u"decode-authorization-message' decodes an encoded message"
)
_QUOTA = u"destroy unused volumes or snapshots, or have the account's quota in this region raised"
_CAPACITY = u"request the volume in another zone or of another type, or retry later"
_NO_ACTION = (
    u"this endpoint does not have the action: instead of a clone, make a snapshot, and then a "
    u"volume of it"
)
_ZONE = (
    u"attach the volume to an instance in the volume's own zone; a snapshot can be made a volume "
    u"in any zone"
)
_TYPE = u"correct the volume type under 'profiles', or the size that it allows"

#: The meaning of each code: the error's class, and the remedy; empty for the class's own.
CODES = {
    # The keys.
    u"AuthFailure": (errors.AuthenticationFailed, _KEYS),
    u"ExpiredToken": (errors.AuthenticationFailed, _ENDED),
    u"ExpiredTokenException": (errors.AuthenticationFailed, _ENDED),
    u"IncompleteSignature": (errors.AuthenticationFailed, _KEYS),
    u"InvalidAccessKeyId": (errors.AuthenticationFailed, _UNKNOWN_KEY),
    u"InvalidClientTokenId": (errors.AuthenticationFailed, _UNKNOWN_KEY),
    u"InvalidSecurity": (errors.AuthenticationFailed, _KEYS),
    u"MissingAuthenticationToken": (errors.AuthenticationFailed, _KEYS),
    u"RequestExpired": (errors.AuthenticationFailed, _CLOCK),
    u"SignatureDoesNotMatch": (errors.AuthenticationFailed, _WRONG_SECRET),
    u"UnrecognizedClientException": (errors.AuthenticationFailed, _UNKNOWN_KEY),
    # The account.
    u"AccessDenied": (errors.PermissionDenied, _POLICY),
    u"Blocked": (errors.PermissionDenied, u"the account is blocked: contact Amazon's support"),
    u"OptInRequired": (
        errors.PermissionDenied,
        u"enable the region for the account, or correct 'region'",
    ),
    u"PendingVerification": (errors.PermissionDenied, u"wait until the account is verified"),
    u"UnauthorizedOperation": (errors.PermissionDenied, _POLICY),
    u"MaxIOPSLimitExceeded": (errors.QuotaExceeded, _QUOTA),
    u"ResourceLimitExceeded": (errors.QuotaExceeded, _QUOTA),
    u"SnapshotLimitExceeded": (errors.QuotaExceeded, _QUOTA),
    u"TagLimitExceeded": (errors.QuotaExceeded, u"remove tags: a resource has at most 50"),
    u"VolumeLimitExceeded": (errors.QuotaExceeded, _QUOTA),
    # The rate.
    u"EC2ThrottledException": (errors.RateLimited, u""),
    u"RequestLimitExceeded": (errors.RateLimited, u""),
    u"SnapshotCreationPerVolumeRateExceeded": (errors.RateLimited, u""),
    u"Throttling": (errors.RateLimited, u""),
    u"ThrottlingException": (errors.RateLimited, u""),
    u"TooManyRequestsException": (errors.RateLimited, u""),
    # The state of a resource, which passes.
    u"ConcurrentSnapshotLimitExceeded": (errors.Conflict, u""),
    u"ConcurrentTagAccess": (errors.Conflict, u""),
    u"IncorrectInstanceState": (errors.Conflict, u""),
    u"IncorrectModificationState": (errors.Conflict, u""),
    u"IncorrectState": (errors.Conflict, u""),
    u"InvalidSnapshot.InUse": (errors.Conflict, u""),
    u"PendingSnapshotLimitExceeded": (errors.Conflict, u""),
    u"VolumeInUse": (errors.Conflict, u""),
    u"VolumeModificationRateExceeded": (errors.ModifiedRecently, u""),
    u"VolumeModificationSizeLimitExceeded": (errors.QuotaExceeded, _QUOTA),
    # What does not exist.
    u"InvalidAttachment.NotFound": (errors.ResourceNotFound, u""),
    u"InvalidInstanceID.Malformed": (errors.ResourceNotFound, u""),
    u"InvalidInstanceID.NotFound": (errors.ResourceNotFound, u""),
    u"InvalidSnapshot.NotFound": (errors.ResourceNotFound, u""),
    u"InvalidSnapshotID.Malformed": (errors.ResourceNotFound, u""),
    u"InvalidVolume.NotFound": (errors.ResourceNotFound, u""),
    u"InvalidVolumeID.Malformed": (errors.ResourceNotFound, u""),
    # The request.
    u"AttachmentLimitExceeded": (
        errors.RequestRefused,
        u"detach a volume that the instance no longer needs",
    ),
    u"InvalidAction": (errors.RequestRefused, _NO_ACTION),
    u"UnsupportedOperation": (errors.RequestRefused, _NO_ACTION),
    u"InvalidVolume.ZoneMismatch": (errors.RequestRefused, _ZONE),
    u"InvalidVolumeID.ZoneMismatch": (errors.RequestRefused, _ZONE),
    u"InvalidZone.NotFound": (errors.RequestRefused, u"correct 'zone'"),
    u"UnknownVolumeType": (errors.RequestRefused, _TYPE),
    # Amazon's side.
    u"InsufficientVolumeCapacity": (errors.StorageFull, _CAPACITY),
    u"InternalError": (errors.ServiceBroken, u""),
    u"InternalFailure": (errors.ServiceBroken, u""),
    u"ServiceUnavailable": (errors.ServiceBroken, u""),
    u"Unavailable": (errors.ServiceBroken, u""),
}  # type: Dict[Text, Tuple[Type[errors.ServiceError], Text]]

#: The codes of a request that was signed with a wrong time, or with keys that have ended.
DOUBTFUL_SIGNATURE = frozenset(
    code for code, (kind, _) in CODES.items() if kind is errors.AuthenticationFailed
)

#: The codes that mean that a volume, an instance or a snapshot does not exist.
NO_VOLUME = frozenset([u"InvalidVolume.NotFound", u"InvalidVolumeID.Malformed"])
NO_INSTANCE = frozenset([u"InvalidInstanceID.NotFound", u"InvalidInstanceID.Malformed"])
NO_SNAPSHOT = frozenset([u"InvalidSnapshot.NotFound", u"InvalidSnapshotID.Malformed"])


def _by_status(status, code):
    # type: (int, Optional[Text]) -> Type[errors.ServiceError]
    if status == 429:
        return errors.RateLimited
    if status >= 500:
        return errors.ServiceBroken
    if code is None and status == 401:
        return errors.AuthenticationFailed
    if code is None and status == 403:
        return errors.PermissionDenied
    return errors.RequestRefused


def service_error(operation, response, document, secrets=()):
    # type: (Text, Response, ErrorDocument, Iterable[Text]) -> Any
    """
    :param text operation: such as ``CreateVolume``.
    :param response: a :class:`~txstorage._http.messages.Response` with a status of 300 or more.
    :param document: its :class:`~txstorage.clouds.ec2.codec.ErrorDocument`.
    :param secrets: texts that no message may contain.
    :return: the error.  Its ``kind`` is EC2's code.
    """
    status, code = response.status, document.code
    if code is None and status < 400:
        return errors.NotTheService(
            response.method, response.url, u"HTTP {}, and not an answer of EC2's".format(status)
        )
    message = document.message
    # The answer to a wrong signature contains the text that was signed.
    for secret in secrets:
        message = message.replace(secret, u"[secret]")
    kind, remedy = CODES.get(code or u"", (_by_status(status, code), u""))
    error = kind(
        response.method,
        response.url,
        status,
        u"{}: {}{}".format(operation, u"" if code is None else code + u": ", message),
        document.request_id or response.request_id,
        None,
        code,
    )
    # Not one that the message seems to reveal, which would be OpenStack's.
    error.remedy = remedy or REMEDIES.get(kind.remedy, kind.remedy)
    return error


__all__ = [
    "CODES",
    "DOUBTFUL_SIGNATURE",
    "NO_INSTANCE",
    "NO_SNAPSHOT",
    "NO_VOLUME",
    "service_error",
]
