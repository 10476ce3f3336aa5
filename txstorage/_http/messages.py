# -*- test-case-name: tests._http.test_messages -*-
"""Requests and responses, as values."""

from __future__ import absolute_import, division, print_function

import attr
from eliot import register_exception_extractor
from twisted.internet.defer import succeed

from .. import errors
from .._support.compat import as_text, native, quote, urlsplit, urlunsplit
from .._version import VERSION
from .bounds import BOUNDS, OutOfBounds
from .failures import date_of, error_message, request_id, service_error
from .json_reader import JSONReader
from .tunnels import credentials_remedy

MYPY = False
if MYPY:
    from typing import (  # noqa: F401
        Any,
        Callable,
        Dict,
        Iterable,
        Mapping,
        Optional,
        Sequence,
        Text,
        Tuple,
        Union,
    )

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from .._configuration.environment.proxies import Proxy  # noqa: F401
    from .._support.slices import Slices  # noqa: F401
    from .bounds import Bounds  # noqa: F401

    Params = Union[Mapping[Text, Text], Sequence[Tuple[Text, Text]]]


@attr.s(frozen=True, hash=False)
class Response(object):
    """
    A service's response.

    :ivar int status: the HTTP status.
    :ivar dict headers: lower-case text to text.
    :ivar body: decoded JSON, or ``None`` for an empty body; bytes for a raw request.
    :ivar request_id: the service's id of the request (text), or ``None``.
    :ivar text method: the request's method.
    :ivar text url: the request's URL, without the query, and the proxy in use.
    """

    status = attr.ib()  # type: int
    # Tokens come in headers, passwords of servers in bodies.
    headers = attr.ib(repr=False)  # type: Mapping[Text, Text]
    body = attr.ib(repr=False)  # type: Any
    request_id = attr.ib(default=None)  # type: Optional[Text]
    method = attr.ib(default=u"")  # type: Text
    url = attr.ib(default=u"")  # type: Text

    @property
    def date(self):
        # type: () -> Optional[float]
        """The service's time of the answer in seconds since the epoch, or ``None``."""
        return date_of(self.headers)

    def field(self, name, kind):
        # type: (Text, Any) -> Any
        """
        Return a required member of the body.

        :param text name: the member's name.
        :param type kind: the member's type.
        :return: the member.
        :raises NotTheService: the member is missing or of another type.
        """
        value = self.body.get(name) if isinstance(self.body, dict) else None
        if not isinstance(value, kind):
            raise errors.NotTheService(
                self.method, self.url, u"there is no '{}' in the answer".format(name)
            )
        return value


@attr.s(frozen=True, hash=False)
class Request(object):
    """
    One request, identical in every attempt.

    :ivar text shown: the URL for messages, with the proxy in use.
    :ivar proxy: the proxy in use, or ``None``.
    :ivar service: the type of the service (text), or ``None``.
    :ivar bool raw: whether the response's body is returned as bytes, whatever the status.
    :ivar operation: the operation, where the URL does not name it (text), or ``None``.
    """

    method = attr.ib()  # type: Text
    url = attr.ib()  # type: Text
    shown = attr.ib()  # type: Text
    headers = attr.ib(repr=False)  # type: Mapping[Text, Text]
    body = attr.ib(repr=False)  # type: Any
    request_id = attr.ib()  # type: Optional[Text]
    expected = attr.ib()  # type: Sequence[int]
    redact = attr.ib(repr=False)  # type: Iterable[Text]
    repeatable = attr.ib()  # type: bool
    proxy = attr.ib(default=None)  # type: Optional[Proxy]
    service = attr.ib(default=None)  # type: Optional[Text]
    raw = attr.ib(default=False)  # type: bool
    operation = attr.ib(default=None)  # type: Optional[Text]

    @property
    def logged(self):
        # type: () -> Text
        """The URL for the log, with the operation."""
        return u" ".join(filter(None, (self.shown, self.operation)))


def shown_url(url):
    # type: (Text) -> Text
    """
    :param text url: any URL.
    :return: the URL without its query and without a user's name and password.
    """
    try:
        parts = urlsplit(as_text(url))
    except ValueError:
        return u"(not a URL)"
    return urlunsplit((parts[0], parts[1].rpartition(u"@")[2], parts[2], u"", u""))


def encode_query(params):
    # type: (Params) -> Text
    """
    :param params: a dict or pairs; keys and values text.
    :return: text, percent-encoded: a space is %20, never +.
    """
    pairs = sorted(params.items()) if isinstance(params, dict) else params  # type: Any
    return u"&".join(
        u"{}={}".format(quote(as_text(key)), quote(as_text(value))) for key, value in pairs
    )


