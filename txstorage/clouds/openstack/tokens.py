# -*- test-case-name: tests.clouds.openstack.test_tokens_and_catalog -*-
"""
Keystone's tokens: got with credentials, kept, and renewed in time.
"""

from __future__ import absolute_import, division, print_function

import re

import attr
from twisted.internet.defer import succeed

from ..._log import CREDENTIALS_KEPT, TOKEN_KEPT
from ..._support.compat import as_text
from ..._support.deferreds import SharedCall, with_deadline
from ..._support.json_values import (
    Malformed,
    identifier,
    member,
    object_member,
    text_member,
)
from ..._support.notations.timestamps import seconds_since_epoch
from ...errors import (
    AuthenticationFailed,
    NotTheService,
    ResourceNotFound,
    ResponseLost,
    StorageError,
)
from .catalog import catalog_from_wire
from .credentials import reveal

MYPY = False
if MYPY:
    from typing import Any, Mapping, Optional, Text, Tuple  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.internet.interfaces import IReactorTime  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from ..._http.client import HTTPClient  # noqa: F401
    from ..._http.messages import Response  # noqa: F401
    from .catalog import Endpoint  # noqa: F401
    from .credentials import Credentials, CredentialSource  # noqa: F401

# A token is renewed this many seconds before its end, or after nine tenths of a short life: a
# request may wait for its turn, and the service checks the token on arrival.
_MARGIN = 60.0
_MARGIN_FRACTION = 0.1

# Seconds that a renewal may delay requests while the old token is still valid, and seconds between
# a failed renewal and the next.
_PATIENCE = 10.0
_PAUSE = 10.0

_IDENTITY_VERSION = re.compile(u"/v[0-9]+(\\.[0-9]+)?\\Z")

_NOT_FOUND = re.compile(u"could not find", re.I)

# Seconds: a longer lifetime comes of a wrong time.
_CREDIBLE = 366 * 86400.0

# A header's value: anything else would be sent on as another header, or not at all.
_SECRET = re.compile(u"[!-~]+\\Z")


@attr.s(frozen=True, hash=False)
class Token(object):
    """
    A token and the data that came with it.

    :ivar text secret: the token itself; never shown.
    :ivar lifetime: seconds from its issue to its end, or ``None`` when it has no known end.
    :ivar tuple catalog: of :class:`Endpoint`.
    :ivar text user_name: its user.
    :ivar text project_name: its project; empty for none.
    :ivar text project_id: likewise.
    :ivar text user_id: likewise.
    """

    secret = attr.ib(repr=False)  # type: Any
    lifetime = attr.ib(default=None)  # type: Optional[float]
    catalog = attr.ib(default=(), repr=False)  # type: Tuple[Endpoint, ...]
    user_name = attr.ib(default=u"")  # type: Text
    project_name = attr.ib(default=u"")  # type: Text
    project_id = attr.ib(default=u"")  # type: Text
    user_id = attr.ib(default=u"")  # type: Text

    @classmethod
    def from_wire(cls, secret, wire, answered_at=None):
        # type: (Optional[Text], Mapping[Text, Any], Optional[float]) -> Token
        """
        :param secret: the header ``X-Subject-Token``; ``None`` when it is missing.
        :param dict wire: the member ``token`` of the body.
        :param answered_at: the header ``Date``, in seconds since the epoch; ``None`` when it is
            missing.
        :return: a :class:`Token`.
        :raises Malformed: the token itself or its project's id is missing or can't be sent.
        """
        if not secret:
            raise Malformed(u"there is no X-Subject-Token in the answer")
        if not _SECRET.match(secret):
            raise Malformed(u"the X-Subject-Token in the answer is not a token")
        user, project = object_member(wire, u"user"), object_member(wire, u"project")
        return cls(
            secret=secret,
            lifetime=_lifetime(
                seconds_since_epoch(member(wire, u"issued_at")),
                seconds_since_epoch(member(wire, u"expires_at")),
                answered_at,
            ),
            catalog=catalog_from_wire(member(wire, u"catalog")),
            user_name=text_member(user, u"name"),
            project_name=text_member(project, u"name"),
            # It becomes a part of URLs.
            project_id=identifier(project, u"id") if project else u"",
            user_id=text_member(user, u"id"),
        )


