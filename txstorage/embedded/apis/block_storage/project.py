# -*- test-case-name: tests.embedded.apis.test_tables -*-
"""
Block Storage v3's resources of a whole project: zones, limits and messages.
"""

from __future__ import annotations

from ...store.records import MessageRecord
from ...store.store import Store
from ...wire import refusals
from ...wire.exchange import EMPTY, APIRequest, APIResponse, endpoint
from ...wire.pagination import next_links, volume_page
from ...wire.requests.routes import Routes
from ...wire.versions import VOLUME
from .. import volume_views
from ..versioned import ProjectService
from .quota import quota_of

#: The first segments of the paths after the project.
PATHS = (
    "os-availability-zone",
    "limits",
    "messages",
)
#: The first microversion with messages.
_MESSAGES = (3, 3)


class ProjectAPI(ProjectService):
    """
    The resources of a project that users only read.
    """

    app = Routes()
    dialect = VOLUME

    @endpoint(app, "/v3/<project_id>/os-availability-zone", "GET")
    def availability_zones(self, call: APIRequest) -> APIResponse:
        """List the availability zones: one."""
        return APIResponse(200, {"availabilityZoneInfo": volume_views.availability_zones()})

    @endpoint(app, "/v3/<project_id>/limits", "GET")
    def limits(self, call: APIRequest) -> APIResponse:
        """Show the quota and its usage."""
        project_id = call.requester.owner.project_id
        quota = quota_of(self._settings, self._store, project_id)
        view = volume_views.limits(quota, self._store.usage(project_id))
        return APIResponse(200, {"limits": view})

    @endpoint(app, "/v3/<project_id>/messages", "GET", since=_MESSAGES)
    def messages(self, call: APIRequest) -> APIResponse:
        """List the reasons of failures."""
        # Filters and pages were added later than the messages.
        filtered = call.version >= (3, 5)
        query = call.query()
        self.permit(call)
        wanted = query.get("resource_uuid") if filtered else None
        entries = [
            entry
            for entry in self._messages(call, self._store)
            if wanted in (None, entry.snapshot_id or entry.volume_id)
        ]
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

    def _messages(self, call: APIRequest, store: Store) -> list[MessageRecord]:
        """The messages about volumes and snapshots of the user's project."""
        return store.messages.of_project(call.requester.owner.project_id)

    def _message(self, call: APIRequest, store: Store, message_id: str) -> MessageRecord:
        """
        Find a message.

        :raises WireError: 403, 404.
        """
        every = store.messages.listed() if call.requester.is_admin else self._messages(call, store)
        for entry in every:
            if entry.message_id == message_id:
                self.permit(call)
                return entry
        raise refusals.NO_MESSAGE(message_id)

    @endpoint(app, "/v3/<project_id>/messages/<message_id>", "GET", since=_MESSAGES)
    def message(self, call: APIRequest, message_id: str) -> APIResponse:
        """Show the reason of a failure."""
        found = self._message(call, self._store, message_id)
        view = volume_views.message(found, call.base, self.project_path(call))
        return APIResponse(200, {"message": view})

    @endpoint(app, "/v3/<project_id>/messages/<message_id>", "DELETE", since=_MESSAGES)
    async def delete_message(self, call: APIRequest, message_id: str) -> APIResponse:
        """Delete the reason of a failure, which a user has read."""

        def change(store: Store) -> None:
            self._message(call, store, message_id)
            store.messages.remove(message_id)

        await self._store.write(change)
        return APIResponse(204, content_type=EMPTY)
