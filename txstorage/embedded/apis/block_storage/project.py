# -*- test-case-name: tests.embedded.apis.test_tables -*-
"""
Block Storage v3's resources of a whole project: volume types, zones, room, quotas and messages.
"""

from __future__ import annotations

from klein import Klein

from ...machine.files import VolumeFiles
from ...machine.transitions import Engine
from ...machine.turns import ReactorTurns
from ...settings import DEFAULT_TYPE, VOLUME_TYPES, Settings
from ...store.store import Store
from ...wire import refusals
from ...wire.exchange import APIRequest, APIResponse, endpoint
from ...wire.pagination import next_links, volume_page
from ...wire.versions import VOLUME
from .. import volume_views
from ..identity import IdentityAPI
from ..versioned import ProjectService
from .queries import order

#: The first segments of the paths after the project.
PATHS = (
    "types",
    "os-availability-zone",
    "scheduler-stats",
    "limits",
    "os-quota-sets",
    "messages",
)
#: The orders of a list of types, and its parameters; others are refused from a microversion on.
_TYPE_KEYS = ("created_at", "id", "name")
_TYPE_PARAMETERS = frozenset(
    [
        *("limit", "marker", "offset", "sort", "sort_key", "sort_dir"),
        *("all_tenants", "extra_specs", "is_public"),
    ]
)
_STRICT = (3, 52)


class ProjectAPI(ProjectService):
    """
    The resources of a project that are neither volumes nor snapshots.

    :param files: of the volumes.
    """

    app = Klein()
    dialect = VOLUME

    def __init__(
        self,
        store: Store,
        identity: IdentityAPI,
        engine: Engine,
        settings: Settings,
        turns: ReactorTurns,
        files: VolumeFiles,
    ) -> None:
        super().__init__(store, identity, engine, settings, turns)
        self._files = files

    @endpoint(app, "/v3/<project_id>/types", "GET")
    def types(self, call: APIRequest) -> APIResponse:
        """List the volume types."""
        query, every = call.query(), volume_views.volume_types()
        page = volume_page(query, self._settings.page_size)
        by = order(query, _TYPE_KEYS)
        unknown = [name for name in query if name not in _TYPE_PARAMETERS]
        if unknown and call.version >= _STRICT and not self.is_admin:
            raise refusals.UNKNOWN_FILTER(",".join(unknown))
        places = {each["id"]: place for place, each in enumerate(every)}
        for key, descending in reversed(by):
            # The first one is the newest.
            by_time = key == "created_at"
            every.sort(
                key=lambda each: -places[each["id"]] if by_time else each[key],
                reverse=descending,
            )
        ids = [each["id"] for each in every]
        # Unlike elsewhere, an unknown marker is ignored.
        begin = ids.index(page.marker) + 1 if page.marker in ids else 0
        part = every[begin:][page.offset : page.offset + page.limit]
        url = f"{call.base}/volume/v3/{self.project_path(call)}types"
        shown = [each["id"] for each in part]
        # The links' name differs from the list's.
        links = next_links("volume_type", url, query, page, shown)
        return APIResponse(200, dict({"volume_types": part}, **links))

    @endpoint(app, "/v3/<project_id>/types/<type_id>", "GET")
    def type(self, call: APIRequest, type_id: str) -> APIResponse:
        """Show a volume type, or the default one."""
        every = {each["id"]: each for each in volume_views.volume_types()}
        if type_id == "default":
            found = dict(every[VOLUME_TYPES[DEFAULT_TYPE]])
            # Cinder's extension of types does not know this path.
            del found[volume_views.ACCESS]
            return APIResponse(200, {"volume_type": found})
        if type_id not in every:
            raise refusals.NO_VOLUME_TYPE(type_id)
        return APIResponse(200, {"volume_type": every[type_id]})

    @endpoint(app, "/v3/<project_id>/os-availability-zone", "GET")
    def availability_zones(self, call: APIRequest) -> APIResponse:
        """List the availability zones: one."""
        return APIResponse(200, {"availabilityZoneInfo": volume_views.availability_zones()})

    @endpoint(app, "/v3/<project_id>/scheduler-stats/get_pools", "GET")
    async def pools(self, call: APIRequest) -> APIResponse:
        """Show the room for volumes, to all users."""
        taken, free = await self._files.aside(self._files.space)
        detail = call.query().get("detail", "").lower() in ("1", "true")
        view = volume_views.pool(taken, free, self._store.usage().gigabytes, detail)
        return APIResponse(200, {"pools": [view]})

    @endpoint(app, "/v3/<project_id>/limits", "GET")
    def limits(self, call: APIRequest) -> APIResponse:
        """Show the quota and its usage."""
        view = volume_views.limits(self._settings, self._store.usage())
        return APIResponse(200, {"limits": view})

    @endpoint(app, "/v3/<project_id>/os-quota-sets/<quota_project>", "GET")
    def quota(self, call: APIRequest, quota_project: str) -> APIResponse:
        """Show the quota of the project."""
        if quota_project != self._identity.ids.project and not self.is_admin:
            raise refusals.FORBIDDEN("volume_extension:quotas:show")
        with_usage = call.query().get("usage", "").lower() in ("1", "true")
        view = volume_views.quota_set(
            quota_project, with_usage, self._settings, self._store.usage()
        )
        return APIResponse(200, {"quota_set": view})

    @endpoint(app, "/v3/<project_id>/os-quota-sets/<quota_project>/defaults", "GET")
    def default_quota(self, call: APIRequest, quota_project: str) -> APIResponse:
        """Show the quota of a project that has none of its own."""
        if quota_project != self._identity.ids.project and not self.is_admin:
            raise refusals.FORBIDDEN("volume_extension:quotas:show")
        view = volume_views.quota_set(quota_project, False, self._settings, self._store.usage())
        return APIResponse(200, {"quota_set": view})

    @endpoint(app, "/v3/<project_id>/messages", "GET", since=(3, 3))
    def messages(self, call: APIRequest) -> APIResponse:
        """List the reasons of failures."""
        # Filters and pages were added later than the messages.
        filtered = call.version >= (3, 5)
        query = call.query()
        entries = self._store.messages.listed(query.get("resource_uuid") if filtered else None)
        page = volume_page(query if filtered else {}, self._settings.page_size)
        ids = [entry.message_id for entry in entries]
        if page.marker is not None and page.marker not in ids:
            raise refusals.NO_MESSAGE(page.marker)
        begin = 0 if page.marker is None else ids.index(page.marker) + 1
        part = entries[begin:][page.offset : page.offset + page.limit]
        project = self.project_path(call)
        view = [volume_views.message(entry, call.base, project) for entry in part]
        url = f"{call.base}/volume/v3/{project}messages"
        links = next_links("messages", url, query, page, [entry.message_id for entry in part])
        return APIResponse(200, dict({"messages": view}, **links))
