"""
Tests of the remedies: each fits the cause, which the message reveals.
"""

from __future__ import absolute_import, division, print_function

from twisted.trial.unittest import SynchronousTestCase

from txstorage import errors
from txstorage._http.failures import service_error
from txstorage.driver.lifecycle import AWAITED
from txstorage.errors.remedies import (
    COMPUTE_RELEASES,
    DEVICE_APPEARS,
    DEVICE_DISAPPEARS,
    DEVICE_GROWS,
    OF_OPERATIONS,
    OF_SERVICES,
    OF_WAITS,
    OWN_INSTANCE_ID,
    RESPONSE,
    remedy_for,
)

NOVA = u"https://cloud/compute/v2.1/servers/s/os-volume_attachments"
CINDER = u"https://cloud/volume/v3/p/volumes"
KEYSTONE = u"https://cloud/identity/v3/auth/tokens"

#: A service's status and body; the class of the error; words that the remedy has, and words that it
#: must not have.
ANSWERS = [
    (
        403,
        b'{"forbidden": {"code": 403, "message": "The maximum allowed number of disk devices (26)'
        b' to attach to a single instance has been exceeded."}}',
        errors.PermissionDenied,
        u"detach a volume that the instance no longer needs",
        u"role",
    ),
    (
        403,
        b'{"forbidden": {"code": 403, "message": "Policy doesn\'t allow volume:create."}}',
        errors.PermissionDenied,
        u"'member' role",
        u"detach",
    ),
    (
        401,
        b'{"receipt": {"methods": ["password"], "user": {"id": "u"}},'
        b' "required_auth_methods": [["password", "totp"]]}',
        errors.AuthenticationFailed,
        u"application credential of the user",
        u"check the user",
    ),
    (
        401,
        b'{"error": {"code": 401, "message": "The password is expired and needs to be changed for'
        b' user: 2a."}}',
        errors.AuthenticationFailed,
        u"change the user's password",
        u"domains",
    ),
    (
        401,
        b'{"error": {"code": 401, "message": "The account is disabled for user: 2a."}}',
        errors.AuthenticationFailed,
        u"account enabled",
        u"domains",
    ),
    (
        413,
        b'{"overLimit": {"code": 413, "message": "VolumeSizeExceedsLimit: Requested volume size'
        b' 5000G is larger than maximum allowed limit 1000G."}}',
        errors.QuotaExceeded,
        u"request a smaller volume",
        u"destroy",
    ),
    (
        413,
        b'{"overLimit": {"code": 413, "message": "VolumeLimitExceeded: Maximum number of volumes'
        b' allowed (10) exceeded for quota \'volumes\'."}}',
        errors.QuotaExceeded,
        u"destroy unused volumes or snapshots",
        u"smaller",
    ),
    (
        413,
        b'{"overLimit": {"code": 413, "message": "VolumeSizeExceedsAvailableQuota: Requested volume'
        b' or snapshot exceeds allowed gigabytes quota. Requested 2G, quota is 3G and 2G has been'
        b' consumed."}}',
        errors.QuotaExceeded,
        u"destroy unused volumes or snapshots",
        u"single volume",
    ),
    (
        413,
        b'{"overLimit": {"code": 413, "message": "SnapshotLimitExceeded: Maximum number of'
        b' snapshots allowed (1) exceeded"}}',
        errors.QuotaExceeded,
        u"destroy unused snapshots",
        u"volume",
    ),
    (
        404,
        b'{"itemNotFound": {"code": 404, "message": "Volume type fast could not be found."}}',
        errors.ResourceNotFound,
        u"'profiles'",
        u"endpoint",
    ),
    (
        400,
        b'{"badRequest": {"code": 400, "message": "Availability zone \'x\' is invalid."}}',
        errors.RequestRefused,
        u"'availability_zone'",
        u"see the reason",
    ),
    (
        400,
        b'{"badRequest": {"code": 400, "message": "Invalid volume: Deleting volume metadata is not'
        b' allowed for volumes in uploading status."}}',
        errors.RequestRefused,
        u"retry when the volume's status has changed",
        u"see the reason",
    ),
    (
        409,
        b'{"conflictingRequest": {"code": 409, "message": "Instance 1f is locked"}}',
        errors.Conflict,
        u"openstack server unlock",
        u"no longer applies",
    ),
    (
        400,
        b'{"badRequest": {"code": 400, "message": "Cannot detach a root device volume"}}',
        errors.RequestRefused,
        u"boots from it",
        u"see the reason",
    ),
    (
        507,
        b'{"computeFault": {"code": 507, "message": "No space left on device"}}',
        errors.StorageFull,
        u"make room",
        u"logs",
    ),
    (
        503,
        b"<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this"
        b" request.\n</body></html>",
        errors.ServiceBroken,
        u"load balancer",
        u"logs",
    ),
    (
        500,
        b'{"computeFault": {"code": 500, "message": "Unexpected API Error."}}',
        errors.ServiceBroken,
        u"search the service's logs",
        u"room",
    ),
]

