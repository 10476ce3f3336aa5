# -*- test-case-name: tests.clouds.ec2.test_session -*-
"""
A session with EC2: signed requests, answers as botocore names their members.
"""

from __future__ import absolute_import, division, print_function

import random
import time
from functools import partial

import attr
from twisted.internet.task import deferLater

from ...._log import HTTP_RETRY
from ...._support.compat import as_text, urlsplit
from ...._support.eliot_context import in_current_context
from ....errors import NotTheService, RateLimited, ResponseLost
from ..codec import FORM, Unreadable, signed_headers
from .failures import DOUBTFUL_SIGNATURE, service_error
from .rates import Buckets, delay_before_retry, is_read

MYPY = False
if MYPY:
    from typing import Any, Callable, Dict, Mapping, Optional, Text  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.internet.interfaces import IReactorTime  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from ...._http.client import HTTPClient  # noqa: F401
    from ...._http.messages import Response  # noqa: F401
    from ...._support.slices import Slices  # noqa: F401
    from ..codec import ServiceCodec  # noqa: F401
    from ..credentials import AccessKeys, KeySource  # noqa: F401

# Seconds: a difference between the clocks that a signature's validity of five minutes allows for.
_TOLERATED_SKEW = 60.0


@attr.s(frozen=True)
class _SignedCall(object):
    """
    One request, and what was done to have it accepted.

    :ivar str operation: such as ``CreateVolume``.
    :ivar bytes body: the request's.
    :ivar bool repeatable: whether sending the request twice is harmless.
    :ivar int attempt: from 1.
    :ivar bool adjusted: whether the session's clock was set for it.
    :ivar bool renewed: whether the keys were replaced for it.
    """

    operation = attr.ib()  # type: str
    body = attr.ib(repr=False)  # type: bytes
    repeatable = attr.ib()  # type: bool
    attempt = attr.ib(default=1)  # type: int
    adjusted = attr.ib(default=False)  # type: bool
    renewed = attr.ib(default=False)  # type: bool

    def but(self, **changes):
        # type: (**Any) -> _SignedCall
        """:return: the call with changes."""
        return _SignedCall(**dict(attr.asdict(self, recurse=False), **changes))


