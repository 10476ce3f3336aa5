"""Block Storage: actions that change a volume's flags, record its uses, or are refused."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from txstorage.embedded.wire import refusals, volume_refusals
from txstorage.embedded.wire.refusal import Refusal

from .case import MISSING, WireTests
from .exchanges import JSON, Answer
from .record import compares
from .volumes import ACTION, SHOW

_DETAIL = "volume GET /v3/<project_id>/volumes/detail"
_REVERT = "3.40"
_REIMAGE = "3.68"


class _ActionTests(WireTests):
    async def act(
        self, volume_id: str, action: str, value: Any = None, version: str = "", who: str = ""
    ) -> Answer:
        """
        Request an action.

        :param who: another user than the own one.
        """
        path, body = f"/volumes/{volume_id}/action", {action: value}
        if who:
            return await self.cinder_as(who, "POST", path, body, version=version)
        return await self.cinder("POST", path, body, version=version)

    async def done(self, volume_id: str, action: str, value: Any = None, who: str = "") -> None:
        """Assert that an action is accepted."""
        self.empty(await self.act(volume_id, action, value, who=who), 202, type=JSON)


class FlagTests(_ActionTests):
    """A volume's flags, and the metadata of its image."""

    @compares(ACTION, SHOW, "NO_FORCE", "NO_UPDATE_NOW")
    async def test_bootable(self) -> None:
        """The flag changes, except in maintenance, and copies of the volume have it."""
        volume_id = await self.volume()
        for value, expected in (
            (True, "true"),
            ("off", "false"),
            ("yes", "true"),
        ):
            got = await self.act(volume_id, "os-set_bootable", {"bootable": value})
            self.empty(got, 200, type=JSON)
            self.assertEqual((await self.seen(volume_id))["bootable"], expected)
        got = await self.act(volume_id, "os-set_bootable", {"bootable": "maybe"})
        self.refused(got, refusals.NO_FORCE, "bootable", "maybe", "maybe", ...)
        for source in (
            {"source_volid": volume_id},
            {"snapshot_id": await self.snapshot(volume_id)},
        ):
            copy_id = await self.volume(**source)
            self.assertEqual((await self.seen(copy_id))["bootable"], "true")
        await self.reset(volume_id, "maintenance")
        got = await self.act(volume_id, "os-set_bootable", {"bootable": False})
        self.refused(got, refusals.NO_UPDATE_NOW)

    @compares(ACTION, SHOW, "KEEPS_READONLY")
    async def test_readonly(self) -> None:
        """The flag is a label of the volume's view, though not of the volume."""
        volume_id = await self.volume(metadata={"a": "b"})
        for value, expected in ((True, "True"), ("false", "False")):
            await self.done(volume_id, "os-update_readonly_flag", {"readonly": value})
            labels = (await self.seen(volume_id))["metadata"]
            self.assertEqual(labels, {"a": "b", "readonly": expected})
        got = await self.cinder("GET", f"/volumes/{volume_id}/metadata")
        self.assertEqual(got.body, {"metadata": {"a": "b"}})
        await self.reset(volume_id, "error")
        got = await self.act(volume_id, "os-update_readonly_flag", {"readonly": True})
        self.refused(got, volume_refusals.KEEPS_READONLY, volume_id, "error")

    @compares(
        *(ACTION, SHOW, _DETAIL, "NO_IMAGE_METADATA", "KEEPS_LABELS", "LABEL_KEY"),
        *("NOT_OF_TYPE[volume]", "IS_EMPTY"),
    )
    async def test_image_metadata(self) -> None:
        """The metadata of the image is added, listed with the volume, and removed."""
        volume_id = await self.volume()
        self.assertNotIn("volume_image_metadata", await self.seen(volume_id))
        shape = {"metadata": dict}
        for added, expected in (
            ({"a": "1", "b": "2"}, {"a": "1", "b": "2"}),
            ({"b": "3"}, {"a": "1", "b": "3"}),
        ):
            got = await self.act(volume_id, "os-set_image_metadata", {"metadata": added})
            self.assertEqual(self.answered(got, 200, shape), {"metadata": expected})
            got = await self.act(volume_id, "os-show_image_metadata")
            self.assertEqual(self.answered(got, 200, shape), {"metadata": expected})
            self.assertEqual((await self.seen(volume_id))["volume_image_metadata"], expected)
        [listed] = [
            each
            for each in (await self.cinder("GET", "/volumes/detail")).body["volumes"]
            if each["id"] == volume_id
        ]
        self.assertEqual(listed["volume_image_metadata"], {"a": "1", "b": "3"})
        unset = "os-unset_image_metadata"
        self.empty(await self.act(volume_id, unset, {"key": "a"}), 200)
        self.assertEqual((await self.seen(volume_id))["volume_image_metadata"], {"b": "3"})
        got = await self.act(volume_id, unset, {"key": "a"})
        self.refused(got, volume_refusals.NO_IMAGE_METADATA, volume_id)
        self.refused(
            await self.act(volume_id, unset, {"key": ""}), refusals.IS_EMPTY, "key", "", ""
        )
        got = await self.act(volume_id, "os-set_image_metadata", {"metadata": {"a": 1}})
        wanted = refusals.NOT_OF_TYPE.by_service["volume"]
        self.refused(got, wanted, "a", 1, 1, "'string'")
        got = await self.act(volume_id, "os-set_image_metadata", {"metadata": {"ä": "1"}})
        self.refused(got, refusals.LABEL_KEY, "metadata", ..., "'ä' does not")
        await self.reset(volume_id, "maintenance")
        got = await self.act(volume_id, "os-set_image_metadata", {"metadata": {"c": "1"}})
        self.refused(got, refusals.KEEPS_LABELS, "Updating", "maintenance")
        got = await self.act(volume_id, unset, {"key": "b"})
        self.refused(got, refusals.KEEPS_LABELS, "Deleting", "maintenance")


