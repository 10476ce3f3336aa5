# -*- test-case-name: tests.contract.test_embedded -*-
"""
All errors of the embedded service, with the messages of the real services (Keystone 27, Cinder 29,
Nova 34).

Errors are defined nowhere else: ``tests/contract`` reads this table, and fails when one of them was
never compared with a real OpenStack.
"""

from __future__ import annotations

import re
from typing import Any, Callable

import attr

from .exchange import APIResponse, WireError, web_error
from .versions import COMPUTE, VOLUME, Dialect

_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Request Entity Too Large",
    500: "Internal Server Error",
    507: "Insufficient Storage",
}


@attr.s(frozen=True, auto_attribs=True)
class Refusal:
    """
    One error.  Called with the values for its message, it makes the exception.

    :ivar service: its service: ``identity``, ``volume`` or ``compute``.
    :ivar template: of the message, for ``str.format``.
    """

    service: str
    status: int
    template: str
    _put: Callable[[int, str], WireError] = attr.ib(repr=False)

    def __call__(self, *values: object) -> WireError:
        return self._put(self.status, self.template.format(*values))

    def matches(self, service: str, status: int, message: str) -> bool:
        """Check whether a service's response is this error."""
        literal = [re.escape(part) for part in re.split(r"\{[^{}]*\}", self.template)]
        return (self.service, self.status) == (service, status) and bool(
            re.fullmatch("(?s:.*)".join(literal), message)
        )


class SharedRefusal:
    """An error that Cinder and Nova share; called with the dialect of one first."""

    def __init__(self, status: int, template: str) -> None:
        self.by_service = {
            dialect.service: _faulty(dialect, status, template) for dialect in (VOLUME, COMPUTE)
        }

    def __call__(self, dialect: Dialect, *values: object) -> WireError:
        return self.by_service[dialect.service](*values)


def _faulty(dialect: Dialect, status: int, template: str) -> Refusal:
    return Refusal(dialect.service, status, template, dialect.error)


def _cinder(status: int, template: str) -> Refusal:
    return _faulty(VOLUME, status, template)


def _nova(status: int, template: str) -> Refusal:
    return _faulty(COMPUTE, status, template)


def _over_quota(template: str) -> Refusal:
    def put(status: int, message: str) -> WireError:
        error = VOLUME.error(status, message, retryAfter="0")
        return WireError(error.answer.with_headers({"Retry-After": "0"}))

    return Refusal(VOLUME.service, 413, template, put)


def _of_framework(service: str, status: int, template: str) -> Refusal:
    def put(status: int, message: str) -> WireError:
        return WireError(web_error(status, _TITLES[status], message))

    return Refusal(service, status, template, put)


def _keystone(status: int, template: str) -> Refusal:
    def put(status: int, message: str) -> WireError:
        error = {"code": status, "message": message, "title": _TITLES[status]}
        return WireError(APIResponse(status, {"error": error}))

    return Refusal("identity", status, template, put)


def _keystone_method(template: str, more: dict[str, Any]) -> Refusal:
    """A method that the path does not have; ``more`` applies to methods."""

    def put(status: int, message: str) -> WireError:
        error = {"code": status, "identity": more, "message": message, "title": _TITLES[status]}
        return WireError(APIResponse(status, {"error": error}))

    return Refusal("identity", 401, template, put)


def _keystone_page(status: int) -> Refusal:
    # The response of Keystone's web framework is a page, without any message.
    def put(status: int, message: str) -> WireError:
        page = f"<!doctype html>\n<title>{status} {_TITLES[status]}</title>\n"
        return WireError(APIResponse(status, page, content_type="text/html; charset=utf-8"))

    return Refusal("identity", status, "", put)


def _wrong_method() -> Refusal:
    def put(status: int, message: str) -> WireError:
        return WireError(APIResponse(status, {"message": message}))

    return Refusal("identity", 405, "The method is not allowed for the requested URL.", put)


