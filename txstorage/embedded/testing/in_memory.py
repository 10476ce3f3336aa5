# -*- test-case-name: tests.embedded.testing.test_in_memory -*-
"""
A double in memory, for clients that use a Twisted agent.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterable
from io import BytesIO
from typing import IO, Any, cast

from treq.client import HTTPClient
from treq.testing import RequestTraversalAgent
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IConsumer
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.web.client import readBody
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IBodyProducer, IResponse
from zope.interface import implementer

from ..control.controls import Controls
from ..control.requests import BadRequest, advance_of
from .cloud import BASE_URL, in_memory_cloud
from .double import ControlRefused, OpenStackDouble
from .running import decoded
from .scratch import scratch_directory


@implementer(IBodyProducer)
class _Body:
    """A body in memory, which is sent at once."""

    def __init__(self, data: bytes | IO[bytes]) -> None:
        self._content = data if isinstance(data, bytes) else data.read()
        self.length = len(self._content)

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:  # noqa: N802  (Twisted's name)
        """See ``IBodyProducer``."""
        consumer.write(self._content)
        return succeed(None)

    def pauseProducing(self) -> None:  # noqa: N802  (Twisted's name)
        """See ``IBodyProducer``."""

    def resumeProducing(self) -> None:  # noqa: N802  (Twisted's name)
        """See ``IBodyProducer``."""

    def stopProducing(self) -> None:  # noqa: N802  (Twisted's name)
        """See ``IBodyProducer``."""


@implementer(IAgent)
class _MemoryAgent:
    """
    The agent of a double in memory.

    :param double: carries out what is due, before each request and for its answer.
    """

    def __init__(self, double: InMemoryOpenStack, agent: RequestTraversalAgent) -> None:
        self._double = double
        self._agent = agent

    def request(
        self,
        method: bytes,
        uri: bytes,
        headers: Headers | None = None,
        bodyProducer: IBodyProducer | None = None,  # noqa: N803  (Twisted's name)
    ) -> Deferred[IResponse]:
        """See ``IAgent``."""
        if bodyProducer is None:
            return self._send(method, uri, headers, None)
        received = BytesIO()
        produced: Deferred[Any] = bodyProducer.startProducing(cast(IConsumer, received))
        # A producer may need a reactor's time, which nothing in memory waits for.
        return produced.addCallback(
            lambda _: self._send(method, uri, headers, _Body(received.getvalue()))
        )

    def _send(
        self, method: bytes, uri: bytes, headers: Headers | None, body: _Body | None
    ) -> Deferred[IResponse]:
        self._double.advance(0)
        answered: Deferred[IResponse] = self._agent.request(method, uri, headers, body)
        if not answered.called:
            self._double.advance(0)
        return answered


class InMemoryOpenStack(OpenStackDouble):
    """
    A double without a network, a thread or a reactor.

    What is due happens before each request, and when the clock is advanced; nothing else passes the
    time.  A reset does not set this clock back.

    :ivar agent: an ``IAgent`` for the client under test.
    :ivar treq: a client with the methods of ``treq``, which needs no reactor for its bodies either.
    :ivar clock: a ``Clock``, for a client that wants a reactor's time: :meth:`advance` advances it.
    :ivar nodes: server ids by name.
    :param nodes: the names of the servers.
    :param root_volumes: whether each server has a root volume, which volume lists show.
    :param settings: ``users``, and those of the service, such as ``transition_delay``; see the
        documentation.
    """

    def __init__(
        self,
        nodes: Iterable[str] = ("node-1", "node-2"),
        root_volumes: bool = False,
        **settings: Any,
    ) -> None:
        self.clock = Clock()
        # Clients compare the times of tokens with their own.
        self.clock.advance(time.time())
        controls = Controls(self.clock)
        self._directory = scratch_directory()
        try:
            self._cloud = in_memory_cloud(
                self.clock, nodes, controls, self._directory, root_volumes, **settings
            )
        except BaseException:
            shutil.rmtree(self._directory)
            raise
        self.auth_url = self._cloud.auth_url
        self.password = self._cloud.settings.password
        self.nodes = self._cloud.nodes
        self._agent = RequestTraversalAgent(self._cloud.resource)
        self.agent: IAgent = _MemoryAgent(self, self._agent)
        self.treq = HTTPClient(self.agent, data_to_body_producer=_Body)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """See :class:`OpenStackDouble`."""
        given = None if body is None else _Body(json.dumps(body).encode("ascii"))
        url = (self._cloud.settings.base_url or BASE_URL) + path
        got: list[Any] = []
        answered = self._agent.request(
            # As from this machine.
            *(method.encode("ascii"), url.encode("ascii"), Headers({"Host": ["localhost"]}), given)
        )
        answered.addCallback(
            lambda answer: readBody(answer).addCallback(lambda body: (answer.code, body))
        )
        answered.addBoth(got.append)
        self._agent.flush()
        if isinstance(got[0], Failure):
            got[0].raiseException()
        return decoded(*got[0])

    def advance(self, seconds: float) -> None:
        """See :class:`OpenStackDouble`; the calls of a client that uses the clock are made, too."""
        try:
            advance_of({"advance": seconds})
        except BadRequest as error:
            raise ControlRefused(400, str(error)) from error
        while True:
            due = min((call.getTime() for call in self.clock.getDelayedCalls()), default=None)
            step = None if due is None else max(0.0, due - self.clock.seconds())
            if step is None or step > seconds:
                break
            seconds -= step
            self.clock.advance(step)
            self._agent.flush()
        self.clock.advance(seconds)
        self._agent.flush()

    def close(self) -> None:
        """See :class:`OpenStackDouble`."""
        if os.path.exists(self._directory):
            self._cloud.close()
