# -*- test-case-name: tests.test_errors -*-
"""
What can go wrong besides Flocker's own exceptions.

Each message says what failed, on which volume, and why; each error also
carries a remedy: what the operator can do about it.  No message ever holds a
secret.
"""

from __future__ import absolute_import, division, print_function

from ._compat import as_text, native
from .interfaces import StorageInitializationError, UnknownInstanceID


class _Explained(object):
    """
    An exception's text and remedy.

    :ivar text message: what happened.
    :ivar text remedy: what to do about it; may be empty.
    """

    remedy = u""

    def __str__(self):
        return native(self.__unicode__())

    def __unicode__(self):
        if not self.remedy:
            return self.message
        return u"{} ({})".format(self.message, self.remedy)


class InvalidConfiguration(_Explained, StorageInitializationError):
    """
    The configuration can't be used.  Raised before any network traffic.

    :ivar text key: the configuration key at fault.
    :ivar text problem: what is wrong with it.
    """

    def __init__(self, key, problem, remedy=u""):
        self.key = key
        self.problem = as_text(problem)
        self.message = u"Configuration key {!s}: {!s}".format(as_text(key), as_text(problem))
        self.remedy = remedy
        StorageInitializationError.__init__(
            self, StorageInitializationError.CONFIGURATION_ERROR, native(self.message)
        )


class StorageError(_Explained, Exception):
    """
    The root of what can go wrong at run time.

    :param text message: what failed, on what, and why.
    """

    def __init__(self, message):
        message = as_text(message)
        Exception.__init__(self, message)
        self.message = message


class InvalidSize(StorageError, ValueError):
    """The size is not a positive whole number of bytes."""

    remedy = u"give the size as a positive whole number of bytes"


class InvalidDatasetID(StorageError, TypeError):
    """The dataset id is not a ``UUID``."""

    remedy = u"pass a uuid.UUID"


class UnknownProfile(StorageError, ValueError):
    """No volume type is configured for the profile."""

    remedy = u"map the profile to a volume type under 'profiles' in the configuration"


class UnknownServer(StorageError):
    """
    Compute has no such instance.

    :ivar text server_id: the instance id.
    """

    remedy = u"check the instance id, and that it is in this project and region"

    def __init__(self, server_id):
        StorageError.__init__(self, u"Compute knows no instance {}".format(as_text(server_id)))
        self.server_id = server_id


class TransportError(StorageError):
    """
    An exchange with a service did not end with an answer of that service.

    :ivar text method: the HTTP method.
    :ivar text url: where to, without the query.
    :cvar bool certainly_unprocessed: whether the service can't have acted on
        the request, so that a mutation may be sent again.
    """

    certainly_unprocessed = False

    def __init__(self, method, url, reason):
        self.method = as_text(method)
        self.url = as_text(url)
        self.reason = as_text(reason)
        StorageError.__init__(self, u"{} {}: {}".format(self.method, self.url, self.reason))


class Unreachable(TransportError):
    """No connection could be made."""

    certainly_unprocessed = True
    remedy = u"check that the service is running and that the address is right"


class CertificateRejected(TransportError):
    """The server's certificate does not verify."""

    certainly_unprocessed = True
    remedy = (
        u"point verify_ca_path at the certificate of the authority that signed "
        u"the service's certificate"
    )


class ResponseLost(TransportError):
    """The request may have been processed; its answer did not arrive whole."""

    remedy = u"the operation can be repeated: it finds out what was done"


class NotTheService(TransportError):
    """Something answered that does not speak the service's API."""

    remedy = u"check the endpoint's address: something else seems to listen there"


class EndpointMissing(StorageError):
    """The service catalog has no endpoint that fits the configuration."""

    remedy = u"check 'region' and 'interface', or name the endpoint in the configuration"


class ServiceError(StorageError):
    """
    A service answered with an error.

    :ivar int status: the HTTP status.
    :ivar text detail: the service's own message.
    :ivar request_id: the service's id of the request (text), or ``None``.
    :ivar retry_after: seconds the service asks to wait, or ``None``.
    :ivar kind: the service's name of the error (text, e.g.
        ``u"itemNotFound"``), or ``None`` when its answer has none, as that of
        a router or a proxy has.
    """

    certainly_unprocessed = False

    def __init__(self, method, url, status, detail, request_id=None, retry_after=None, kind=None):
        self.method = as_text(method)
        self.url = as_text(url)
        self.status = status
        self.detail = as_text(detail)
        self.request_id = request_id
        self.retry_after = retry_after
        self.kind = kind
        StorageError.__init__(
            self,
            u"{} {}: HTTP {}: {}{}".format(
                self.method, self.url, status, self.detail,
                u" [{}]".format(request_id) if request_id else u"",
            ),
        )


class RequestRefused(ServiceError):
    """400 and other 4xx: the service will not do this as things are."""

    certainly_unprocessed = True
    remedy = u"the service's message says why"


class AuthenticationFailed(ServiceError):
    """401: the credentials or the token are not accepted."""

    certainly_unprocessed = True
    remedy = u"check the user, the secret, the project and the domains"


class PermissionDenied(ServiceError):
    """403: the user may not do this."""

    certainly_unprocessed = True
    remedy = u"give the driver's user the 'member' role in the project"


class ResourceNotFound(ServiceError):
    """404: there is no such thing, or no such address."""

    certainly_unprocessed = True
    remedy = u"check that what the message names exists, and the endpoint's address"


