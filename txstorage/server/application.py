# -*- test-case-name: tests.server.test_application -*-
"""
The embedded service: three OpenStack APIs under one root.
"""

from __future__ import annotations

import uuid
from typing import Any, List, Tuple

from twisted.internet.defer import Deferred
from twisted.web.iweb import IRequest
from twisted.web.resource import IResource, Resource

from .compute import Compute
from .identity import Identity
from .reconcile import reconcile
from .settings import Settings
from .store import Store
from .transitions import Engine
from .versions import announcements
from .volumes import BlockStorage
from .wire import NO_SUCH_ROUTE, call_from


class _Document(Resource):
    """A version document; or, for any other path, that there is none."""

    isLeaf = True

    def __init__(self, path: str, base_url: Any) -> None:
        super().__init__()
        self._path = path
        self._base_url = base_url

    def render(self, request: IRequest) -> bytes:
        """The document with this request's links."""
        found = announcements(call_from(request, self._base_url).base)
        answer = found.get(self._path, NO_SUCH_ROUTE)
        if request.method not in (b"GET", b"HEAD"):
            answer = NO_SUCH_ROUTE
        return answer.send(request)


class _Root(Resource):
    """
    Chooses the service, and gives every request its id.

    :param services: resources by the first segment of their paths.
    """

    def __init__(self, services: Any, base_url: Any) -> None:
        super().__init__()
        self._services = services
        self._base_url = base_url
        self._documents = set(announcements(""))

    def getChildWithDefault(self, path: bytes, request: IRequest) -> IResource:
        """See ``IResource``."""
        request.setHeader("x-openstack-request-id", "req-{}".format(uuid.uuid4()))
        segments = b"/".join([path] + request.postpath)
        try:
            whole = "/" + segments.decode("utf-8").rstrip("/")
        except UnicodeDecodeError:
            return _Document("", self._base_url)
        found: IResource = self._services.get(path)
        if found is None or whole in self._documents:
            return _Document(whole, self._base_url)
        return found


class Application:
    """
    The embedded service, ready to be served.

    :param reactor: for time.  Nothing in here talks to the network.
    :param store: the durable state.
    :param devices: an ``IDeviceBackend``.
    """

    def __init__(self, reactor: Any, store: Store, devices: Any, settings: Settings) -> None:
        self._store = store
        self._devices = devices
        self._settings = settings
        self._identity = Identity(store, settings, reactor.seconds)
        self._engine = Engine(reactor, store, devices, settings.transition_delay)

    def start(self) -> Deferred[List[str]]:
        """
        Make store, files and devices agree after a stop or a crash, and go on
        with what was begun.

        :return: fires, when requests may come, with what could not be put
            right, for people.
        """
        return Deferred.fromCoroutine(self._start())

    async def _start(self) -> List[str]:
        problems = await reconcile(self._store, self._devices)
        self._engine.resume()
        return problems

    def stop(self) -> Deferred[None]:
        """
        Begin nothing any more.

        :return: fires with ``None`` when nothing runs any more.
        """
        return Deferred.fromCoroutine(self._engine.stop())

    def resource(self) -> IResource:
        """What a ``Site`` serves."""
        parts: Tuple[Any, ...] = (self._store, self._identity, self._engine, self._settings)
        services = {
            b"identity": self._identity.app.resource(),
            b"volume": BlockStorage(*parts).app.resource(),
            b"compute": Compute(*parts).app.resource(),
        }
        return _Root(services, self._settings.base_url)