def read_answer(body_and_complete, response, call, note, slices, bounds=BOUNDS):
    # type: (Tuple[bytes, bool], Any, Request, Callable[[int, Optional[Text]], object], Slices, Bounds) -> Deferred[Response]
    """
    :param body_and_complete: the result of :func:`txstorage._http.bodies.collect`.
    :param response: provides ``IResponse``.
    :param call: the :class:`Request` that it answers.
    :param note: called with the status and the service's request id as soon as they are known.
    :param slices: the :class:`~txstorage._support.slices.Slices` in which the body is decoded.
    :param bounds: a :class:`~txstorage._http.bounds.Bounds`.
    :return: a ``Deferred`` that fires with a :class:`Response`; fails with
        :class:`~txstorage.errors.TransportError` when the response is not of the service's API.
    :raises ServiceError: the service returned an error to a request that is not raw.
    :raises TransportError: the service redirects to another place, or a raw answer is incomplete.
    """
    body, complete = body_and_complete
    status = response.code
    headers = _text_headers(response)
    note(status, request_id(headers))
    if call.raw and status != 407:
        if not complete:
            raise errors.ResponseLost(call.method, call.shown, u"the answer may be cut off")
        return succeed(_response(status, headers, body, call))
    if status not in call.expected and not 200 <= status < 300:
        if status == 407 and call.proxy is not None:
            raise proxy_unauthenticated(call, body)
        if status >= 400:
            raise service_error(call.method, call.shown, status, headers, body, call.redact)
        raise errors.NotTheService(
            call.method,
            call.shown,
            u"HTTP {}, which points to {}".format(
                status, shown_url(headers.get(u"location", u"nowhere"))
            ),
        )
    decoded = _decode(body, complete, headers, call, slices, bounds)
    return decoded.addCallback(lambda value: _response(status, headers, value, call))


def _response(status, headers, body, call):
    # type: (int, Mapping[Text, Text], Any, Request) -> Response
    return Response(
        status=status,
        headers=headers,
        body=body,
        request_id=request_id(headers),
        method=call.method,
        url=call.shown,
    )


def proxy_unauthenticated(call, body):
    # type: (Request, bytes) -> errors.ProxyUnauthenticated
    """
    :param Request call: a request that a proxy answered with 407.
    :param bytes body: the answer's.
    :return: the error.
    """
    reason = u"the proxy requires authentication: {}".format(error_message(body, call.redact)[1])
    error = errors.ProxyUnauthenticated(call.method, call.shown, reason)
    error.remedy = credentials_remedy(call.proxy)  # type: ignore[arg-type]
    return error


def _decode(body, complete, headers, call, slices, bounds):
    # type: (bytes, bool, Mapping[Text, Text], Request, Slices, Bounds) -> Deferred[Any]
    if not body.strip() and (complete or not call.repeatable):
        return succeed(None)

    def failed(failure):
        # type: (Failure) -> Failure
        error = failure.value  # type: Any
        if failure.check(OutOfBounds):
            raise errors.NotTheService(call.method, call.shown, error.reason)
        if not failure.check(ValueError):
            return failure
        if not complete:
            raise errors.ResponseLost(call.method, call.shown, u"the answer is cut off")
        raise errors.NotTheService(
            call.method,
            call.shown,
            u"the answer is not JSON but {}".format(headers.get(u"content-type", u"of no type")),
        )

    reader = JSONReader(body, bounds)
    return slices.run(reader.steps()).addCallbacks(lambda _: reader.value, failed)


def _text_headers(response):
    # type: (Any) -> Dict[Text, Text]
    return {
        as_text(name).lower(): u", ".join(as_text(value) for value in values)
        for name, values in response.headers.getAllRawHeaders()
    }


def request_headers(json, token, microversion, call_id):
    # type: (Any, Optional[Text], Optional[Text], Text) -> Dict[str, str]
    """
    :param json: the body, or ``None``.
    :param token: text or ``None``.
    :param microversion: text or ``None``.
    :param text call_id: this client's id of the request.
    :return: a dict of native strings.
    """
    headers = {
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "User-Agent": native(u"txstorage/{}".format(VERSION)),
        "X-OpenStack-Request-ID": native(call_id),
        "Content-Type": None if json is None else "application/json",
        "X-Auth-Token": token and native(token),
        "OpenStack-API-Version": microversion and native(microversion),
    }
    return {name: value for name, value in headers.items() if value is not None}


def raw_headers(headers):
    # type: (Mapping[Text, Text]) -> Dict[str, str]
    """
    :param dict headers: text to text: those of one request.
    :return: a dict of native strings: they, and those of every request.
    """
    common = {"Accept-Encoding": "gzip", "User-Agent": native(u"txstorage/{}".format(VERSION))}
    common.update((native(name), native(value)) for name, value in dict(headers).items())
    return common


def log_refusals():
    # type: () -> None
    """Log the status and the service's request id with each exchange that a service refuses."""
    register_exception_extractor(errors.ServiceError, _refusal)


def _refusal(error):
    # type: (Any) -> Dict[Text, Any]
    return {u"status": error.status, u"service_request_id": error.request_id}


__all__ = [
    "Request",
    "Response",
    "encode_query",
    "log_refusals",
    "raw_headers",
    "read_answer",
    "request_headers",
    "shown_url",
]