class UseTests(_ActionTests):
    """Records of a volume's uses by hosts."""

    @compares(ACTION, SHOW, "ATTACHED_ALREADY", "BAD_ATTACH_MODE", "NO_SCHEMA[volume]", "IS_EMPTY")
    async def test_attach(self) -> None:
        """A volume is in use by the host or the server of the record, until it is detached."""
        volume_id, server = await self.volume(), str(uuid4())
        for wanted, attached in (
            ({"host_name": "h", "mountpoint": "/dev/x"}, (None, "/dev/x", "rw")),
            ({"instance_uuid": server, "mountpoint": "y", "mode": "ro"}, (server, "y", "ro")),
        ):
            await self.done(volume_id, "os-attach", wanted)
            found = await self.seen(volume_id)
            [attachment] = found["attachments"]
            self.assertEqual(found["status"], "in-use")
            self.assertEqual(attachment["volume_id"], volume_id)
            place = (
                attachment["server_id"],
                attachment["device"],
                found["metadata"]["attached_mode"],
            )
            self.assertEqual(place, attached)
            other = {"host_name": "other", "mountpoint": "/dev/x"}
            got = await self.act(volume_id, "os-attach", other)
            self.refused(got, volume_refusals.ATTACHED_ALREADY, ...)
            await self.done(volume_id, "os-detach", {})
            found = await self.seen(volume_id)
            self.assertEqual((found["status"], found["attachments"]), ("available", []))
        await self.done(volume_id, "os-update_readonly_flag", {"readonly": True})
        got = await self.act(volume_id, "os-attach", {"host_name": "h", "mountpoint": "x"})
        self.refused(got, volume_refusals.BAD_ATTACH_MODE, "rw", volume_id)
        value: dict[str, str] = {"mountpoint": "x"}
        got = await self.act(volume_id, "os-attach", value)
        self.refused(got, refusals.NO_SCHEMA.by_service["volume"], "os-attach", value, value)
        got = await self.act(volume_id, "os-attach", {"host_name": "h", "mountpoint": ""})
        self.refused(got, refusals.IS_EMPTY, "mountpoint", "", "")

    @compares(
        *(ACTION, "USED_BY_COMPUTE", "OTHER_ATTACHMENT", "VOLUME_FAULT", "FORBIDDEN"),
        "NO_SCHEMA[volume]",
    )
    async def test_detach(self) -> None:
        """
        An attachment of Compute's, an unknown one and another volume's are not detached; without
        any, the volume becomes available.
        """
        volume_id = await self.volume()
        other_id = await self.volume()
        await self.done(other_id, "os-attach", {"host_name": "h", "mountpoint": "x"})
        [other] = (await self.seen(other_id))["attachments"]
        await self.reset(volume_id, "error")
        await self.done(volume_id, "os-detach", {"attachment_id": None})
        self.assertEqual((await self.seen(volume_id))["status"], "available")
        value = {"attachment_id": other["attachment_id"]}
        got = await self.act(volume_id, "os-detach", value)
        self.refused(got, volume_refusals.OTHER_ATTACHMENT)
        got = await self.act(volume_id, "os-detach", {"attachment_id": MISSING})
        self.refused(got, refusals.USED_BY_COMPUTE, "")
        self.refused(await self.act(volume_id, "os-detach"), refusals.VOLUME_FAULT)
        got = await self.act(volume_id, "os-detach", {"attachment_id": "x"})
        self.refused(got, refusals.NO_SCHEMA.by_service["volume"], "attachment_id", "x", "x")
        used_id, _ = await self.attached()
        got = await self.act(used_id, "os-detach", {})
        self.refused(got, refusals.USED_BY_COMPUTE, self.target.servers[0])
        got = await self.act(used_id, "os-force_detach", {})
        policy = "volume_extension:volume_admin_actions:force_detach"
        self.refused(got, refusals.FORBIDDEN, policy)
        got = await self.act(used_id, "os-force_detach", {}, who="admin")
        self.refused(got, refusals.USED_BY_COMPUTE, self.target.servers[0])
        self.assertEqual((await self.seen(used_id))["status"], "in-use")
        await self.done(other_id, "os-force_detach", {"connector": None}, who="admin")
        self.assertEqual((await self.seen(other_id))["status"], "available")

    @compares(ACTION, "NOT_TO_BE_DETACHED", "NOT_TO_BE_ATTACHED", "NOT_TO_BE_DETACHED_NOW")
    async def test_detaching(self) -> None:
        """A volume in use is marked as being detached, and as in use again; no other one is."""
        volume_id = await self.volume()
        got = await self.act(volume_id, "os-begin_detaching")
        self.refused(got, volume_refusals.NOT_TO_BE_DETACHED)
        await self.done(volume_id, "os-roll_detaching")
        self.assertEqual((await self.seen(volume_id))["status"], "available")
        await self.done(volume_id, "os-attach", {"host_name": "h", "mountpoint": "x"})
        for _ in range(2):
            await self.done(volume_id, "os-begin_detaching")
            for _ in range(3):
                await self.target.pause()
                self.assertEqual((await self.seen(volume_id))["status"], "detaching")
            got = await self.act(volume_id, "os-begin_detaching")
            self.refused(got, volume_refusals.NOT_TO_BE_DETACHED)
            await self.done(volume_id, "os-roll_detaching")
            self.assertEqual((await self.seen(volume_id))["status"], "in-use")
        await self.done(volume_id, "os-begin_detaching")
        await self.done(volume_id, "os-detach", {})
        self.assertEqual((await self.seen(volume_id))["status"], "available")
        await self.reset(volume_id, "maintenance")
        got = await self.act(volume_id, "os-attach", {"host_name": "h", "mountpoint": "x"})
        self.refused(got, volume_refusals.NOT_TO_BE_ATTACHED)
        self.refused(
            await self.act(volume_id, "os-detach", {}), volume_refusals.NOT_TO_BE_DETACHED_NOW
        )


