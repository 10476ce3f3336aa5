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

_IDENTITY_VERSION = re.compile(u"/v[0-9]+(\\.[0-9]+)?$")

# A token is renewed this long before its end, or after nine tenths of a short
# life: a request may wait for its turn, and the service checks it on arrival.
_MARGIN = 60.0
_MARGIN_FRACTION = 0.1

# Seconds: how long a renewal may hold up requests while the old token is still
# good, and how long after a failed one the next one begins.
_PATIENCE = 10.0
_PAUSE = 10.0

_NOT_ACCEPTABLE = 406


def identity_url(auth_url):
    """
    :param text auth_url: of Keystone, with or without the version.
    :return: the URL of its version 3, without a slash at its end.
    """
    return _IDENTITY_VERSION.sub(u"", as_text(auth_url).rstrip(u"/")) + u"/v3"


@attr.s(frozen=True, hash=False)
class Identity(object):
    """
    Who a session is, for people.

    :ivar text user_name: whose token it is; empty without Keystone.
    :ivar text project_name: of which project.
    :ivar text project_id: its id.
    :ivar expires_in: seconds that are left of the token, or ``None``.
    :ivar tuple catalog: of :class:`Endpoint`.
    """

    user_name = attr.ib(default=u"")
    project_name = attr.ib(default=u"")
    project_id = attr.ib(default=u"")
    expires_in = attr.ib(default=None)
    catalog = attr.ib(default=())


