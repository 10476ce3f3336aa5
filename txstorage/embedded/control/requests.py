# -*- test-case-name: tests.embedded.control.test_requests -*-
"""
The bodies of requests to the routes for tests, as faults and numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..machine.backup_transitions import BACKUP_TRANSITIONS
from ..machine.mishaps import Mishap
from ..machine.server_transitions import SERVER_TRANSITIONS
from ..machine.snapshot_transitions import SNAPSHOT_TRANSITIONS
from ..machine.transitions import TRANSITIONS
from .faults import Fault, RouteFault, TransitionFault
from .routes import RouteNames, UnknownName

#: The transient statuses, by the resource that has them.
STATUSES = {
    "volume": sorted(TRANSITIONS),
    "snapshot": sorted(SNAPSHOT_TRANSITIONS),
    "backup": sorted(BACKUP_TRANSITIONS),
    "server": sorted(SERVER_TRANSITIONS),
}
#: The parts of an exchange whose loss ends the connection.
LOST = ("request", "answer")
_LONGEST = 1e9
_EVERY = ("times",)
_OF_STATUS = ("code", "message", "retry_after", "carried_out")
_OF_ROUTES = ("route", "status", *_OF_STATUS, "delay", "lost")
_OF_TRANSITIONS = ("transition", "resource", "resource_id", "stuck", "seconds", "error")


class BadRequest(Exception):
    """A body that no request may have; the text gives the reason."""


def _number(name: str, value: Any, least: float, most: float, whole: bool) -> Any:
    kinds = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not least <= value <= most:
        kind = "an integer" if whole else "a number"
        raise BadRequest(f"{name!r} is {value!r}, and must be {kind} from {least:g} to {most:g}")
    return value


def seconds_of(name: str, value: Any) -> float:
    """
    :return: a duration.
    :raises BadRequest: it is none.
    """
    return float(_number(name, value, 0, _LONGEST, whole=False))


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise BadRequest(f"{name!r} is {value!r}, and must be a text that is not empty")
    return value


def _boolean(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadRequest(f"{name!r} is {value!r}, and must be true or false")
    return value


def _one_of(name: str, value: Any, choices: Mapping[str, Any] | tuple[str, ...]) -> str:
    if value not in tuple(choices):
        raise BadRequest(f"{name!r} is {value!r}, and must be {' or '.join(map(repr, choices))}")
    return str(value)


#: The check of each member: returns its value, or raises ``BadRequest``.
_CHECKS = {
    "times": lambda name, value: _number(name, value, 1, _LONGEST, whole=True),
    "route": _text,
    "status": lambda name, value: _number(name, value, 400, 599, whole=True),
    "code": _text,
    "message": _text,
    "retry_after": lambda name, value: _number(name, value, 0, _LONGEST, whole=True),
    "carried_out": _boolean,
    "delay": seconds_of,
    "lost": lambda name, value: _one_of(name, value, LOST),
    "transition": _text,
    "resource": lambda name, value: _one_of(name, value, STATUSES),
    "resource_id": _text,
    "stuck": _boolean,
    "seconds": seconds_of,
    "error": _text,
}


def members_of(body: Mapping[str, Any], known: tuple[str, ...]) -> dict[str, Any]:
    """
    Check the members of a body; those that are ``null`` are left out.

    :param known: the names of all members.
    :raises BadRequest: one is unknown, or has a wrong value.
    """
    found = {}
    for name, value in body.items():
        if name not in known:
            raise BadRequest(str(UnknownName("member of the body", name, known)))
        if value is not None:
            found[name] = _CHECKS[name](name, value)
    return found


def fault_of(body: Mapping[str, Any], routes: RouteNames) -> tuple[Fault, int | None]:
    """
    :return: the fault that a body describes, and how often it happens.
    :raises BadRequest: it describes none.
    """
    if ("route" in body) == ("transition" in body):
        raise BadRequest("a fault has a member 'route' or a member 'transition'")
    times = body.get("times", 1)
    if "route" in body:
        members = members_of(body, _EVERY + _OF_ROUTES)
        members.pop("times", None)
        return _route_fault(members, routes), times
    members = members_of(body, _EVERY + _OF_TRANSITIONS)
    members.pop("times", None)
    return _transition_fault(members), times


def _route_fault(members: dict[str, Any], routes: RouteNames) -> RouteFault:
    try:
        fault = RouteFault(**dict(members, route=routes.requested(members.get("route", ""))))
    except UnknownName as error:
        raise BadRequest(str(error)) from error
    if fault.status is None and not fault.delay and fault.lost is None:
        raise BadRequest("a route's fault has a 'status', a 'delay', or a part that is 'lost'")
    if fault.lost is not None and fault.status is not None:
        raise BadRequest("an answer with a 'status' is not 'lost'; leave out one of them")
    if fault.lost == "request" and fault.delay:
        raise BadRequest(
            "a 'lost' request has no 'delay'; to lose a late answer, lose the 'answer'"
        )
    if fault.status is None and set(_OF_STATUS) & set(members):
        raise BadRequest("'code', 'message', 'retry_after' and 'carried_out' go with a 'status'")
    if fault.code is not None and not fault.route.has_codes:
        raise BadRequest("only errors of 'ec2' and 'sts' have a 'code'")
    return fault


def _transition_fault(members: dict[str, Any]) -> TransitionFault:
    resource = members.get("resource", "volume")
    status = members.get("transition", "")
    if status not in STATUSES[resource]:
        kind = f"transition of a {resource}"
        raise BadRequest(str(UnknownName(kind, status, STATUSES[resource])))
    own = {name: members.pop(name) for name in ("stuck", "seconds", "error") if name in members}
    mishap = Mishap(**own)
    if mishap == Mishap():
        raise BadRequest("a transition's fault is 'stuck', takes 'seconds', or has an 'error'")
    if mishap.stuck and len(own) > 1:
        raise BadRequest("a 'stuck' transition has neither 'seconds' nor an 'error'")
    return TransitionFault(**members, mishap=mishap)


def advance_of(body: Mapping[str, Any]) -> float:
    """
    :return: the seconds by which a body advances the clock.
    :raises BadRequest: it has none.
    """
    if set(body) != {"advance"}:
        raise BadRequest("the body has one member, 'advance': seconds")
    return seconds_of("advance", body["advance"])
