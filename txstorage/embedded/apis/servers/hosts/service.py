# -*- test-case-name: tests.contract.test_embedded -*-
"""
Compute's one host, and its processes, for administrators.

The refusals have Nova 34's status codes and messages.
"""

from __future__ import annotations

from typing import Any, Callable

from ....settings import AVAILABILITY_ZONE
from ....store.store import Store
from ....wire import refusals
from ....wire.exchange import APIRequest, APIResponse, endpoint
from ....wire.fields import compute_body, is_uuid
from ....wire.pagination import Page, next_links, server_page
from ....wire.requests.routes import Routes
from ....wire.tables import server_refusals
from ....wire.times import volume_time
from ...block_storage.queries import truth
from ...compute_views import HOST
from ..parameters import refuse_unknown
from ..service import ComputeService
from .views import COMPUTE, PROCESSES, HypervisorView, has_uuids, id_of, process, zones

#: The second segments of the paths.
PATHS = ("os-services", "os-hypervisors", "os-availability-zone")
#: The first microversions that refuse unknown parameters, that have pages of hypervisors, and that
#: have neither searches nor statistics.
_STRICT, _PAGES, _NO_SEARCH, _NO_STATISTICS = (2, 75), (2, 33), (2, 53), (2, 88)
_HYPERVISORS = "/v2.1/os-hypervisors"
_ID = _HYPERVISORS + "/<hypervisor_id>"
_UPDATE = compute_body(
    {
        "type": "object",
        "properties": {
            "status": {"type": "string", "enum": ["enabled", "disabled"]},
            "disabled_reason": {"type": "string", "minLength": 1, "maxLength": 255},
            "forced_down": {"type": ["boolean", "string"]},
        },
        "additionalProperties": False,
    }
)