def _not_authenticated(service: str) -> Refusal:
    def put(status: int, message: str) -> WireError:
        error = {"code": status, "title": _TITLES[status], "message": message}
        return WireError(APIResponse(status, {"error": error}))

    template = "The request you have made requires authentication."
    return Refusal(service, 401, template, put)


# -- every request --------------------------------------------------------------

_NO_ROUTE = "The resource could not be found."
_TOO_LARGE = "Request is too large. Larger than max_request_body_size (%s)."

#: By service, like the next ones.
UNAUTHENTICATED: dict[str, Refusal] = {
    name: _not_authenticated(name) for name in ("identity", "volume", "compute")
}
NO_ROUTE: dict[str, Refusal] = {
    "identity": _keystone_page(404),
    "volume": _of_framework("volume", 404, _NO_ROUTE),
    "compute": _of_framework("compute", 404, _NO_ROUTE),
}
TOO_LARGE: dict[str, Refusal] = {
    name: _of_framework(name, 413, _TOO_LARGE) for name in ("identity", "volume", "compute")
}
_FULL = "disk full: destroy volumes that are not needed, or make room for the state directory."
#: No real service has it: there, a full disk under the database is an unexplained 500.
DISK_FULL: dict[str, Refusal] = {
    "identity": _keystone(507, _FULL),
    "volume": _cinder(507, _FULL),
    "compute": _nova(507, _FULL),
}

BAD_VERSION = SharedRefusal(
    400,
    "API Version String {} is of invalid format. Must be of format MajorNum.MinorNum.",
)
UNSUPPORTED_VERSION = SharedRefusal(
    406, "Version {} is not supported by the API. Minimum is {} and maximum is {}."
)
MALFORMED_BODY = SharedRefusal(400, "Malformed request body")
BODY_IS_NO_OBJECT = SharedRefusal(400, "{!r} is not of type 'object'")
MISSING_MEMBER = SharedRefusal(400, "'{}' is a required property")
MISSING_FIELD = SharedRefusal(
    400, "Invalid input for field/attribute {}. Value: {}. {!r} is a required property"
)
NOT_A_UUID = SharedRefusal(
    400, "Invalid input for field/attribute {}. Value: {}. {!r} is not a 'uuid'"
)
ADDITIONAL_FIELD = SharedRefusal(
    400,
    "Invalid input for field/attribute {}. Value: {}. Additional properties are not allowed ({})",
)
NOT_OF_TYPE = SharedRefusal(
    400, "Invalid input for field/attribute {}. Value: {}. {!r} is not of type {}"
)

# -- Identity ------------------------------------------------------------------

_EXPECTED = (
    " The server could not comply with the request since it is either malformed or otherwise "
    "incorrect. The client is assumed to be in error."
)
WRONG_METHOD = _wrong_method()
IDENTITY_FAULT = _keystone(
    500,
    "An unexpected error prevented the server from fulfilling your request.",
)
NO_JSON = _keystone(400, "Expecting to find valid JSON in request body." + _EXPECTED)
EXPECTED = _keystone(400, "Expecting to find {} in {}." + _EXPECTED)
MISSING_PROPERTY = _keystone(400, "{}'{}' is a required property")
WRONG_TYPE = _keystone(400, "{}{!r} is not of type {}")
UNSUPPORTED_METHOD = _keystone_method(
    "Attempted to authenticate with an unsupported method.",
    {"methods": ["password", "token", "application_credential"]},
)
NO_TOKEN = _keystone(404, "Could not recognize Fernet token")
NO_APPLICATION_CREDENTIAL = _keystone(404, "Could not find Application Credential: {}.")
APPLICATION_CREDENTIAL_SCOPE = _keystone_method(
    "Error authenticating with application credential: Application credentials cannot "
    "request a scope.",
    {},
)
NOT_AUTHORIZED = _keystone(403, "You are not authorized to perform the requested action: {}.")

# -- Block Storage --------------------------------------------------------------

