# -*- test-case-name: tests._http.test_messages -*-
"""
What is sent to a service and what it answers, as values.
"""

from __future__ import absolute_import, division, print_function

import json

import attr

from .. import errors
from .._support.compat import as_text, native, quote, urlsplit, urlunsplit
from .._version import VERSION
from .failures import request_id, service_error


@attr.s(frozen=True, hash=False)
class Response(object):
    """
    A service's answer.

    :ivar int status: the HTTP status.
    :ivar dict headers: lower-case text to text.
    :ivar body: decoded JSON, or ``None`` when there was none.
    :ivar request_id: the service's id of the request (text), or ``None``.
    :ivar text method: what was asked.
    :ivar text url: where, without the query.
    """

    status = attr.ib()
    # Tokens come in headers, passwords of servers in bodies.
    headers = attr.ib(repr=False)
    body = attr.ib(repr=False)
    request_id = attr.ib(default=None)
    method = attr.ib(default=u"")
    url = attr.ib(default=u"")

    def field(self, name, kind):
        """
        A member of the body that must be there.

        :param text name: the member.
        :param type kind: what it must be.
        :return: the member.
        :raises NotTheService: when it is not that.
        """
        value = self.body.get(name) if isinstance(self.body, dict) else None
        if not isinstance(value, kind):
            raise errors.NotTheService(
                self.method, self.url, u"there is no '{}' in the answer".format(name)
            )
        return value


@attr.s(frozen=True, hash=False)
class Request(object):
    """One request, as it is sent each time."""

    method = attr.ib()
    url = attr.ib()
    shown = attr.ib()
    headers = attr.ib(repr=False)
    body = attr.ib(repr=False)
    request_id = attr.ib()
    expected = attr.ib()
    redact = attr.ib(repr=False)
    repeatable = attr.ib()


def shown_url(url):
    """
    :param text url: any.
    :return: the URL without its query and without a user's name and password.
    """
    parts = urlsplit(as_text(url))
    return urlunsplit((parts[0], parts[1].rpartition(u"@")[2], parts[2], u"", u""))


def encode_query(params):
    """
    :param params: a dict or pairs; keys and values text.
    :return: text, percent-encoded: a space is %20, never +.
    """
    pairs = sorted(params.items()) if isinstance(params, dict) else params
    return u"&".join(
        u"{}={}".format(quote(as_text(key)), quote(as_text(value))) for key, value in pairs
    )


def read_answer(body_and_complete, response, call, note):
    """
    :param body_and_complete: as :func:`txstorage._http.bodies.collect` gives it.
    :param response: of treq.
    :param call: the :class:`Request` that is answered.
    :param note: called with the status and the service's request id as soon
        as they are known.
    :return: a :class:`Response`.
    :raises ServiceError: for an error of the service.
    :raises TransportError: when it does not speak the service's API.
    """
    body, complete = body_and_complete
    status = response.code
    headers = _text_headers(response)
    note(status, request_id(headers))
    if status not in call.expected and not 200 <= status < 300:
        if status >= 400:
            raise service_error(call.method, call.shown, status, headers, body, call.redact)
        raise errors.NotTheService(
            call.method,
            call.shown,
            u"HTTP {}, which points to {}".format(
                status, shown_url(headers.get(u"location", u"nowhere"))
            ),
        )
    return Response(
        status=status,
        headers=headers,
        body=_decode(body, complete, headers, call),
        request_id=request_id(headers),
        method=call.method,
        url=call.shown,
    )


def _decode(body, complete, headers, call):
    if not body.strip() and (complete or not call.repeatable):
        return None
    try:
        return json.loads(body.decode("utf-8"))
    # Nested too deeply is a RuntimeError.
    except (ValueError, RuntimeError):
        if not complete:
            raise errors.ResponseLost(call.method, call.shown, u"the answer is cut off")
        raise errors.NotTheService(
            call.method,
            call.shown,
            u"the answer is not JSON but {}".format(headers.get(u"content-type", u"of no type")),
        )


def _text_headers(response):
    return {
        as_text(name).lower(): u", ".join(as_text(value) for value in values)
        for name, values in response.headers.getAllRawHeaders()
    }


def request_headers(json, token, microversion, call_id):
    """
    :param json: the body, or ``None``.
    :param token: text or ``None``.
    :param microversion: text or ``None``.
    :param text call_id: this client's id of the request.
    :return: a dict of native strings.
    """
    headers = {
        "Accept": "application/json",
        "User-Agent": native(u"txstorage/{}".format(VERSION)),
        "X-OpenStack-Request-ID": native(call_id),
        "Content-Type": None if json is None else "application/json",
        "X-Auth-Token": token and native(token),
        "OpenStack-API-Version": microversion and native(microversion),
    }
    return {name: value for name, value in headers.items() if value is not None}


__all__ = [
    "Request",
    "Response",
    "encode_query",
    "read_answer",
    "request_headers",
    "shown_url",
]
