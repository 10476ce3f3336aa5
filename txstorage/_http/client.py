# -*- test-case-name: tests._http.test_client -*-
"""One JSON exchange over HTTP: timeout, retries, rate limit, request id, errors."""

from __future__ import absolute_import, division, print_function

import random
from functools import partial
from uuid import uuid4

from treq.client import HTTPClient as TreqClient
from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed
from twisted.internet.error import ConnectingCancelledError
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from .. import errors
from .._log import HTTP_EXCHANGE, HTTP_RETRY
from .._support.compat import as_text, native, to_json_bytes
from .._support.eliot_context import in_action, in_current_context
from .._support.slices import Slices
from .bodies import BytesProducer, collect
from .bounds import BOUNDS, OutOfBounds
from .connections import (
    CONNECT_TIMEOUT,
    SAFE_METHODS,
    BareAgent,
    agent_for,
    no_proxy,
    url_for_treq,
)
from .failures import is_cancelled, root_causes, transport_error
from .messages import (
    Request,
    Response,
    encode_query,
    raw_headers,
    read_answer,
    request_headers,
    shown_url,
)
from .throttle import LIMITS, RequestQueues

MYPY = False
if MYPY:
    from typing import (  # noqa: F401
        Any,
        Callable,
        Iterable,
        Mapping,
        Optional,
        Sequence,
        Text,
        Tuple,
        Union,
    )

    from twisted.internet.interfaces import IReactorTime  # noqa: F401
    from twisted.web.iweb import IAgent  # noqa: F401

    from .._support.token_bucket import TokenBucket  # noqa: F401
    from .bounds import Bounds  # noqa: F401
    from .connections import ProxyFor  # noqa: F401
    from .throttle import Limits  # noqa: F401

    Params = Union[Mapping[Text, Text], Sequence[Tuple[Text, Text]]]

# The maximum number of attempts, by the error of the last one.
_ATTEMPTS_ALWAYS = ((errors.RateLimited, 6), (errors.Unreachable, 3))
_ATTEMPTS_REPEATABLE = ((errors.ResponseLost, 3), (errors.ServiceBroken, 3))

_FIRST_DELAY = 0.5
_LONGEST_DELAY = 60.0


def retry_delay(repeatable, error, attempt, fraction):
    # type: (bool, Any, int, float) -> Optional[float]
    """
    Decide whether a request is sent again, and when.

    A request that may have been processed is sent again only when a repetition is harmless.  A
    wrong certificate or a wrong response stays wrong.  So does most often an address where a TLS
    handshake gets no answer, and each further attempt would take as long as the first one.

    :param bool repeatable: whether sending the request twice is harmless.
    :param error: the error of the last attempt.
    :param int attempt: the number of attempts so far, from 1.
    :param float fraction: from 0 to 1, for the jitter.
    :return: seconds to wait, or ``None`` to let the request fail.
    """
    table = _ATTEMPTS_ALWAYS + (_ATTEMPTS_REPEATABLE if repeatable else ())
    attempts = max([most for kind, most in table if isinstance(error, kind)] or [0])
    if attempt >= attempts:
        return None
    backoff = _FIRST_DELAY * 2 ** (attempt - 1) * (0.5 + fraction)
    asked = getattr(error, "retry_after", None) or 0.0  # type: float
    # The jitter is on top, so that clients with the same Retry-After come apart.
    delay = min(_LONGEST_DELAY, asked + backoff)  # type: float
    return delay


