# -*- test-case-name: tests.docker.monitoring.test_port -*-
"""
The port at which Prometheus reads the metrics, and load balancers the health.
"""

from __future__ import annotations

from typing import Any, Callable

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from twisted.internet.defer import maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.web.iweb import IRequest
from twisted.web.resource import Resource

from ...embedded.bounds import ConnectionBounds
from ...embedded.wire.site import BoundedSite
from ...errors import SocketUnusable

#: The bounds: Prometheus uses one connection, and sends no body.
BOUNDS = ConnectionBounds(
    body=0, headers=8192, discard=65536, connections=32, connections_by_address=16
)


class _ReadOnlyPage(Resource):
    """
    A page that is read only.

    :param answer: returns the status, the content type and the body.
    """

    allowedMethods = (b"GET", b"HEAD")  # noqa: N815

    def __init__(self, answer: Callable[[], tuple[int, str, bytes]]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._answer = answer

    def render_GET(self, request: IRequest) -> bytes:  # noqa: N802
        """See ``Resource``; HEAD is answered with it, too."""
        status, kind, body = self._answer()
        request.setResponseCode(status)
        request.setHeader("Content-Type", kind)
        return body


class MonitoringPort:
    """
    The port.

    :param reactor: provides ``IReactorTCP``.
    :param address: the host and the port number.
    :param registry: the metrics.
    :param problem: returns the reason why the plugin is not healthy; empty when it is.
    """

    def __init__(
        self,
        reactor: Any,
        address: tuple[str, int],
        registry: CollectorRegistry,
        problem: Callable[[], str],
    ) -> None:
        self._reactor = reactor
        self._address = address
        self._registry = registry
        self._problem = problem
        self._port: IListeningPort | None = None
        self._site: BoundedSite | None = None

    @property
    def number(self) -> int:
        """The port number."""
        assert self._port is not None
        found: int = self._port.getHost().port  # type: ignore[attr-defined]
        return found

    def start(self) -> None:
        """
        Listen.

        :raises SocketUnusable: the address can't be used.
        """
        root = Resource()
        root.putChild(b"metrics", _ReadOnlyPage(self._metrics))
        root.putChild(b"healthz", _ReadOnlyPage(self._health))
        site = BoundedSite(root, self._reactor, lambda *_: False, BOUNDS)
        host, port = self._address
        try:
            self._port = self._reactor.listenTCP(port, site, interface=host)
        except CannotListenError as error:
            raise SocketUnusable(
                f"Can't listen at {host}, port {port}: {error.socketError}",
                "use another address with --metrics",
            ) from error
        self._site = site

    async def stop(self) -> None:
        """Close the port and its connections."""
        port, self._port = self._port, None
        if port is not None:
            await maybeDeferred(port.stopListening)
        site, self._site = self._site, None
        if site is not None:
            await site.end()

    def _metrics(self) -> tuple[int, str, bytes]:
        return 200, CONTENT_TYPE_LATEST, generate_latest(self._registry)

    def _health(self) -> tuple[int, str, bytes]:
        problem = self._problem()
        text = (problem or "ok") + "\n"
        return 503 if problem else 200, "text/plain; charset=utf-8", text.encode("utf-8")


__all__ = ["BOUNDS", "MonitoringPort"]