class HostsAPI(ComputeService):
    """The host and its processes."""

    app = Routes()

    def _now(self) -> str:
        return str(volume_time(self._bearers.wall_time()))

    # -- zones and processes -----------------------------------------------------

    @endpoint(app, "/v2.1/os-availability-zone", "GET")
    def zone_names(self, call: APIRequest) -> APIResponse:
        """List the availability zones."""
        zone = {"zoneName": AVAILABILITY_ZONE, "zoneState": {"available": True}, "hosts": None}
        return APIResponse(200, {"availabilityZoneInfo": [zone]})

    @endpoint(app, "/v2.1/os-availability-zone/detail", "GET")
    def zones(self, call: APIRequest) -> APIResponse:
        """List the availability zones with their hosts, to an administrator."""
        self.permit(call)
        view = zones(self._store.processes.disabled(), self._now())
        return APIResponse(200, {"availabilityZoneInfo": view})

    @endpoint(app, "/v2.1/os-services", "GET")
    def processes(self, call: APIRequest) -> APIResponse:
        """List the processes, to an administrator."""
        query = call.query()
        if call.version >= _STRICT:
            refuse_unknown(query, ("host", "binary"))
        self.permit(call)
        disabled, now = self._store.processes.disabled(), self._now()
        view = [
            process(binary, disabled, call.version, now)
            for binary in PROCESSES
            if query.get("binary", binary) == binary and query.get("host", HOST) == HOST
        ]
        return APIResponse(200, {"services": view})

    @endpoint(app, "/v2.1/os-services/<process_id>", "PUT", since=_NO_SEARCH)
    async def update(self, call: APIRequest, process_id: str) -> APIResponse:
        """Disable or enable the process that has the servers, as an administrator."""
        body = call.json()
        _UPDATE.check(body)
        if not is_uuid(process_id):
            raise server_refusals.NO_UUID(process_id)
        self.permit(call)
        found = [each for each in PROCESSES if id_of(each, call.version) == process_id]
        if not found:
            raise server_refusals.NO_COMPUTE_PROCESS(process_id)
        if found != [COMPUTE]:
            raise server_refusals.KEEPS_STATUS(found[0])
        status, reason = body.get("status"), body.get("disabled_reason")
        if status == "enabled" and reason is not None:
            raise server_refusals.NEEDLESS_REASON()
        if status is None and "forced_down" not in body:
            raise server_refusals.NO_CHANGE_OF_PROCESS()

        def change(store: Store) -> None:
            if status == "disabled":
                store.processes.disable(COMPUTE, reason)
            elif status == "enabled":
                store.processes.enable(COMPUTE)

        await self._store.write(change)
        disabled = self._store.processes.disabled()
        return APIResponse(200, {"service": process(COMPUTE, disabled, call.version, self._now())})

    # -- hypervisors -------------------------------------------------------------

    def _view(self, call: APIRequest) -> HypervisorView:
        servers = self._store.servers.of_projects(None)
        return HypervisorView(call.version, servers, self._store.processes.disabled())

    @endpoint(app, _HYPERVISORS, "GET")
    def list_short(self, call: APIRequest) -> APIResponse:
        """List the hypervisors' names, to an administrator."""
        return self._list(call, "os-hypervisors", HypervisorView.summary)

    @endpoint(app, _HYPERVISORS + "/detail", "GET")
    def list_detail(self, call: APIRequest) -> APIResponse:
        """List the hypervisors in full, to an administrator."""
        return self._list(call, "os-hypervisors/detail", HypervisorView.detail)

    def _list(
        self, call: APIRequest, path: str, shape: Callable[[HypervisorView], dict[str, Any]]
    ) -> APIResponse:
        query, view = call.query(), self._view(call)
        known = ("limit", "marker", "hypervisor_hostname_pattern", "with_servers")
        if has_uuids(call.version):
            refuse_unknown(query, known)
        page = Page(self._settings.page_size, None, 0)
        if call.version >= _PAGES:
            page = server_page(query, self._settings.page_size)
        self.permit(call)
        wanted = query.get("hypervisor_hostname_pattern") if has_uuids(call.version) else None
        if wanted is not None and wanted not in HOST:
            raise server_refusals.NO_HYPERVISOR_LIKE(wanted)
        if page.marker not in (None, str(view.id)):
            raise refusals.NO_MARKER(page.marker)
        shown = [] if page.marker or not page.limit else [shape(view)]
        if has_uuids(call.version) and truth(query.get("with_servers", "false")):
            shown = [view.with_servers(each) for each in shown]
        url = f"{call.base}/compute/v2.1/{path}"
        ids = [str(view.id)] * len(shown)
        links = next_links("hypervisors", url, query, page, ids)
        return APIResponse(200, {"hypervisors": shown, **links})

    @endpoint(app, _ID, "GET")
    def show(self, call: APIRequest, hypervisor_id: str) -> APIResponse:
        """Show a hypervisor, to an administrator."""
        if has_uuids(call.version):
            refuse_unknown(call.query(), ("with_servers",))
        self.permit(call)
        view = self._view(call)
        if has_uuids(call.version) and not is_uuid(hypervisor_id):
            raise server_refusals.NO_UUID(hypervisor_id)
        if hypervisor_id != str(view.id):
            raise server_refusals.NO_HYPERVISOR(hypervisor_id)
        shown = view.detail()
        if has_uuids(call.version) and truth(call.query().get("with_servers", "false")):
            shown = view.with_servers(shown)
        return APIResponse(200, {"hypervisor": shown})

    @endpoint(app, _HYPERVISORS + "/statistics", "GET")
    def statistics(self, call: APIRequest) -> APIResponse:
        """Sum up the hypervisors, for an administrator."""
        if call.version >= _NO_STATISTICS:
            raise server_refusals.NOT_IN_VERSION()
        self.permit(call)
        return APIResponse(200, {"hypervisor_statistics": {"count": 1, **self._view(call).sizes()}})

    @endpoint(app, _ID + "/search", "GET")
    def search(self, call: APIRequest, hypervisor_id: str) -> APIResponse:
        """List the hypervisors whose names contain a text, to an administrator."""
        view = self._matching(call, hypervisor_id)
        return APIResponse(200, {"hypervisors": [view.summary()]})

    @endpoint(app, _ID + "/servers", "GET")
    def servers(self, call: APIRequest, hypervisor_id: str) -> APIResponse:
        """List the hypervisors whose names contain a text, with their servers."""
        view = self._matching(call, hypervisor_id)
        return APIResponse(200, {"hypervisors": [view.with_servers(view.summary())]})

    def _matching(self, call: APIRequest, text: str) -> HypervisorView:
        """
        :raises WireError: 403, 404.
        """
        if call.version >= _NO_SEARCH:
            raise server_refusals.NOT_IN_VERSION()
        self.permit(call)
        if text not in HOST:
            raise server_refusals.NO_HYPERVISOR_LIKE(text)
        return self._view(call)


__all__ = ["PATHS", "HostsAPI"]
