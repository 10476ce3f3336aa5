# -*- test-case-name: tests.clouds.ec2.test_metadata -*-
"""
Access keys of a container: those of ECS's tasks and EKS's Pod Identity.
"""

from __future__ import absolute_import, division, print_function

import io

from twisted.internet.defer import succeed

from ...._support.compat import as_text, native, urlsplit
from ....errors import CredentialsUnavailable
from .answers import check_answer, keys_in

MYPY = False
if MYPY:
    from typing import Any, Dict, Mapping, Optional, Text  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401

    from ...._http.client import HTTPClient  # noqa: F401
    from .keys import AccessKeys  # noqa: F401

_RELATIVE = u"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
_FULL = u"AWS_CONTAINER_CREDENTIALS_FULL_URI"
_TOKEN = u"AWS_CONTAINER_AUTHORIZATION_TOKEN"
_TOKEN_FILE = u"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"

_ADDRESS = u"http://169.254.170.2"
_SOURCE = u"the container's credential service"

#: The hosts that may be asked without TLS: those of ECS and EKS, and this machine itself.
_LOCAL = frozenset(
    [
        u"127.0.0.1",
        u"::1",
        u"localhost",
        u"169.254.170.2",
        u"169.254.170.23",
        u"fd00:ec2::23",
    ]
)
# Bytes.
_MAXIMUM = 64 * 1024


def token_in(path):
    # type: (Text) -> Text
    """
    :param text path: a file that holds a token, which its writer replaces before it expires.
    :return: text: the token.
    :raises CredentialsUnavailable: the file can't be read, or holds no token.
    """
    try:
        with io.open(native(path), "rb") as source:
            token = as_text(source.read(_MAXIMUM)).strip()
    except (IOError, OSError) as error:
        raise CredentialsUnavailable(
            u"the token file {} can't be read: {}".format(path, as_text(error.strerror or u"?")),
            u"let this process read the file, or correct its path",
        )
    if not token or len(token.split()) != 1:
        raise CredentialsUnavailable(
            u"the token file {} holds no token".format(path), u"correct the file"
        )
    return token


class ContainerKeys(object):
    """
    The access keys that a service beside the container hands out.

    :param http: a :class:`~txstorage._http.client.HTTPClient` without a proxy and with a short
        timeout.
    :param dict environ: the environment, text to text.
    """

    absent = u"{} is not set".format(_RELATIVE)

    def __init__(self, http, environ):
        # type: (HTTPClient, Mapping[Text, Text]) -> None
        self._http = http
        self._environ = environ

    def keys(self):
        # type: () -> Deferred[Optional[AccessKeys]]
        """
        :return: a ``Deferred`` that fires with the :class:`AccessKeys`, or ``None`` when this is no
            such container; fails with :class:`~txstorage.errors.CredentialsUnavailable`,
            :class:`~txstorage.errors.TransportError` or
            :class:`~txstorage.errors.ServiceBroken`.
        :raises CredentialsUnavailable: a variable is invalid.
        """
        url = self._url()
        if url is None:
            return succeed(None)
        headers = {u"Accept": u"application/json"}  # type: Dict[Text, Text]
        path = self._environ.get(_TOKEN_FILE)
        token = token_in(path) if path else self._environ.get(_TOKEN)
        if token:
            headers[u"Authorization"] = token
        asked = self._http.request_raw(
            u"GET", url, headers, redact=(token,) if token else (), service=u"credentials"
        )  # type: Deferred[Any]
        asked.addCallback(check_answer, _SOURCE)
        return asked.addCallback(keys_in, _SOURCE)

    def _url(self):
        # type: () -> Optional[Text]
        relative, full = self._environ.get(_RELATIVE), self._environ.get(_FULL)
        if relative:
            if not relative.startswith(u"/"):
                raise CredentialsUnavailable(
                    u"{} does not begin with a slash".format(_RELATIVE), u"correct the variable"
                )
            return _ADDRESS + relative
        if not full:
            return None
        parts = urlsplit(full)
        if parts[0] != u"https" and (parts[0] != u"http" or parts.hostname not in _LOCAL):
            raise CredentialsUnavailable(
                u"{} names neither an https address nor a local one".format(_FULL),
                u"correct the variable: the keys would cross the network unencrypted",
            )
        return full


__all__ = ["ContainerKeys", "token_in"]
