# -*- test-case-name: tests.clouds.openstack.test_session -*-
"""
A session with OpenStack: tokens, the catalog, authenticated requests.
"""

from __future__ import absolute_import, division, print_function

import re

import attr
from twisted.internet.defer import succeed

from ..._log import CREDENTIALS_KEPT, TOKEN_KEPT
from ..._support.compat import as_text
from ..._support.deferreds import SharedCall, with_deadline
from ..._support.eliot_context import resume_context
from ...errors import (
    AuthenticationFailed,
    EndpointMissing,
    NotTheService,
    ResourceNotFound,
    ResponseLost,
    ServiceError,
    StorageError,
)
from .catalog import Endpoint, choose_endpoint
from .credentials import Credentials, CredentialSource, reveal
from .tokens import Token
from .versions import APIS, VersionDiscovery, negotiate, version_base, with_project

MYPY = False
if MYPY:
    from typing import Any, Dict, Optional, Sequence, Text, Tuple  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.internet.interfaces import IReactorTime  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from ..._http.client import HTTPClient  # noqa: F401
    from ..._http.messages import Response  # noqa: F401
    from .versions import API, ServiceVersions  # noqa: F401

_IDENTITY_VERSION = re.compile(u"/v[0-9]+(\\.[0-9]+)?$")

# A token is renewed this many seconds before its end, or after nine tenths of a short life: a
# request may wait for its turn, and the service checks the token on arrival.
_MARGIN = 60.0
_MARGIN_FRACTION = 0.1

# Seconds that a renewal may delay requests while the old token is still valid, and seconds between
# a failed renewal and the next.
_PATIENCE = 10.0
_PAUSE = 10.0

_NOT_ACCEPTABLE = 406


def identity_url(auth_url):
    # type: (Text) -> Text
    """
    :param text auth_url: Keystone's URL, with or without the version.
    :return: the URL of its version 3, without a slash at its end.
    """
    return _IDENTITY_VERSION.sub(u"", as_text(auth_url).rstrip(u"/")) + u"/v3"


@attr.s(frozen=True, hash=False)
class Identity(object):
    """
    A session's user and project, for people.

    :ivar text user_name: the token's user; empty without Keystone.
    :ivar text project_name: its project.
    :ivar text project_id: the project's id.
    :ivar expires_in: seconds until the token expires, or ``None``.
    :ivar tuple catalog: of :class:`Endpoint`.
    """

    user_name = attr.ib(default=u"")  # type: Text
    project_name = attr.ib(default=u"")  # type: Text
    project_id = attr.ib(default=u"")  # type: Text
    expires_in = attr.ib(default=None)  # type: Optional[float]
    catalog = attr.ib(default=())  # type: Tuple[Endpoint, ...]


