# -*- test-case-name: tests.contract.test_embedded -*-
"""
The surroundings of servers: no networks, and the requests that have changed a server.
"""

from __future__ import annotations

from typing import Any

from ...store.servers.records import ServerAction
from ...wire.exchange import APIRequest, APIResponse, endpoint
from ...wire.requests.routes import Routes
from ...wire.tables import server_refusals
from ...wire.times import compute_time
from .service import SERVER, ComputeService

#: The fourth segments of the paths.
PATHS = ("ips", "os-interface", "os-instance-actions", "os-security-groups")
_UPDATED = (2, 58)
#: The first microversion that shows all users an action's events.
_EVENTS = (2, 51)


def _view(action: ServerAction, updated: bool) -> dict[str, Any]:
    """
    An action of a server.

    :param updated: whether the version has the time of its end.
    """
    started = compute_time(action.started_at)[:-1] + ".000000"
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
                    view["events"] = []
                return APIResponse(200, {"instanceAction": view})
        raise server_refusals.NO_ACTION(request_id)


__all__ = ["PATHS", "SurroundingsAPI"]
