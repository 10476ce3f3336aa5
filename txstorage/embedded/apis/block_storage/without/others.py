# -*- test-case-name: tests.contract.test_embedded -*-
"""
Block Storage v3's group types, manageable resources and cleaning of processes: there are none.

The refusals have Cinder 29's status codes and messages.
"""

from __future__ import annotations

from ....store.features.processes import VOLUME
from ....wire import account_refusals, refusals, volume_refusals
from ....wire.exchange import APIRequest, APIResponse, endpoint
from ....wire.pagination import volume_page
from ....wire.requests.routes import Routes
from ....wire.versions import VOLUME as VOLUME_DIALECT
from ...versioned import ProjectService
from ..administration.processes import PROCESSES, is_host
from ..queries import order, publicity

_MANAGED = {
    "manageable_volumes": (3, 8),
    "manageable_snapshots": (3, 8),
    "os-volume-manage": (0, 0),
    "os-snapshot-manage": (0, 0),
}
#: The first segments of the paths after the project.
PATHS = ("group_types", "workers", *_MANAGED)
_TYPES = "/v3/<project_id>/group_types"
#: The columns that group types can be ordered by.
_KEYS = frozenset(["created_at", "description", "id", "is_public", "name", "updated_at"])
_GROUP_TYPES, _CLEANUP = (3, 11), (3, 24)


class OthersAPI(ProjectService):
    """Requests about what there is none of."""

    app = Routes()
    dialect = VOLUME_DIALECT

    @endpoint(app, _TYPES, "GET", since=_GROUP_TYPES)
    def group_types(self, call: APIRequest) -> APIResponse:
        """List the group types: none."""
        self.permit(call)
        query = call.query()
        volume_page(query, self._settings.page_size)
        order(query, _KEYS)
        if call.requester.is_admin:
            publicity(query.get("is_public", "true"), account_refusals.BAD_PUBLICITY)
        return APIResponse(200, {"group_types": []})

    @endpoint(app, _TYPES + "/<resource_id>", "GET", since=_GROUP_TYPES)
    def group_type(self, call: APIRequest, resource_id: str) -> APIResponse:
        """Refuse to show a group type."""
        if resource_id == "default":
            raise volume_refusals.NO_DEFAULT_GROUP_TYPE()
        raise volume_refusals.NO_GROUP_TYPE(resource_id)

    @endpoint(app, _TYPES + "/<resource_id>", "DELETE", since=_GROUP_TYPES)
    def delete_group_type(self, call: APIRequest, resource_id: str) -> APIResponse:
        """Refuse to delete a group type."""
        self.permit(call)
        raise volume_refusals.NO_GROUP_TYPE(resource_id)

    @endpoint(app, "/v3/<project_id>/workers/cleanup", "POST", since=_CLEANUP)
    def clean(self, call: APIRequest) -> APIResponse:
        """Clean up after processes that have ended: none have."""
        call.json()
        self.permit(call)
        return APIResponse(202, {"cleaning": [], "unavailable": []})

    def list_manageable(self, call: APIRequest) -> APIResponse:
        """Refuse to list what the back end has and Cinder does not: the back end can't."""
        self.permit(call)
        host = call.query().get("host")
        if not host:
            raise volume_refusals.HOST_OR_CLUSTER(
                "One and only one of cluster and host must be set."
            )
        if not is_host(host.partition("#")[0], PROCESSES[VOLUME]):
            raise volume_refusals.NO_PROCESS(VOLUME, host)
        raise refusals.VOLUME_FAULT()


for _path, _since in _MANAGED.items():
    for _end in ("", "/detail"):
        endpoint(OthersAPI.app, f"/v3/<project_id>/{_path}{_end}", "GET", since=_since)(
            OthersAPI.list_manageable
        )

__all__ = ["PATHS", "OthersAPI"]
