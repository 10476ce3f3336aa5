# -*- test-case-name: tests.contract.test_embedded -*-
"""
Block Storage v3's groups, default types of projects and clusters: there are none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from ....wire import refusals, volume_refusals
from ....wire.exchange import APIRequest, APIResponse, Handler, Version, endpoint
from ....wire.pagination import volume_page
from ....wire.refusal import Refusal
from ....wire.requests.routes import Routes
from ....wire.versions import VOLUME
from ...versioned import ProjectService
from ...volume_views import BACKEND, HOST, POOL_NAME, PROTOCOL
from ..queries import filter_names, finds_nothing, order

_Paths = Mapping[str, tuple[str, Optional[Version]]]
_GROUPS, _GROUP_SNAPSHOTS = (3, 13), (3, 14)
#: Lists: their paths, the member of the response, and the first microversion.
LISTS: _Paths = {
    "groups": ("groups", _GROUPS),
    "groups/detail": ("groups", _GROUPS),
    "group_snapshots": ("group_snapshots", _GROUP_SNAPSHOTS),
    "group_snapshots/detail": ("group_snapshots", _GROUP_SNAPSHOTS),
    "consistencygroups": ("consistencygroups", None),
    "consistencygroups/detail": ("consistencygroups", None),
    "cgsnapshots": ("cgsnapshots", None),
    "cgsnapshots/detail": ("cgsnapshots", None),
    "clusters": ("clusters", (3, 7)),
    "clusters/detail": ("clusters", (3, 7)),
}
#: The refusals of single resources, by their lists' paths.
_ONES: Mapping[str, Refusal] = {
    "groups": refusals.NO_GROUP,
    "group_snapshots": volume_refusals.NO_GROUP_SNAPSHOT,
    "consistencygroups": refusals.NO_GROUP,
    "cgsnapshots": volume_refusals.NO_GROUP_SNAPSHOT,
}
#: The filters of clusters, and those of lists from a microversion on.
_CLUSTER_FILTERS = frozenset(
    [
        *("name", "binary", "is_up", "disabled", "num_hosts", "num_down_hosts"),
        *("replication_status", "frozen", "active_backend_id"),
    ]
)
_FILTERS = {"groups": ("name",), "group_snapshots": ("name", "status", "group_id")}
_STRICT = (3, 31)
_COLUMNS = frozenset(
    ["id", "name", "description", "status", "created_at", "updated_at", "user_id", "project_id"]
)
_OF_GROUPS = _COLUMNS | {
    *("availability_zone", "cluster_name", "group_snapshot_id", "group_type_id", "host"),
    *("replication_status", "source_group_id"),
}
#: The columns that lists can be ordered by.
_KEYS = {
    "groups": _OF_GROUPS,
    "consistencygroups": _OF_GROUPS,
    "group_snapshots": _COLUMNS | {"group_id", "group_type_id"},
}
#: The first segments of the paths after the project.
PATHS = tuple(sorted({path.partition("/")[0] for path in LISTS})) + ("capabilities",)
_PREFIX = "/v3/<project_id>/"


class AbsentAPI(ProjectService):
    """Lists of what there is none of, and the back end's capabilities."""

    app = Routes()
    dialect = VOLUME

    def list_nothing(self, call: APIRequest) -> APIResponse:
        """List the resources of the kind; there are none."""
        self.permit(call)
        path = call.route.partition(_PREFIX)[2]
        self._check(call, path.partition("/")[0])
        member, _ = LISTS[path]
        return APIResponse(200, {member: []})

    def _check(self, call: APIRequest, kind: str) -> None:
        """:raises WireError: 400, 404, the parameters of a list can't be used."""
        query = call.query()
        if kind == "clusters":
            unknown = [name for name in query if name not in _CLUSTER_FILTERS]
            if unknown:
                raise volume_refusals.UNKNOWN_CLUSTER_FILTER(", ".join(unknown))
            return
        page = volume_page(query, self._settings.page_size)
        if kind == "cgsnapshots":
            return
        order(query, _KEYS[kind])
        filters = filter_names(call, query)
        unknown = [name for name in filters if name not in _FILTERS.get(kind, filters)]
        finds_nothing(call, unknown, _STRICT)
        if page.marker is not None:
            raise _ONES[kind](page.marker)

    def show_nothing(self, call: APIRequest, resource_id: str) -> APIResponse:
        """Refuse to show a resource, since there are none of the kind."""
        raise _ONES[call.route.partition(_PREFIX)[2].partition("/")[0]](resource_id)

    @endpoint(app, _PREFIX + "clusters/<resource_id>", "GET", since=(3, 7))
    def cluster(self, call: APIRequest, resource_id: str) -> APIResponse:
        """Refuse to show a cluster, to an administrator."""
        self.permit(call)
        raise volume_refusals.NO_CLUSTER({"binary": "cinder-volume", "name": resource_id})

    @endpoint(app, _PREFIX + "group_snapshots/<resource_id>", "DELETE", since=_GROUP_SNAPSHOTS)
    def delete_group_snapshot(self, call: APIRequest, resource_id: str) -> APIResponse:
        """Refuse to delete a snapshot of a group."""
        raise volume_refusals.NO_GROUP_SNAPSHOT(resource_id)

    @endpoint(app, _PREFIX + "cgsnapshots/<resource_id>", "DELETE")
    def delete_consistent_snapshot(self, call: APIRequest, resource_id: str) -> APIResponse:
        """Refuse to delete a snapshot of a consistency group."""
        raise volume_refusals.NO_GROUP_SNAPSHOT(resource_id)

    @endpoint(app, _PREFIX + "capabilities/<host>", "GET")
    def capabilities(self, call: APIRequest, host: str) -> APIResponse:
        """Show the capabilities of the back end, to an administrator."""
        self.permit(call)
        if host != HOST:
            raise volume_refusals.NO_SERVICE(host)
        view: dict[str, Any] = {
            "namespace": "OS::Storage::Capabilities::" + HOST,
            "vendor_name": "txstorage",
            "volume_backend_name": BACKEND,
            "pool_name": POOL_NAME,
            "driver_version": None,
            "storage_protocol": PROTOCOL,
            "display_name": None,
            "description": None,
            "visibility": None,
            "replication_targets": [],
            "properties": {},
        }
        return APIResponse(200, view)


def _add(path: str, handler: Handler, since: Version | None) -> None:
    endpoint(AbsentAPI.app, _PREFIX + path, "GET", since=since or (0, 0))(handler)


for _path, (_, _since) in LISTS.items():
    _add(_path, AbsentAPI.list_nothing, _since)
for _kind in _ONES:
    _add(_kind + "/<resource_id>", AbsentAPI.show_nothing, LISTS[_kind][1])


__all__ = ["LISTS", "PATHS", "AbsentAPI"]
