# -*- test-case-name: tests.embedded.apis.test_new_servers -*-
"""The actions on servers: functions that return the new status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ...machine.server_transitions import DELETING
from ...store.servers.records import ServerRecord
from ...wire import refusals
from ...wire.fields import compute_body, wrapped
from ...wire.tables import server_refusals
from ..compute_views import vm_state

_REBOOTS = {"SOFT": "REBOOT", "HARD": "HARD_REBOOT"}
_REBOOT = compute_body(
    wrapped(
        "reboot",
        {
            "type": "object",
            "properties": {"type": {"type": "string"}},
            "required": ["type"],
            "additionalProperties": False,
        },
        additionalProperties=False,
    )
)


def _refuse(verb: str, server: ServerRecord, statuses: tuple[str, ...]) -> None:
    """:raises WireError: 409, in another status."""
    if server.status == DELETING:
        raise server_refusals.SERVER_BUSY(verb, server.server_id, "deleting")
    if server.status not in statuses:
        raise refusals.WRONG_SERVER_STATE(verb, server.server_id, vm_state(server.status))


def _start(server: ServerRecord, value: Any) -> str:
    _refuse("start", server, ("SHUTOFF",))
    return "ACTIVE"


def _stop(server: ServerRecord, value: Any) -> str:
    _refuse("stop", server, ("ACTIVE",))
    return "SHUTOFF"


def _reboot(server: ServerRecord, value: Mapping[str, Any]) -> str:
    status = _REBOOTS[value["type"].upper()]
    others = ("SHUTOFF", "ERROR") if status == "HARD_REBOOT" else ()
    _refuse("reboot", server, ("ACTIVE", *others))
    return status


def check_action(name: str, body: Mapping[str, Any]) -> None:
    """
    Check the body of an action.

    :raises WireError: 400.
    """
    if name not in ACTIONS:
        raise refusals.NO_SERVER_ACTION(name)
    if name == "reboot":
        _REBOOT.check(body)
        kind = body[name]["type"]
        if kind.upper() not in _REBOOTS:
            known = ["HARD", "Hard", "hard", "SOFT", "Soft", "soft"]
            raise server_refusals.BAD_CHOICE("type", kind, kind, known)


ACTIONS: dict[str, Callable[[ServerRecord, Any], str]] = {
    "os-start": _start,
    "os-stop": _stop,
    "reboot": _reboot,
}

__all__ = ["ACTIONS", "check_action"]
