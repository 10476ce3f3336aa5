"""Block Storage: deleting volumes, and the actions on them."""

from __future__ import annotations

from typing import Any

from txstorage.embedded.wire import refusals

from .case import MISSING, WireTests
from .exchanges import Answer
from .record import compares
from .volumes import ACTION, SHOW, VOLUMES

DELETE = "volume DELETE " + VOLUMES + "/<volume_id>"
#: Attempts to catch a state that a fast cloud leaves quickly.
_RACES = 5
#: Actions of Cinder's that are not looked at elsewhere, by the member that they need, if any.
OTHER_ACTIONS = {
    "mountpoint": ["os-attach"],
    "connector": ["os-initialize_connection", "os-terminate_connection"],
    "new_volume": ["os-migrate_volume_completion"],
    "image_id": ["os-reimage"],
    "new_type": ["os-retype"],
    "bootable": ["os-set_bootable"],
    "metadata": ["os-set_image_metadata"],
    "key": ["os-unset_image_metadata"],
    "readonly": ["os-update_readonly_flag"],
    "image_name": ["os-volume_upload_image"],
    None: [
        *("os-begin_detaching", "os-detach", "os-extend_volume_completion", "os-force_delete"),
        *("os-force_detach", "os-migrate_volume", "os-reserve", "os-roll_detaching"),
        *("os-show_image_metadata", "os-unmanage", "os-unreserve", "revert"),
    ],
}