def _lifetime(issued, expires, answered):
    # type: (Optional[float], Optional[float], Optional[float]) -> Optional[float]
    """
    Return a token's lifetime.  All times are the service's, so that the local clock may be wrong.

    :param issued: the token's ``issued_at``, in seconds since the epoch, or ``None``.
    :param expires: its ``expires_at``, likewise.
    :param answered: the answer's ``Date``, likewise.
    :return: seconds, or ``None``.
    """
    if expires is None:
        return None
    lifetimes = [expires - begin for begin in (issued, answered) if begin is not None]
    # A token is issued for the answer that it comes in.
    credible = [each for each in lifetimes if 0 < each < _CREDIBLE]
    return max([0.0] + (credible or lifetimes)[:1]) if lifetimes else None


def identity_url(auth_url):
    # type: (Text) -> Text
    """
    :param text auth_url: Keystone's URL, with or without the version.
    :return: the URL of its version 3, without a slash at its end.
    """
    return _IDENTITY_VERSION.sub(u"", as_text(auth_url).rstrip(u"/")) + u"/v3"


class TokenSource(object):
    """
    Tokens for a user, each kept until shortly before its end.

    :param reactor: provides ``IReactorTime``.
    :param http: a :class:`~txstorage._http.client.HTTPClient`.
    :param auth_url: Keystone's URL (text); ``None`` without Keystone.
    :param credentials: a :class:`CredentialSource`.

    :ivar auth_url: the URL of the Identity API, version 3 (text), or ``None``.
    """

    def __init__(self, reactor, http, auth_url, credentials):
        # type: (IReactorTime, HTTPClient, Optional[Text], CredentialSource) -> None
        self._reactor = reactor
        self._http = http
        self.auth_url = None if auth_url is None else identity_url(auth_url)  # type: Any
        self._credentials = credentials
        self._token = None  # type: Optional[Token]
        self._renew_at = None  # type: Optional[float]
        self._ends_at = None  # type: Any
        self._renewal = SharedCall(self._authenticate)

    def token(self):
        # type: () -> Deferred[Token]
        """
        :return: a ``Deferred`` that fires with a :class:`Token` that does not expire soon; fails
            with :class:`~txstorage.errors.AuthenticationFailed`.
        """
        token, now = self._token, self._reactor.seconds()
        if token is not None and (self._renew_at is None or now < self._renew_at):
            return succeed(token)
        renewing = self._renewal.join()
        if token is None or now >= self._ends_at:
            return renewing
        with_deadline(self._reactor.callLater, _PATIENCE, renewing, self._no_renewal)
        return renewing.addErrback(self._keep, token)

    def discard(self, token):
        # type: (Token) -> None
        """
        Get a new token next time, unless that has happened already.

        :param Token token: the token that turned out to be of no use.
        """
        if token is self._token:
            self._token = None

    def expires_in(self):
        # type: () -> Optional[float]
        """
        :return: seconds until the token expires; ``None`` when it has no known end.
        """
        if self._ends_at is None:
            return None
        left = self._ends_at - self._reactor.seconds()  # type: float
        return max(0.0, left)

    def _no_renewal(self):
        # type: () -> ResponseLost
        return ResponseLost(
            u"POST",
            self.auth_url + u"/auth/tokens",
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
            self.auth_url + u"/auth/tokens",
            json=credentials.to_wire(),
            redact=(reveal(credentials.secret),),
            # A superfluous token is harmless.
            repeatable=True,
            service=u"identity",
        )
        asked.addErrback(_not_authenticated, credentials)
        return asked.addCallback(self._authenticated, asked_at, credentials)

    def _authenticated(self, response, asked_at, credentials):
        # type: (Response, float, Credentials) -> Token
        wire = response.field(u"token", dict)
        try:
            token = Token.from_wire(
                response.headers.get(u"x-subject-token"), wire, response.date
            )
        except Malformed as error:
            raise NotTheService(response.method, response.url, error.problem)
        if not credentials.allow(token.user_id, token.project_id):
            raise NotTheService(
                response.method,
                response.url,
                u"the token is of user {} and project {}, not of {}".format(
                    token.user_id, token.project_id or u"none", credentials.describe()
                ),
            )
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
    # Keystone returns 404 for an unknown token or application credential ("Could not find ...");
    # any other 404 is about the address.
    unknown = (
        isinstance(error, ResourceNotFound)
        and error.kind == u"error"
        and _NOT_FOUND.match(error.detail) is not None
    )
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


__all__ = ["Token", "TokenSource", "identity_url"]
