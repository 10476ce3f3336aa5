"""Block Storage: the statuses that administrators set."""

from __future__ import annotations

from typing import Any

from txstorage.embedded.wire import refusals, volume_refusals

from .case import MISSING, WireTests
from .exchanges import JSON, Answer
from .record import compares
from .volumes import ACTION, SHOW

_ATTACHMENT = "volume GET /v3/<project_id>/attachments/<attachment_id>"
_V = "3.44"


class ResetTests(WireTests):
    """The action ``os-reset_status`` beside the status itself."""

    async def put(self, volume_id: str, **wanted: Any) -> Answer:
        """Set statuses."""
        path = f"/volumes/{volume_id}/action"
        return await self.cinder_as("admin", "POST", path, {"os-reset_status": wanted})

    async def done(self, volume_id: str, **wanted: Any) -> None:
        """Assert that statuses are set."""
        self.empty(await self.put(volume_id, **wanted), 202, type=JSON)

    @compares(
        *(ACTION, SHOW, "NO_STATUS", "BAD_ATTACH_STATUS", "BAD_MIGRATION_STATUS", "BAD_STATUS"),
        *("NOT_OF_TYPE[volume]", "ADDITIONAL_FIELD[volume]", "NO_VOLUME"),
    )
    async def test_malformed(self) -> None:
        """Only known statuses are set, in lower case or upper case."""
        volume_id = await self.volume()
        of_type = refusals.NOT_OF_TYPE.by_service["volume"]
        more = refusals.ADDITIONAL_FIELD.by_service["volume"]
        both = {"status": "error", "more": 1}
        for wanted, refusal, values in (
            ({"attach_status": "no"}, volume_refusals.BAD_ATTACH_STATUS, ("no", ...)),
            ({"migration_status": "no"}, volume_refusals.BAD_MIGRATION_STATUS, ("no", ...)),
            ({"status": "no", "attach_status": "no"}, refusals.BAD_STATUS, ("no", ...)),
            ({"attach_status": 3}, of_type, ("attach_status", 3, 3, "'string', 'null'")),
            ({"attach_status": None, "status": ""}, refusals.NO_STATUS, ()),
            ({"more": 1}, refusals.NO_STATUS, ()),
            (both, more, ("os-reset_status", both, "'more' was unexpected")),
        ):
            self.refused(await self.put(volume_id, **wanted), refusal, *values)
        self.assertEqual((await self.seen(volume_id))["status"], "available")
        await self.done(volume_id, status="ERROR", attach_status="attached")
        self.assertEqual((await self.seen(volume_id))["status"], "error")
        # Cinder does not delete a volume that is said to be attached.
        await self.done(volume_id, status="available", attach_status="detached")
        got = await self.put(MISSING, attach_status="detached")
        self.refused(got, refusals.NO_VOLUME, MISSING)

    @compares(
        *(ACTION, SHOW, "volume GET /v3/<project_id>/volumes", "NOT_DELETABLE"),
        *("volume DELETE /v3/<project_id>/volumes/<volume_id>", "NO_SNAPSHOT_MEANWHILE"),
        *("volume POST /v3/<project_id>/snapshots", "NOT_DELETABLE_BY_FORCE"),
    )
    async def test_migration(self) -> None:
        """A volume that is said to migrate is neither deleted nor snapshot."""
        volume_id = await self.volume()
        path = "/volumes/" + volume_id
        for status, shown in (("SUCCESS", "success"), ("none", None), ("migrating", "migrating")):
            await self.done(volume_id, migration_status=status)
            volume = (await self.cinder_as("admin", "GET", path)).body["volume"]
            self.assertEqual(volume["migration_status"], shown)
            self.assertEqual(volume["os-vol-mig-status-attr:migstat"], shown)
        for status, expected in (("migrating", True), ("success", False)):
            query = "/volumes?all_tenants=1&migration_status=" + status
            got = await self.cinder_as("admin", "GET", query)
            self.assertEqual(volume_id in [each["id"] for each in got.body["volumes"]], expected)
        self.refused(await self.cinder("DELETE", path), refusals.NOT_DELETABLE)
        force = {"os-force_delete": {}}
        got = await self.cinder_as("admin", "POST", path + "/action", force)
        self.refused(got, refusals.NOT_DELETABLE_BY_FORCE)
        got = await self.cinder("POST", "/snapshots", {"snapshot": {"volume_id": volume_id}})
        self.refused(got, volume_refusals.NO_SNAPSHOT_MEANWHILE)
        await self.done(volume_id, migration_status="none")

    @compares(ACTION, SHOW, _ATTACHMENT, "NO_ATTACHMENT")
    async def test_detached(self) -> None:
        """A volume that is said to be detached has no attachment any more, and is available."""
        volume_id = await self.volume()
        wanted = {"volume_uuid": volume_id, "connector": {"host": "h"}}
        got = await self.cinder("POST", "/attachments", {"attachment": wanted}, version=_V)
        path = "/attachments/" + got.body["attachment"]["id"]
        await self.done(volume_id, attach_status="detached", status="error")
        self.assertEqual((await self.seen(volume_id))["status"], "available")
        got = await self.cinder("GET", path, version=_V)
        self.refused(got, refusals.NO_ATTACHMENT, path.rpartition("/")[2], version=_V)
