# -*- test-case-name: tests.test_keystone -*-
"""
A session with OpenStack: tokens, the catalog, authenticated requests.
"""

from __future__ import absolute_import, division, print_function

import re

import attr
from twisted.internet.defer import maybeDeferred, succeed

from ..._compat import as_text
from ..._deferreds import SharedCall
from ..._logging import resumed
from ...errors import AuthenticationFailed, EndpointMissing, NotTheService, ResourceNotFound
from ._catalog import Endpoint, choose_endpoint, versioned
from ._tokens import Credentials, Token, reveal

_IDENTITY_VERSION = re.compile(u"/v[0-9]+(\\.[0-9]+)?$")

# A token is renewed this long before its end, or after nine tenths of a short
# life: a request may wait for its turn, and the service checks it on arrival.
_MARGIN = 60.0
_MARGIN_FRACTION = 0.1


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
    :param http: a :class:`~txstorage.http.HTTPClient`.
    :param auth_url: where Keystone is (text); ``None`` without Keystone.
    :param Credentials credentials: who asks.
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
        self._credentials = credentials
        self._region = region
        # Keystone v2 called them publicURL etc., and configurations still do.
        self._interface = interface[:-3] if interface.endswith(u"URL") else interface
        self._endpoints = dict(endpoints)
        self._token = None
        self._renew_at = self._ends_at = None
        self._renewal = SharedCall(self._authenticate)

    def token(self):
        """
        :return: a ``Deferred`` that fires with a :class:`Token` that is good
            for a while yet; fails with
            :class:`~txstorage.errors.AuthenticationFailed`.
        """
        if self._credentials.kind == u"none":
            secret = self._credentials.secret
            return maybeDeferred(lambda: Token(None if secret is None else reveal(secret)))
        if self._token is not None:
            if self._renew_at is None or self._reactor.seconds() < self._renew_at:
                return succeed(self._token)
        return resumed(self._renewal.join())

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
        microversion=None,
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
        :param microversion: e.g. ``u"volume 3.3"``, or ``None``.
        :param json: the body, or ``None``.
        :param params: the query: a dict or pairs of texts.
        :param expected: statuses to accept besides 2xx.
        :param text version: for an endpoint whose URL has none.
        :return: a ``Deferred`` that fires with a
            :class:`~txstorage.http.Response`; fails with
            :class:`~txstorage.errors.StorageError`; can be cancelled.
        """

        def send(token):
            return self._http.request(
                method,
                versioned(self._endpoint(token, service_types), version) + path,
                json=json,
                params=params,
                token=token.secret,
                microversion=microversion,
                expected=expected,
                redact=(token.secret,),
            )

        def refused(failure, token):
            if not failure.check(AuthenticationFailed) or self._credentials.kind == u"none":
                return failure
            if token is self._token:
                self._token = None
            return self.token().addCallback(send)

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
        return choose_endpoint(token.catalog, service_types, self._interface, self._region)

    def _identity(self, token):
        left = None
        if self._ends_at is not None:
            left = max(0.0, self._ends_at - self._reactor.seconds())
        return Identity(
            token.user_name, token.project_name, token.project_id, left, token.catalog
        )

    def _authenticate(self):
        asked_at = self._reactor.seconds()
        asked = self._http.request(
            u"POST",
            self._auth_url + u"/auth/tokens",
            json=self._credentials.to_wire(),
            redact=(reveal(self._credentials.secret),),
            # A token too many does no harm.
            repeatable=True,
        )
        asked.addErrback(self._not_authenticated)
        return asked.addCallback(self._authenticated, asked_at)

    def _authenticated(self, response, asked_at):
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
        return token

    def _not_authenticated(self, failure):
        error = failure.value
        if isinstance(error, AuthenticationFailed):
            raise AuthenticationFailed(
                error.method,
                error.url,
                error.status,
                u"{}: {}".format(self._credentials.describe(), error.detail),
                error.request_id,
                error.retry_after,
                error.kind,
            )
        if isinstance(error, ResourceNotFound):
            raise NotTheService(
                error.method, error.url, u"there is no Identity API, version 3: " + error.detail
            )
        return failure


__all__ = ["Credentials", "Endpoint", "Identity", "Session", "Token", "identity_url"]