#: Reasons that a cloud gives after it has accepted a request.
REASONS = [
    (u"create volume: File too large", u"smaller volume", u"retry"),
    (u"create volume: No space left on device", u"make room", u"retry"),
    (
        u"schedule allocate volume: Could not find any available weighted backend.",
        u"another volume type",
        u"retry",
    ),
    (
        u"create snapshot: it was written to during each attempt to copy it, and the file system "
        u"can't share data between files: stop writing for a moment, or detach it",
        u"fsfreeze",
        u"logs",
    ),
    (u"something else", u"search the service's logs", u"room"),
]


class ServiceRemedyTests(SynchronousTestCase):
    """Remedies of the services' error responses."""

    def test_table(self):
        """Each response has its class of error, and the remedy of its cause."""
        for status, body, kind, wanted, unwanted in ANSWERS:
            error = service_error(u"POST", CINDER, status, {}, body)
            self.assertIs(kind, type(error), body)
            self.assertIn(wanted, error.remedy)
            self.assertNotIn(unwanted, error.remedy)
            self.assertIn(error.remedy, str(error))

    def test_every_cause(self):
        """Each cause of the table is that of some response here, and none hides another."""
        seen = set()
        for status, body, _, _, _ in ANSWERS:
            message = service_error(u"POST", CINDER, status, {}, body).detail
            seen.add(remedy_for(OF_SERVICES, message, status))
        self.assertEqual({cause.remedy for cause in OF_SERVICES}, seen - {u""})

    def test_methods(self):
        """Keystone's receipt becomes a message that names the methods."""
        body = b'{"receipt": {}, "required_auth_methods": [["password", "totp"], ["mapped"]]}'
        error = service_error(u"POST", KEYSTONE, 401, {}, body)
        self.assertEqual(
            u"authentication requires one of the methods password and totp; or mapped",
            error.detail,
        )
        self.assertEqual(u"receipt", error.kind)

    def test_class_is_unchanged(self):
        """The remedy of one error is its own."""
        service_error(u"POST", NOVA, 403, {}, ANSWERS[0][1])
        self.assertIn(u"'member' role", errors.PermissionDenied.remedy)


class OperationRemedyTests(SynchronousTestCase):
    """Remedies of operations that failed after they were accepted, or did not end."""

    def test_reasons(self):
        """The remedy of a failed operation, and of a volume in error, fits the cloud's reason."""
        for reason, wanted, unwanted in REASONS:
            error = errors.OperationFailed(u"create", u"v", reason)
            self.assertIn(wanted, error.remedy)
            self.assertNotIn(unwanted, error.remedy.replace(u"retry the operation", u""))
        error = errors.UnusableStatus(u"attach", u"v", u"error", REASONS[0][0])
        self.assertIn(u"smaller volume", error.remedy)
        error = errors.UnusableStatus(u"attach", u"v", u"error", u"")
        self.assertIn(u"txstorage volumes show", error.remedy)

    def test_every_reason(self):
        """Each reason of the table is one of those here."""
        seen = {remedy_for(OF_OPERATIONS, reason) for reason, _, _ in REASONS}
        self.assertEqual({cause.remedy for cause in OF_OPERATIONS}, seen - {u""})

    def test_waits(self):
        """The remedy of a timeout fits the event that did not happen."""
        wanted = {
            DEVICE_APPEARS: u"leave its status alone",
            DEVICE_DISAPPEARS: u"lsof",
            DEVICE_GROWS: u"rescan",
            COMPUTE_RELEASES: u"compute service",
            OWN_INSTANCE_ID: u"'instance_id'",
            RESPONSE: u"check that the service answers",
        }
        self.assertEqual(set(OF_WAITS), set(wanted))
        for awaited, words in wanted.items():
            error = errors.OperationTimedOut(u"attach", u"volume v", awaited, 1.0, u"in-use")
            self.assertIn(words, error.remedy)
            self.assertNotIn(u"reset the volume's status", error.remedy)

    def test_statuses(self):
        """The remedy of a timeout fits the last status, also with its places and problems."""
        for last_seen in (u"busy", u"busy, attached to i-1", u"busy; last problem: no"):
            error = errors.OperationTimedOut(u"detach", u"volume v", RESPONSE, 1.0, last_seen)
            self.assertIn(u"unmount the volume in the instance", error.remedy)
        error = errors.OperationTimedOut(u"detach", u"volume v", RESPONSE, 1.0, u"busybody")
        self.assertEqual(OF_WAITS[RESPONSE], error.remedy)

    def test_waits_for_the_cloud(self):
        """Only a transition that the cloud has lost needs its administrator."""
        for awaited in AWAITED.values():
            error = errors.OperationTimedOut(u"attach", u"volume v", awaited, 1.0, u"attaching")
            self.assertIn(u"reset the volume's status", error.remedy)
