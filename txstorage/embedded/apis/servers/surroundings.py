# -*- test-case-name: tests.contract.test_embedded -*-
"""
The surroundings of servers: no networks, and the requests that have changed a server.
"""

from __future__ import annotations

from typing import Any

from ...store.servers.records import ServerAction
from ...store.servers.table import GROWTH
from ...wire.exchange import APIRequest, APIResponse, Version, endpoint
from ...wire.requests.routes import Routes
from ...wire.tables import server_refusals
from ...wire.times import compute_time
from ..compute_views import HOST, host_id
from .service import SERVER, ComputeService

#: The fourth segments of the paths.
PATHS = ("ips", "os-interface", "os-instance-actions", "os-security-groups")
_UPDATED = (2, 58)
#: The first microversions that show all users an action's events, the host of an event, and what
#: an administrator may know of a failure.
_EVENTS, _HOSTS, _DETAILS = (2, 51), (2, 62), (2, 84)


def _time(action: ServerAction) -> str:
    return compute_time(action.started_at)[:-1] + ".000000"


def _view(action: ServerAction, updated: bool) -> dict[str, Any]:
    """
    An action of a server.

    :param updated: whether the version has the time of its end.
    """
    started = _time(action)
    view: dict[str, Any] = {
        "action": action.name,
        "instance_uuid": action.server_id,
        "request_id": action.request_id,
        "user_id": action.user_id,
        "project_id": action.project_id,
        "start_time": started,
        "message": None,
    }
    return {**view, "updated_at": started} if updated else view


def _events(action: ServerAction, version: Version, admin: bool) -> list[dict[str, Any]]:
    """
    The events of an action: one of an action that is recorded at its end, and none of others.

    :param admin: whether an administrator sees them.
    """
    if action.name != GROWTH:
        return []
    when = _time(action)
    event: dict[str, Any] = {
        "event": "compute_" + action.name,
        "start_time": when,
        "finish_time": when,
        "result": "Success",
    }
    if admin:
        event["traceback"] = None
    if version >= _HOSTS:
        event.update({"host": HOST} if admin else {}, hostId=host_id(action.project_id))
    if admin and version >= _DETAILS:
        event["details"] = None
    return [event]


class SurroundingsAPI(ComputeService):
    """The networks of servers, and their actions."""

    app = Routes()

    @endpoint(app, SERVER + "/ips", "GET")
    def addresses(self, call: APIRequest, server_id: str) -> APIResponse:
        """List a server's addresses: none."""
        self._server(call, server_id)
        return APIResponse(200, {"addresses": {}})

    @endpoint(app, SERVER + "/ips/<network>", "GET")
    def addresses_in(self, call: APIRequest, server_id: str, network: str) -> APIResponse:
        """List a server's addresses in a network, of which there are none."""
        self._server(call, server_id)
        raise server_refusals.NO_ADDRESSES()

    @endpoint(app, SERVER + "/os-interface", "GET")
    def interfaces(self, call: APIRequest, server_id: str) -> APIResponse:
        """List a server's interfaces: none."""
        self._server(call, server_id)
        return APIResponse(200, {"interfaceAttachments": []})

    @endpoint(app, SERVER + "/os-security-groups", "GET")
    def groups(self, call: APIRequest, server_id: str) -> APIResponse:
        """List the security groups of a server's interfaces: none."""
        self._server(call, server_id)
        return APIResponse(200, {"security_groups": []})

    @endpoint(app, SERVER + "/os-instance-actions", "GET")
    def actions(self, call: APIRequest, server_id: str) -> APIResponse:
        """List the requests that have changed a server, the newest first."""
        self._server(call, server_id)
        updated = call.version >= _UPDATED
        actions = self._store.servers.actions(server_id)
        return APIResponse(200, {"instanceActions": [_view(each, updated) for each in actions]})

    @endpoint(app, SERVER + "/os-instance-actions/<request_id>", "GET")
    def action(self, call: APIRequest, server_id: str, request_id: str) -> APIResponse:
        """Show a request that has changed a server."""
        self._server(call, server_id)
        for each in self._store.servers.actions(server_id):
            if each.request_id == request_id:
                view = _view(each, call.version >= _UPDATED)
                if call.version >= _EVENTS or call.requester.is_admin:
                    view["events"] = _events(each, call.version, call.requester.is_admin)
                return APIResponse(200, {"instanceAction": view})
        raise server_refusals.NO_ACTION(request_id)


__all__ = ["PATHS", "SurroundingsAPI"]