class Conflict(ServiceError):
    """409: the thing is in a state that does not allow this."""

    certainly_unprocessed = True
    remedy = u"the service's message says why; repeat the operation when that has passed"


class QuotaExceeded(ServiceError):
    """The project's quota does not allow this."""

    certainly_unprocessed = True
    remedy = u"destroy volumes that are not needed, or have the project's quota raised"


class RateLimited(ServiceError):
    """413, 429 or 503 with ``Retry-After``: too many requests."""

    certainly_unprocessed = True
    remedy = u"lower max_requests_per_second"


class ServiceBroken(ServiceError):
    """5xx: the service failed; whether it acted is not known."""

    remedy = u"look for the request id in the service's logs"


class VolumeError(StorageError):
    """
    Something is wrong with one volume.

    :ivar text volume_id: the volume.
    """

    def __init__(self, volume_id, message):
        StorageError.__init__(self, message)
        self.volume_id = volume_id


class UnusableStatus(VolumeError):
    """
    The volume is in a status in which the operation is not possible.

    :ivar text operation: e.g. ``u"attach"``.
    :ivar text status: the volume's status.
    """

    remedy = u"see 'txstorage volumes show', then repair it with the cloud's own tools"

    def __init__(self, operation, volume_id, status, reason=u""):
        self.operation = operation
        self.status = status
        self.reason = reason
        VolumeError.__init__(
            self,
            volume_id,
            u"Can't {} volume {}: its status is {!s}{}".format(
                operation, volume_id, status, u": " + reason if reason else u""
            ),
        )


class StillAttached(VolumeError):
    """The volume is attached, and only an unattached one can be destroyed."""

    remedy = u"detach it first"

    def __init__(self, volume_id, servers):
        self.servers = tuple(servers)
        VolumeError.__init__(
            self,
            volume_id,
            u"Can't destroy volume {}: it is attached to {}".format(
                volume_id, u", ".join(self.servers) or u"a server"
            ),
        )


class OperationFailed(VolumeError):
    """The service accepted the request, and then did not carry it out."""

    remedy = u"look in the service's logs for the volume, then repeat the operation"

    def __init__(self, operation, volume_id, what):
        self.operation = operation
        VolumeError.__init__(
            self, volume_id, u"Can't {} volume {}: {}".format(operation, volume_id, what)
        )


class OperationTimedOut(StorageError):
    """
    An operation's deadline passed.  It can be repeated: it goes on from
    where the cloud is.

    :ivar text operation: e.g. ``u"attach"``.
    :ivar text subject: what it was about, e.g. ``u"volume <id>"``.
    :ivar text awaited: what it waited for.
    :ivar float seconds: how long it waited.
    :ivar text last_seen: what was seen last.
    """

    remedy = u"repeat the operation, which goes on where this one stopped, or raise 'timeout'"

    def __init__(self, operation, subject, awaited, seconds, last_seen):
        self.operation = operation
        self.subject = subject
        self.awaited = awaited
        self.seconds = seconds
        self.last_seen = last_seen
        StorageError.__init__(
            self,
            u"Gave up to {} {} after waiting {:.1f} seconds for {}; last seen: {}".format(
                operation, subject, seconds, awaited, last_seen
            ),
        )


class MalformedLabels(VolumeError):
    """The volume belongs to this cluster but does not say to which dataset."""

    remedy = u"set its metadata key flocker-dataset-id to the dataset's UUID"


class DatasetConflict(VolumeError):
    """There is a volume for the dataset already, and it is another size."""

    remedy = u"destroy the volume that is there, or ask for its size"


class UnidentifiedNode(_Explained, UnknownInstanceID):
    """
    This node's instance id could not be found.

    :param node: who looked for it.
    :ivar tuple attempts: of ``(source, outcome)`` texts, in order.
    """

    remedy = u"set 'instance_id' in the configuration to this node's id in the cloud"

    def __init__(self, node, attempts):
        UnknownInstanceID.__init__(self, node)
        self.attempts = tuple(attempts)
        self.message = u"Can't find out this node's instance id: {}".format(
            u"; ".join(u"{}: {}".format(source, outcome) for source, outcome in self.attempts)
        )


class DeviceError(VolumeError):
    """The volume's device on this node is not what it must be, or can't be looked at."""

    remedy = u"check that this process may read /sys and /dev"


class DeviceNotFound(DeviceError):
    """No block device of this node has the volume's identity."""

    remedy = u"check that 'instance_id' names this very node"


class DeviceAmbiguous(DeviceError):
    """Several block devices claim to be the volume, so none is used."""

    remedy = u"find out which is which before you touch either"


class DeviceMismatch(DeviceError):
    """The device with the volume's identity has another size."""

    remedy = u"do not use the device; compare it with the volume's size in the cloud"


class DeviceBusy(DeviceError):
    """The device is in use on this node, so it is not taken away."""

    remedy = u"unmount it; 'findmnt' and 'lsof' show what holds it"


class DeviceStillPresent(DeviceError):
    """The volume's device is still on this node."""

    remedy = u"see what holds it with 'lsof' and 'findmnt', then detach again"


class DriverStopped(StorageError):
    """A blocking operation is not carried out, or not to its end; the message says why."""

    remedy = u"an operation that was under way can be repeated: it finds out what was done"
