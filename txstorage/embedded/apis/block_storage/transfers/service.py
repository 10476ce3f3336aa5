# -*- test-case-name: tests.contract.test_embedded -*-
"""
Block Storage v3's transfers: a project offers a volume, and another one that has the key takes it.

There are two paths, of which the older one does not know later microversions' parameters.  The
refusals have Cinder 29's status codes and messages.
"""

from __future__ import annotations

import secrets
from typing import Any

from ....settings import Settings
from ....store.features.transfers import TransferRecord
from ....store.records import VolumeRecord
from ....store.store import Store
from ....wire import volume_refusals
from ....wire.exchange import EMPTY, APIRequest, APIResponse, endpoint
from ....wire.pagination import next_links, volume_page
from ....wire.requests.routes import Routes
from ....wire.times import volume_time
from ....wire.versions import VOLUME
from ...identity.digests import digest_of, same
from ...versioned import ProjectService
from ...visible import visible_volume
from ..queries import boolean, order
from ..quota import ACCEPTED, Allowance, check
from .requests import HISTORY, KEYS, PAGES, SNAPSHOTS, chosen, key_of, new_transfer

#: The first segments of the paths after the project, the older one first.
PATHS = ("os-volume-transfer", "volume-transfers")
_ID = "/<transfer_id>"
#: Bytes of the key and the salt, which have two characters each.
_KEY, _SALT = 8, 8


class TransfersAPI(ProjectService):
    """The transfers."""

    app = Routes()
    dialect = VOLUME

    # -- views -----------------------------------------------------------------

    def _summary(self, call: APIRequest, transfer: TransferRecord) -> dict[str, Any]:
        path = f"{self.project_path(call)}{PATHS[0]}/{transfer.transfer_id}"
        return {
            "id": transfer.transfer_id,
            "volume_id": transfer.volume_id,
            "name": transfer.name,
            "links": [
                {"rel": "self", "href": f"{call.base}/volume/v3/{path}"},
                {"rel": "bookmark", "href": f"{call.base}/volume/{path}"},
            ],
        }

    def _detail(self, call: APIRequest, transfer: TransferRecord) -> dict[str, Any]:
        view = self._summary(call, transfer)
        view["created_at"] = volume_time(transfer.created_at)
        if call.version >= SNAPSHOTS:
            view["no_snapshots"] = transfer.no_snapshots
        if call.version >= HISTORY:
            source = transfer.source_project_id or self._directory.ids.project
            view.update(destination_project_id=None, source_project_id=source, accepted=False)
        return view

    # -- reading ---------------------------------------------------------------

    def list_short(self, call: APIRequest) -> APIResponse:
        """List transfers, without their times."""
        return self._list(call, self._summary)

    def list_detail(self, call: APIRequest) -> APIResponse:
        """List transfers in full."""
        return self._list(call, self._detail)

    def _list(self, call: APIRequest, view: Any) -> APIResponse:
        query = call.query()
        paged = _is_modern(call) and call.version >= PAGES
        page = volume_page(query, self._settings.page_size)
        by = order(query, KEYS) if paged else [("created_at", False)]
        self.permit(call)
        every = call.requester.is_admin and boolean(query, "all_tenants")
        found = chosen(self._of_projects(call, every), query, paged)
        for key, descending in reversed(by):
            found.sort(key=KEYS[key], reverse=descending)
        part = found
        if paged:
            ids = [each.transfer_id for each in found]
            if page.marker is not None and page.marker not in ids:
                raise volume_refusals.NO_TRANSFER(page.marker)
            begin = 0 if page.marker is None else ids.index(page.marker) + 1
            part = found[begin:][page.offset : page.offset + page.limit]
        # Cinder skips the offset in the page that the database has cut, too.
        shown = part[page.offset :][: page.limit or None]
        body: dict[str, Any] = {"transfers": [view(call, each) for each in shown]}
        url = f"{call.base}/volume/v3/{self.project_path(call)}{PATHS[0]}"
        ids = [each.transfer_id for each in shown]
        body.update(next_links("transfers", url, query, page, ids, len(part)))
        return APIResponse(200, body)

    def _of_projects(self, call: APIRequest, every: bool) -> list[TransferRecord]:
        transfers = self._store.transfers.every()
        if every:
            return transfers
        own = call.requester.owner.project_id
        return [each for each in transfers if each.source_project_id == own]

    def show(self, call: APIRequest, transfer_id: str) -> APIResponse:
        """Show one transfer."""
        self.permit(call)
        found = self._found(call, transfer_id, self._store)
        return APIResponse(200, {"transfer": self._detail(call, found)})

    def _found(self, call: APIRequest, transfer_id: str, store: Store) -> TransferRecord:
        """:raises WireError: 404."""
        found = store.transfers.find(transfer_id)
        if found is None or not call.requester.sees(found.source_project_id):
            raise volume_refusals.NO_TRANSFER(transfer_id)
        return found

    # -- changing --------------------------------------------------------------

    async def create(self, call: APIRequest) -> APIResponse:
        """Offer a volume; the response alone has the key."""
        wanted = new_transfer(call.json(), call.version, _is_modern(call))
        key, salt = secrets.token_hex(_KEY), secrets.token_hex(_SALT)

        def change(store: Store) -> TransferRecord:
            volume = visible_volume(call, store, wanted.volume_id)
            self.permit(call)
            _refuse_offer(store, volume, wanted.no_snapshots)
            store.set_status(volume.volume_id, "awaiting-transfer")
            return store.transfers.add(
                volume, wanted.name, wanted.no_snapshots, salt, digest_of(key, salt)
            )

        made = await self._store.write(change)
        return APIResponse(202, {"transfer": {**self._detail(call, made), "auth_key": key}})

    async def accept(self, call: APIRequest, transfer_id: str) -> APIResponse:
        """Take an offered volume into the user's project."""
        key, owner = key_of(call.json()), call.requester.owner

        def change(store: Store) -> TransferRecord:
            self.permit(call)
            found = store.transfers.find(transfer_id)
            if found is None:
                raise volume_refusals.NO_TRANSFER(transfer_id)
            if not same(digest_of(key, found.salt), found.digest):
                raise volume_refusals.BAD_KEY(transfer_id)
            volume = store.volume(found.volume_id)
            assert volume is not None
            _refuse_transfer(self._settings, store, found, volume, owner.project_id)
            store.transfers.accept(found, owner.project_id, owner.user_id)
            return found

        found = await self._store.write(change)
        return APIResponse(202, {"transfer": self._summary(call, found)})

    async def delete(self, call: APIRequest, transfer_id: str) -> APIResponse:
        """Withdraw an offer."""

        def change(store: Store) -> None:
            found = self._found(call, transfer_id, store)
            self.permit(call)
            volume = store.volume(found.volume_id)
            if volume is not None and volume.status == "awaiting-transfer":
                store.set_status(found.volume_id, "available")
            store.transfers.remove(found.transfer_id)

        await self._store.write(change)
        return APIResponse(202, content_type=EMPTY)