MALFORMED_URL = _cinder(400, "Malformed request url")
NO_RESOURCE = _cinder(404, "The resource could not be found.")
FORBIDDEN = _cinder(403, "Policy doesn't allow {} to be performed.")
NO_VOLUME = _cinder(404, "Volume {} could not be found.")
NO_VOLUME_TYPE = _cinder(404, "Volume type {} could not be found.")
NO_VOLUME_TYPE_NAMED = _cinder(404, "Volume type with name {} could not be found.")
NO_ZONE = _cinder(400, "Availability zone '{}' is invalid.")
NO_MESSAGE = _cinder(404, "Message {} could not be found.")
NO_SNAPSHOT = _cinder(404, "Snapshot {} could not be found.")
NO_BACKUP = _cinder(404, "Backup {} could not be found.")
NO_GROUP = _cinder(404, "Group {} could not be found.")
NO_IMAGE = _cinder(400, "Invalid image identifier or unable to access requested image.")
INCORRECT = _cinder(
    400,
    "The server could not comply with the request since it is either malformed or otherwise "
    "incorrect.",
)
TOO_LONG = _cinder(400, "Invalid input received: {} has {} characters, more than 255.")
LABEL_TOO_LONG = _cinder(400, "Invalid input for field/attribute {}. Value: {}. {!r} is too long")
LABEL_KEY = _cinder(
    400,
    "Invalid input for field/attribute {}. Value: {}. {} match any of the "
    "regexes: '^[a-zA-Z0-9-_:. /]{{1,255}}$'",
)
SIZE_IS_NO_NUMBER = _cinder(
    400, "Invalid input for field/attribute size. Value: {}. {!r} does not match '^[0-9]+$'"
)
TOO_SMALL = _cinder(
    400, "Invalid input for field/attribute {}. Value: {}. {} is less than the minimum of {}"
)
TOO_GREAT = _cinder(
    400, "Invalid input for field/attribute {}. Value: {}. {} is greater than the maximum of {}"
)
OVER_VOLUMES = _over_quota(
    "VolumeLimitExceeded: Maximum number of volumes allowed ({}) exceeded for quota 'volumes'."
)
OVER_GIGABYTES = _over_quota(
    "VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed gigabytes "
    "quota. Requested {}G, quota is {}G and {}G has been consumed."
)
OVER_COUNTING = _over_quota(
    "QuotaUsageOverflow: Quota usage would overflow for resources: ['gigabytes', 'gigabytes_{}']."
    " The requested operation would exceed the maximum allowed value (2147483647) for quota "
    "tracking."
)
NOT_DELETABLE = _cinder(
    400,
    "Invalid volume: Volume status must be available or error or error_restoring or "
    "error_extending or error_managing and must not be migrating, attached, belong to a group, "
    "have snapshots, awaiting a transfer, or be disassociated from snapshots after volume "
    "transfer.",
)
NO_VOLUME_ACTION = _cinder(
    400,
    "There is no such action: {}. Verify the request body and Content-Type header and try again.",
)
NO_STATUS = _cinder(400, "Must specify 'status', 'attach_status' or 'migration_status' for update.")
BAD_STATUS = _cinder(400, "Volume status: {} is invalid, valid statuses are: {}.")
NOT_TO_BE_SET = _cinder(400, "Cannot reset-state to {}")
NOT_IN_USE = _cinder(
    400, "Cannot reset-state to in-use because volume does not have any attachments."
)
NO_LABEL = _cinder(404, "Volume {} has no metadata with key {}.")
LABEL_MISMATCH = _cinder(400, "Request body and URI mismatch")
LABELS_TOO_MANY = _cinder(
    400, "Invalid input for field/attribute {}. Value: {}. {!r} has too many properties"
)
UNKNOWN_FILTER = _cinder(400, "Invalid filters {} are found in query options.")
LIMIT_IS_NO_NUMBER = _cinder(400, "limit param must be an integer")
LIMIT_IS_NEGATIVE = _cinder(400, "limit param must be positive")
OFFSET_IS_NO_NUMBER = _cinder(400, "offset must be an integer")
OFFSET_IS_NEGATIVE = _cinder(400, "offset must be >= 0")
OFFSET_TOO_GREAT = _cinder(400, "offset must be <= 2147483647")

