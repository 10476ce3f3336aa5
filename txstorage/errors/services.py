# -*- test-case-name: tests.errors.test_errors -*-
"""
What can go wrong between this process and a cloud's services.
"""

from __future__ import absolute_import, division, print_function

from .._support.compat import as_text
from .base import StorageError


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


class ClientCertificateRejected(TransportError):
    """The service does not accept this client's certificate, or there is none."""

    certainly_unprocessed = True
    remedy = (
        u"point client_certificate and client_key at a certificate that the service "
        u"accepts; see that it has not expired"
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


class MicroversionMissing(StorageError):
    """
    The service is too old for what is asked of it.

    :ivar text needed: the lowest microversion that would do.
    :ivar maximum: the highest that the service has, ``(major, minor)``, or
        ``None`` when it has none or does not say so.
    """

    remedy = u"it needs a newer release of that service"

    def __init__(self, title, url, needed, maximum):
        self.needed = needed
        self.maximum = maximum
        StorageError.__init__(
            self,
            u"{} at {} has {}, and {} is needed".format(
                title,
                url,
                u"no microversions" if maximum is None else u"none above {}.{}".format(*maximum),
                needed,
            ),
        )


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
    remedy = (
        u"check the user, the secret, the project and the domains; with an application credential, "
        u"its access rules, too"
    )


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