class Session(object):
    """
    Requests with a user's token.

    :param reactor: provides ``IReactorTime``.
    :param http: a :class:`~txstorage._http.client.HTTPClient`.
    :param auth_url: Keystone's URL (text); ``None`` without Keystone.
    :param credentials: :class:`Credentials`, or a :class:`CredentialSource` of credentials that may
        change.
    :param region: text, or ``None`` for the only region.
    :param text interface: ``public``, ``internal`` or ``admin``.
    :param dict endpoints: service type to URL, instead of the catalog's.
    """

    def __init__(
        self, reactor, http, auth_url, credentials, region=None, interface=u"public", endpoints=()
    ):
        # type: (IReactorTime, HTTPClient, Optional[Text], Any, Optional[Text], Text, Any) -> None
        self._reactor = reactor
        self._http = http
        self._auth_url = None if auth_url is None else identity_url(auth_url)  # type: Any
        if isinstance(credentials, Credentials):
            credentials = CredentialSource.fixed(credentials)
        self._credentials = credentials
        self._region = region
        self._interface = interface
        self._endpoints = dict(endpoints)  # type: Dict[Text, Text]
        self._token = None  # type: Optional[Token]
        self._renew_at = None  # type: Optional[float]
        self._ends_at = None  # type: Any
        self._renewal = SharedCall(self._authenticate)
        self._discovery = VersionDiscovery(self._version_document)

    def token(self):
        # type: () -> Deferred[Token]
        """
        :return: a ``Deferred`` that fires with a :class:`Token` that does not expire soon; fails
            with :class:`~txstorage.errors.AuthenticationFailed`.
        """
        token, now = self._token, self._reactor.seconds()
        if token is not None and (self._renew_at is None or now < self._renew_at):
            return succeed(token)
        renewing = resume_context(self._renewal.join())
        if token is None or now >= self._ends_at:
            return renewing
        with_deadline(self._reactor.callLater, _PATIENCE, renewing, self._no_renewal)
        return renewing.addErrback(self._keep, token)

    def identity(self):
        # type: () -> Deferred[Identity]
        """
        :return: a ``Deferred`` that fires with the :class:`Identity`.
        """
        return self.token().addCallback(self._identity)

    def endpoint(self, service_types):
        # type: (Sequence[Text]) -> Deferred[Text]
        """
        :param service_types: texts, the preferred one first.
        :return: a ``Deferred`` that fires with the endpoint's URL (text); fails with
            :class:`~txstorage.errors.EndpointMissing`.
        """
        return self.token().addCallback(self._endpoint, service_types)

    def request(
        self,
        service_types,
        method,
        path,
        microversions=(),
        json=None,
        params=(),
        expected=(),
        version=u"v3",
    ):
        # type: (Sequence[Text], Text, Text, Sequence[Text], Any, Any, Sequence[int], Text) -> Deferred[Response]
        """
        Send a request to a service.  A refused token is renewed once.

        :param service_types: texts, the preferred one first.
        :param text method: the HTTP method.
        :param text path: the path below the endpoint, percent-encoded, with its leading slash.
        :param microversions: acceptable ones, the best first, e.g. ``(u"3.5", u"3.3")``; the
            request names the first that the service has.
        :param json: the body, or ``None``.
        :param params: the query: a dict or pairs of texts.
        :param expected: statuses to accept besides 2xx.
        :param text version: of the API: ``v3`` or ``v2.1``.
        :return: a ``Deferred`` that fires with a :class:`~txstorage._http.client.Response`; fails
            with :class:`~txstorage.errors.StorageError`, of which
            :class:`~txstorage.errors.MicroversionMissing` comes before anything is sent; can be
            cancelled.
        """
        api = APIS[version]

        def send(token):
            # type: (Token) -> Deferred[Any]
            return self._place(api, service_types, token, microversions).addCallback(send_to, token)

        def send_to(place, token):
            # type: (Tuple[Text, Optional[Text]], Token) -> Deferred[Response]
            base, header = place
            return self._http.request(
                method,
                base + path,
                json=json,
                params=params,
                token=token.secret,
                microversion=header,
                expected=expected,
                redact=(token.secret,),
            )

        def refused(failure, token):
            # type: (Failure, Token) -> Any
            error = failure.value  # type: Any
            if failure.check(ServiceError) and error.status == _NOT_ACCEPTABLE:
                self._discovery.clear()
            if not failure.check(AuthenticationFailed):
                return failure
            if token is self._token:
                self._token = None
            return self.token().addCallback(again, token, failure)

        def again(token, before, failure):
            # type: (Token, Token, Failure) -> Any
            if self._credentials.kind == u"none" and token == before:
                return failure
            return send(token)

        def first(token):
            # type: (Token) -> Deferred[Any]
            return send(token).addErrback(refused, token)

        return self.token().addCallback(first)

    def close(self):
        # type: () -> Deferred[Any]
        """
        :return: a ``Deferred`` that fires when no connection is left.
        """
        return self._http.close()

    def _endpoint(self, token, service_types):
        # type: (Token, Sequence[Text]) -> Text
        for service_type in service_types:
            if service_type in self._endpoints:
                return self._endpoints[service_type]
        if self._credentials.kind == u"none":
            raise EndpointMissing(
                u"Without Keystone the endpoint of {} must be configured".format(
                    u" or ".join(service_types)
                )
            )
        try:
            return choose_endpoint(token.catalog, service_types, self._interface, self._region)
        except EndpointMissing as error:
            if token.project_id:
                raise
            # Keystone omits endpoints whose URLs contain a project's id.
            message = error.message
        raise EndpointMissing(message + u"; the token has no project")

    def _place(self, api, service_types, token, microversions):
        # type: (API, Sequence[Text], Token, Sequence[Text]) -> Deferred[Tuple[Text, Optional[Text]]]
        """
        :return: a ``Deferred`` that fires with the base URL of paths, and with the header for the
            microversion, or ``None``.
        """
        endpoint = self._endpoint(token, service_types)
        if version_base(endpoint) is not None:
            base = endpoint.rstrip(u"/")
            if not microversions:
                return succeed((base, None))
        else:
            base = None

        def negotiated(found):
            # type: (ServiceVersions) -> Tuple[Text, Optional[Text]]
            header = negotiate(api, found, microversions) if microversions else None
            return base or with_project(api, found, token.project_id), header

        return self._discovery.find(api, endpoint, token).addCallback(negotiated)

    def _version_document(self, url, token):
        # type: (Text, Token) -> Deferred[Response]
        # 300: a choice of several versions.
        return self._http.request(
            u"GET", url, token=token.secret, expected=(300,), redact=(token.secret,)
        )

    def _identity(self, token):
        # type: (Token) -> Identity
        left = None
        if self._ends_at is not None:
            left = max(0.0, self._ends_at - self._reactor.seconds())
        return Identity(
            token.user_name, token.project_name, token.project_id, left, token.catalog
        )

    def _no_renewal(self):
        # type: () -> ResponseLost
        return ResponseLost(
            u"POST",
            self._auth_url + u"/auth/tokens",
            u"no token within {:g} seconds".format(_PATIENCE),
        )

    def _keep(self, failure, token):
        # type: (Failure, Token) -> Any
        """Keep a token that could not be renewed until it expires."""
        failure.trap(StorageError)
        now = self._reactor.seconds()
        if token is not self._token or now >= self._ends_at:
            return failure
        error = failure.value  # type: Any
        TOKEN_KEPT(reason=error.message, remaining=self._ends_at - now).write()
        self._renew_at = min(now + _PAUSE, self._ends_at)
        return token

    def _authenticate(self):
        # type: () -> Any
        credentials = self._credentials.current()
        if credentials.kind == u"none":
            secret = credentials.secret
            self._token = Token(None if secret is None else reveal(secret))
            return self._token
        asked = self._ask_for_token(credentials)
        return asked.addErrback(self._ask_as_before, credentials)

    def _ask_as_before(self, failure, refused):
        # type: (Failure, Credentials) -> Any
        """Try the credentials that worked last: the newly loaded ones may be wrong."""
        worked = self._credentials.worked
        if not failure.check(AuthenticationFailed) or worked in (None, refused):
            return failure
        error = failure.value  # type: Any
        CREDENTIALS_KEPT(reason=error.message).write()
        return self._ask_for_token(worked).addErrback(lambda _: failure)

    def _ask_for_token(self, credentials):
        # type: (Credentials) -> Deferred[Token]
        asked_at = self._reactor.seconds()
        asked = self._http.request(
            u"POST",
            self._auth_url + u"/auth/tokens",
            json=credentials.to_wire(),
            redact=(reveal(credentials.secret),),
            # A superfluous token is harmless.
            repeatable=True,
        )
        asked.addErrback(_not_authenticated, credentials)
        return asked.addCallback(self._authenticated, asked_at, credentials)

    def _authenticated(self, response, asked_at, credentials):
        # type: (Response, float, Credentials) -> Token
        wire = response.field(u"token", dict)
        secret = response.headers.get(u"x-subject-token")
        if not secret:
            raise NotTheService(
                response.method, response.url, u"there is no X-Subject-Token in the answer"
            )
        token = Token.from_wire(secret, wire)
        self._renew_at = self._ends_at = None
        if token.lifetime is not None:
            self._ends_at = asked_at + token.lifetime
            margin = min(_MARGIN, token.lifetime * _MARGIN_FRACTION)
            self._renew_at = self._ends_at - margin
        self._token = token
        self._credentials.worked = credentials
        return token


def _not_authenticated(failure, credentials):
    # type: (Failure, Credentials) -> Failure
    error = failure.value  # type: Any
    # Keystone returns 404 for an unknown token or application credential; a 404 of another form is
    # not Keystone's.
    unknown = isinstance(error, ResourceNotFound) and error.kind == u"error"
    if unknown or isinstance(error, AuthenticationFailed):
        raise AuthenticationFailed(
            error.method,
            error.url,
            error.status,
            u"{}: {}".format(credentials.describe(), error.detail),
            error.request_id,
            error.retry_after,
            error.kind,
        )
    if isinstance(error, ResourceNotFound):
        raise NotTheService(
            error.method, error.url, u"there is no Identity API, version 3: " + error.detail
        )
    return failure


__all__ = [
    "CredentialSource",
    "Credentials",
    "Endpoint",
    "Identity",
    "Session",
    "Token",
    "identity_url",
]
