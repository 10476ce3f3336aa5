# -*- test-case-name: tests.clouds.ec2.test_metadata -*-
"""
The metadata service of an instance, version 2.

Source: "Use the Instance Metadata Service to access instance metadata" of EC2's user guide.  Each
request needs a token, which a PUT returns.  The answer to the PUT travels one network hop by
default, which is one too few for a container with a network of its own.
"""

from __future__ import absolute_import, division, print_function

from functools import partial

from twisted.internet.defer import succeed

from ...._support.compat import as_text
from ...._support.deferreds import SharedCall
from ....errors import CredentialsUnavailable, ResponseLost, TransportError
from .answers import check_answer, keys_in

MYPY = False
if MYPY:
    from typing import Any, Mapping, Optional, Text  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.internet.interfaces import IReactorTime  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from ...._http.client import HTTPClient  # noqa: F401
    from ...._http.messages import Response  # noqa: F401
    from .keys import AccessKeys  # noqa: F401

ADDRESS = u"http://169.254.169.254"

# Seconds: the longest that the service allows, and the time before its end at which a token is
# replaced.
_TTL = 21600
_MARGIN = 300.0

_ROLE = u"/latest/meta-data/iam/security-credentials/"
_SERVICE = u"the instance metadata service"

_HOPS = (
    u"if this process runs in a container, let the service's answers travel two hops: 'aws ec2 "
    u"modify-instance-metadata-options --instance-id ID --http-put-response-hop-limit 2', or give "
    u"the container the host's network; outside of EC2, configure access keys"
)
_DISABLED = (
    u"enable the service: 'aws ec2 modify-instance-metadata-options --instance-id ID "
    u"--http-endpoint enabled'; or configure access keys"
)
_NO_ROLE = u"attach an IAM role to the instance, or configure access keys"


class InstanceMetadata(object):
    """
    The metadata of the instance that this process runs on.

    :param reactor: provides ``IReactorTime``.
    :param http: a :class:`~txstorage._http.client.HTTPClient` without a proxy and with a short
        timeout: outside of EC2 nothing answers.
    :param text address: the service's URL.
    """

    def __init__(self, reactor, http, address=ADDRESS):
        # type: (IReactorTime, HTTPClient, Text) -> None
        self._reactor = reactor
        self._http = http
        self._address = address.rstrip(u"/")
        self._token = None  # type: Optional[Text]
        self._replace_at = 0.0
        self._replacement = SharedCall(self._new_token)

    def get(self, path):
        # type: (Text) -> Deferred[Optional[Response]]
        """
        Read one entry.

        :param text path: of the entry, such as ``/latest/meta-data/instance-id``.
        :return: a ``Deferred`` that fires with the :class:`~txstorage._http.messages.Response`, or
            ``None`` when the instance has no such entry; fails with
            :class:`~txstorage.errors.CredentialsUnavailable`.
        """
        return self._with_token().addCallback(self._get, path, True)

    def _with_token(self):
        # type: () -> Deferred[Text]
        if self._token is not None and self._reactor.seconds() < self._replace_at:
            return succeed(self._token)
        return self._replacement.join()

    def _get(self, token, path, again):
        # type: (Text, Text, bool) -> Deferred[Any]
        asked = self._request(u"GET", path, {u"X-aws-ec2-metadata-token": token}, (token,))
        return asked.addCallback(self._got, path, again)

    def _got(self, response, path, again):
        # type: (Response, Text, bool) -> Any
        if response.status == 401 and again:
            # The instance was restored from an image, or its clock has jumped.
            self._token = None
            return self._with_token().addCallback(self._get, path, False)
        if response.status == 404:
            return None
        return check_answer(response, _SERVICE, _DISABLED)

    def _new_token(self):
        # type: () -> Deferred[Text]
        began = self._reactor.seconds()
        headers = {u"X-aws-ec2-metadata-token-ttl-seconds": as_text(_TTL)}
        asked = self._request(u"PUT", u"/latest/api/token", headers)  # type: Deferred[Any]
        return asked.addCallback(self._new, began)

    def _new(self, response, began):
        # type: (Response, float) -> Text
        token = as_text(check_answer(response, _SERVICE, _DISABLED).body).strip()
        self._token, self._replace_at = token, began + _TTL - _MARGIN
        return token

    def _request(self, method, path, headers, redact=()):
        # type: (Text, Text, Mapping[Text, Text], Any) -> Deferred[Response]
        asked = self._http.request_raw(
            method,
            self._address + path,
            headers,
            redact=redact,
            # A superfluous token is harmless.
            repeatable=True,
            service=u"metadata",
        )
        return asked.addErrback(_unreachable)


def _unreachable(failure):
    # type: (Failure) -> Failure
    failure.trap(TransportError)
    error = failure.value  # type: Any
    problem = u"{} does not answer: {}".format(_SERVICE, error.message)
    if isinstance(error, ResponseLost):
        raise CredentialsUnavailable(problem, _HOPS)
    raise CredentialsUnavailable(problem)


class InstanceKeys(object):
    """
    The access keys of the instance's role.

    :param metadata: an :class:`InstanceMetadata`.
    :param dict environ: the environment, text to text.
    """

    absent = u"AWS_EC2_METADATA_DISABLED is set"

    def __init__(self, metadata, environ):
        # type: (InstanceMetadata, Mapping[Text, Text]) -> None
        self._metadata = metadata
        self._disabled = environ.get(u"AWS_EC2_METADATA_DISABLED", u"").lower() == u"true"

    def keys(self):
        # type: () -> Deferred[Optional[AccessKeys]]
        """
        :return: a ``Deferred`` that fires with the :class:`AccessKeys`, or ``None`` when the
            environment disables the service; fails with
            :class:`~txstorage.errors.CredentialsUnavailable`.
        """
        if self._disabled:
            return succeed(None)
        d = self._metadata.get(_ROLE)  # type: Deferred[Any]
        d.addCallback(self._of_role)
        return d

    def _of_role(self, response):
        # type: (Optional[Response]) -> Deferred[AccessKeys]
        names = [] if response is None else as_text(response.body).split()
        if not names:
            raise CredentialsUnavailable(u"the instance has no IAM role", _NO_ROLE)
        d = self._metadata.get(_ROLE + names[0])  # type: Deferred[Any]
        return d.addCallback(partial(_keys, names[0]))


def _keys(role, response):
    # type: (Text, Optional[Response]) -> AccessKeys
    source = u"the instance's role {}".format(role)
    if response is None:
        raise CredentialsUnavailable(u"{} has no keys".format(source), _NO_ROLE)
    return keys_in(response, source)


__all__ = ["ADDRESS", "InstanceKeys", "InstanceMetadata"]
