# -*- test-case-name: tests.embedded.control.test_routes -*-
"""
The names of the service's routes: a method and the template of a path.

A name is ``DELETE /volume/v3/volumes/{volume_id}``.  The project may stand in it, where Block
Storage's paths have it, and a placeholder may have any name.  A literal instead of a placeholder is
that one resource only.  A third word is the action in the body, such as ``os-extend``.  Shorter
names stand for several routes: ``volume``, ``compute`` or ``identity`` for all of one service, and
``*`` for all of them.

The name of an action of EC2 is ``ec2 CreateVolume``, and ``ec2`` stands for all of them; those of
the Security Token Service begin with ``sts``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

import attr

#: The services whose requests are actions.
ACTION_SERVICES = ("ec2", "sts")
EVERY = "*"
_PLACEHOLDER = re.compile(r"\{[^{}/]*\}\Z")
#: Cinder's condition for a project id.
_PROJECT = re.compile(r"[0-9a-f-]+\Z")

Segments = tuple[str, ...]


class UnknownName(Exception):
    """
    A name that nothing has; the text gives the nearest one.

    :param kind: of the named thing.
    :param known: all names.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        nearest = difflib.get_close_matches(name, list(known), 1, 0.0)
        hint = f"; the nearest one is {nearest[0]!r}" if nearest else ""
        super().__init__(f"no {kind} is named {name!r}{hint}")


def _is_placeholder(segment: str) -> bool:
    return bool(_PLACEHOLDER.match(segment))


def segments_of(path: str) -> Segments:
    """:return: the segments of a path, or of a template, without Block Storage's project."""
    found = tuple(path.strip("/").split("/"))
    with_project = found[:2] == ("volume", "v3") and len(found) > 2
    if with_project and (_is_placeholder(found[2]) or _PROJECT.match(found[2])):
        return found[:2] + found[3:]
    return found


@attr.s(frozen=True, auto_attribs=True)
class Route:
    """
    A route of the service.

    :ivar method: such as ``GET``; empty for an action.
    :ivar segments: of its template, without the project; the service and the name of an action.
    """

    method: str
    segments: Segments

    @classmethod
    def of(cls, method: str, template: str) -> Route:
        """
        :param template: such as ``/volume/v3/{project_id}/volumes/{volume_id}``.
        """
        return cls(method, segments_of(template))

    @classmethod
    def of_action(cls, service: str, name: str) -> Route:
        """
        :param service: one of :data:`ACTION_SERVICES`.
        """
        return cls("", (service, name))

    @property
    def name(self) -> str:
        """The name of the route."""
        if not self.method:
            return " ".join(self.segments)
        return f"{self.method} /{'/'.join(self.segments)}"

    def literals(self, segments: Segments) -> int | None:
        """
        :param segments: of a name.
        :return: the number of segments that both have literally; ``None`` if it can't be this
            route's name.
        """
        if len(self.segments) != len(segments):
            return None
        alike = [one == other for one, other in zip(self.segments, segments)]
        if all(same or _is_placeholder(own) for same, own in zip(alike, self.segments)):
            return sum(alike)
        return None


@attr.s(frozen=True, auto_attribs=True)
class RequestedRoute:
    """
    The routes that a name stands for.

    :ivar name: as given.
    :ivar service: empty for all services.
    :ivar route: ``None`` for all of the service.
    :ivar only: the literals in place of placeholders, by the index of the segment.
    :ivar action: in the body; empty for all.
    """

    name: str
    service: str = ""
    route: Route | None = None
    only: tuple[tuple[int, str], ...] = ()
    action: str = ""

    @property
    def has_codes(self) -> bool:
        """``True`` if an error of these routes may have a code."""
        service = self.service if self.route is None else self.route.segments[0]
        return service in ("", *ACTION_SERVICES)

    def matches(self, route: Route, path: str, action: str) -> bool:
        """
        :param route: of a request.
        :param path: of the request.
        :param action: the first member of its body, or an empty text.
        """
        if self.route is None:
            return self.service in ("", route.segments[0])
        segments = segments_of(path)
        return (
            self.route == route
            and self.action in ("", action)
            and all(segments[index] == literal for index, literal in self.only)
        )


class RouteNames:
    """
    The names of all routes.

    :param routes: the service's.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = sorted(set(routes), key=lambda route: (route.segments, route.method))

    def with_routes(self, added: Iterable[Route]) -> RouteNames:
        """:return: the names of these routes and of others."""
        return RouteNames([*self._routes, *added])

    @property
    def names(self) -> list[str]:
        """All names, sorted by path."""
        return [route.name for route in self._routes]

    @property
    def _services(self) -> set[str]:
        return {route.segments[0] for route in self._routes}

    def _action(self, name: str) -> RequestedRoute:
        known = {route.name: route for route in self._routes if not route.method}
        route = known.get(" ".join(name.split()))
        if route is None:
            kind = "action" if known else "action, without --ec2-port,"
            raise UnknownName(kind, name, known)
        return RequestedRoute(name, route=route)

    def requested(self, name: str) -> RequestedRoute:
        """
        Read a name.

        :raises UnknownName: no route has it.
        """
        words = name.split()
        if words == [EVERY]:
            return RequestedRoute(name)
        if len(words) == 1 and words[0] in self._services:
            return RequestedRoute(name, words[0])
        if words[:1] and words[0] in ACTION_SERVICES:
            return self._action(name)
        if len(words) not in (2, 3):
            raise UnknownName("route", name, [*self.names, *self._services, EVERY])
        segments = segments_of(words[1].partition("?")[0])
        found = [
            (literals, route)
            for route in self._routes
            for literals in [route.literals(segments)]
            if route.method == words[0].upper() and literals is not None
        ]
        if not found:
            raise UnknownName("route", " ".join(words[:2]), self.names)
        # A literal is meant rather than a placeholder's value: volumes/detail.
        route = max(found, key=lambda each: each[0])[1]
        only = tuple(
            (index, segment)
            for index, (own, segment) in enumerate(zip(route.segments, segments))
            if own != segment and not _is_placeholder(segment)
        )
        return RequestedRoute(name, route=route, only=only, action="".join(words[2:]))