class DeleteTests(WireTests):
    """Tests of deleting volumes, and of setting their status."""

    @compares(DELETE, SHOW, "NO_VOLUME")
    async def test_delete(self) -> None:
        """
        The response to a delete comes before the delete is complete, without a body; later the
        volume is gone.
        """
        volume_id = await self.volume()
        self.empty(await self.cinder("DELETE", "/volumes/" + volume_id), 202)
        looks = await self.until(volume_id, "404")
        self.assertLessEqual({look["status"] for look in looks}, {"deleting", "404"})
        for missing in (volume_id, "nonsense"):
            got = await self.cinder("DELETE", "/volumes/" + missing)
            self.refused(got, refusals.NO_VOLUME, missing)

    @compares(DELETE, ACTION, "NOT_DELETABLE")
    async def test_not_deletable(self) -> None:
        """During a transition a volume can't be deleted; in error it can."""
        volume_id = await self.volume()
        for status in ("creating", "maintenance", "attaching", "detaching", "reserved"):
            await self.reset(volume_id, status)
            got = await self.cinder("DELETE", "/volumes/" + volume_id)
            self.refused(got, refusals.NOT_DELETABLE)
        await self.reset(volume_id, "error")
        self.empty(await self.cinder("DELETE", "/volumes/" + volume_id), 202)

    @compares(DELETE, "NOT_DELETABLE")
    async def test_deleting(self) -> None:
        """A volume can't be deleted again while it is being deleted."""
        refused = 0
        for _ in range(_RACES):
            volume_id = await self.volume()
            self.empty(await self.cinder("DELETE", "/volumes/" + volume_id), 202)
            got = await self.cinder("DELETE", "/volumes/" + volume_id)
            if got.status == 404:
                # The delete was complete already.
                self.refused(got, refusals.NO_VOLUME, volume_id)
                continue
            self.refused(got, refusals.NOT_DELETABLE)
            refused += 1
        self.assertGreater(refused, 0)

    @compares(ACTION, "FORBIDDEN", "NO_VOLUME_ACTION", "MALFORMED_BODY[volume]", "NO_VOLUME")
    async def test_actions(self) -> None:
        """
        A user who is not an administrator may set no status; an unknown action is 400, as are two.
        """
        path = f"/volumes/{await self.volume()}/action"
        reset = {"os-reset_status": {"status": "error"}}
        got = await self.cinder("POST", path, reset)
        policy = "volume_extension:volume_admin_actions:reset_status"
        self.refused(got, refusals.FORBIDDEN, policy)
        got = await self.cinder("POST", path, {"os-nope": {}})
        self.refused(got, refusals.NO_VOLUME_ACTION, "os-nope")
        self.refused(await self.cinder("POST", path, b""), refusals.NO_VOLUME_ACTION, "None")
        for body in ({}, {"one": {}, "two": {}}, b"{nope"):
            got = await self.cinder("POST", path, body)
            self.refused(got, refusals.MALFORMED_BODY.by_service["volume"])
        got = await self.cinder("POST", f"/volumes/{MISSING}/action", reset)
        self.refused(got, refusals.NO_VOLUME, MISSING)

    @compares(
        *(ACTION, "NO_VOLUME", "NO_RESOURCE", "NO_VOLUME_ACTION"),
        *("MISSING_FIELD[volume]", "NOT_OF_TYPE[volume]"),
    )
    async def test_no_volume(self) -> None:
        """
        Every action of Block Storage needs a volume, once its body is right; an unknown action is
        400.
        """
        path = f"/volumes/{MISSING}/action"

        async def post(name: str, value: Any, version: str = "3.71") -> Answer:
            return await self.cinder("POST", path, {name: value}, version=version)

        wanted = refusals.MISSING_FIELD.by_service["volume"]
        kind = refusals.NOT_OF_TYPE.by_service["volume"]
        for needed, actions in OTHER_ACTIONS.items():
            for name in actions:
                got = await post(name, {})
                if needed is None:
                    self.refused(got, refusals.NO_VOLUME, MISSING, version="3.71")
                else:
                    self.refused(got, wanted, name, {}, needed, version="3.71")
                    got = await post(name, None)
                    self.refused(got, kind, name, None, None, "'object'", version="3.71")
        for name in ("os-reserve", "os-detach", "os-force_delete"):
            self.refused(await post(name, None), refusals.NO_VOLUME, MISSING, version="3.71")
        got = await post("os-set_bootable", {"bootable": True}, "3.0")
        self.refused(got, refusals.NO_VOLUME, MISSING)
        for name, version in (("revert", "3.39"), ("os-reimage", "3.67")):
            got = await post(name, {"image_id": MISSING}, version)
            self.refused(got, refusals.NO_RESOURCE, version=version)
        self.refused(await post("os-nope", {}, "3.0"), refusals.NO_VOLUME_ACTION, "os-nope")

    @compares(ACTION, "NOT_TO_BE_RESERVED")
    async def test_reserve(self) -> None:
        """
        A reserved volume is as one that is being attached, until it is given back; only an
        available one can be reserved, and giving back another one changes nothing.
        """
        volume_id = await self.volume()

        async def post(name: str) -> Answer:
            return await self.cinder("POST", f"/volumes/{volume_id}/action", {name: {}})

        for name, status in (
            ("os-unreserve", "available"),
            ("os-reserve", "attaching"),
            ("os-unreserve", "available"),
            ("os-reserve", "attaching"),
        ):
            self.empty(await post(name), 202, type="application/json")
            self.assertEqual((await self.seen(volume_id))["status"], status)
        self.refused(await post("os-reserve"), refusals.NOT_TO_BE_RESERVED, "attaching")
        await self.reset(volume_id, "maintenance")
        self.refused(await post("os-reserve"), refusals.NOT_TO_BE_RESERVED, "maintenance")
        self.empty(await post("os-unreserve"), 202, type="application/json")
        self.assertEqual((await self.seen(volume_id))["status"], "maintenance")

    @compares(
        ACTION,
        "NO_STATUS",
        "BAD_STATUS",
        "NOT_TO_BE_SET",
        "NOT_IN_USE",
        "NOT_OF_TYPE[volume]",
    )
    async def test_reset(self) -> None:
        """An administrator may set a known status, which stays."""
        volume_id, admin = await self.volume(), await self.admin()
        path = f"/v3/{admin.project}/volumes/{volume_id}/action"

        async def post(wanted: Any) -> Answer:
            return await admin.ask("volume", "POST", path, {"os-reset_status": wanted})

        self.empty(await post({"status": "maintenance"}), 202, type="application/json")
        self.assertEqual((await self.seen(volume_id))["status"], "maintenance")
        self.refused(await post({}), refusals.NO_STATUS)
        wanted = refusals.NOT_OF_TYPE.by_service["volume"]
        self.refused(await post(1), wanted, "os-reset_status", 1, 1, "'object'")
        self.refused(await post({"status": 1}), wanted, "status", 1, 1, "'string', 'null'")
        self.refused(await post({"status": "bogus"}), refusals.BAD_STATUS, "bogus", ...)
        self.refused(await post({"status": "deleting"}), refusals.NOT_TO_BE_SET, "deleting")
        self.refused(await post({"status": "in-use"}), refusals.NOT_IN_USE)
