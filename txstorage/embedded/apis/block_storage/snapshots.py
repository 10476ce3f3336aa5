# -*- test-case-name: tests.embedded.apis.test_snapshots -*-
"""
Block Storage v3's snapshots and their labels.

The refusals have Cinder 29's status codes and messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

import attr

from ...settings import AVAILABILITY_ZONE
from ...store.records import SnapshotRecord
from ...store.store import Store
from ...wire import refusals
from ...wire.exchange import EMPTY, APIRequest, APIResponse, Version, WireError, endpoint
from ...wire.fields import only_member
from ...wire.pagination import next_links, volume_page
from ...wire.requests.routes import Routes
from ...wire.versions import VOLUME
from ..visible import visible_snapshot, visible_volume
from .labels import LabelledService, add_label_routes
from .queries import boolean, filter_names, finds_nothing, labels, order, ordered_page
from .quota import Allowance, check
from .snapshot_requests import new_snapshot, new_status, new_texts, snapshot_of
from .snapshot_views import SnapshotView

_ID = "/v3/<project_id>/snapshots/<snapshot_id>"
_DELETABLE = frozenset(["available", "error"])
#: More parameters of a list that are not filters by a column.
_NO_FILTERS = ("with_count", "metadata")
#: The filters of a list, beside that by labels.
FILTERS: dict[str, Callable[[SnapshotRecord], str | None]] = {
    "name": lambda snapshot: snapshot.name,
    "status": lambda snapshot: snapshot.status,
    "volume_id": lambda snapshot: snapshot.volume_id,
    "availability_zone": lambda snapshot: AVAILABILITY_ZONE,
    "consumes_quota": lambda snapshot: "True",
}
#: The columns that administrators filter by, too.
_COLUMNS: dict[str, Callable[[SnapshotRecord], str | None]] = {
    "id": lambda snapshot: snapshot.snapshot_id,
    "display_name": lambda snapshot: snapshot.name,
    "display_description": lambda snapshot: snapshot.description,
    "volume_size": lambda snapshot: str(snapshot.size),
}
#: The first microversions of filters that earlier ones ignore.
_SINCE: dict[str, Version] = {"availability_zone": (3, 31), "consumes_quota": (3, 65)}
#: The first microversions with the filter by labels, the order by name, a refusal of unknown
#: filters, and the count.
_LABEL_FILTER, _NAME_ORDER, _STRICT_FILTERS, _COUNT = (3, 22), (3, 30), (3, 31), (3, 45)
_KEYS: dict[str, Callable[[SnapshotRecord], Any]] = {
    "id": lambda snapshot: snapshot.snapshot_id,
    # The clock may have given two snapshots the same time.
    "created_at": lambda snapshot: snapshot.sequence,
    "updated_at": lambda snapshot: snapshot.updated_at or 0,
    "display_name": lambda snapshot: snapshot.name or "",
    "status": lambda snapshot: snapshot.status,
    "volume_id": lambda snapshot: snapshot.volume_id,
    "volume_size": lambda snapshot: snapshot.size,
}
#: The statuses of a snapshot that may be incomplete.
_INCOMPLETE = frozenset(["creating", "error"])


class SnapshotsAPI(LabelledService):
    """
    The snapshots.

    :param engine: carries out the transitions of snapshots.
    :param files: of the volumes and snapshots.
    """

    app = Routes()
    dialect = VOLUME

    def _view(self, call: APIRequest) -> SnapshotView:
        return SnapshotView(self._directory.ids, call.version)

    def _detail(self, call: APIRequest, snapshot: SnapshotRecord) -> dict[str, Any]:
        percent = 100
        if snapshot.status in _INCOMPLETE:
            path = self._files.snapshot_path(snapshot.snapshot_id)
            percent = self._files.copies.progress.get(path, 0)
        return self._view(call).detail(snapshot, percent)

    def _found(
        self, call: APIRequest, snapshot_id: str, store: Store | None = None
    ) -> SnapshotRecord:
        """
        Find a snapshot that the user may see, and do this with.

        :param store: of the change that finds the snapshot; without one, that of reading.
        :raises WireError: 403, 404.
        """
        snapshot = visible_snapshot(call, store or self._store, snapshot_id)
        self.permit(call)
        return snapshot

    # -- snapshots -----------------------------------------------------------

    @endpoint(app, "/v3/<project_id>/snapshots", "POST")
    async def create(self, call: APIRequest) -> APIResponse:
        """Begin to create a snapshot."""
        wanted = new_snapshot(call.json())

        def change(store: Store) -> SnapshotRecord:
            if not self._files.has_room():
                raise self.disk_full()
            volume = visible_volume(call, store, wanted.volume_id)
            self.permit(call)
            new = snapshot_of(wanted, volume, call.version)
            owner = call.requester.owner
            quota = Allowance(self._settings, store, owner.project_id)
            check(quota, new.volume_type, {"snapshots": 1, "gigabytes": new.size})
            return store.snapshots.add(attr.evolve(new, **attr.asdict(owner)))

        snapshot = await self._store.write(change)
        self._engine.begin(snapshot.snapshot_id)
        return APIResponse(202, {"snapshot": self._view(call).changed(snapshot)})

    @endpoint(app, "/v3/<project_id>/snapshots", "GET")
    def list_short(self, call: APIRequest) -> APIResponse:
        """List snapshots, without the members of later versions."""
        return self._list(call, "snapshots", self._view(call).summary)

    @endpoint(app, "/v3/<project_id>/snapshots/detail", "GET")
    def list_detail(self, call: APIRequest) -> APIResponse:
        """List snapshots in full."""
        return self._list(call, "snapshots/detail", lambda each: self._detail(call, each))

    def _list(
        self, call: APIRequest, path: str, view: Callable[[SnapshotRecord], dict[str, Any]]
    ) -> APIResponse:
        query = call.query()
        keys = dict(_KEYS, **({"name": _KEYS["display_name"]} if _ordered_by_name(call) else {}))
        by = order(query, keys)
        page = volume_page(query, self._settings.page_size)
        counted = call.version >= _COUNT and boolean(query, "with_count")
        self.permit(call)
        first_user = self._directory.ids.user
        chosen = _chosen(call, self._of_projects(call), query, first_user)
        marker = None if page.marker is None else self._found(call, page.marker)
        part = ordered_page(chosen, marker, page, by, keys)
        body: dict[str, Any] = {"snapshots": [view(each) for each in part]}
        url = f"{call.base}/volume/v3/{self.project_path(call)}{path}"
        count = len(chosen) if counted else None
        ids = [each.snapshot_id for each in part]
        body.update(next_links("snapshots", url, query, page, ids, count))
        if counted:
            body["count"] = count
        return APIResponse(200, body)

    def _of_projects(self, call: APIRequest) -> list[SnapshotRecord]:
        """The snapshots of the user's project; to an administrator who asks, all, or another's."""
        query, snapshots = call.query(), self._store.snapshots
        if not (call.requester.is_admin and boolean(query, "all_tenants")):
            return snapshots.of_project(call.requester.owner.project_id)
        if "project_id" in query:
            return snapshots.of_project(self._directory.key_of_project(query["project_id"]))
        return snapshots.every()

    @endpoint(app, _ID, "GET")
    def show(self, call: APIRequest, snapshot_id: str) -> APIResponse:
        """Show one snapshot."""
        return APIResponse(200, {"snapshot": self._detail(call, self._found(call, snapshot_id))})

    @endpoint(app, _ID, "PUT")
    async def update(self, call: APIRequest, snapshot_id: str) -> APIResponse:
        """Change a snapshot's name or description."""
        texts = new_texts(call.json())

        def change(store: Store) -> SnapshotRecord:
            self._found(call, snapshot_id, store)
            return store.snapshots.set_texts(snapshot_id, texts)

        snapshot = await self._store.write(change)
        return APIResponse(200, {"snapshot": self._view(call).changed(snapshot)})

    @endpoint(app, _ID, "DELETE")
    async def delete(self, call: APIRequest, snapshot_id: str) -> APIResponse:
        """Begin to delete a snapshot."""

        def change(store: Store) -> None:
            if self._found(call, snapshot_id, store).status not in _DELETABLE:
                raise refusals.SNAPSHOT_NOT_DELETABLE()
            store.snapshots.set_status(snapshot_id, "deleting")

        await self._store.write(change)
        self._engine.begin(snapshot_id)
        return APIResponse(202, content_type=EMPTY)

    @endpoint(app, _ID + "/action", "POST")
    async def action(self, call: APIRequest, snapshot_id: str) -> APIResponse:
        """
        Set a snapshot's status (``os-reset_status``), or begin to delete it in any status
        (``os-force_delete``), as an administrator.
        """
        body = call.json(empty={"None": {}})
        name = only_member(body, VOLUME)
        status = new_status(name, body)

        def change(store: Store) -> None:
            visible_snapshot(call, store, snapshot_id)
            self.permit(call, f"snapshot {name}")
            store.snapshots.set_status(snapshot_id, status)

        await self._store.write(change)
        if name == "os-force_delete":
            self._engine.begin(snapshot_id)
        return APIResponse(202)

    # -- labels --------------------------------------------------------------

    def labelled(self, call: APIRequest, store: Store, resource_id: str) -> SnapshotRecord:
        """See :class:`~txstorage.embedded.apis.block_storage.labels.LabelledService`."""
        return self._found(call, resource_id, store)

    def relabel(
        self, store: Store, resource_id: str, labels: Mapping[str, str], replace: bool
    ) -> SnapshotRecord:
        """See :class:`~txstorage.embedded.apis.block_storage.labels.LabelledService`."""
        return store.snapshots.set_metadata(resource_id, labels, replace)

    def no_label(self, resource_id: str, key: str) -> WireError:
        """See :class:`~txstorage.embedded.apis.block_storage.labels.LabelledService`."""
        return refusals.NO_SNAPSHOT_LABEL(resource_id, key)


