# -*- test-case-name: tests.embedded.apis.test_tables -*-
"""
Block Storage v3's resources of a whole project: zones, limits and messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter
from typing import Any, Callable

from ...store.records import MessageRecord
from ...store.store import Store
from ...wire import refusals
from ...wire.exchange import EMPTY, APIRequest, APIResponse, endpoint
from ...wire.pagination import next_links, volume_page
from ...wire.requests.routes import Routes
from ...wire.versions import VOLUME
from .. import volume_views
from ..versioned import ProjectService
from .queries import PAGE_PARAMETERS, finds_nothing, order, ordered_page
from .quota import quota_of

#: The first segments of the paths after the project.
PATHS = (
    "os-availability-zone",
    "limits",
    "messages",
)
#: The first microversions with messages, with filters, orders and pages of them, and with refusals
#: of unknown filters.
_MESSAGES, _PAGES, _STRICT = (3, 3), (3, 5), (3, 31)
#: The filters of messages, members of their views.
MESSAGE_FILTERS = ("resource_uuid", "resource_type", "event_id", "request_id", "message_level")
_Keys = Mapping[str, Callable[[dict[str, Any]], Any]]
#: The members that messages are ordered by, besides their time.
_KEYS: _Keys = {name: itemgetter(name) for name in ("id", *MESSAGE_FILTERS)}


def _filters(call: APIRequest, query: Mapping[str, str]) -> dict[str, str]:
    """
    :return: the filters of a list of messages.
    :raises WireError: 400, for unknown ones.
    """
    found = {name: value for name, value in query.items() if name not in PAGE_PARAMETERS}
    if call.version >= _STRICT and not call.requester.is_admin:
        found.pop("all_tenants", None)
        unknown = [name for name in found if name not in MESSAGE_FILTERS]
        finds_nothing(call, unknown, _STRICT)
    return found


def _matches(view: Mapping[str, Any], filters: Mapping[str, str]) -> bool:
    """:return: whether a message has the filters' values; a filter of no member finds none."""
    return all(name in _KEYS and view[name] == value for name, value in filters.items())


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
        self.permit(call)
        # Filters, orders and pages were added later than the messages.
        query = call.query() if call.version >= _PAGES else {}
        page = volume_page(query, self._settings.page_size)
        by, filters = order(query, {"created_at", *_KEYS}), _filters(call, query)
        project = self.project_path(call)
        every = [
            volume_views.message(entry, call.base, project)
            for entry in self._messages(call, self._store)
        ]
        marker = next((each for each in every if each["id"] == page.marker), None)
        if page.marker is not None and marker is None:
            raise refusals.NO_MESSAGE(page.marker)
        found = [each for each in every if _matches(each, filters)]
        # The clock may have given two messages the same time.
        age = {each["id"]: -number for number, each in enumerate(every)}
        keys: _Keys = {**_KEYS, "created_at": lambda each: age[each["id"]]}
        view = ordered_page(found, marker, page, by, keys)
        url = f"{call.base}/volume/v3/{project}messages"
        links = next_links("messages", url, call.query(), page, [each["id"] for each in view])
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