class HTTPClient(object):
    """
    Exchanges JSON with services.

    :param reactor: provides ``IReactorTime``.
    :param agent: provides ``IAgent``; see :func:`agent_for`.
    :param float timeout: seconds that one exchange may take, not counting the waits between
        attempts and for the rate limit.
    :param limiter: a :class:`~txstorage._support.token_bucket.TokenBucket`, or ``None``.
    :param jitter: called without arguments for a float from 0 to 1.
    :param bounds: the :class:`~txstorage._http.bounds.Bounds` of answers' bodies; those of
        connections are the agent's.
    :param proxy_for: as for :func:`agent_for`, for messages.
    :param limits: the :class:`~txstorage._http.throttle.Limits` of requests that :meth:`in_turn`
        sends at once.

    :ivar slices: the :class:`~txstorage._support.slices.Slices` in which answers are decoded.
    """

    def __init__(
        self,
        reactor,
        agent,
        timeout=BOUNDS.answer_seconds,
        limiter=None,
        jitter=random.random,
        bounds=BOUNDS,
        proxy_for=no_proxy,
        limits=LIMITS,
    ):
        # type: (IReactorTime, IAgent, float, Optional[TokenBucket], Callable[[], float], Bounds, ProxyFor, Limits) -> None
        self._reactor = reactor
        self._agent = agent
        self._treq = TreqClient(BareAgent(agent), data_to_body_producer=BytesProducer)
        self._timeout = timeout
        self._limiter = limiter
        self._jitter = jitter
        self._bounds = bounds
        self.slices = Slices(reactor)
        self._proxy_for = proxy_for
        self._queues = RequestQueues(reactor, limits)

    def request(
        self,
        method,
        url,
        json=None,
        params=(),
        token=None,
        microversion=None,
        expected=(),
        redact=(),
        repeatable=None,
        service=None,
    ):
        # type: (Text, Text, Any, Params, Optional[Text], Optional[Text], Sequence[int], Iterable[Text], Optional[bool], Optional[Text]) -> Deferred[Response]
        """
        Send a request to a service.

        :param text method: ``u"GET"`` etc.
        :param text url: absolute, percent-encoded.
        :param json: the body, encoded as JSON; ``None`` for none.
        :param params: the query: a dict or pairs of texts.
        :param token: text for ``X-Auth-Token``, or ``None``.
        :param microversion: text for ``OpenStack-API-Version``, such as ``u"volume 3.3"``, or
            ``None``.
        :param expected: statuses to accept besides 2xx.
        :param redact: secrets in the body, which the service may echo.
        :param repeatable: whether sending the request twice is harmless; by default only for GET
            and HEAD.
        :param service: the type of the service (text), for the log; or ``None``.
        :return: a ``Deferred`` that fires with a :class:`Response`; fails with
            :class:`~txstorage.errors.TransportError` or :class:`~txstorage.errors.ServiceError`;
            can be cancelled.
        """
        if params:
            url = url + (u"&" if u"?" in url else u"?") + encode_query(params)
        call_id = u"req-{}".format(uuid4())
        return self._begin(
            method,
            url,
            redact,
            repeatable,
            headers=request_headers(json, token, microversion, call_id),
            body=None if json is None else to_json_bytes(json),
            request_id=call_id,
            expected=expected,
            service=service,
        )

    def request_raw(
        self,
        method,
        url,
        headers,
        body=None,
        redact=(),
        repeatable=None,
        service=None,
        operation=None,
    ):
        # type: (Text, Text, Mapping[Text, Text], Optional[bytes], Iterable[Text], Optional[bool], Optional[Text], Optional[Text]) -> Deferred[Response]
        """
        Send a request to a service whose bodies are not JSON.

        :param text method: ``u"GET"`` etc.
        :param text url: absolute, percent-encoded, with its query.
        :param dict headers: text to text.
        :param body: bytes, or ``None`` for none.
        :param redact: as for :meth:`request`.
        :param repeatable: as for :meth:`request`.
        :param service: as for :meth:`request`.
        :param operation: text for the log: the operation, if the URL does not name it.
        :return: a ``Deferred`` that fires with a :class:`Response` of any status, whose body is
            bytes; fails with :class:`~txstorage.errors.TransportError`; can be cancelled.
        """
        return self._begin(
            method,
            url,
            redact,
            repeatable,
            headers=raw_headers(headers),
            body=body,
            request_id=u"req-{}".format(uuid4()),
            expected=(),
            service=service,
            raw=True,
            operation=operation,
        )

    def _begin(self, method, url, redact, repeatable, **parts):
        # type: (Text, Text, Iterable[Text], Optional[bool], **Any) -> Deferred[Response]
        try:
            proxy = self._proxy_for(url)
        except errors.InvalidConfiguration:
            return fail()
        shown = shown_url(url)
        if proxy is not None:
            shown = u"{} (through {})".format(shown, proxy.describe())
            redact = tuple(redact) + proxy.secrets
        call = Request(
            method=as_text(method),
            url=as_text(url),
            shown=shown,
            redact=redact,
            repeatable=method in SAFE_METHODS if repeatable is None else repeatable,
            proxy=proxy,
            **parts
        )
        return self._attempt(call, 1)

    def in_turn(self, service, method, send):
        # type: (Text, Text, Callable[[], Deferred[Any]]) -> Deferred[Any]
        """
        Send a request when its turn in its service's queue has come.  The request does not exist
        before, because thousands may wait; it keeps its turn until its last attempt has ended.

        :param text service: a name of the service, such as its host and port.
        :param text method: the request's method.
        :param send: called without arguments, in the current Eliot action; returns a ``Deferred``.
        :return: a ``Deferred`` that fires or fails as that one does; cancelling it gives up the
            place in the queue.
        """
        return self._queues.run(service, method in SAFE_METHODS, in_current_context(send))

    def close(self):
        # type: () -> Deferred[Any]
        """:return: a ``Deferred`` that fires when the kept connections are closed."""
        return maybeDeferred(getattr(self._agent, "close", lambda: None))

    def _attempt(self, call, attempt):
        # type: (Request, int) -> Deferred[Response]
        turn = succeed(None) if self._limiter is None else self._limiter.acquire()
        turn.addCallback(in_current_context(lambda ignored: self._logged(call)))
        return turn.addErrback(in_current_context(self._again), call, attempt)

    def _logged(self, call):
        # type: (Request) -> Deferred[Response]
        action = HTTP_EXCHANGE(
            method=call.method, url=call.logged, request_id=call.request_id, service=call.service
        )
        return in_action(action, self._exchange, call, action)

    def _again(self, failure, call, attempt):
        # type: (Failure, Request, int) -> Any
        delay = retry_delay(call.repeatable, failure.value, attempt, self._jitter())
        if delay is None:
            return failure
        reason = as_text(failure.getErrorMessage())
        HTTP_RETRY(service=call.service, reason=reason, delay=delay).write()
        waited = deferLater(self._reactor, delay, lambda: None)
        retry = in_current_context(lambda ignored: self._attempt(call, attempt + 1))
        return waited.addCallback(retry)

    def _exchange(self, call, action):
        # type: (Request, Any) -> Deferred[Response]
        exchange = maybeDeferred(self._send, call)
        exchange.addCallback(self._received, call, action)
        exchange.addTimeout(self._timeout, self._reactor, partial(_timed_out, call))
        exchange.addErrback(_failed, call)
        return _Answer(exchange).deferred

    def _send(self, call):
        # type: (Request) -> Deferred[Any]
        send = self._treq.request  # type: Any
        d = send(
            native(call.method),
            url_for_treq(call.url),
            headers=call.headers,
            data=call.body,
            allow_redirects=False,
            unbuffered=True,
            reactor=self._reactor,
        )  # type: Deferred[Any]
        return d

    def _received(self, response, call, action):
        # type: (Any, Request, Any) -> Deferred[Response]
        def note(status, service_id):
            # type: (int, Optional[Text]) -> None
            action.addSuccessFields(status=status, service_request_id=service_id)

        body = collect(response, self._bounds)
        body.addErrback(_body_failed, call)
        return body.addCallback(read_answer, response, call, note, self.slices, self._bounds)


