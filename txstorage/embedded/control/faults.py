# -*- test-case-name: tests.embedded.control.test_faults -*-
"""
The faults that a test wants: of the answers of routes, and of transitions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Union

import attr

from ..machine.mishaps import Mishap
from .routes import RequestedRoute, Route


@attr.s(frozen=True, auto_attribs=True, kw_only=True)
class RouteFault:
    """
    The fault of the answers of a route.

    :ivar status: the answer is this error.
    :ivar code: of the error, for EC2's services.
    :ivar message: of the error; by default the service's own.
    :ivar retry_after: seconds, for the header ``Retry-After``.
    :ivar carried_out: whether the request is carried out, although the answer is an error.
    :ivar delay: seconds until the answer.
    :ivar lost: ``request`` or ``answer``, if the connection ends without an answer: before the
        request is carried out, or afterwards.
    """

    route: RequestedRoute
    status: int | None = None
    code: str | None = None
    message: str | None = None
    retry_after: int | None = None
    carried_out: bool = False
    delay: float = 0.0
    lost: str | None = None

    def as_document(self) -> dict[str, Any]:
        """The members that a request for this fault has."""
        return {**_given(self), "route": self.route.name}


@attr.s(frozen=True, auto_attribs=True, kw_only=True)
class TransitionFault:
    """
    The fault of transitions.

    :ivar transition: the transient status.
    :ivar resource: ``volume``, ``snapshot``, ``backup`` or ``server``.
    :ivar resource_id: the only one with the fault; ``None`` for any.
    :ivar mishap: of the transition.
    """

    transition: str
    resource: str = "volume"
    resource_id: str | None = None
    mishap: Mishap

    def matches(self, noun: str, key: str, status: str) -> bool:
        """Check whether a transition is meant; see :class:`~..machine.mishaps.Mishaps`."""
        same = (self.resource, self.transition) == (noun, status)
        return same and self.resource_id in (None, key)

    def as_document(self) -> dict[str, Any]:
        """The members that a request for this fault has."""
        own = _given(self)
        del own["mishap"]
        return {**own, "transition": self.transition, **_given(self.mishap)}


def _given(value: Any) -> dict[str, Any]:
    """:return: the fields of a value that differ from their defaults."""
    return {
        field.name: getattr(value, field.name)
        for field in attr.fields(type(value))
        if getattr(value, field.name) != field.default
    }


Fault = Union[RouteFault, TransitionFault]


@attr.s(auto_attribs=True, eq=False)
class _Wanted:
    """
    A fault that is in force.

    :ivar left: how often it will still happen; ``None``: as often as it can.
    :ivar releases: carry out the transitions that it keeps.
    """

    number: int
    fault: Fault
    left: int | None
    releases: list[Callable[[], None]] = attr.Factory(list)

    @property
    def lasts(self) -> bool:
        """``True`` while it will still happen, or keeps transitions."""
        return self.left != 0 or bool(self.releases)

    def strike(self) -> None:
        """Count one time."""
        if self.left is not None:
            self.left -= 1


#: The number of faults that are in force at a time, at most.
MOST_FAULTS = 1000


class Faults:
    """The faults in force, the oldest first; a :class:`~..machine.mishaps.Mishaps`."""

    def __init__(self) -> None:
        self._wanted: dict[int, _Wanted] = {}
        self._number = 0

    @property
    def has_room(self) -> bool:
        """``True`` while another fault can be put in force."""
        self._wanted = {number: each for number, each in self._wanted.items() if each.lasts}
        return len(self._wanted) < MOST_FAULTS

    def add(self, fault: Fault, times: int | None = 1) -> int:
        """
        Put a fault in force.

        :param times: how often it happens; ``None``: until it is removed.
        :return: its number.
        """
        self._number += 1
        self._wanted[self._number] = _Wanted(self._number, fault, times)
        return self._number

    def documents(self) -> list[dict[str, Any]]:
        """The faults that will still happen, or that keep transitions."""
        return [
            {"id": each.number, "times": each.left, **each.fault.as_document()}
            for each in self._wanted.values()
            if each.lasts
        ]

    def remove(self, number: int) -> bool:
        """
        End a fault; the transitions that it keeps are carried out.

        :return: whether there was one.
        """
        wanted = self._wanted.pop(number, None)
        if wanted is None:
            return False
        for release in wanted.releases:
            release()
        return True

    def clear(self) -> None:
        """End all faults."""
        for number in list(self._wanted):
            self.remove(number)

    def _in_force(self) -> Iterator[_Wanted]:
        return (each for each in list(self._wanted.values()) if each.left != 0)

    def take(self, route: Route, path: str, action: str) -> RouteFault | None:
        """:return: the fault of the answer to a request, which then has happened once."""
        for wanted in self._in_force():
            fault = wanted.fault
            if isinstance(fault, RouteFault) and fault.route.matches(route, path, action):
                wanted.strike()
                return fault
        return None

    def strike(
        self, noun: str, key: str, status: str, release: Callable[[], None]
    ) -> Mishap | None:
        """See :class:`~..machine.mishaps.Mishaps`."""
        for wanted in self._in_force():
            fault = wanted.fault
            if isinstance(fault, TransitionFault) and fault.matches(noun, key, status):
                wanted.strike()
                if fault.mishap.stuck:
                    wanted.releases.append(release)
                return fault.mishap
        return None
