# -*- test-case-name: tests.contract.test_embedded -*-
"""
All errors of the embedded service, with the messages of the real services (Keystone 27, Cinder 29,
Nova 34).

Errors are defined here, in :mod:`txstorage.embedded.wire.account_refusals` and in
:mod:`txstorage.embedded.wire.volume_refusals` only: ``tests/contract`` reads the tables, and fails
when one of the errors was never compared with a real OpenStack.
"""

from __future__ import annotations

from .refusal import (
    Refusal,
    SharedRefusal,
    cinder,
    keystone,
    keystone_method,
    keystone_page,
    not_authenticated,
    nova,
    of_framework,
    over_quota,
    wrong_method,
)

# -- every request --------------------------------------------------------------

_NO_ROUTE = "The resource could not be found."
_TOO_LARGE = "Request is too large. Larger than max_request_body_size (%s)."

#: By service, like the next ones.
UNAUTHENTICATED: dict[str, Refusal] = {
    name: not_authenticated(name) for name in ("identity", "volume", "compute", "image")
}
NO_ROUTE: dict[str, Refusal] = {
    "identity": keystone_page(404),
    "volume": of_framework("volume", 404, _NO_ROUTE),
    "compute": of_framework("compute", 404, _NO_ROUTE),
    "image": of_framework("image", 404, _NO_ROUTE),
}
TOO_LARGE: dict[str, Refusal] = {
    name: of_framework(name, 413, _TOO_LARGE) for name in ("identity", "volume", "compute", "image")
}
_FULL = "disk full: destroy volumes that are not needed, or make room for the state directory."
#: No real service has it: there, a full disk under the database is an unexplained 500.
DISK_FULL: dict[str, Refusal] = {
    "identity": keystone(507, _FULL),
    "volume": cinder(507, _FULL),
    "compute": nova(507, _FULL),
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
WRONG_METHOD = wrong_method()
IDENTITY_FAULT = keystone(
    500,
    "An unexpected error prevented the server from fulfilling your request.",
)
NO_JSON = keystone(400, "Expecting to find valid JSON in request body." + _EXPECTED)
EXPECTED = keystone(400, "Expecting to find {} in {}." + _EXPECTED)
MISSING_PROPERTY = keystone(400, "{}'{}' is a required property")
WRONG_TYPE = keystone(400, "{}{!r} is not of type {}")
UNSUPPORTED_METHOD = keystone_method(
    "Attempted to authenticate with an unsupported method.",
    {"methods": ["password", "token", "application_credential"]},
)
NO_TOKEN = keystone(404, "Could not recognize Fernet token")
NO_APPLICATION_CREDENTIAL = keystone(404, "Could not find Application Credential: {}.")
APPLICATION_CREDENTIAL_SCOPE = keystone_method(
    "Error authenticating with application credential: Application credentials cannot "
    "request a scope.",
    {},
)
NOT_AUTHORIZED = keystone(403, "You are not authorized to perform the requested action: {}.")

# -- Block Storage --------------------------------------------------------------

MALFORMED_URL = cinder(400, "Malformed request url")
NO_RESOURCE = cinder(404, "The resource could not be found.")
FORBIDDEN = cinder(403, "Policy doesn't allow {} to be performed.")
NO_VOLUME = cinder(404, "Volume {} could not be found.")
NO_VOLUME_TYPE = cinder(404, "Volume type {} could not be found.")
NO_VOLUME_TYPE_NAMED = cinder(404, "Volume type with name {} could not be found.")
NO_ZONE = cinder(400, "Availability zone '{}' is invalid.")
NO_MESSAGE = cinder(404, "Message {} could not be found.")
NO_SNAPSHOT = cinder(404, "Snapshot {} could not be found.")
NO_BACKUP = cinder(404, "Backup {} could not be found.")
NO_GROUP = cinder(404, "Group {} could not be found.")
NO_IMAGE = cinder(400, "Invalid image identifier or unable to access requested image.")
NO_MULTIATTACH = cinder(
    400,
    "multiattach parameter has been removed. The default behavior is to use multiattach enabled "
    "volume types. Contact your administrator to create a multiattach enabled volume type and use "
    "it to create multiattach volumes.",
)
INCORRECT = cinder(
    400,
    "The server could not comply with the request since it is either malformed or otherwise "
    "incorrect.",
)
TOO_LONG = cinder(400, "Invalid input received: {} has {} characters, more than 255.")
LABEL_TOO_LONG = cinder(400, "Invalid input for field/attribute {}. Value: {}. {!r} is too long")
LABEL_KEY = cinder(
    400,
    "Invalid input for field/attribute {}. Value: {}. {} match any of the "
    "regexes: '^[a-zA-Z0-9-_:. /]{{1,255}}$'",
)
SIZE_IS_NO_NUMBER = cinder(
    400, "Invalid input for field/attribute size. Value: {}. {!r} does not match '^[0-9]+$'"
)
NEW_SIZE_IS_NO_NUMBER = cinder(
    400, "Invalid input for field/attribute new_size. Value: {}. {!r} does not match '^[0-9]+$'"
)
TOO_SMALL = cinder(
    400, "Invalid input for field/attribute {}. Value: {}. {} is less than the minimum of {}"
)
TOO_GREAT = cinder(
    400, "Invalid input for field/attribute {}. Value: {}. {} is greater than the maximum of {}"
)
OVER_VOLUMES = over_quota(
    "VolumeLimitExceeded: Maximum number of volumes allowed ({}) exceeded for quota '{}'."
)
OVER_GIGABYTES = over_quota(
    "VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed {} quota. "
    "Requested {}G, quota is {}G and {}G has been consumed."
)
OVER_COUNTING = over_quota(
    "QuotaUsageOverflow: Quota usage would overflow for resources: ['gigabytes', 'gigabytes_{}']."
    " The requested operation would exceed the maximum allowed value (2147483647) for quota "
    "tracking."
)
_NOT_DELETABLE = (
    "must not be migrating, attached, belong to a group, have snapshots, awaiting a transfer, or "
    "be disassociated from snapshots after volume transfer."
)
NOT_DELETABLE = cinder(
    400,
    "Invalid volume: Volume status must be available or error or error_restoring or "
    "error_extending or error_managing and " + _NOT_DELETABLE,
)
#: Likewise when the request has ``force``, with no status in its place.
NOT_DELETABLE_BY_FORCE = cinder(400, "Invalid volume: Volume  " + _NOT_DELETABLE)
NO_BOOLEAN = cinder(400, "Value '{}' for '{}' is not a boolean.")
NOT_LARGER = cinder(
    400,
    "Invalid input received: New size for extend must be greater than current size. (current: {}, "
    "extended: {}).",
)
NOT_EXTENDABLE = cinder(
    400, "Invalid volume: Volume {} status must be '{}' to extend, currently {}."
)
ONLY_ONE_SOURCE = cinder(
    400,
    "Invalid input received: May specify only one of backup, imageRef, snapshot, source volume",
)
SNAPSHOT_NOT_READY = cinder(
    400, "Invalid snapshot: Originating snapshot status must be one of 'available' values"
)
SOURCE_NOT_READY = cinder(
    400,
    "Invalid volume: Originating source volume status must be one of 'available, in-use' values",
)
SMALLER_THAN_SNAPSHOT = cinder(
    400,
    "Invalid input received: Volume size '{}'GB cannot be smaller than the snapshot size {}GB. "
    "They must be >= original snapshot size.",
)
SMALLER_THAN_SOURCE = cinder(
    400,
    "Invalid input received: Volume size '{}'GB cannot be smaller than original volume size  "
    "{}GB. They must be >= original volume size.",
)
NO_SCHEMA = SharedRefusal(
    400,
    "Invalid input for field/attribute {}. Value: {}. {!r} is not valid under any of the given "
    "schemas",
)
NO_VOLUME_ACTION = cinder(
    400,
    "There is no such action: {}. Verify the request body and Content-Type header and try again.",
)
NOT_TO_BE_RESERVED = cinder(
    400, "Invalid volume: Volume status must be available to reserve, but the status is {}."
)
NO_STATUS = cinder(400, "Must specify 'status', 'attach_status' or 'migration_status' for update.")
BAD_STATUS = cinder(400, "Volume status: {} is invalid, valid statuses are: {}.")
NOT_TO_BE_SET = cinder(400, "Cannot reset-state to {}")
NOT_IN_USE = cinder(
    400, "Cannot reset-state to in-use because volume does not have any attachments."
)
NO_LABEL = cinder(404, "Volume {} has no metadata with key {}.")
KEEPS_LABELS = cinder(
    400, "Invalid volume: {} volume metadata is not allowed for volumes in {} status."
)
NO_UPDATE_NOW = cinder(400, "Invalid volume: The volume cannot be updated during maintenance.")
LABEL_MISMATCH = cinder(400, "Request body and URI mismatch")
LABELS_TOO_MANY = cinder(
    400, "Invalid input for field/attribute {}. Value: {}. {!r} has too many properties"
)
UNKNOWN_FILTER = cinder(400, "Invalid filters {} are found in query options.")
BAD_BOOLEAN = cinder(400, "Invalid input received: '{} = {}'")
BAD_COMPARISON = cinder(400, "Invalid {} {}")
LIMIT_IS_NO_NUMBER = cinder(400, "limit param must be an integer")
LIMIT_IS_NEGATIVE = cinder(400, "limit param must be positive")
OFFSET_IS_NO_NUMBER = cinder(400, "offset must be an integer")
OFFSET_IS_NEGATIVE = cinder(400, "offset must be >= 0")
OFFSET_TOO_GREAT = cinder(400, "offset must be <= 2147483647")

IS_EMPTY = cinder(400, "Invalid input for field/attribute {}. Value: {}. {!r} should be non-empty")

# -- snapshots --------------------------------------------------------------------

OVER_SNAPSHOTS = over_quota(
    "SnapshotLimitExceeded: Maximum number of snapshots allowed ({}) exceeded"
)
FORCE_IS_INVALID = cinder(
    400,
    "Since microversion 3.66 the 'force' flag is invalid for this request.  For backward "
    "compatability, however, when the 'force' flag is passed with a value evaluating to True, it "
    "is silently ignored.",
)
NO_FORCE = cinder(400, "Invalid input for field/attribute {}. Value: {}. {!r} is not one of {}")
NOT_IN_MAINTENANCE = cinder(
    400,
    "Invalid volume: The snapshot cannot be created when the volume is in maintenance mode.",
)
NOT_OF_ERROR = cinder(
    400, "Invalid volume: The snapshot cannot be created when the volume is in error status."
)
NO_SNAPSHOT_NOW = cinder(
    400, "Invalid volume: Volume {} status must be {}, but current status is: {}."
)
SNAPSHOT_NOT_DELETABLE = cinder(
    400,
    "Invalid snapshot: Snapshot status must be available or error and must not be part of a group.",
)
NO_SNAPSHOT_LABEL = cinder(404, "Snapshot {} has no metadata with key {}.")
BAD_SORT_KEY = cinder(400, "Invalid input received: Invalid sort key")
BAD_SORT_DIRECTION = cinder(
    400, "Invalid input received: Unknown sort direction, must be 'desc' or 'asc'."
)
SORT_TWICE = cinder(
    400,
    "The 'sort_key' and 'sort_dir' parameters are deprecated and cannot be used with the 'sort' "
    "parameter.",
)

# -- Block Storage's own attachments ----------------------------------------------

ADDITIONAL_MEMBER = cinder(400, "Additional properties are not allowed ({})")
BAD_MODE = cinder(
    400, "Invalid input for field/attribute {}. Value: {}. {!r} is not one of ['rw', 'ro']"
)
NO_ATTACHMENT = cinder(404, "Volume attachment could not be found with filter: attachment_id = {}.")
RESERVED_OTHERWISE = cinder(
    400,
    "Invalid volume: Volume {} status must be available or downloading to reserve, but the "
    "current status is {}.",
)
RESERVED_IN_ERROR = cinder(
    400,
    "Invalid volume: Volume attachments can not be created if the volume is in an error state. "
    "The Volume {} currently has a status of: {} ",
)
UPDATED_IN_ERROR = cinder(
    409,
    "Resource conflict: Volume attachments can not be updated if the volume is in an error "
    "state. The Volume {} currently has a status of: {} ",
)
USED_BY_COMPUTE = cinder(
    409, "ConflictNovaUsingAttachment: Detach volume from instance {} using the Compute API"
)
NO_HOST = cinder(500, "Unable to update the attachment.")
NOT_CONNECTED = cinder(500, "Unable to create attachment for volume ({}).")
NOT_CONNECTED_AGAIN = cinder(500, "Unable to update attachment ({}).")

#: Also Cinder's message for an empty body.
VOLUME_FAULT = cinder(
    500, "The server has either erred or is incapable of performing the requested operation."
)

# -- Compute --------------------------------------------------------------------

COMPUTE_FAULT = nova(500, "Unexpected API Error.")

FORBIDDEN_BY_COMPUTE = nova(403, "Policy doesn't allow {} to be performed.")
NO_SERVER = nova(404, "Instance {} could not be found.")
NO_FLAVOR = nova(404, "Flavor {} could not be found.")
UNKNOWN_FLAVOR_PARAMETER = nova(400, "Additional properties are not allowed ({})")
NO_LEAST_SIZE = nova(400, "Invalid {} filter [{}]")
NO_SERVER_TO_ACT_ON = nova(404, "Instance {} has no mapping to a cell.")
NO_SUCH_VOLUME = nova(404, "Volume {} could not be found.")
NO_MARKER = nova(400, "marker [{}] not found")
NO_SERVER_ACTION = nova(400, "There is no such action: {}")
WRONG_SERVER_STATE = nova(409, "Cannot '{}' instance {} while it is in vm_state {}")
QUERY_IS_NO_NUMBER = nova(
    400, "Invalid input for query parameters {}. Value: {}. {!r} does not match '^[0-9]*$'"
)
QUERY_IS_EMPTY = nova(
    400, "Invalid input for query parameters {}. Value: {}. {!r} should be non-empty"
)
NO_EXPRESSION = nova(400, "Invalid input for query parameters {}. Value: {}. {!r} is not a 'regex'")
NO_TIME = nova(400, "Invalid input for query parameters {}. Value: {}. {!r} is not a 'date-time'")
NO_KEY = nova(400, "Invalid input for query parameters {}. Value: {}. {!r} is not one of {}")
UNKNOWN_PARAMETER = nova(400, "{} not match any of the regexes: '^_'")
BAD_FILTER = nova(400, "Invalid filter field: {}.")
BAD_SERVER_STATUS = nova(400, "Invalid status value")
DELETED_SERVERS = nova(403, "Only administrators may list deleted instances")
CHANGES_CROSSED = nova(
    400, "The value of changes-since must be less than or equal to changes-before."
)
NO_BOOLEAN_FOR_COMPUTE = nova(
    400,
    "Unrecognized value '{}', acceptable values are: '0', '1', 'f', 'false', 'n', 'no', 'off', "
    "'on', 't', 'true', 'y', 'yes'",
)
NO_ORDER_BY = nova(403, "Only administrators can sort servers by {}")
BAD_DIRECTION_OF_SERVERS = nova(
    400, "Invalid input received: Unknown sort direction, must be 'desc' or 'asc'"
)
TOO_MANY_DIRECTIONS = nova(400, "Invalid input received: Sort direction size exceeds sort key size")
BAD_DEVICE = nova(
    400,
    "Invalid input for field/attribute device. Value: {}. {!r} does not match "
    "'(^/dev/x{{0,1}}[a-z]{{0,1}}d{{0,1}})([a-z]+)[0-9]*$'",
)
DEVICE_IN_USE = nova(409, "The supplied device path ({}) is in use.")
ALREADY_ATTACHED = nova(400, "Invalid volume: volume {} is already attached to instances: {}")
NOT_ATTACHED = nova(404, "Instance {} is not attached to volume {}")
ROOT_VOLUME = nova(400, "Cannot detach a root device volume")
#: Cinder's refusal, as Nova passes it on.
NOT_RESERVABLE = nova(
    400,
    "Invalid input received: Invalid volume: Volume {} status must be available or downloading "
    "to reserve, but the current status is {}. (HTTP 400) (Request-ID: {})",
)
VOLUME_IN_ERROR = nova(
    400,
    "Invalid input received: Invalid volume: Volume attachments can not be created if the volume "
    "is in an error state. The Volume {} currently has a status of: {}  (HTTP 400) (Request-ID: "
    "{})",
)
NOT_DETACHABLE = nova(
    400,
    "Invalid volume: Invalid input received: Invalid volume: Unable to detach volume. Volume "
    "status must be 'in-use' and attach_status must be 'attached' to detach. (HTTP 400) "
    "(Request-ID: {})",
)