IS_EMPTY = _cinder(400, "Invalid input for field/attribute {}. Value: {}. {!r} should be non-empty")

# -- Block Storage's own attachments ----------------------------------------------

ADDITIONAL_MEMBER = _cinder(400, "Additional properties are not allowed ({})")
BAD_MODE = _cinder(
    400, "Invalid input for field/attribute {}. Value: {}. {!r} is not one of ['rw', 'ro']"
)
NO_ATTACHMENT = _cinder(
    404, "Volume attachment could not be found with filter: attachment_id = {}."
)
RESERVED_OTHERWISE = _cinder(
    400,
    "Invalid volume: Volume {} status must be available or downloading to reserve, but the "
    "current status is {}.",
)
RESERVED_IN_ERROR = _cinder(
    400,
    "Invalid volume: Volume attachments can not be created if the volume is in an error state. "
    "The Volume {} currently has a status of: {} ",
)
UPDATED_IN_ERROR = _cinder(
    409,
    "Resource conflict: Volume attachments can not be updated if the volume is in an error "
    "state. The Volume {} currently has a status of: {} ",
)
USED_BY_COMPUTE = _cinder(
    409, "ConflictNovaUsingAttachment: Detach volume from instance {} using the Compute API"
)
NO_HOST = _cinder(500, "Unable to update the attachment.")
NOT_CONNECTED = _cinder(500, "Unable to create attachment for volume ({}).")
NOT_CONNECTED_AGAIN = _cinder(500, "Unable to update attachment ({}).")

#: Also Cinder's message for an empty body.
VOLUME_FAULT = _cinder(
    500, "The server has either erred or is incapable of performing the requested operation."
)

# -- Compute --------------------------------------------------------------------

COMPUTE_FAULT = _nova(500, "Unexpected API Error.")

NO_SERVER = _nova(404, "Instance {} could not be found.")
NO_SERVER_TO_ACT_ON = _nova(404, "Instance {} has no mapping to a cell.")
NO_SUCH_VOLUME = _nova(404, "Volume {} could not be found.")
NO_MARKER = _nova(400, "marker [{}] not found")
NO_SERVER_ACTION = _nova(400, "There is no such action: {}")
WRONG_SERVER_STATE = _nova(409, "Cannot '{}' instance {} while it is in vm_state {}")
QUERY_IS_NO_NUMBER = _nova(
    400, "Invalid input for query parameters {}. Value: {}. {!r} does not match '^[0-9]*$'"
)
QUERY_IS_EMPTY = _nova(
    400, "Invalid input for query parameters {}. Value: {}. {!r} should be non-empty"
)
BAD_DEVICE = _nova(
    400,
    "Invalid input for field/attribute device. Value: {}. {!r} does not match "
    "'(^/dev/x{{0,1}}[a-z]{{0,1}}d{{0,1}})([a-z]+)[0-9]*$'",
)
DEVICE_IN_USE = _nova(409, "The supplied device path ({}) is in use.")
ALREADY_ATTACHED = _nova(400, "Invalid volume: volume {} is already attached to instances: {}")
NOT_ATTACHED = _nova(404, "Instance {} is not attached to volume {}")
ROOT_VOLUME = _nova(400, "Cannot detach a root device volume")
#: Cinder's refusal, as Nova passes it on.
NOT_RESERVABLE = _nova(
    400,
    "Invalid input received: Invalid volume: Volume {} status must be available or downloading "
    "to reserve, but the current status is {}. (HTTP 400) (Request-ID: {})",
)
VOLUME_IN_ERROR = _nova(
    400,
    "Invalid input received: Invalid volume: Volume attachments can not be created if the volume "
    "is in an error state. The Volume {} currently has a status of: {}  (HTTP 400) (Request-ID: "
    "{})",
)
NOT_DETACHABLE = _nova(
    400,
    "Invalid volume: Invalid input received: Invalid volume: Unable to detach volume. Volume "
    "status must be 'in-use' and attach_status must be 'attached' to detach. (HTTP 400) "
    "(Request-ID: {})",
)
