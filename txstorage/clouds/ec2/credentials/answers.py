# -*- test-case-name: tests.clouds.ec2.test_metadata -*-
"""
The answers of the services that hand out access keys, as JSON.
"""

from __future__ import absolute_import, division, print_function

import json

from ...._support.compat import as_text
from ...._support.json_values import Malformed, text_member
from ....errors import CredentialsUnavailable, ServiceBroken
from .keys import AccessKeys

MYPY = False
if MYPY:
    from typing import Any, Optional, Text  # noqa: F401

    from ...._http.messages import Response  # noqa: F401

# Bytes of an answer; keys have less than 2,000.
_MAXIMUM = 64 * 1024
_SHOWN = 200


def shown(body):
    # type: (bytes) -> Text
    """:return: text: the beginning of an error's body, on one line."""
    return u" ".join(as_text(body[:_SHOWN]).split()) or u"(no message)"


def check_answer(response, source, remedy=None):
    # type: (Response, Text, Optional[Text]) -> Response
    """
    :param response: a :class:`~txstorage._http.messages.Response` with bytes.
    :param text source: a description of the service.
    :param remedy: the remedy of a refusal (text), or ``None``.
    :return: the response.
    :raises ServiceBroken: of a failure that passes.
    :raises CredentialsUnavailable: of a refusal.
    """
    if 200 <= response.status < 300 and len(response.body) <= _MAXIMUM:
        return response
    if response.status >= 500:
        raise ServiceBroken(
            response.method, response.url, response.status, shown(response.body)
        )
    problem = u"{} at {} answers HTTP {}: {}".format(
        source, response.url, response.status, shown(response.body)
    )
    raise CredentialsUnavailable(problem, remedy)


def keys_in(response, source):
    # type: (Response, Text) -> AccessKeys
    """
    :param response: a :class:`~txstorage._http.messages.Response` with bytes.
    :param text source: a description of the service.
    :return: the :class:`AccessKeys` of the answer.
    :raises CredentialsUnavailable: there are none.
    """
    try:
        wire = json.loads(as_text(response.body))  # type: Any
    except (ValueError, RuntimeError):  # RuntimeError: too deeply nested
        wire = None
    code = text_member(wire, u"Code")
    if code not in (u"", u"Success"):
        # The service's own message has no secret.
        reason = text_member(wire, u"Message")[:_SHOWN]
        raise CredentialsUnavailable(u"{}: {} {}".format(source, code[:_SHOWN], reason).rstrip())
    try:
        return AccessKeys.from_wire(wire, response.date, origin=source)
    except Malformed as error:
        raise CredentialsUnavailable(u"{}: {}".format(source, error.problem))


__all__ = ["check_answer", "keys_in", "shown"]
