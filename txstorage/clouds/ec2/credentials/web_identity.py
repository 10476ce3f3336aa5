# -*- test-case-name: tests.clouds.ec2.test_sources -*-
"""
Access keys for a web identity: a role, and a token that another service issued, as on EKS.

Source: ``AssumeRoleWithWebIdentity`` of the API reference of the Security Token Service.  The token
itself authenticates the request, which is not signed.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import succeed

from ...._support.compat import as_text
from ...._support.json_values import Malformed, object_member
from ....errors import CredentialsUnavailable, NotTheService, RateLimited, ServiceBroken
from ..codec import FORM, ServiceCodec, Unreadable, sts_endpoint
from .container import token_in
from .keys import AccessKeys

MYPY = False
if MYPY:
    from typing import Any, Mapping, Optional, Text  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401

    from ...._http.client import HTTPClient  # noqa: F401
    from ...._http.messages import Response  # noqa: F401

_OPERATION = "AssumeRoleWithWebIdentity"
_SESSION = u"txstorage"
_THROTTLED = frozenset([u"Throttling", u"ThrottlingException", u"RequestLimitExceeded"])
_REMEDY = (
    u"check the role's trust policy, and that the token in the file is the one that it trusts"
)


class WebIdentity(object):
    """
    Access keys for a role and a token.

    :param http: a :class:`~txstorage._http.client.HTTPClient`.
    :param text region: the region whose Security Token Service is used.
    :param dict environ: the environment, text to text.
    :param endpoint: the service's URL (text); ``None`` for that of the region.
    """

    absent = u"AWS_WEB_IDENTITY_TOKEN_FILE is not set"

    def __init__(self, http, region, environ, endpoint=None):
        # type: (HTTPClient, Text, Mapping[Text, Text], Optional[Text]) -> None
        self._http = http
        self._region = region
        self._environ = environ
        self._endpoint = endpoint
        self._codec = None  # type: Optional[ServiceCodec]

    def keys(self):
        # type: () -> Deferred[Optional[AccessKeys]]
        """
        :return: a ``Deferred`` that fires with the :class:`AccessKeys` of the role in the
            environment, or ``None`` when there is none; fails as :meth:`assume` does.
        """
        path = self._environ.get(u"AWS_WEB_IDENTITY_TOKEN_FILE")
        if not path:
            return succeed(None)
        role = self._environ.get(u"AWS_ROLE_ARN")
        if not role:
            raise CredentialsUnavailable(
                u"AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not",
                u"set the role in AWS_ROLE_ARN",
            )
        assumed = self.assume(role, path, self._environ.get(u"AWS_ROLE_SESSION_NAME"))
        return assumed  # type: ignore[return-value]

    def assume(self, role, path, session):
        # type: (Text, Text, Optional[Text]) -> Deferred[AccessKeys]
        """
        Exchange a token for keys.

        :param text role: the ARN of the role.
        :param text path: of the file with the token.
        :param session: a name for the log of the service (text), or ``None``.
        :return: a ``Deferred`` that fires with the :class:`AccessKeys`; fails with
            :class:`~txstorage.errors.CredentialsUnavailable`,
            :class:`~txstorage.errors.TransportError` or :class:`~txstorage.errors.ServiceError`.
        :raises CredentialsUnavailable: the file holds no token.
        :raises InvalidConfiguration: botocore is not installed.
        """
        token = token_in(path)
        if self._codec is None:
            self._codec = ServiceCodec.load("sts")
        if self._endpoint is None:
            self._endpoint = sts_endpoint(self._region, self._environ)
        parameters = {
            "RoleArn": role,
            "RoleSessionName": session or _SESSION,
            "WebIdentityToken": token,
        }
        asked = self._http.request_raw(
            u"POST",
            self._endpoint + u"/",
            {u"Content-Type": FORM},
            self._codec.body_of(_OPERATION, parameters),
            redact=(token,),
            # Superfluous keys are harmless.
            repeatable=True,
            service=u"sts",
            operation=as_text(_OPERATION),
        )  # type: Deferred[Any]
        origin = u"the role {}, by the web identity in {}".format(role, path)
        return asked.addCallback(_assumed, self._codec, role, token, origin)


def _assumed(response, codec, role, token, origin):
    # type: (Response, ServiceCodec, Text, Text, Text) -> AccessKeys
    method, url, status = response.method, response.url, response.status
    if status >= 300:
        error = codec.refusal(status, response.headers, response.body)
        # A service or a proxy may echo the request.
        message = error.message.replace(token, u"[secret]")
        if error.code in _THROTTLED:
            raise RateLimited(method, url, status, message, error.request_id, kind=error.code)
        if status >= 500 or error.code in (u"IDPCommunicationError", None):
            raise ServiceBroken(method, url, status, message, error.request_id, kind=error.code)
        raise CredentialsUnavailable(
            u"the role {}: {}: {}".format(role, error.code, message), _REMEDY
        )
    try:
        answer = codec.parse(_OPERATION, response.headers, response.body)
        wire = object_member(answer, u"Credentials")
        return AccessKeys.from_wire(wire, response.date, u"SessionToken", origin)
    except (Malformed, Unreadable) as error:
        raise NotTheService(method, url, error.problem)


__all__ = ["WebIdentity"]