class _Answer(object):
    """
    An exchange's answer, of which a cancellation fails with ``CancelledError``.

    Twisted has several errors for a cancelled exchange, a failed DNS lookup among them, and a
    cancelled exchange must not be mistaken for a failure that is worth another attempt.

    :ivar deferred: fires with the exchange's result, or fails with ``CancelledError`` once the
        exchange has been cancelled.
    """

    def __init__(self, exchange):
        # type: (Deferred[Any]) -> None
        self.deferred = Deferred(self._cancel)  # type: Deferred[Any]
        self._exchange = exchange
        self._cancelled = False
        exchange.addBoth(self._deliver)

    def _cancel(self, _):
        # type: (Deferred[Any]) -> None
        self._cancelled = True
        self._exchange.cancel()

    def _deliver(self, result):
        # type: (Any) -> None
        if not self._cancelled:
            self.deferred.callback(result)


def _timed_out(call, result, timeout):
    # type: (Request, Any, float) -> Any
    """Turn the failure of an exchange that its timeout cancelled into the error to report."""
    if not isinstance(result, Failure) or not is_cancelled(result.value):
        return result
    if result.check(ConnectingCancelledError):
        return result
    raise errors.ResponseLost(
        call.method, call.shown, u"no answer within {:g} seconds".format(timeout)
    )


def _failed(failure, call):
    # type: (Failure, Request) -> Failure
    error = transport_error(call.method, call.shown, failure.value)
    # A second traceback of the same error would hold its failure, in a cycle.
    return failure if error is failure.value else Failure(error)


def _body_failed(failure, call):
    # type: (Failure, Request) -> Failure
    if is_cancelled(failure.value):
        return failure
    lost = transport_error(call.method, call.shown, failure.value)
    if isinstance(root_causes(failure.value)[0], OutOfBounds):
        raise lost
    # In any case the service had begun to respond.
    raise errors.ResponseLost(
        call.method, call.shown, u"the answer broke off: {}".format(lost.reason)
    )


__all__ = [
    "CONNECT_TIMEOUT",
    "HTTPClient",
    "Response",
    "agent_for",
    "encode_query",
    "retry_delay",
    "shown_url",
]
