# -*- test-case-name: tests.embedded.apis.test_new_servers -*-
"""The metadata and the tags of servers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Callable

import attr

from ...store.servers.records import ServerRecord
from ...store.store import Store
from ...wire.exchange import EMPTY, APIRequest, APIResponse, endpoint
from ...wire.fields import compute_body, wrapped
from ...wire.requests.routes import Routes
from ...wire.tables import server_refusals
from .making.creation import (
    MAX_TAG,
    MAX_TAGS,
    METADATA,
    check_metadata,
    check_number,
    check_tag,
    check_tags,
)
from .service import SERVER, ComputeService

#: The fourth segments of the paths.
PATHS = ("metadata", "tags")
_TAGS_SINCE = (2, 26)
_METADATA = compute_body(wrapped("metadata", METADATA, additionalProperties=False))
_ITEM = compute_body(wrapped("meta", METADATA, additionalProperties=False))
_TAGS = compute_body(wrapped("tags", {"type": "array"}, additionalProperties=False))
_Items = Mapping[str, str]


class MembersAPI(ComputeService):
    """The metadata and the tags of servers."""

    app = Routes()

    # -- metadata ----------------------------------------------------------------

    @endpoint(app, SERVER + "/metadata", "GET")
    def list_metadata(self, call: APIRequest, server_id: str) -> APIResponse:
        """List a server's metadata."""
        return APIResponse(200, {"metadata": dict(self._server(call, server_id).details.metadata)})

    @endpoint(app, SERVER + "/metadata", "POST")
    async def add_metadata(self, call: APIRequest, server_id: str) -> APIResponse:
        """Add metadata to a server's."""
        given = _items(call)
        items = await self._change(call, server_id, lambda before: {**before, **given})
        return APIResponse(200, {"metadata": items})

    @endpoint(app, SERVER + "/metadata", "PUT")
    async def replace_metadata(self, call: APIRequest, server_id: str) -> APIResponse:
        """Replace a server's metadata."""
        given = _items(call)
        items = await self._change(call, server_id, lambda before: given)
        return APIResponse(200, {"metadata": items})

    @endpoint(app, SERVER + "/metadata/<key>", "GET")
    def show_item(self, call: APIRequest, server_id: str, key: str) -> APIResponse:
        """Show one item of a server's metadata."""
        items = self._server(call, server_id).details.metadata
        if key not in items:
            raise server_refusals.NO_ITEM()
        return APIResponse(200, {"meta": {key: items[key]}})

    @endpoint(app, SERVER + "/metadata/<key>", "PUT")
    async def set_item(self, call: APIRequest, server_id: str, key: str) -> APIResponse:
        """Set one item of a server's metadata."""
        body = call.json()
        _ITEM.check(body)
        item = body["meta"]
        if set(item) != {key}:
            raise server_refusals.ITEM_MISMATCH()
        check_metadata(item)
        await self._change(call, server_id, lambda before: {**before, **item})
        return APIResponse(200, {"meta": item})

    @endpoint(app, SERVER + "/metadata/<key>", "DELETE")
    async def delete_item(self, call: APIRequest, server_id: str, key: str) -> APIResponse:
        """Delete one item of a server's metadata."""

        def without(before: _Items) -> _Items:
            if key not in before:
                raise server_refusals.NO_ITEM()
            return {name: value for name, value in before.items() if name != key}

        await self._change(call, server_id, without)
        return APIResponse(204)

    async def _change(
        self, call: APIRequest, server_id: str, make: Callable[[_Items], _Items]
    ) -> dict[str, str]:
        def change(store: Store) -> dict[str, str]:
            server = self._server(call, server_id, store)
            items = dict(make(server.details.metadata))
            check_number(items)
            details = attr.evolve(server.details, metadata=items)
            store.servers.change(server_id, details)
            return items

        return await self._store.write(change)

    # -- tags ----------------------------------------------------------------------

    @endpoint(app, SERVER + "/tags", "GET", since=_TAGS_SINCE)
    def list_tags(self, call: APIRequest, server_id: str) -> APIResponse:
        """List a server's tags."""
        return APIResponse(200, {"tags": list(self._server(call, server_id).details.tags)})

    @endpoint(app, SERVER + "/tags", "PUT", since=_TAGS_SINCE)
    async def replace_tags(self, call: APIRequest, server_id: str) -> APIResponse:
        """Replace a server's tags."""
        body = call.json()
        _TAGS.check(body)
        tags = check_tags(body["tags"])
        await self._tag(call, server_id, lambda server: tags)
        return APIResponse(200, {"tags": list(tags)})

    @endpoint(app, SERVER + "/tags", "DELETE", since=_TAGS_SINCE)
    async def delete_tags(self, call: APIRequest, server_id: str) -> APIResponse:
        """Delete a server's tags."""
        await self._tag(call, server_id, lambda server: ())
        return APIResponse(204)

    @endpoint(app, SERVER + "/tags/<tag>", "GET", since=_TAGS_SINCE)
    def show_tag(self, call: APIRequest, server_id: str, tag: str) -> APIResponse:
        """Check whether a server has a tag."""
        if tag not in self._server(call, server_id).details.tags:
            raise server_refusals.NO_TAG(server_id, tag)
        return APIResponse(204)

    @endpoint(app, SERVER + "/tags/<tag>", "PUT", since=_TAGS_SINCE)
    async def add_tag(self, call: APIRequest, server_id: str, tag: str) -> APIResponse:
        """Add a tag to a server's."""
        if len(tag) > MAX_TAG:
            raise server_refusals.BAD_NEW_TAG(tag, tag, "long")
        check_tag(tag, "tag")
        before = await self._tag(call, server_id, lambda server: _added(server.details.tags, tag))
        if tag in before:
            return APIResponse(204, content_type=EMPTY)
        place = f"{call.base}/compute/v2.1/servers/{server_id}/tags/{tag}"
        return APIResponse(201, headers={"Location": place}, content_type=EMPTY)

    @endpoint(app, SERVER + "/tags/<tag>", "DELETE", since=_TAGS_SINCE)
    async def delete_tag(self, call: APIRequest, server_id: str, tag: str) -> APIResponse:
        """Delete a tag of a server's."""

        def without(server: ServerRecord) -> tuple[str, ...]:
            if tag not in server.details.tags:
                raise server_refusals.NO_TAG_TO_DELETE(server_id, tag)
            return tuple(each for each in server.details.tags if each != tag)

        await self._tag(call, server_id, without)
        return APIResponse(204)

    async def _tag(
        self, call: APIRequest, server_id: str, make: Callable[[ServerRecord], tuple[str, ...]]
    ) -> tuple[str, ...]:
        """:return: the former tags."""

        def change(store: Store) -> tuple[str, ...]:
            server = self._server(call, server_id, store)
            store.servers.change(server_id, attr.evolve(server.details, tags=make(server)))
            return server.details.tags

        return await self._store.write(change)


def _items(call: APIRequest) -> dict[str, str]:
    """
    :return: the metadata in a body.
    :raises WireError: 400.
    """
    body = call.json()
    _METADATA.check(body)
    items: dict[str, str] = body["metadata"]
    check_metadata(items)
    return items


def _added(tags: Sequence[str], tag: str) -> tuple[str, ...]:
    """
    :return: tags with another one.
    :raises WireError: 400, when they would be too many.
    """
    unique = tuple(dict.fromkeys([*tags, tag]))
    if len(unique) > MAX_TAGS:
        raise server_refusals.TOO_MANY_TAGS(MAX_TAGS)
    return unique


__all__ = ["PATHS", "MembersAPI"]
