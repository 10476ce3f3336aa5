# -*- test-case-name: tests.errors.test_errors -*-
"""
Errors of the communication with a cloud's services.
"""

from __future__ import absolute_import, division, print_function

from .._support.compat import as_text
from .base import StorageError, bounded
from .remedies import OF_SERVICES, remedy_for

MYPY = False
if MYPY:
    from typing import Optional, Text, Tuple  # noqa: F401


class TransportError(StorageError):
    """
    A request got no valid response from the service.

    :ivar text method: the HTTP method.
    :ivar text url: the request's URL, without the query, and the proxy in use.
    :ivar text reason: the problem.
    :cvar bool certainly_unprocessed: whether the service certainly did not process the request,
        so that a mutation can be sent again.
    """

    certainly_unprocessed = False

    def __init__(self, method, url, reason):
        # type: (object, object, object) -> None
        self.method = as_text(method)
        self.url = as_text(url)
        self.reason = bounded(as_text(reason))
        StorageError.__init__(self, u"{} {}: {}".format(self.method, self.url, self.reason))


class Unreachable(TransportError):
    """The connection to the service failed."""

    certainly_unprocessed = True
    remedy = u"check that the service is running and that its address is correct"


class CertificateRejected(TransportError):
    """The server's certificate failed verification."""

    certainly_unprocessed = True
    remedy = (
        u"set verify_ca_path to the certificate of the authority that signed "
        u"the service's certificate"
    )


class ClientCertificateRejected(TransportError):
    """The service rejected this client's certificate, or requires one and got none."""

    certainly_unprocessed = True
    remedy = (
        u"set client_certificate and client_key to a certificate that the service "
        u"accepts and that has not expired"
    )


class NoHandshake(TransportError):
    """The server accepts connections and does not complete a TLS handshake in time."""

    # Nothing but the handshake was sent.
    certainly_unprocessed = True
    remedy = (
        u"if the service speaks plain HTTP there, begin the address with http:; otherwise see why "
        u"the service does not answer"
    )


class ProxyUnauthenticated(TransportError):
    """407: the proxy requires a user and a password, or rejects those that are configured."""

    certainly_unprocessed = True
    remedy = (
        u"write the proxy's user and password into the address in 'proxy', as in "
        u"http://USER:PASSWORD@HOST:PORT"
    )


class ProxyRefused(TransportError):
    """The proxy does not connect to the service."""

    certainly_unprocessed = True
    remedy = (
        u"have the proxy allow CONNECT to the service's host and port, or add the host to the "
        u"variable no_proxy"
    )


class ResponseLost(TransportError):
    """The response did not arrive completely; the service may have processed the request."""

    remedy = u"retry the operation; it resumes from the cloud's current state"


class NotTheService(TransportError):
    """The response is not one of the service's API."""

    remedy = u"check the endpoint's address; another program seems to listen there"


class VersionsUnknown(NotTheService):
    """A request needs a microversion, and the service's version document was not found."""

    certainly_unprocessed = True
    remedy = (
        u"check that a GET of this address returns the service's versions, also through proxies "
        u"and load balancers"
    )

    def __init__(self, method, url, reason):
        # type: (object, object, object) -> None
        NotTheService.__init__(
            self, method, url, u"the service's versions are unknown: {}".format(as_text(reason))
        )


class EndpointMissing(StorageError):
    """The service catalog has no endpoint that matches the configuration."""

    remedy = u"check 'region' and 'interface', or set the endpoint in the configuration"


class InsecureEndpoint(EndpointMissing):
    """The catalog came by https and names an http endpoint, which would expose the token."""

    remedy = (
        u"have the catalog corrected, set 'volume_endpoint' or 'compute_endpoint' to the https "
        u"address, or set 'allow_insecure_endpoints' to let everyone on the way read the token"
    )


class MicroversionMissing(StorageError):
    """
    The service does not support a required microversion.

    :ivar text needed: the lowest sufficient microversion.
    :ivar maximum: the service's highest microversion, ``(major, minor)``, or ``None`` when the
        service has no microversions or does not report them.
    """

    remedy = u"upgrade the service to a newer release"

    def __init__(self, title, url, needed, maximum):
        # type: (Text, Text, Text, Optional[Tuple[int, int]]) -> None
        self.needed = needed
        self.maximum = maximum
        StorageError.__init__(
            self,
            u"{} at {} has {}, and {} is required".format(
                title,
                url,
                u"no microversions"
                if maximum is None
                else u"no microversion above {}.{}".format(*maximum),
                needed,
            ),
        )


class ServiceError(StorageError):
    """
    A service responded with an error.

    :ivar text method: the HTTP method.
    :ivar text url: the request's URL, without the query, and the proxy in use.
    :ivar int status: the HTTP status.
    :ivar text detail: the service's own message.
    :ivar request_id: the service's id of the request (text), or ``None``.
    :ivar retry_after: the delay in seconds that the service requests before a retry, or ``None``.
    :ivar kind: the service's name of the error (text, e.g. ``u"itemNotFound"``), or ``None`` when
        the response has none, like the responses of proxies.
    """

    certainly_unprocessed = False

    def __init__(
        self,
        method,  # type: object
        url,  # type: object
        status,  # type: int
        detail,  # type: object
        request_id=None,  # type: Optional[Text]
        retry_after=None,  # type: Optional[float]
        kind=None,  # type: Optional[Text]
    ):
        # type: (...) -> None
        self.method = as_text(method)
        self.url = as_text(url)
        self.status = status
        self.detail = bounded(as_text(detail))
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
        self.remedy = remedy_for(OF_SERVICES, self.detail, status, type(self).remedy)


class RequestRefused(ServiceError):
    """400 and other 4xx: the service refused the request."""

    certainly_unprocessed = True
    remedy = u"see the reason in the service's message"


class AuthenticationFailed(ServiceError):
    """401: the service rejected the credentials or the token."""

    certainly_unprocessed = True
    remedy = (
        u"check the user, the secret, the project and the domains, and the access rules of an "
        u"application credential"
    )


class PermissionDenied(ServiceError):
    """403: the user lacks the permission for the request."""

    certainly_unprocessed = True
    remedy = u"assign the 'member' role in the project to the driver's user"


class ResourceNotFound(ServiceError):
    """404: the resource or the address does not exist."""

    certainly_unprocessed = True
    remedy = u"check that the resource exists and that the endpoint's address is correct"


class Conflict(ServiceError):
    """409: the resource is in a state that does not allow the request."""

    certainly_unprocessed = True
    remedy = u"see the reason in the service's message, and retry when it no longer applies"


class QuotaExceeded(ServiceError):
    """The request exceeds the project's quota."""

    certainly_unprocessed = True
    remedy = u"destroy unused volumes or snapshots, or have the project's quota raised"


class StorageFull(ServiceError):
    """507: the service's disk is full, so it can't record the change."""

    certainly_unprocessed = True
    remedy = u"destroy volumes that are not needed, or make room on the service's disk; then retry"


class RateLimited(ServiceError):
    """413, 429 or 503 with ``Retry-After``: too many requests."""

    certainly_unprocessed = True
    remedy = u"lower max_requests_per_second"


class ServiceBroken(ServiceError):
    """5xx: the service failed; it may have processed the request."""

    remedy = u"search the service's logs for the request id"
