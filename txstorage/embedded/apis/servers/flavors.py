# -*- test-case-name: tests.contract.test_embedded -*-
"""
Compute v2.1's flavors: one, which all servers have.

The refusals have Nova 34's status codes and messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ...wire import refusals
from ...wire.exchange import APIRequest, APIResponse, Version, endpoint
from ...wire.pagination import next_links, server_page
from ...wire.requests.routes import Routes
from ...wire.tables import server_refusals
from ..block_storage.queries import publicity
from . import flavor_views
from .flavor_views import DISK, FLAVOR_ID, FLAVOR_NAME, RAM
from .parameters import refuse_unknown
from .service import ComputeService

#: Filters by the least size, and the flavor's size.
_LEAST = {"minRam": RAM, "minDisk": DISK}
_PARAMETERS = frozenset(["limit", "marker", "is_public", "sort_key", "sort_dir", *_LEAST])
#: The first microversions that refuse unknown parameters, and that filter by the name.
_STRICT, _NAME = (2, 75), (2, 102)
_OLD_KEY = "rxtx_factor"
_SORTS: dict[str, list[str]] = {
    "sort_key": [
        *("created_at", "description", "disabled", "ephemeral_gb", "flavorid", "id"),
        *("is_public", "memory_mb", "name", "root_gb", _OLD_KEY, "swap"),
        *("updated_at", "vcpu_weight", "vcpus"),
    ],
    "sort_dir": ["asc", "desc"],
}
_ID = "/v2.1/flavors/<flavor_id>"


class FlavorsAPI(ComputeService):
    """The flavors."""

    app = Routes()

    @endpoint(app, "/v2.1/flavors", "GET")
    def list_short(self, call: APIRequest) -> APIResponse:
        """List flavors' names."""
        return self._list(call, "flavors", flavor_views.summary)

    @endpoint(app, "/v2.1/flavors/detail", "GET")
    def list_detail(self, call: APIRequest) -> APIResponse:
        """List flavors in full."""
        return self._list(call, "flavors/detail", flavor_views.detail)

    def _list(
        self, call: APIRequest, path: str, view: Callable[[str, Version], dict[str, Any]]
    ) -> APIResponse:
        query = call.query()
        page = server_page(query, self._settings.page_size)
        _check_query(query, call.version)
        fits = [size >= _least(query, name) for name, size in _LEAST.items()]
        if call.version >= _NAME and "name" in query:
            fits.append(query["name"] == FLAVOR_NAME)
        if call.requester.is_admin:
            # Other users' has no effect.
            text, refusal = query.get("is_public", "true"), server_refusals.BAD_PUBLIC_FLAVORS
            fits.append(publicity(text, refusal) in (None, True))
        if page.marker not in (None, FLAVOR_ID):
            raise refusals.NO_MARKER(page.marker)
        found = [FLAVOR_ID] if all(fits) and page.marker is None else []
        shown = found[: page.limit]
        body: dict[str, Any] = {"flavors": [view(call.base, call.version) for _ in shown]}
        body.update(next_links("flavors", f"{call.base}/compute/v2.1/{path}", query, page, shown))
        return APIResponse(200, body)

    @endpoint(app, _ID, "GET")
    def show(self, call: APIRequest, flavor_id: str) -> APIResponse:
        """Show one flavor."""
        _check(flavor_id)
        return APIResponse(200, {"flavor": flavor_views.detail(call.base, call.version)})

    @endpoint(app, _ID + "/os-extra_specs", "GET")
    def extra_specs(self, call: APIRequest, flavor_id: str) -> APIResponse:
        """Show a flavor's properties: none."""
        _check(flavor_id)
        return APIResponse(200, {"extra_specs": {}})


def _check(flavor_id: str) -> None:
    """:raises WireError: 404, for another flavor than the one."""
    if flavor_id != FLAVOR_ID:
        raise refusals.NO_FLAVOR(flavor_id)


def _check_query(query: Mapping[str, str], version: Version) -> None:
    """:raises WireError: 400, for an unknown order, or an unknown parameter of later versions."""
    for name, known in _SORTS.items():
        # Later versions lack a key that had lost its meaning.
        keys = [key for key in known if key != _OLD_KEY or version < _NAME]
        if name in query and query[name] not in keys:
            raise refusals.NO_KEY(name, query[name], query[name], keys)
    if version >= _STRICT:
        refuse_unknown(query, _PARAMETERS | ({"name"} if version >= _NAME else set()))


def _least(query: Mapping[str, str], name: str) -> int:
    """
    :return: the least size that a query asks for.
    :raises WireError: 400, it is not a number.
    """
    try:
        return int(query.get(name, "0"))
    except ValueError:
        raise refusals.NO_LEAST_SIZE(name, query[name]) from None


__all__ = ["FlavorsAPI"]