def _is_modern(call: APIRequest) -> bool:
    return f"/{PATHS[1]}" in call.route


def _refuse_offer(store: Store, volume: VolumeRecord, no_snapshots: bool) -> None:
    """:raises WireError: 400."""
    if volume.status != "available":
        raise volume_refusals.NOT_TO_BE_OFFERED()
    for snapshot in store.snapshots.of_volume(volume.volume_id):
        if not no_snapshots and snapshot.status != "available":
            raise volume_refusals.SNAPSHOT_NOT_TO_BE_OFFERED(snapshot.snapshot_id)


def _refuse_transfer(
    settings: Settings,
    store: Store,
    transfer: TransferRecord,
    volume: VolumeRecord,
    project_id: str | None,
) -> None:
    """
    :param project_id: of the accepting project.
    :raises WireError: 400, 413.
    """
    quota, kind = Allowance(settings, store, project_id), volume.volume_type
    snapshots = [] if transfer.no_snapshots else store.snapshots.of_volume(volume.volume_id)
    first = {"volumes": 1, "gigabytes": volume.size}
    check(quota, kind, first, ACCEPTED)
    then = {"snapshots": len(snapshots), "gigabytes": sum(each.size for each in snapshots)}
    check(quota, kind, then, ACCEPTED, first)
    if volume.status == "maintenance":
        raise volume_refusals.NOT_TO_BE_ACCEPTED()
    if volume.status != "awaiting-transfer":
        raise volume_refusals.NOT_OFFERED(transfer.transfer_id, volume.volume_id)
    for snapshot in snapshots:
        if snapshot.status != "available":
            ids = (transfer.transfer_id, snapshot.snapshot_id)
            raise volume_refusals.SNAPSHOT_NOT_AVAILABLE(*ids)


for _name in PATHS:
    for _end, _method, _handler in (
        ("", "GET", TransfersAPI.list_short),
        ("/detail", "GET", TransfersAPI.list_detail),
        ("", "POST", TransfersAPI.create),
        (_ID, "GET", TransfersAPI.show),
        (_ID, "DELETE", TransfersAPI.delete),
        (_ID + "/accept", "POST", TransfersAPI.accept),
    ):
        _path = f"/v3/<project_id>/{_name}{_end}"
        endpoint(TransfersAPI.app, _path, _method)(_handler)


__all__ = ["PATHS", "TransfersAPI"]
