# -*- test-case-name: tests.clouds.openstack.test_session -*-
"""
A session with OpenStack: tokens, the catalog, authenticated requests.
"""

from __future__ import absolute_import, division, print_function

from functools import partial

import attr
from twisted.internet.defer import maybeDeferred, succeed

from ..._support.compat import urlsplit
from ...errors import AuthenticationFailed, EndpointMissing, InsecureEndpoint, ServiceError
from .catalog import Endpoint, choose_endpoint
from .credentials import Credentials, CredentialSource
from .tokens import Token, TokenSource, identity_url
from .versions import APIS, VersionDiscovery, negotiate, version_base, with_project

MYPY = False
if MYPY:
    from typing import Any, Callable, Dict, Optional, Sequence, Text, Tuple  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.internet.interfaces import IReactorTime  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from ..._http.client import HTTPClient  # noqa: F401
    from ..._http.messages import Response  # noqa: F401
    from ..._support.slices import Slices  # noqa: F401
    from .versions import API, ServiceVersions  # noqa: F401

_NOT_ACCEPTABLE = 406


def is_secure(url):
    # type: (Text) -> bool
    """Check whether a URL's requests are encrypted."""
    return url.lower().startswith(u"https:")


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
    :param bool allow_insecure: whether tokens may be sent to the http endpoints of a catalog that
        came by https.
    """

    def __init__(
        self,
        reactor,
        http,
        auth_url,
        credentials,
        region=None,
        interface=u"public",
        endpoints=(),
        allow_insecure=False,
    ):
        # type: (IReactorTime, HTTPClient, Optional[Text], Any, Optional[Text], Text, Any, bool) -> None
        self._http = http
        if isinstance(credentials, Credentials):
            credentials = CredentialSource.fixed(credentials)
        self._credentials = credentials
        self._tokens = TokenSource(reactor, http, auth_url, credentials)
        self._region = region
        self._interface = interface
        self._endpoints = dict(endpoints)  # type: Dict[Text, Text]
        self._allow_insecure = allow_insecure
        self._discovery = VersionDiscovery(reactor, self._version_document)
        # The token of the endpoints below, which are the same for all of its requests.
        self._chosen_with = None  # type: Optional[Token]
        self._chosen = {}  # type: Dict[Sequence[Text], Text]

    @property
    def slices(self):
        # type: () -> Slices
        """The :class:`~txstorage._support.slices.Slices` in which long lists are read."""
        return self._http.slices

    def token(self):
        # type: () -> Deferred[Token]
        """
        :return: a ``Deferred`` that fires with a :class:`Token`; see :meth:`TokenSource.token`.
        """
        return self._tokens.token()

    def identity(self):
        # type: () -> Deferred[Identity]
        """
        :return: a ``Deferred`` that fires with the :class:`Identity`.
        """
        return self._tokens.token().addCallback(self._identity)

    def endpoint(self, service_types):
        # type: (Sequence[Text]) -> Deferred[Text]
        """
        :param service_types: texts, the preferred one first.
        :return: a ``Deferred`` that fires with the endpoint's URL (text); fails with
            :class:`~txstorage.errors.EndpointMissing`.
        """
        return self._with_token(lambda token: self._endpoint(token, service_types))

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
        Send a request to a service.  The token is renewed once when it is refused, or when its
        catalog lacks the service.

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
        chosen = self._chosen.get(service_types)
        service = service_types[0] if chosen is None else urlsplit(chosen)[1]
        use = partial(
            self._send, APIS[version], service_types, method, path, microversions,
            json=json, params=params, expected=expected,
        )
        return self._http.in_turn(service, method, partial(self._with_token, use))

    def _send(self, api, service_types, method, path, microversions, token, **options):
        # type: (API, Sequence[Text], Text, Text, Sequence[Text], Token, **Any) -> Deferred[Any]

        def send_to(place):
            # type: (Tuple[Text, Optional[Text]]) -> Deferred[Response]
            base, header = place
            return self._http.request(
                method,
                base + path,
                token=token.secret,
                microversion=header,
                redact=(token.secret,),
                service=api.service,
                **options
            )

        return self._place(api, service_types, token, microversions).addCallback(send_to)

    def _with_token(self, use):
        # type: (Callable[[Token], Any]) -> Deferred[Any]
        """
        Call a function with a token, and once more with a new token if that may help.

        :param use: called with a :class:`Token`; returns a result or a ``Deferred``.
        """

        def first(token):
            # type: (Token) -> Deferred[Any]
            return maybeDeferred(use, token).addErrback(refused, token)

        def refused(failure, token):
            # type: (Failure, Token) -> Any
            error = failure.value  # type: Any
            if failure.check(ServiceError) and error.status == _NOT_ACCEPTABLE:
                self._discovery.clear()
            # The catalog is a part of the token.
            if not failure.check(AuthenticationFailed, EndpointMissing):
                return failure
            self._tokens.discard(token)
            return self._tokens.token().addCallback(again, token, failure)

        def again(token, before, failure):
            # type: (Token, Token, Failure) -> Any
            if self._credentials.kind == u"none" and token == before:
                return failure
            return use(token)

        return self._tokens.token().addCallback(first)

    def close(self):
        # type: () -> Deferred[Any]
        """
        :return: a ``Deferred`` that fires when no connection is left.
        """
        return self._http.close()

    def _endpoint(self, token, service_types):
        # type: (Token, Sequence[Text]) -> Text
        if token is not self._chosen_with:
            self._chosen_with, self._chosen = token, {}
        if service_types not in self._chosen:
            self._chosen[service_types] = self._choose(token, service_types)
        return self._chosen[service_types]

    def _choose(self, token, service_types):
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
            url = choose_endpoint(token.catalog, service_types, self._interface, self._region)
        except EndpointMissing as error:
            if token.project_id:
                raise
            # Keystone omits endpoints whose URLs contain a project's id.
            raise EndpointMissing(error.message + u"; the token has no project")
        auth_url = self._tokens.auth_url
        if is_secure(auth_url) and not is_secure(url) and not self._allow_insecure:
            raise InsecureEndpoint(
                u"The catalog of {} names an endpoint without TLS for {}: {}".format(
                    auth_url, u" or ".join(service_types), url
                )
            )
        return url

    def _place(self, api, service_types, token, microversions):
        # type: (API, Sequence[Text], Token, Sequence[Text]) -> Deferred[Tuple[Text, Optional[Text]]]
        """
        :return: a ``Deferred`` that fires with the base URL of paths, and with the header for the
            microversion, or ``None``.
        """
        endpoint = self._endpoint(token, service_types)
        if version_base(api, endpoint) is not None:
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

    def _version_document(self, api, url, token):
        # type: (API, Text, Token) -> Deferred[Response]
        # 300: a choice of several versions.
        return self._http.request(
            u"GET",
            url,
            token=token.secret,
            expected=(300,),
            redact=(token.secret,),
            service=api.service,
        )

    def _identity(self, token):
        # type: (Token) -> Identity
        return Identity(
            token.user_name,
            token.project_name,
            token.project_id,
            self._tokens.expires_in(),
            token.catalog,
        )


__all__ = [
    "CredentialSource",
    "Credentials",
    "Endpoint",
    "Identity",
    "Session",
    "Token",
    "identity_url",
    "is_secure",
]
