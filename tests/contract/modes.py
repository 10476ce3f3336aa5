"""Attachments of volumes that are read-only, and of volumes that have one already."""

from __future__ import annotations

from typing import Any

from txstorage.embedded.wire import refusals

from .attachments import CREATE, DETAIL, SHOW, UPDATE
from .case import WireTests
from .exchanges import JSON
from .record import compares

_VERSION = "3.54"
_ATTACH = "compute POST /v2.1/servers/<server_id>/os-volume_attachments"
_ACTION = "volume POST /v3/<project_id>/volumes/<volume_id>/action"
_COMPLETE = "volume POST /v3/<project_id>/attachments/<attachment_id>/action"


class ModeTests(WireTests):
    """The modes of attachments, and a volume's only attachment."""

    async def marked(self, readonly: bool) -> str:
        """Make a volume with the flag."""
        volume_id = await self.volume()
        body = {"os-update_readonly_flag": {"readonly": readonly}}
        got = await self.cinder("POST", f"/volumes/{volume_id}/action", body)
        self.empty(got, 202, type=JSON)
        return volume_id

    async def create(self, volume_id: str, **wanted: Any) -> Any:
        """Reserve a volume, and return the attachment."""
        body = {"attachment": {"volume_uuid": volume_id, **wanted}}
        got = await self.cinder("POST", "/attachments", body, version=_VERSION)
        self.assertEqual(got.status, 200, got.content)
        return got.body["attachment"]

    async def update(self, path: str, **connector: str) -> Any:
        """Connect an attachment."""
        body = {"attachment": {"connector": connector}}
        got = await self.cinder("PUT", path, body, version=_VERSION)
        self.assertEqual(got.status, 200, got.content)
        return got.body["attachment"]

    async def shown(self, path: str) -> Any:
        """Return an attachment."""
        return (await self.cinder("GET", path, version=_VERSION)).body["attachment"]

    @compares(CREATE, UPDATE, SHOW, _ACTION)
    async def test_read_only(self) -> None:
        """
        Once a volume has had the flag, whatever its value, each attachment is read-only, whatever
        the request wants.  Only the label changes: the connection allows to write.
        """
        for readonly in (True, False):
            volume_id = await self.marked(readonly)
            for wanted in (
                {"mode": "rw"},
                {"mode": "rw", "connector": {"host": "h", "mode": "rw"}},
                {"connector": {"host": "h"}},
            ):
                made = await self.create(volume_id, **wanted)
                path = "/attachments/" + made["id"]
                self.assertEqual(made["attach_mode"], "ro")
                if "connector" not in wanted:
                    made = await self.update(path, host="h", mode="rw")
                    self.assertEqual(made["attach_mode"], "ro")
                self.assertEqual(made["connection_info"]["access_mode"], "rw")
                self.assertEqual((await self.shown(path))["attach_mode"], "ro")
                await self.cinder("DELETE", path, version=_VERSION)
                await self.until(volume_id, "available")

    @compares(_ATTACH, DETAIL, _ACTION)
    async def test_compute(self) -> None:
        """Compute attaches such a volume, and others in the mode to write."""
        for volume_id, mode in ((await self.marked(True), "ro"), (await self.volume(), "rw")):
            got = await self.attach(volume_id)
            self.assertEqual(got.status, 200, got.content)
            await self.until(volume_id, "in-use")
            query = "/attachments/detail?volume_id=" + volume_id
            (found,) = (await self.cinder("GET", query, version=_VERSION)).body["attachments"]
            self.assertEqual(found["attach_mode"], mode)

    @compares(CREATE, UPDATE, SHOW, _COMPLETE, _ATTACH, "RESERVED_OTHERWISE", "NOT_RESERVABLE")
    async def test_one(self) -> None:
        """
        A volume has one attachment, in each of its statuses, which another host may take over;
        Compute has none of it.
        """
        volume_id = await self.volume()
        made = await self.create(volume_id)
        path = "/attachments/" + made["id"]

        async def refused(status: str) -> None:
            self.assertEqual((await self.seen(volume_id))["status"], status)
            for more in ({}, {"connector": {"host": "h3"}}):
                body = {"attachment": {"volume_uuid": volume_id, **more}}
                got = await self.cinder("POST", "/attachments", body, version=_VERSION)
                self.refused(got, refusals.RESERVED_OTHERWISE, volume_id, status, version=_VERSION)
            got = await self.attach(volume_id)
            self.refused(got, refusals.NOT_RESERVABLE, volume_id, status, ...)

        await refused("reserved")
        first = await self.update(path, host="h1")
        self.assertEqual((first["status"], first["attach_mode"]), ("reserved", "null"))
        await refused("attaching")
        second = await self.update(path, host="h2", mountpoint="/m")
        self.assertEqual((second["status"], second["attach_mode"]), ("attaching", "rw"))
        for _ in range(2):
            body = {"os-complete": {}}
            got = await self.cinder("POST", path + "/action", body, version=_VERSION)
            self.assertEqual((got.status, got.content), (204, b""))
            await refused("in-use")
        third = await self.update(path, host="h3")
        self.assertEqual((third["status"], third["attach_mode"]), ("attached", "rw"))
        self.assertEqual((await self.seen(volume_id))["status"], "attaching")
        self.assertEqual((await self.shown(path))["status"], "attaching")