class EC2Session(object):
    """
    Requests with access keys.

    :param reactor: provides ``IReactorTime``.
    :param http: a :class:`~txstorage._http.client.HTTPClient`.
    :param keys: a :class:`~txstorage.clouds.ec2.credentials.KeySource`.
    :param codec: the :class:`~txstorage.clouds.ec2.codec.ServiceCodec` of EC2.
    :param text region: the region, as in signatures.
    :param text endpoint: the URL of EC2 in the region.
    :param wall_clock: called without arguments for this machine's time, in seconds since the epoch:
        signatures contain the time.
    :param jitter: called without arguments for a float from 0 to 1.

    :ivar text endpoint: the same.
    """

    def __init__(
        self,
        reactor,
        http,
        keys,
        codec,
        region,
        endpoint,
        wall_clock=time.time,
        jitter=random.random,
    ):
        # type: (IReactorTime, HTTPClient, KeySource, ServiceCodec, Text, Text, Callable[[], float], Callable[[], float]) -> None
        self._reactor = reactor
        self._http = http
        self._keys = keys
        self._codec = codec
        self._region = region
        self.endpoint = endpoint
        parts = urlsplit(endpoint)
        self._url = endpoint if parts[2] else endpoint + u"/"
        self._host = as_text(parts[1])
        self._wall_clock = wall_clock
        self._jitter = jitter
        self._buckets = Buckets(reactor)
        # Seconds by which the service's clock is ahead of this machine's: as signatures assume, and
        # as the latest answer showed.
        self._ahead = self._measured = 0.0

    @property
    def slices(self):
        # type: () -> Slices
        """The :class:`~txstorage._support.slices.Slices` in which long lists are read."""
        return self._http.slices

    @property
    def ahead(self):
        # type: () -> float
        """
        The seconds by which the service's clock was ahead of this machine's at its latest answer; 0
        before the first.
        """
        return self._measured

    def now(self):
        # type: () -> float
        """:return: the service's time, in seconds since the epoch, by its latest answer."""
        return self._wall_clock() + self.ahead

    def call(self, operation, parameters, repeatable=None):
        # type: (str, Mapping[str, Any], Optional[bool]) -> Deferred[Dict[Text, Any]]
        """
        Send a request.  It is signed again when the service's clock turns out to differ, and when
        the keys have ended.

        :param str operation: such as ``CreateVolume``.
        :param dict parameters: the operation's, as botocore names them.
        :param repeatable: whether sending the request twice is harmless; by default only of reads,
            and of requests with a ``ClientToken``.
        :return: a ``Deferred`` that fires with the answer, a dict, as botocore names its members;
            fails with :class:`~txstorage.errors.TransportError`,
            :class:`~txstorage.errors.ServiceError`, whose ``kind`` is EC2's code, and
            :class:`~txstorage.errors.CredentialsUnavailable`; can be cancelled.
        """
        if repeatable is None:
            repeatable = is_read(operation) or "ClientToken" in parameters
        return self._attempt(
            _SignedCall(operation, self._codec.body_of(operation, parameters), repeatable)
        )

    def keys(self):
        # type: () -> Deferred[AccessKeys]
        """
        :return: a ``Deferred`` that fires with the
            :class:`~txstorage.clouds.ec2.credentials.AccessKeys` in use; fails as their source
            does.
        """
        return self._keys.current()

    def of_service(self, codec, endpoint):
        # type: (ServiceCodec, Text) -> EC2Session
        """
        Create a session of another service, with the same keys.

        :param codec: the :class:`~txstorage.clouds.ec2.codec.ServiceCodec` of the service.
        :param text endpoint: the URL of the service in the region.
        """
        return EC2Session(
            self._reactor,
            self._http,
            self._keys,
            codec,
            self._region,
            endpoint,
            self._wall_clock,
            self._jitter,
        )

    def close(self):
        # type: () -> Deferred[Any]
        """
        :return: a ``Deferred`` that fires when no connection is left.
        """
        return self._http.close()

    def _attempt(self, call):
        # type: (_SignedCall) -> Deferred[Any]
        turn = self._buckets.of(call.operation).acquire()  # type: Deferred[Any]
        turn.addCallback(in_current_context(lambda _: self._in_turn(call)))
        return turn.addErrback(in_current_context(self._failed), call)

    def _in_turn(self, call):
        # type: (_SignedCall) -> Deferred[Any]
        # All requests are POSTs; those that read have the queue of reads.
        method = u"GET" if is_read(call.operation) else u"POST"
        return self._http.in_turn(self._host, method, partial(self._with_keys, call))

    def _with_keys(self, call):
        # type: (_SignedCall) -> Deferred[Any]
        d = self._keys.current()  # type: Deferred[Any]
        return d.addCallback(lambda keys: self._send(call, keys))

    def _send(self, call, keys):
        # type: (_SignedCall, AccessKeys) -> Deferred[Any]
        headers = signed_headers(
            u"POST",
            self._url,
            {u"Content-Type": FORM},
            call.body,
            keys,
            as_text(self._codec.service),
            self._region,
            self._wall_clock() + self._ahead,
        )
        sent = self._http.request_raw(
            u"POST",
            self._url,
            headers,
            call.body,
            redact=keys.secrets,
            repeatable=call.repeatable,
            service=u"ec2",
            operation=as_text(call.operation),
        )  # type: Deferred[Any]
        return sent.addCallback(self._answered, call, keys)

    def _answered(self, response, call, keys):
        # type: (Response, _SignedCall, AccessKeys) -> Any
        if response.date is not None:
            self._measured = response.date - self._wall_clock()
        if response.status >= 300:
            return self._refused(response, call, keys)
        try:
            return self._codec.parse(call.operation, response.headers, response.body)
        except Unreadable as error:
            # Something was done, although nobody knows the result.
            kind = NotTheService if is_read(call.operation) else ResponseLost
            raise kind(
                response.method,
                response.url,
                u"{}: {}".format(as_text(call.operation), error.problem),
            )

    def _refused(self, response, call, keys):
        # type: (Response, _SignedCall, AccessKeys) -> Any
        document = self._codec.refusal(response.status, response.headers, response.body)
        error = service_error(as_text(call.operation), response, document, keys.secrets)
        if document.code in DOUBTFUL_SIGNATURE:
            if not call.adjusted and self._adjust(response.date):
                return self._with_keys(call.but(adjusted=True))
            if not call.renewed:
                self._keys.discard(keys)
                return self._with_other_keys(call.but(renewed=True), keys, error)
        raise error

    def _adjust(self, date):
        # type: (Optional[float]) -> bool
        """:return: whether the service's clock differed from what was assumed."""
        ahead = self._ahead if date is None else date - self._wall_clock()
        if abs(ahead - self._ahead) <= _TOLERATED_SKEW:
            return False
        self._ahead = ahead
        return True

    def _with_other_keys(self, call, refused, error):
        # type: (_SignedCall, AccessKeys, Exception) -> Deferred[Any]
        def loaded(keys):
            # type: (AccessKeys) -> Any
            if keys == refused:
                raise error
            return self._send(call, keys)

        d = self._keys.current()  # type: Deferred[Any]
        return d.addCallback(loaded)

    def _failed(self, failure, call):
        # type: (Failure, _SignedCall) -> Any
        delay = delay_before_retry(failure.value, call.repeatable, call.attempt, self._jitter())
        if delay is None:
            return failure
        if failure.check(RateLimited):
            self._buckets.of(call.operation).drain()
        reason = as_text(failure.getErrorMessage())
        HTTP_RETRY(service=u"ec2", reason=reason, delay=delay).write()
        waited = deferLater(self._reactor, delay, lambda: None)
        following = call.but(attempt=call.attempt + 1)
        return waited.addCallback(in_current_context(lambda _: self._attempt(following)))


__all__ = ["EC2Session"]
