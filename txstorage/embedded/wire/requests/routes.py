# -*- test-case-name: tests.embedded.wire.requests.test_routes -*-
"""
The routes of a service: its paths and methods, each with the view that answers it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, Callable

import attr
from twisted.internet.defer import Deferred
from twisted.web.iweb import IRequest
from werkzeug.routing import Map, Rule

#: Answers a request: called with the service, the request, and the segments of the path.
View = Callable[[Any, IRequest, "dict[str, str]"], "Deferred[Any]"]


@attr.s(frozen=True, auto_attribs=True)
class ServiceRoute:
    """
    A path and methods of a service.

    :ivar path: a rule of Werkzeug's, such as ``/v3/volumes/<volume_id>``.
    :ivar name: of the service's method behind the view.
    """

    path: str
    methods: tuple[str, ...]
    name: str
    view: View


class Routes:
    """The routes of a service, the oldest first."""

    def __init__(self) -> None:
        self._routes: list[ServiceRoute] = []

    def add(self, added: ServiceRoute) -> None:
        """Add a route; no request may have been answered yet."""
        self._routes.append(added)

    def __iter__(self) -> Iterator[ServiceRoute]:
        """Yield the routes."""
        return iter(self._routes)

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yield the methods and paths of all routes."""
        return ((method, each.path) for each in self for method in each.methods)

    def find(self, method: str, path: str) -> tuple[ServiceRoute, dict[str, str]]:
        """
        Find the route of a request.

        :return: the route, and the path's segments by their names.
        :raises werkzeug.exceptions.HTTPException: no route has the path, or the method.
        """
        rule, segments = self._map.match(path, method, return_rule=True)
        found: ServiceRoute = rule.endpoint
        return found, dict(segments)

    @cached_property
    def _map(self) -> Any:
        # Werkzeug takes 0.3 ms for a rule, and the service has two hundred; most tests use few of
        # its parts.
        rules = [Rule(each.path, methods=each.methods, endpoint=each) for each in self]
        return Map(rules).bind("")
