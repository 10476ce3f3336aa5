"""Changes of a server's attachments."""

from __future__ import annotations

from typing import Any

from txstorage.embedded.wire import refusals
from txstorage.embedded.wire.tables import server_refusals

from .case import MISSING, WireTests
from .exchanges import JSON, Answer
from .record import compares

_ONE = "compute {} /v2.1/servers/<server_id>/os-volume_attachments/<volume_id>"
_POLICY = "os_compute_api:os-volumes-attachments:"
#: The microversion that changes attachments, and the one before.
_NOW, _BEFORE = "2.85", "2.84"


class AttachmentUpdateTests(WireTests):
    """Tests of ``PUT`` of an attachment."""

    async def setUp(self) -> None:
        await super().setUp()
        self.volume_id = await self.volume()
        self.path = self.attachments_path(0, self.volume_id)

    async def put(
        self, who: str = "", version: str = _NOW, path: str = "", **wanted: Any
    ) -> Answer:
        """Change the attachment, as the user by default."""
        body = {"volumeAttachment": {"volumeId": self.volume_id, **wanted}}
        if not who:
            return await self.nova("PUT", path or self.path, body, version=version)
        return await self.nova_as(who, "PUT", path or self.path, body, version=version)

    async def begin(self) -> None:
        """Attach the volume, and wait."""
        await self.attach(self.volume_id)
        await self.until(self.volume_id, "in-use")

    async def end(self) -> None:
        """Detach the volume, and wait."""
        await self.nova("DELETE", self.path)
        await self.until(self.volume_id, "available")

    @compares(_ONE.format("PUT"), _ONE.format("GET"))
    async def test_deletion(self) -> None:
        """The choice whether the volume is deleted with its server can be changed."""
        await self.begin()
        for wanted, after in (
            ({"delete_on_termination": True}, True),
            ({}, True),
            ({"delete_on_termination": "off"}, False),
            ({"id": self.volume_id, "serverId": self.target.servers[0]}, False),
        ):
            self.empty(await self.put(**wanted), 202, _NOW, JSON)
            got = await self.nova("GET", self.path, version=_NOW)
            shown = got.body["volumeAttachment"]["delete_on_termination"]
            self.assertEqual(shown, after, wanted)
        await self.end()

    @compares(
        *(_ONE.format("PUT"), "NOT_MUTABLE", "BAD_CHOICE", "BAD_DEVICE", "NOT_A_UUID[compute]"),
        *("ADDITIONAL_FIELD[compute]", "NOT_OF_TYPE[compute]", "MISSING_MEMBER[compute]"),
    )
    async def test_malformed(self) -> None:
        """Nothing else of an attachment can be changed."""
        await self.begin()
        own = {"volumeId": self.volume_id}
        kind, extra, other = (
            getattr(refusals, name).by_service["compute"]
            for name in ("NOT_OF_TYPE", "ADDITIONAL_FIELD", "NOT_A_UUID")
        )
        fixed = server_refusals.NOT_MUTABLE
        for wanted, refusal, values in (
            ({"device": "/dev/vdz"}, fixed, ("device",)),
            ({"device": None}, fixed, ("device",)),
            ({"tag": "x"}, fixed, ("tag",)),
            ({"serverId": self.target.servers[1]}, fixed, ("serverId",)),
            ({"id": MISSING}, fixed, ("id",)),
            ({"id": "nope"}, other, ("id", "nope", "nope")),
            ({"volumeId": "nope"}, other, ("volumeId", "nope", "nope")),
            ({"tag": None}, kind, ("tag", None, None, "'string'")),
            ({"device": "x"}, refusals.BAD_DEVICE, ("x", "x")),
            (
                {"more": 1},
                *(extra, ("volumeAttachment", {**own, "more": 1}, "'more' was unexpected")),
            ),
            (
                *({"delete_on_termination": None}, kind),
                ("delete_on_termination", None, None, "'boolean', 'string'"),
            ),
            (
                *({"delete_on_termination": "maybe"}, server_refusals.BAD_CHOICE),
                ("delete_on_termination", "maybe", "maybe", ...),
            ),
        ):
            self.refused(await self.put(**wanted), refusal, *values, version=_NOW)
        got = await self.nova("PUT", self.path, {}, version=_NOW)
        missing = refusals.MISSING_MEMBER.by_service["compute"]
        self.refused(got, missing, "volumeAttachment", version=_NOW)
        wanted = {**own, "delete_on_termination": True}
        refusal, why = extra, "'delete_on_termination' was unexpected"
        got = await self.put(version=_BEFORE, delete_on_termination=True)
        self.refused(got, refusal, "volumeAttachment", wanted, why, version=_BEFORE)
        await self.end()

    @compares(
        *(_ONE.format("PUT"), "FORBIDDEN_BY_COMPUTE", "NO_SERVER", "NO_MAPPING", "NOT_MIGRATING"),
        "NO_SUCH_VOLUME",
    )
    async def test_refused(self) -> None:
        """A member changes an attachment; only an administrator may exchange its volume."""
        got = await self.put()
        self.refused(got, server_refusals.NO_MAPPING, self.volume_id, version=_NOW)
        await self.begin()
        forbidden = refusals.FORBIDDEN_BY_COMPUTE
        for who, version, wanted, policy in (
            ("", _BEFORE, {}, "swap"),
            ("", _NOW, {"volumeId": MISSING}, "swap"),
            ("reader", _BEFORE, {}, "swap"),
            ("reader", _NOW, {}, "update"),
        ):
            got = await self.put(who, version, **wanted)
            self.refused(got, forbidden, _POLICY + policy, version=version)
        got = await self.put("other")
        self.refused(got, refusals.NO_SERVER, self.target.servers[0], version=_NOW)
        for version in (_BEFORE, _NOW):
            got = await self.put("admin", version, volumeId=MISSING)
            self.refused(got, server_refusals.NOT_MIGRATING, self.volume_id, version=version)
        got = await self.put("admin", _BEFORE, self.attachments_path(0, MISSING))
        self.refused(got, refusals.NO_SUCH_VOLUME, MISSING, version=_BEFORE)
        got = await self.put(path=f"/servers/{MISSING}/os-volume_attachments/{self.volume_id}")
        self.refused(got, refusals.NO_SERVER, MISSING, version=_NOW)
        await self.end()


__all__ = ["AttachmentUpdateTests"]