class Session(object):
    """
    Requests in the name of a user.

    :param reactor: provides ``IReactorTime``.
    :param http: a :class:`~txstorage._http.client.HTTPClient`.
    :param auth_url: where Keystone is (text); ``None`` without Keystone.
    :param credentials: who asks: :class:`Credentials`, or a
        :class:`CredentialSource` of those that may change.
    :param region: text, or ``None`` for the only one there is.
    :param text interface: ``public``, ``internal`` or ``admin``.
    :param dict endpoints: service type to URL, instead of the catalog's.
    """

    def __init__(
        self, reactor, http, auth_url, credentials, region=None, interface=u"public", endpoints=()
    ):
        self._reactor = reactor
        self._http = http
        self._auth_url = None if auth_url is None else identity_url(auth_url)
        if isinstance(credentials, Credentials):
            credentials = CredentialSource.fixed(credentials)
        self._credentials = credentials
        self._region = region
        # Keystone v2 called them publicURL etc., and configurations still do.
        self._interface = interface[:-3] if interface.endswith(u"URL") else interface
        self._endpoints = dict(endpoints)
        self._token = None
        self._renew_at = self._ends_at = None
        self._renewal = SharedCall(self._authenticate)
        self._discovery = VersionDiscovery(self._version_document)

    def token(self):
        """
        :return: a ``Deferred`` that fires with a :class:`Token` that is good
            for a while yet; fails with
            :class:`~txstorage.errors.AuthenticationFailed`.
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
        """
        :return: a ``Deferred`` that fires with the :class:`Identity`.
        """
        return self.token().addCallback(self._identity)

    def endpoint(self, service_types):
        """
        :param service_types: texts, the preferred one first.
        :return: a ``Deferred`` that fires with the endpoint's URL (text); fails
            with :class:`~txstorage.errors.EndpointMissing`.
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
        """
        Ask a service.  A token that is refused is renewed once.

        :param service_types: texts, the preferred one first.
        :param text method: the HTTP method.
        :param text path: under the endpoint, percent-encoded, from a slash on.
        :param microversions: any of which will do, the best first, e.g.
            ``(u"3.5", u"3.3")``; the service gets the first that it has.
        :param json: the body, or ``None``.
        :param params: the query: a dict or pairs of texts.
        :param expected: statuses to accept besides 2xx.
        :param text version: of the API: ``v3`` or ``v2.1``.
        :return: a ``Deferred`` that fires with a
            :class:`~txstorage._http.client.Response`; fails with
            :class:`~txstorage.errors.StorageError`, of which
            :class:`~txstorage.errors.MicroversionMissing` comes before anything
            is sent; can be cancelled.
        """
        api = APIS[version]

        def send(token):
            return self._place(api, service_types, token, microversions).addCallback(send_to, token)

        def send_to(place, token):
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
            if failure.check(ServiceError) and failure.value.status == _NOT_ACCEPTABLE:
                self._discovery.clear()
            if not failure.check(AuthenticationFailed):
                return failure
            if token is self._token:
                self._token = None
            return self.token().addCallback(again, token, failure)

        def again(token, before, failure):
            if self._credentials.kind == u"none" and token == before:
                return failure
            return send(token)

        def first(token):
            return send(token).addErrback(refused, token)

        return self.token().addCallback(first)

    def close(self):
        """
        :return: a ``Deferred`` that fires when no connection is left.
        """
        return self._http.close()

    def _endpoint(self, token, service_types):
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
            # Keystone leaves out endpoints with a project's id in them.
            message = error.message
        raise EndpointMissing(message + u"; the token is for no project")

    def _place(self, api, service_types, token, microversions):
        """
        :return: a ``Deferred`` that fires with the URL that paths are added
            to, and with the header for the microversion, or ``None``.
        """
        endpoint = self._endpoint(token, service_types)
        if version_base(endpoint) is not None:
            base = endpoint.rstrip(u"/")
            if not microversions:
                return succeed((base, None))
        else:
            base = None

        def negotiated(found):
            header = negotiate(api, found, microversions) if microversions else None
            return base or with_project(api, found, token.project_id), header

        return self._discovery.find(api, endpoint, token).addCallback(negotiated)

    def _version_document(self, url, token):
        # 300: which of several versions.
        return self._http.request(
            u"GET", url, token=token.secret, expected=(300,), redact=(token.secret,)
        )

    def _identity(self, token):
        left = None
        if self._ends_at is not None:
            left = max(0.0, self._ends_at - self._reactor.seconds())
        return Identity(
            token.user_name, token.project_name, token.project_id, left, token.catalog
        )

    def _no_renewal(self):
        return ResponseLost(
            u"POST",
            self._auth_url + u"/auth/tokens",
            u"no token within {:g} seconds".format(_PATIENCE),
        )

    def _keep(self, failure, token):
        """A token that could not be renewed is good until its end."""
        failure.trap(StorageError)
        now = self._reactor.seconds()
        if token is not self._token or now >= self._ends_at:
            return failure
        TOKEN_KEPT(reason=failure.value.message, remaining=self._ends_at - now).write()
        self._renew_at = min(now + _PAUSE, self._ends_at)
        return token

    def _authenticate(self):
        credentials = self._credentials.current()
        if credentials.kind == u"none":
            secret = credentials.secret
            self._token = Token(None if secret is None else reveal(secret))
            return self._token
        asked = self._ask_for_token(credentials)
        return asked.addErrback(self._ask_as_before, credentials)

    def _ask_as_before(self, failure, refused):
        """What was read from a file last may be wrong, and what worked may do so still."""
        worked = self._credentials.worked
        if not failure.check(AuthenticationFailed) or worked in (None, refused):
            return failure
        CREDENTIALS_KEPT(reason=failure.value.message).write()
        return self._ask_for_token(worked).addErrback(lambda _: failure)

    def _ask_for_token(self, credentials):
        asked_at = self._reactor.seconds()
        asked = self._http.request(
            u"POST",
            self._auth_url + u"/auth/tokens",
            json=credentials.to_wire(),
            redact=(reveal(credentials.secret),),
            # A token too many does no harm.
            repeatable=True,
        )
        asked.addErrback(_not_authenticated, credentials)
        return asked.addCallback(self._authenticated, asked_at, credentials)

    def _authenticated(self, response, asked_at, credentials):
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
    error = failure.value
    # Keystone says 404 of a token and of an application credential that it does
    # not know; what is no Keystone says it in another form.
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