class AbsentTests(_ActionTests):
    """Actions of features that the cloud does not have."""

    @compares(ACTION, "NO_SNAPSHOTS", "NOT_THE_LATEST", "OTHER_SIZE")
    async def test_revert(self) -> None:
        """A volume is reverted to its latest snapshot at most, and with its present size."""
        volume_id = await self.volume()

        async def revert(snapshot_id: Any, refusal: Refusal, *values: object) -> None:
            got = await self.act(volume_id, "revert", {"snapshot_id": snapshot_id}, _REVERT)
            self.refused(got, refusal, *values, version=_REVERT)

        await revert(MISSING, volume_refusals.NO_SNAPSHOTS, volume_id)
        former, latest = await self.snapshot(volume_id), await self.snapshot(volume_id)
        for wrong in (former, None):
            await revert(wrong, volume_refusals.NOT_THE_LATEST, wrong, volume_id)
        got = await self.act(volume_id, "os-extend", {"new_size": 2})
        self.assertEqual(got.status, 202)
        await self.until(volume_id, "available")
        await revert(latest, volume_refusals.OTHER_SIZE, volume_id, latest)

    @compares(
        ACTION,
        "FORBIDDEN",
        "HOST_OR_CLUSTER",
        "NO_HOST_NAMED",
        "NOT_BEING_EXTENDED",
        "NO_EXTEND_METADATA",
    )
    async def test_administrators(self) -> None:
        """Users may not migrate, unmanage or complete; an administrator has no other host."""
        volume_id, version = await self.volume(), "3.71"
        for action, value in (
            ("migrate_volume", {"host": "nowhere"}),
            ("migrate_volume_completion", {"new_volume": MISSING}),
            ("extend_volume_completion", {}),
        ):
            got = await self.act(volume_id, "os-" + action, value)
            policy = "volume_extension:volume_admin_actions:" + action
            self.refused(got, refusals.FORBIDDEN, policy)
        got = await self.act(volume_id, "os-unmanage")
        self.refused(got, refusals.FORBIDDEN, "volume_extension:volume_unmanage")
        for value, wanted in (
            ({"host": "nowhere"}, (volume_refusals.NO_HOST_NAMED, "nowhere")),
            ({"cluster": "nowhere"}, (volume_refusals.NO_HOST_NAMED, "nowhere")),
            (
                {},
                (
                    volume_refusals.HOST_OR_CLUSTER,
                    "One and only one of cluster and host must be set.",
                ),
            ),
        ):
            got = await self.act(volume_id, "os-migrate_volume", value, version, who="admin")
            self.refused(got, *wanted, version=version)
        got = await self.act(volume_id, "os-extend_volume_completion", {}, who="admin")
        self.refused(got, volume_refusals.NOT_BEING_EXTENDED)
        await self.reset(volume_id, "extending")
        got = await self.act(volume_id, "os-extend_volume_completion", {}, who="admin")
        self.refused(got, volume_refusals.NO_EXTEND_METADATA)
        await self.reset(volume_id, "available")

    @compares(ACTION, "NOT_TO_BE_MIGRATED")
    async def test_same_host(self) -> None:
        """A volume can't be migrated to the host where it is."""
        volume_id, admin = await self.volume(), await self.admin()
        got = await admin.ask("volume", "GET", f"/v3/{admin.project}/volumes/{volume_id}")
        host = got.body["volume"]["os-vol-host-attr:host"]
        got = await self.act(volume_id, "os-migrate_volume", {"host": host}, who="admin")
        self.refused(got, volume_refusals.NOT_TO_BE_MIGRATED, volume_id)

    @compares(ACTION, "VOLUME_FAULT", "NOT_TO_BE_UPLOADED", "NO_IMAGE_SERVICE", "NO_FORCE")
    async def test_images(self) -> None:
        """Without an image service, a volume is neither made an image nor filled from one."""
        volume_id, upload = await self.volume(), "os-volume_upload_image"
        got = await self.act(volume_id, "os-reimage", {"image_id": MISSING}, _REIMAGE)
        self.refused(got, refusals.VOLUME_FAULT, version=_REIMAGE)
        got = await self.act(volume_id, upload, {"image_name": "i"})
        self.refused(got, volume_refusals.NO_IMAGE_SERVICE)
        self.assertEqual((await self.seen(volume_id))["status"], "available")
        got = await self.act(volume_id, upload, {"image_name": "i", "disk_format": "iso"})
        self.refused(got, refusals.NO_FORCE, "disk_format", "iso", "iso", ...)
        await self.reset(volume_id, "error")
        got = await self.act(volume_id, upload, {"image_name": "i"})
        self.refused(got, volume_refusals.NOT_TO_BE_UPLOADED, volume_id)
