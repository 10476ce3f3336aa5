# -*- test-case-name: tests.embedded.apis.test_processes -*-
"""
Block Storage v3's processes, which administrators disable and enable.

While the one that has the volumes is disabled, the scheduler finds no host for new volumes.  The
refusals have Cinder 29's status codes and messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....settings import AVAILABILITY_ZONE
from ....store.features.processes import BACKUP, SCHEDULER, VOLUME
from ....store.store import Store
from ....wire import volume_refusals
from ....wire.exchange import APIRequest, APIResponse, Version, endpoint
from ....wire.fields import OPTIONAL_TEXT, volume_body
from ....wire.requests.routes import Routes
from ....wire.times import volume_time
from ....wire.versions import VOLUME as VOLUME_DIALECT
from ...versioned import ProjectService
from ...volume_views import HOST

#: The first segments of the paths after the project.
PATHS = ("os-services",)
#: The processes and their hosts; the pool is on the last one.
_MACHINE = HOST.partition("@")[0]
PROCESSES = {SCHEDULER: _MACHINE, BACKUP: _MACHINE, VOLUME: HOST}
#: The first microversions with the cluster, and with the state of the back end.
_CLUSTER, _BACKEND = (3, 7), (3, 49)
_NAME = {"type": "string", "minLength": 1, "maxLength": 255}
HOST_NAME = {
    "type": ["string", "null"],
    "minLength": 1,
    "maxLength": 255,
    "pattern": r"^[a-zA-Z0-9-._#@:/+\[\]]*$",
}
_PROCESS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "binary": _NAME,
        "host": HOST_NAME,
        "cluster": {**OPTIONAL_TEXT, "maxLength": 255},
        "service": _NAME,
    },
    "anyOf": [{"required": ["binary"]}, {"required": ["service"]}],
    "additionalProperties": False,
}
_ONE = volume_body(_PROCESS)
_WITH_REASON = volume_body(
    {**_PROCESS, "properties": {**_PROCESS["properties"], "disabled_reason": _NAME}}
)
_PREFIX = "/v3/<project_id>/os-services"


class ProcessesAPI(ProjectService):
    """The processes."""

    app = Routes()
    dialect = VOLUME_DIALECT

    @endpoint(app, _PREFIX, "GET")
    def list_all(self, call: APIRequest) -> APIResponse:
        """List the processes, for administrators."""
        self.permit(call)
        query, now = call.query(), volume_time(self._bearers.wall_time())
        disabled = self._store.processes.disabled()
        view = [
            {**_status(binary, disabled), **_process(binary, host, call.version, now)}
            for binary, host in PROCESSES.items()
            if query.get("binary", binary) == binary and is_host(query.get("host", host), host)
        ]
        return APIResponse(200, {"services": view})

    @endpoint(app, _PREFIX + "/enable", "PUT")
    async def enable(self, call: APIRequest) -> APIResponse:
        """Enable a process, as an administrator."""
        body = call.json()
        _ONE.check(body)
        self.permit(call)
        binary = _named(body)
        await self._store.write(lambda store: store.processes.enable(binary))
        return APIResponse(200, {**_echo(body), "status": "enabled", "disabled": False})

    @endpoint(app, _PREFIX + "/disable", "PUT")
    async def disable(self, call: APIRequest) -> APIResponse:
        """Disable a process, as an administrator."""
        body = call.json()
        _ONE.check(body)
        return APIResponse(200, await self._disabled(call, body, None))

    @endpoint(app, _PREFIX + "/disable-log-reason", "PUT")
    async def disable_with_reason(self, call: APIRequest) -> APIResponse:
        """Disable a process for a reason, as an administrator."""
        body = call.json()
        _WITH_REASON.check(body)
        reason = body.get("disabled_reason")
        if reason is not None and not reason.strip():
            raise volume_refusals.BLANK_REASON(reason, reason)
        view = await self._disabled(call, body, reason)
        return APIResponse(200, {**view, "disabled_reason": reason})

    async def _disabled(
        self, call: APIRequest, body: Mapping[str, Any], reason: str | None
    ) -> dict[str, Any]:
        self.permit(call)
        binary = _named(body)

        def change(store: Store) -> None:
            store.processes.disable(binary, reason)

        await self._store.write(change)
        return {**_echo(body), "status": "disabled", "disabled": True}


def is_host(wanted: str, host: str) -> bool:
    """Check a host's name, which a request may shorten to that of the machine."""
    return wanted in (host, host.partition("@")[0])


def _named(body: Mapping[str, Any]) -> str:
    """
    :return: the binary of the process in a body.
    :raises WireError: 400, 404.
    """
    host, binary = body.get("host"), body.get("binary") or body.get("service", "")
    if not host:
        raise volume_refusals.HOST_OR_CLUSTER("Host field is missing.")
    if PROCESSES.get(binary) != host:
        raise volume_refusals.NO_PROCESS(binary, host)
    return str(binary)


def _echo(body: Mapping[str, Any]) -> dict[str, Any]:
    """The process as the request has it."""
    return {name: body.get(name, "") for name in ("host", "service", "binary")}


def _status(binary: str, disabled: Mapping[str, str | None]) -> dict[str, Any]:
    """
    :param disabled: the reasons, by the disabled processes' binaries.
    """
    status = "disabled" if binary in disabled else "enabled"
    return {"status": status, "disabled_reason": disabled.get(binary)}


def _process(binary: str, host: str, version: Version, now: str | None) -> dict[str, Any]:
    """:param now: the time, as Cinder has it."""
    view: dict[str, Any] = {
        "binary": binary,
        "host": host,
        "zone": AVAILABILITY_ZONE,
        "state": "up",
        "updated_at": now,
    }
    if version >= _CLUSTER:
        view["cluster"] = None
    if binary == VOLUME:
        view.update(replication_status="disabled", active_backend_id=None, frozen=False)
        if version >= _BACKEND:
            view["backend_state"] = "up"
    return view


__all__ = ["PATHS", "PROCESSES", "ProcessesAPI", "is_host"]