add_label_routes(SnapshotsAPI.app, _ID)


def _ordered_by_name(call: APIRequest) -> bool:
    return call.version >= _NAME_ORDER


def _chosen(
    call: APIRequest, snapshots: list[SnapshotRecord], query: Mapping[str, str], first_user: str
) -> list[SnapshotRecord]:
    """
    :param first_user: the id of the user that the store has as ``None``.
    :raises WireError: 400, for an unknown filter; older versions ignore it.
    """
    known = dict(FILTERS)
    if call.requester.is_admin:
        known.update(_COLUMNS, user_id=lambda snapshot: snapshot.user_id or first_user)
    filters = filter_names(call, query, _NO_FILTERS)
    if finds_nothing(call, [name for name in filters if name not in known], _STRICT_FILTERS):
        return []
    chosen = {
        name: query[name]
        for name in filters
        if name in known and call.version >= _SINCE.get(name, (3, 0))
    }
    if "consumes_quota" in chosen:
        chosen["consumes_quota"] = str(
            boolean({"use_quota": chosen["consumes_quota"]}, "use_quota")
        )
    text = query.get("metadata", "{}") if call.version >= _LABEL_FILTER else "{}"
    wanted = labels(text)
    if wanted is None:
        return []
    return [
        snapshot
        for snapshot in snapshots
        if wanted.items() <= snapshot.metadata.items()
        and all(known[name](snapshot) == wanted_text for name, wanted_text in chosen.items())
    ]


__all__ = ["FILTERS", "SnapshotsAPI"]
