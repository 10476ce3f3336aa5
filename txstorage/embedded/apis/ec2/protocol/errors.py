# -*- test-case-name: tests.embedded.ec2.test_face -*-
"""
The errors of EC2, with their codes, their HTTP statuses and the form of their messages.

Source: "Error codes for the Amazon EC2 API" in EC2's API reference; the messages are as EC2's
clients show them.
"""

from __future__ import annotations

import attr


class QueryRefusal(Exception):
    """
    A refused request.

    :ivar status: the HTTP status.
    :ivar code: EC2's code.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, code, message)
        self.status = status
        self.code = code
        self.message = message


@attr.s(frozen=True, auto_attribs=True)
class RefusalForm:
    """
    A kind of error.

    :ivar template: of the message, for :meth:`str.format`.
    """

    code: str
    template: str
    status: int = 400

    def __call__(self, *args: object) -> QueryRefusal:
        """Return the error, for raising."""
        return QueryRefusal(self.status, self.code, self.template.format(*args))


# -- the request ------------------------------------------------------------------

NOT_AUTHENTICATED = RefusalForm(
    "AuthFailure", "AWS was not able to validate the provided access credentials", 401
)
NO_SIGNATURE = RefusalForm(
    "MissingAuthenticationToken", "Request is missing Authentication Token", 403
)
BAD_SIGNATURE = RefusalForm(
    "SignatureDoesNotMatch",
    "The request signature we calculated does not match the signature you provided. Check your AWS "
    "Secret Access Key and signing method. Consult the service documentation for details.",
    403,
)
INCOMPLETE_SIGNATURE = RefusalForm("IncompleteSignature", "{}")
UNKNOWN_KEY = RefusalForm(
    "InvalidClientTokenId", "The security token included in the request is invalid.", 403
)
BAD_WEB_IDENTITY = RefusalForm(
    "InvalidIdentityToken", "The web identity token that was passed is invalid."
)
DENIED = RefusalForm(
    "UnauthorizedOperation",
    "You are not authorized to perform this operation. User: {} is not authorized to perform: "
    "ec2:{} because no identity-based policy allows the ec2:{} action",
    403,
)
EXPIRED_TOKEN = RefusalForm(
    "ExpiredToken", "The security token included in the request is expired", 403
)
EXPIRED = RefusalForm("RequestExpired", "Request has expired.")
NO_ACTION = RefusalForm("InvalidAction", "The action {} is not valid for this web service.")
NO_VERSION = RefusalForm(
    "InvalidParameterValue", "The API version {} is unknown: this service has {}"
)
TOO_FAST = RefusalForm("RequestLimitExceeded", "Request limit exceeded.", 503)
TOO_LARGE = RefusalForm("RequestEntityTooLarge", "Request entity too large.", 413)
DRY_RUN = RefusalForm(
    "DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412
)
FAULT = RefusalForm(
    "InternalError", "An internal error has occurred; the log of the service has the reason.", 500
)
DISK_FULL = RefusalForm(
    "InsufficientVolumeCapacity", "There is not enough capacity to fulfill your request.", 503
)
UNSUPPORTED = RefusalForm("UnsupportedOperation", "{}")

# -- parameters -------------------------------------------------------------------

MISSING = RefusalForm("MissingParameter", "The request must contain the parameter {}")
UNKNOWN_PARAMETER = RefusalForm("UnknownParameter", "The parameter {} is not recognized")
BAD_VALUE = RefusalForm("InvalidParameterValue", "Value ({}) for parameter {} is invalid. {}")
INVALID = RefusalForm("InvalidParameterValue", "{}")
COMBINATION = RefusalForm(
    "InvalidParameterCombination", "The parameter {} cannot be used with the parameter {}"
)
NOT_FOR_TYPE = RefusalForm(
    "InvalidParameterCombination", "The parameter {} is not supported for {} volumes."
)
BAD_FILTER = RefusalForm("InvalidParameterValue", "The filter '{}' is invalid")
BAD_PAGE = RefusalForm("InvalidNextToken", "The pagination token is invalid")
TOKEN_REUSED = RefusalForm(
    "IdempotentParameterMismatch",
    "Arguments on this idempotent request are inconsistent with arguments used in previous "
    "request(s).",
)

# -- ids --------------------------------------------------------------------------

MALFORMED_VOLUME = RefusalForm("InvalidVolumeID.Malformed", 'Invalid id: "{}"')
MALFORMED_SNAPSHOT = RefusalForm("InvalidSnapshotID.Malformed", 'Invalid id: "{}"')
MALFORMED_INSTANCE = RefusalForm("InvalidInstanceID.Malformed", 'Invalid id: "{}"')
BAD_RESOURCE = RefusalForm("InvalidID", "The ID '{}' is not valid")
NO_VOLUME = RefusalForm("InvalidVolume.NotFound", "The volume '{}' does not exist.")
NO_SNAPSHOT = RefusalForm("InvalidSnapshot.NotFound", "The snapshot '{}' does not exist.")
NO_INSTANCE = RefusalForm("InvalidInstanceID.NotFound", "The instance ID '{}' does not exist")
NO_TYPE = RefusalForm(
    "InvalidInstanceType", "The following supplied instance types do not exist: [{}]"
)
NO_ZONE = RefusalForm("InvalidZone.NotFound", "The zone '{}' does not exist.")
NO_REGION = RefusalForm("InvalidParameterValue", "Invalid Region provided: {}")

# -- volumes ----------------------------------------------------------------------

UNKNOWN_TYPE = RefusalForm("UnknownVolumeType", "Unsupported volume type '{}' for volume creation.")
TOO_SMALL = RefusalForm(
    "InvalidParameterValue",
    "Volume of {}GiB is too small for volume type {}; minimum is {}GiB.",
)
TOO_BIG = RefusalForm(
    "InvalidParameterValue",
    "Volume of {}GiB is too large for volume type {}; maximum is {}GiB.",
)
SMALLER_THAN_SNAPSHOT = RefusalForm(
    "InvalidParameterValue",
    "Volume of {}GiB is smaller than snapshot '{}', expect size >= {}GiB",
)
SMALLER_THAN_SOURCE = RefusalForm(
    "InvalidParameterValue",
    "Volume of {}GiB is smaller than source volume '{}', expect size >= {}GiB",
)
IOPS_OF_TYPE = RefusalForm(
    "InvalidParameterValue", "Volume iops of {} is out of range for volume type {}: {} to {}."
)
IOPS_RATIO = RefusalForm(
    "InvalidParameterValue", "Iops to volume size ratio of {:.6f} is too high; maximum is {}."
)
THROUGHPUT_OF_TYPE = RefusalForm(
    "InvalidParameterValue", "Throughput of {} is out of range for volume type {}: {} to {} MiB/s."
)
THROUGHPUT_RATIO = RefusalForm(
    "InvalidParameterValue", "Throughput (MiBps) to iops ratio of {:.6f} is too high; maximum is {}"
)
TOO_MANY_VOLUMES = RefusalForm("VolumeLimitExceeded", "Maximum number of volumes, {}, exceeded.")
TOO_MANY_GIGABYTES = RefusalForm("VolumeLimitExceeded", "Maximum total storage, {} GiB, exceeded.")
IN_USE = RefusalForm("VolumeInUse", "Volume {} is currently attached to {}")
ATTACHED = RefusalForm("VolumeInUse", "{} is already attached to an instance")
NOT_NOW = RefusalForm("IncorrectState", "Volume '{}' is in the '{}' state.")
NOT_AVAILABLE = RefusalForm("IncorrectState", "{} is not 'available'.")
WRONG_ZONE = RefusalForm(
    "InvalidVolume.ZoneMismatch",
    "The volume '{}' is not in the same availability zone as instance '{}'",
)
BAD_DEVICE = RefusalForm(
    "InvalidParameterValue",
    "Value ({0}) for parameter device is invalid. {0} is not a valid EBS device name.",
)
DEVICE_IN_USE = RefusalForm(
    "InvalidParameterValue",
    "Invalid value '{0}' for unixDevice. Attachment point {0} is already in use",
)
TOO_MANY_ATTACHED = RefusalForm(
    "AttachmentLimitExceeded",
    "Attachment limit exceeded for instance type: {}. Current number of attachments: {}, limit {}",
)
NOT_ATTACHED = RefusalForm(
    "InvalidAttachment.NotFound", "Volume '{}' is not attached to instance '{}' as device '{}'."
)
ROOT_VOLUME = RefusalForm(
    "OperationNotPermitted",
    "The volume '{}' may not be detached from instance '{}' as it is a root device",
)
INSTANCE_GONE = RefusalForm("IncorrectState", "Instance '{}' is not 'running'.")

# -- modifications, snapshots and tags ----------------------------------------------

BEING_MODIFIED = RefusalForm(
    "IncorrectModificationState",
    "Cannot modify volume {}: a modification is in progress, in the state '{}'",
)
COOLING_DOWN = RefusalForm(
    "VolumeModificationRateExceeded",
    "You've reached the maximum modification rate per volume limit. Wait at least {} seconds "
    "between modifications per EBS volume.",
)
NOT_SMALLER = RefusalForm("InvalidParameterValue", "New size cannot be smaller than existing size")
NO_MODIFICATION = RefusalForm(
    "InvalidVolumeModification.NotFound", "Modification for volume '{}' does not exist."
)
SNAPSHOT_NOT_DONE = RefusalForm("IncorrectState", "Snapshot '{}' is not in the completed state.")
TOO_MANY_SNAPSHOTS = RefusalForm(
    "SnapshotLimitExceeded", "Maximum number of snapshots, {}, exceeded."
)
TOO_MANY_TAGS = RefusalForm(
    "TagLimitExceeded", "The number of tags exceeds the limit of {} per resource."
)
