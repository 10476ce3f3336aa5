# -*- test-case-name: tests.embedded.apis.test_volumes -*-
"""
Block Storage v3's labels: the same requests for volumes and for snapshots.

The refusals have Cinder 29's status codes and messages.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Mapping
from functools import wraps
from typing import Protocol

from ...bounds import labels_fit
from ...store.store import Store
from ...wire import refusals
from ...wire.exchange import EMPTY, APIRequest, APIResponse, Handler, WireError, endpoint
from ...wire.requests.routes import Routes
from ..versioned import FilesService
from ..volume_requests import LABEL, METADATA

_FORMAT = re.compile(r"(?<=.)\.json\Z")


class Labelled(Protocol):
    """The record of a volume or of a snapshot."""

    @property
    def metadata(self) -> Mapping[str, str]:
        """Its labels."""


class LabelledService(FilesService):
    """A service whose resources have labels; :func:`add_label_routes` adds the routes."""

    # -- the parts that differ -------------------------------------------------

    def labelled(self, call: APIRequest, store: Store, resource_id: str) -> Labelled:
        """
        Find a resource.

        :raises WireError: 404.
        """
        raise NotImplementedError()

    def relabel(
        self, store: Store, resource_id: str, labels: Mapping[str, str], replace: bool
    ) -> Labelled:
        """Add labels, or replace them all."""
        raise NotImplementedError()

    def no_label(self, resource_id: str, key: str) -> WireError:
        """Return the refusal of a label that a resource does not have."""
        raise NotImplementedError()

    def check_relabelling(self, found: Labelled, change: str) -> None:
        """
        :param change: the beginning of the refusal: ``Updating`` or ``Deleting``.
        :raises WireError: 400, when a resource's labels can't be changed now.
        """

    # -- the requests ----------------------------------------------------------

    def show_metadata(self, call: APIRequest, resource_id: str) -> APIResponse:
        """Show all labels."""
        return APIResponse(
            200, {"metadata": dict(self.labelled(call, self._store, resource_id).metadata)}
        )

    async def add_metadata(self, call: APIRequest, resource_id: str) -> APIResponse:
        """Set some labels and keep the others."""
        return await self._set_metadata(call, resource_id, replace=False)

    async def replace_metadata(self, call: APIRequest, resource_id: str) -> APIResponse:
        """Set all labels."""
        return await self._set_metadata(call, resource_id, replace=True)

    async def _set_metadata(self, call: APIRequest, resource_id: str, replace: bool) -> APIResponse:
        body = call.json()
        METADATA.check(body)
        changed = await self._change(call, resource_id, body["metadata"], replace)
        return APIResponse(200, {"metadata": dict(changed.metadata)})

    async def _change(
        self, call: APIRequest, resource_id: str, labels: Mapping[str, str], replace: bool
    ) -> Labelled:
        def change(store: Store) -> Labelled:
            self.check_relabelling(self.labelled(call, store, resource_id), "Updating")
            changed = self.relabel(store, resource_id, labels, replace)
            if not labels_fit(changed.metadata):
                raise self.too_large()
            return changed

        return await self._store.write(change)

    def show_label(self, call: APIRequest, resource_id: str, key: str) -> APIResponse:
        """Show one label."""
        found = self.labelled(call, self._store, resource_id).metadata
        if key not in found:
            raise self.no_label(resource_id, key)
        return APIResponse(200, {"meta": {key: found[key]}})

    async def set_label(self, call: APIRequest, resource_id: str, key: str) -> APIResponse:
        """Set one label."""
        body = call.json()
        LABEL.check(body)
        label = body["meta"]
        if list(label) != [key]:
            raise refusals.LABEL_MISMATCH()
        await self._change(call, resource_id, label, replace=False)
        return APIResponse(200, {"meta": label})

    async def remove_label(self, call: APIRequest, resource_id: str, key: str) -> APIResponse:
        """Remove one label."""

        def change(store: Store) -> None:
            found = self.labelled(call, store, resource_id)
            kept = dict(found.metadata)
            if key not in kept:
                raise self.no_label(resource_id, key)
            self.check_relabelling(found, "Deleting")
            del kept[key]
            self.relabel(store, resource_id, kept, replace=True)

        await self._store.write(change)
        return APIResponse(200, content_type=EMPTY)


def add_label_routes(app: Routes, path: str) -> None:
    """
    Add the routes of labels to a service's application.

    :param app: of a :class:`LabelledService`.
    :param path: of one resource; its last segment stands for the id.
    """
    everything, one = path + "/metadata", path + "/metadata/<key>"
    handlers: list[tuple[str, str, Handler]] = [
        (everything, "GET", LabelledService.show_metadata),
        (everything, "POST", LabelledService.add_metadata),
        (everything, "PUT", LabelledService.replace_metadata),
        (one, "GET", LabelledService.show_label),
        (one, "PUT", LabelledService.set_label),
        (one, "DELETE", LabelledService.remove_label),
    ]
    for there, method, handler in handlers:
        endpoint(app, there, method)(_of_resource(handler))


def _of_resource(handler: Handler) -> Handler:
    """Make a handler of a path's id, which volumes and snapshots name differently."""

    @wraps(handler)
    def of_resource(
        self: LabelledService, call: APIRequest, **segments: str
    ) -> APIResponse | Awaitable[APIResponse]:
        # Cinder's router takes such an end for the format of the response.
        key = [_FORMAT.sub("", segments.pop("key"))] if "key" in segments else []
        (resource_id,) = segments.values()
        return handler(self, call, resource_id, *key)

    return of_resource


__all__ = ["Labelled", "LabelledService", "add_label_routes"]
