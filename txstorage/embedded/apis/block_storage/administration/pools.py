# -*- test-case-name: tests.embedded.apis.test_processes -*-
"""
Block Storage v3's pool and hosts, for administrators.

The refusals have Cinder 29's status codes and messages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ....settings import AVAILABILITY_ZONE
from ....store.features.processes import VOLUME
from ....wire import refusals, volume_refusals
from ....wire.exchange import APIRequest, APIResponse, endpoint
from ....wire.fields import volume_body
from ....wire.requests.routes import Routes
from ....wire.times import volume_time
from ....wire.versions import VOLUME as VOLUME_DIALECT
from ... import volume_views
from ...versioned import FilesService
from ..queries import boolean
from .processes import PROCESSES, is_host

#: The first segments of the paths after the project.
PATHS = ("scheduler-stats", "os-hosts")
#: The first microversions that filter pools, and filter them by volume types; and the first one
#: that refuses another filter.
_BY_NAME, _BY_TYPE, _STRICT = (3, 28), (3, 35), (3, 31)
_NO_FILTERS = ("detail", "all_tenants")
#: The filters of pools.
FILTERS = ("name", "volume_type")
_HOSTS = "/v3/<project_id>/os-hosts"
_HOST = volume_body(
    {
        "type": "object",
        "properties": {"status": {"type": "string", "enum": ["enable", "disable"]}},
        "additionalProperties": {"type": "string"},
    }
)


class PoolsAPI(FilesService):
    """
    The pool and the hosts.

    :param files: of the volumes.
    """

    app = Routes()
    dialect = VOLUME_DIALECT

    @endpoint(app, "/v3/<project_id>/scheduler-stats/get_pools", "GET")
    async def pools(self, call: APIRequest) -> APIResponse:
        """Show the room for volumes, to administrators and to the service's only user."""
        if self._settings.accounts:
            self.permit(call)
        query = call.query()
        detail = boolean(query, "detail")
        if not self._is_chosen(call, query):
            return APIResponse(200, {"pools": []})
        taken, free = await self._files.aside(self._files.space)
        now = volume_time(self._bearers.wall_time())
        view = volume_views.pool(taken, free, self._store.quotas.promised(), detail, now)
        return APIResponse(200, {"pools": [view]})

    def _is_chosen(self, call: APIRequest, query: Mapping[str, str]) -> bool:
        """
        Check whether the filters choose the pool.

        :raises WireError: 400, 404.
        """
        filters = {name: text for name, text in query.items() if name not in _NO_FILTERS}
        unknown = [name for name in filters if name not in FILTERS]
        if call.version < _BY_NAME:
            filters, unknown = {}, []
        if unknown and call.version >= _STRICT:
            raise refusals.UNKNOWN_FILTER(",".join(unknown))
        wanted = filters.get("volume_type")
        if wanted is not None and call.version >= _BY_TYPE:
            if self._store.types.find(wanted) is None:
                raise refusals.NO_VOLUME_TYPE_NAMED(wanted)
        chosen = not unknown and filters.get("name", volume_views.POOL) == volume_views.POOL
        return chosen and VOLUME not in self._store.processes.disabled()

    # -- hosts -----------------------------------------------------------------

    @endpoint(app, _HOSTS, "GET")
    def hosts(self, call: APIRequest) -> APIResponse:
        """List the processes that are enabled, and their hosts, for administrators."""
        self.permit(call)
        now, disabled = volume_time(self._bearers.wall_time()), self._store.processes.disabled()
        here = call.query().get("zone") in (None, "", AVAILABILITY_ZONE)
        view = [
            {
                "host_name": host,
                "service": binary,
                "zone": AVAILABILITY_ZONE,
                "service-status": "available",
                "service-state": "enabled",
                "last-update": now,
            }
            for binary, host in PROCESSES.items()
            if here and binary not in disabled
        ]
        return APIResponse(200, {"hosts": view})

    @endpoint(app, _HOSTS + "/<host>", "GET")
    def host(self, call: APIRequest, host: str) -> APIResponse:
        """Show the volumes of a host, in all and by project, to an administrator."""
        self.permit(call)
        if not is_host(host, PROCESSES[VOLUME]):
            raise volume_refusals.NO_PROCESS(VOLUME, host)
        every = self._store.quotas.holdings()
        total = [sum(numbers) for numbers in zip(*(each.numbers for each in every))] or [0] * 4
        first = self._directory.ids.project
        rows = [("(total)", total), *((each.project_id or first, each.numbers) for each in every)]
        view = [{"resource": _resource(host, project, numbers)} for project, numbers in rows]
        return APIResponse(200, {"host": view})

    @endpoint(app, _HOSTS + "/<host>", "PUT")
    def update_host(self, call: APIRequest, host: str) -> APIResponse:
        """Refuse to enable or disable a host, at which Cinder fails."""
        if not call.requester.is_admin:
            raise volume_refusals.NO_ADMINISTRATOR()
        if host not in PROCESSES.values():
            raise volume_refusals.NO_HOST_OF_NAME(host)
        body = call.json()
        _HOST.check(body)
        for name in body:
            if name.lower().strip() != "status":
                raise volume_refusals.BAD_SETTING(name)
        if body:
            raise refusals.VOLUME_FAULT()
        return APIResponse(200, {})


def _resource(host: str, project: str, numbers: Sequence[int]) -> dict[str, str]:
    volumes, gigabytes, snapshots, of_snapshots = map(str, numbers)
    return {
        "host": host,
        "project": project,
        "volume_count": volumes,
        "total_volume_gb": gigabytes,
        "snapshot_count": snapshots,
        "total_snapshot_gb": of_snapshots,
    }


__all__ = ["PATHS", "PoolsAPI"]
