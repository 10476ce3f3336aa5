# -*- test-case-name: tests.docker.metrics.test_endpoint -*-
"""
The HTTP port of the metrics and of the health.
"""

from __future__ import annotations

from typing import Any

from eliot import add_destinations, remove_destination
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from twisted.internet.defer import maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.web.iweb import IRequest
from twisted.web.resource import Resource

from ..._http.messages import log_refusals
from ...embedded.bounds import ConnectionBounds
from ...embedded.wire.site import BoundedSite
from ...errors import SocketUnusable
from ..catalog import Catalog
from ..mounts import Mounts
from .address import MetricsAddress
from .health import Health, health_of
from .log_metrics import LogMetrics
from .state import StateMetrics

_TEXT = "text/plain; charset=utf-8"
# A scraper uses one connection; nobody sends a body.
_BOUNDS = ConnectionBounds(
    body=0, headers=8192, discard=65536, connections=32, connections_by_address=16
)


class _ReadOnlyPage(Resource):
    """A page that can only be read."""

    allowedMethods = (b"GET", b"HEAD")  # noqa: N815

    def __init__(self, endpoint: MetricsEndpoint) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._endpoint = endpoint


class _Metrics(_ReadOnlyPage):
    """The metrics in Prometheus' text format."""

    def render_GET(self, request: IRequest) -> bytes:  # noqa: N802
        """See ``IResource``."""
        # On the reactor's thread, unlike the library's own resource: the journal belongs to it.
        request.setHeader("Content-Type", CONTENT_TYPE_LATEST)
        return generate_latest(self._endpoint.registry)


class _Healthz(_ReadOnlyPage):
    """The health: status 200 or 503."""

    def render_GET(self, request: IRequest) -> bytes:  # noqa: N802
        """See ``IResource``."""
        reason = self._endpoint.health().reason
        request.setHeader("Content-Type", _TEXT)
        if reason:
            request.setResponseCode(503)
        return f"{reason or 'ok'}\n".encode()


class MetricsEndpoint:
    """
    The metrics and the health on a port.

    :param reactor: provides ``IReactorTCP`` and ``IReactorTime``.
    :param address: the :class:`MetricsAddress` to listen at.
    :param catalog: the plugin's :class:`~txstorage.docker.catalog.Catalog`.
    :param mounts: the plugin's :class:`~txstorage.docker.mounts.Mounts`.
    :param limit: seconds after which a list of the cloud's volumes is no longer recent.
    :ivar registry: has all metrics.
    """

    def __init__(
        self, reactor: Any, address: MetricsAddress, catalog: Catalog, mounts: Mounts, limit: float
    ) -> None:
        self._reactor = reactor
        self._address = address
        self._catalog = catalog
        self._limit = limit
        self.registry = CollectorRegistry()
        self._log_metrics = LogMetrics(self.registry)
        self.registry.register(StateMetrics(catalog, mounts, self.health))
        ProcessCollector(registry=self.registry)
        self._port: IListeningPort | None = None
        self._site: BoundedSite | None = None

    def health(self) -> Health:
        """:return: the plugin's :class:`Health` now."""
        return health_of(self._catalog, self._reactor.seconds(), self._limit)

    def resource(self) -> Resource:
        """:return: the pages."""
        root: Any = Resource()
        root.putChild(b"metrics", _Metrics(self))
        root.putChild(b"healthz", _Healthz(self))
        found: Resource = root
        return found

    def start(self) -> str:
        """
        Listen, and begin to count the log's messages.

        :return: the URL of the metrics.
        :raises SocketUnusable: the address can't be used.
        """
        site = BoundedSite(self.resource(), self._reactor, lambda *_: False, _BOUNDS)
        address = self._address
        try:
            port = self._reactor.listenTCP(address.port, site, interface=address.host)
        except CannotListenError as error:
            raise SocketUnusable(
                f"Can't serve the metrics at {address}: {error.socketError}",
                "use another address with --metrics",
            ) from error
        self._port, self._site = port, site
        # The time at which each counter was made is of no use, and doubles the metrics.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        log_refusals()
        add_destinations(self._log_metrics)
        return f"http://{MetricsAddress(address.host, port.getHost().port)}/metrics"

    async def stop(self) -> None:
        """Close the port and its connections."""
        port, self._port = self._port, None
        site, self._site = self._site, None
        if port is None or site is None:
            return
        remove_destination(self._log_metrics)
        await maybeDeferred(port.stopListening)
        await site.end()


__all__ = ["MetricsEndpoint"]
