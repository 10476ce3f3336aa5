"""Block Storage's own attachments: volumes for hosts that are not servers."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from txstorage.embedded.wire import refusals

from .case import MISSING, WireTests
from .exchanges import JSON, Answer
from .record import compares
from .shapes import INSTANT, NULL, UUID, Having, Is

VERSION = "3.44"
ATTACHMENTS = "/v3/<project_id>/attachments"
CREATE = "volume POST " + ATTACHMENTS
LIST = "volume GET " + ATTACHMENTS
DETAIL = "volume GET " + ATTACHMENTS + "/detail"
SHOW = "volume GET " + ATTACHMENTS + "/<attachment_id>"
UPDATE = "volume PUT " + ATTACHMENTS + "/<attachment_id>"
DELETE = "volume DELETE " + ATTACHMENTS + "/<attachment_id>"
ACTION = "volume POST " + ATTACHMENTS + "/<attachment_id>/action"

CONNECTOR = {
    "host": "host-1",
    "platform": "x86_64",
    "os_type": "linux",
    "ip": "127.0.0.1",
    "multipath": False,
}
SUMMARY: dict[str, Any] = {
    "id": UUID,
    "status": (Is("reserved"), Is("attaching"), Is("attached")),
    "instance": (UUID, NULL),
    "volume_id": UUID,
}
NO_CONNECTION: dict[str, Any] = {}
CONNECTION = Having(
    driver_volume_type=Is("local"),
    device_path=str,
    volume_id=UUID,
    attachment_id=UUID,
    access_mode=Is("rw"),
    encrypted=Is(False),
    enforce_multipath=Is(False),
)
ATTACHMENT = dict(
    SUMMARY,
    attached_at=(INSTANT, Is("")),
    detached_at=Is(""),
    attach_mode=(Is("null"), Is("rw"), Is("ro")),
    connection_info=(NO_CONNECTION, CONNECTION),
)


class HostTests(WireTests):
    """Attachments that hosts make themselves."""

    async def attachments(
        self, method: str, path: str = "", body: Any = None, version: str = VERSION
    ) -> Answer:
        """Request or change attachments."""
        return await self.cinder(method, "/attachments" + path, body, version=version)

    async def post(self, version: str = VERSION, **attachment: Any) -> Answer:
        """Request an attachment."""
        return await self.attachments("POST", "", {"attachment": attachment}, version)

    async def reserved(self, **more: Any) -> Any:
        """Make an attachment of a new volume."""
        got = await self.post(volume_uuid=await self.volume(), **more)
        shape = {"attachment": ATTACHMENT}
        return self.answered(got, 200, shape, VERSION)["attachment"]

    async def complete(self, attachment_id: str) -> Answer:
        """Complete an attachment."""
        path = f"/{attachment_id}/action"
        return await self.attachments("POST", path, {"os-complete": {}})

    async def status(self, volume_id: str) -> Any:
        """Return a volume's status."""
        return (await self.seen(volume_id))["status"]

    @compares(CREATE, UPDATE, ACTION, SHOW)
    async def test_life(self) -> None:
        """
        A volume is reserved, connected, in use, and available again; it lists its attachment only
        in use.
        """
        server_id = str(uuid4())
        made = await self.reserved(instance_uuid=server_id)
        volume_id, path = made["volume_id"], "/" + made["id"]
        self.assertEqual((made["status"], made["instance"]), ("reserved", server_id))
        self.assertEqual((made["connection_info"], made["attached_at"]), ({}, ""))
        self.assertEqual(await self.status(volume_id), "reserved")
        got = await self.attachments("PUT", path, {"attachment": {"connector": CONNECTOR}})
        shape = {"attachment": dict(ATTACHMENT, connection_info=CONNECTION)}
        document = self.answered(got, 200, shape, VERSION)["attachment"]
        self.assertEqual(document["connection_info"]["volume_id"], volume_id)
        seen = await self.seen(volume_id)
        self.assertEqual((seen["status"], seen["attachments"]), ("attaching", []))
        got = await self.complete(made["id"])
        self.assertEqual((got.status, got.content), (204, b""))
        self.check_version(got, VERSION)
        seen = await self.seen(volume_id)
        (attached,) = seen["attachments"]
        self.assertEqual((seen["status"], attached["attachment_id"]), ("in-use", made["id"]))
        self.assertEqual((attached["server_id"], attached["host_name"]), (server_id, None))
        document = self.answered(await self.attachments("GET", path), 200, shape, VERSION)[
            "attachment"
        ]
        self.assertEqual((document["status"], document["attach_mode"]), ("attached", "rw"))
        self.refused(await self.cinder("DELETE", "/volumes/" + volume_id), refusals.NOT_DELETABLE)

    @compares(CREATE, DELETE, SHOW, "NO_ATTACHMENT")
    async def test_connected_at_once(self) -> None:
        """
        With a connector, a volume is connected at once, and the response shows the attachment
        before that; without a server it can be released.
        """
        volume_id = await self.volume()
        got = await self.post(volume_uuid=volume_id, connector=CONNECTOR)
        shape = {"attachment": dict(ATTACHMENT, connection_info=CONNECTION)}
        made = self.answered(got, 200, shape, VERSION)["attachment"]
        self.assertEqual((made["status"], made["instance"]), ("reserved", None))
        self.assertEqual(await self.status(volume_id), "attaching")
        path = "/" + made["id"]
        shown = self.answered(await self.attachments("GET", path), 200, shape, VERSION)
        self.assertEqual(shown["attachment"]["status"], "attaching")
        self.assertEqual((await self.complete(made["id"])).status, 204)
        got = await self.attachments("DELETE", path)
        self.answered(got, 200, {"attachments": []}, VERSION)
        await self.until(volume_id, "available")
        for method in ("GET", "DELETE"):
            got = await self.attachments(method, path)
            self.refused(got, refusals.NO_ATTACHMENT, made["id"], version=VERSION)

    @compares(CREATE, LIST, DETAIL, "UNKNOWN_FILTER", "NO_ATTACHMENT", "LIMIT_IS_NO_NUMBER")
    async def test_lists(self) -> None:
        """Attachments can be listed by volume and by server."""
        server_id = str(uuid4())
        first = await self.reserved(instance_uuid=server_id)
        await self.reserved()
        for query in ("volume_id=" + first["volume_id"], "instance_id=" + server_id):
            got = await self.attachments("GET", "?" + query)
            (document,) = self.answered(got, 200, {"attachments": [SUMMARY]}, VERSION)[
                "attachments"
            ]
            self.assertEqual(document["id"], first["id"])
            got = await self.attachments("GET", "/detail?" + query)
            listed = self.answered(got, 200, {"attachments": [ATTACHMENT]}, VERSION)["attachments"]
            self.assertEqual(listed, [first])
        got = await self.attachments("GET", "?volume_id=" + MISSING)
        self.answered(got, 200, {"attachments": []}, VERSION)
        got = await self.attachments("GET", f"?all_tenants=1&volume_id={first['volume_id']}")
        self.assertEqual([each["id"] for each in got.body["attachments"]], [first["id"]])
        got = await self.attachments("GET", "?all_tenants=1&foo=1")
        self.refused(got, refusals.UNKNOWN_FILTER, "foo", version=VERSION)
        got = await self.attachments("GET", "?marker=" + MISSING)
        self.refused(got, refusals.NO_ATTACHMENT, MISSING, version=VERSION)
        got = await self.attachments("GET", "?limit=abc")
        self.refused(got, refusals.LIMIT_IS_NO_NUMBER, version=VERSION)

    @compares(LIST, DETAIL, "BAD_SORT_KEY", "BAD_SORT_DIRECTION", "SORT_TWICE")
    async def test_orders(self) -> None:
        """A list can have another order, whose pages follow each other."""
        servers = sorted(str(uuid4()) for _ in range(3))
        made = {}
        for server_id in (servers[1], servers[0], servers[2]):
            made[server_id] = (await self.reserved(instance_uuid=server_id))["id"]
        in_time = [made[servers[index]] for index in (1, 0, 2)]
        by_server = [made[server_id] for server_id in servers]
        for query, expected in (
            ("", in_time[::-1]),
            ("?sort=created_at:asc", in_time),
            ("?sort_key=instance_uuid&sort_dir=asc", by_server),
            ("?sort=attach_status,instance_uuid:desc", by_server[::-1]),
            ("?sort=id", sorted(in_time, reverse=True)),
        ):
            got = await self.attachments("GET", query)
            ids = [each["id"] for each in got.body["attachments"]]
            self.assertEqual([each for each in ids if each in in_time], expected, query)
        got = await self.attachments("GET", "/detail?sort=instance_uuid:asc")
        every = [each["id"] for each in got.body["attachments"]]
        # The servers' own volumes may be between them.
        for before in by_server:
            query = f"?sort=instance_uuid:asc&limit=1&marker={before}"
            got = await self.attachments("GET", "/detail" + query)
            ids = [each["id"] for each in got.body["attachments"]]
            after = every.index(before) + 1
            self.assertEqual(ids, every[after : after + 1])
        for query, refusal in (
            ("sort=nosuch", refusals.BAD_SORT_KEY),
            ("sort=id:up", refusals.BAD_SORT_DIRECTION),
            ("sort=id&sort_key=id", refusals.SORT_TWICE),
        ):
            got = await self.attachments("GET", "?" + query)
            self.refused(got, refusal, version=VERSION)

    @compares(DELETE, LIST, "USED_BY_COMPUTE")
    async def test_compute(self) -> None:
        """Compute's attachments are listed, and only Compute can delete them."""
        volume_id, looks = await self.attached()
        (attached,) = looks[-1]["attachments"]
        got = await self.attachments("GET", "?volume_id=" + volume_id)
        (document,) = self.answered(got, 200, {"attachments": [SUMMARY]}, VERSION)["attachments"]
        server_id = self.target.servers[0]
        self.assertEqual((document["status"], document["instance"]), ("attached", server_id))
        self.assertEqual(document["id"], attached["attachment_id"])
        got = await self.attachments("DELETE", "/" + document["id"])
        self.refused(got, refusals.USED_BY_COMPUTE, server_id, version=VERSION)

    @compares(CREATE, "RESERVED_OTHERWISE", "RESERVED_IN_ERROR", "NOT_RESERVABLE", "NO_VOLUME")
    async def test_busy(self) -> None:
        """
        A volume that is not available can't be reserved, and a reserved one can't be attached.
        """
        volume_id = (await self.reserved())["volume_id"]
        got = await self.attach(volume_id)
        self.refused(got, refusals.NOT_RESERVABLE, volume_id, "reserved", ...)
        for status in ("reserved", "maintenance"):
            await self.reset(volume_id, status)
            got = await self.post(volume_uuid=volume_id)
            self.refused(got, refusals.RESERVED_OTHERWISE, volume_id, status, version=VERSION)
        await self.reset(volume_id, "error")
        got = await self.post(volume_uuid=volume_id)
        self.refused(got, refusals.RESERVED_IN_ERROR, volume_id, "error", version=VERSION)
        got = await self.post(volume_uuid=MISSING)
        self.refused(got, refusals.NO_VOLUME, MISSING, version=VERSION)

    @compares(UPDATE, "UPDATED_IN_ERROR", "NO_HOST", "IS_EMPTY", "NO_ATTACHMENT")
    async def test_not_updated(self) -> None:
        """A connector must name a host, and can't be changed while the volume is in error."""
        made = await self.reserved()
        path = "/" + made["id"]

        async def put(connector: Any, where: str = path) -> Answer:
            return await self.attachments("PUT", where, {"attachment": {"connector": connector}})

        self.refused(await put({"ip": "127.0.0.1"}), refusals.NO_HOST, version=VERSION)
        self.refused(await put({}), refusals.IS_EMPTY, "connector", {}, {}, version=VERSION)
        got = await put(CONNECTOR, "/" + MISSING)
        self.refused(got, refusals.NO_ATTACHMENT, MISSING, version=VERSION)
        await self.reset(made["volume_id"], "error")
        got = await put(CONNECTOR)
        values = made["volume_id"], "error"
        self.refused(got, refusals.UPDATED_IN_ERROR, *values, version=VERSION)

    @compares(
        CREATE,
        "MISSING_FIELD[volume]",
        "NOT_A_UUID[volume]",
        "NOT_OF_TYPE[volume]",
        "ADDITIONAL_FIELD[volume]",
        "ADDITIONAL_MEMBER",
        "BAD_MODE",
    )
    async def test_malformed(self) -> None:
        """A malformed request for an attachment is 400, with the schema's message."""
        got = await self.post()
        wanted = refusals.MISSING_FIELD.by_service["volume"]
        self.refused(got, wanted, "attachment", {}, "volume_uuid", version=VERSION)
        wanted = refusals.NOT_OF_TYPE.by_service["volume"]
        uuid_wanted = refusals.NOT_A_UUID.by_service["volume"]
        for name in ("volume_uuid", "instance_uuid"):
            for value in ("xyz", None):
                got = await self.post(**{"volume_uuid": MISSING, name: value})
                if value is None:
                    self.refused(got, wanted, name, None, None, "'string'", version=VERSION)
                else:
                    self.refused(got, uuid_wanted, name, value, value, version=VERSION)
        got = await self.post(volume_uuid=MISSING, connector=[])
        self.refused(got, wanted, "connector", [], [], "'object', 'null'", version=VERSION)
        more = {"volume_uuid": MISSING, "foo": 1}
        got = await self.post(**more)
        problem, wanted = "'foo' was unexpected", refusals.ADDITIONAL_FIELD.by_service["volume"]
        self.refused(got, wanted, "attachment", more, problem, version=VERSION)
        body = {"attachment": {"volume_uuid": MISSING}, "foo": 1}
        got = await self.attachments("POST", "", body)
        self.refused(got, refusals.ADDITIONAL_MEMBER, problem, version=VERSION)
        # Version 3.54 adds the mode.
        moded = {"volume_uuid": MISSING, "mode": "xx"}
        got = await self.post("3.54", **moded)
        self.refused(got, refusals.BAD_MODE, "mode", "xx", "xx", version="3.54")
        got = await self.post("3.53", **moded)
        self.refused(got, wanted, "attachment", moded, "'mode' was unexpected", version="3.53")

    @compares(ACTION, "NO_VOLUME_ACTION", "MALFORMED_BODY[volume]", "NO_ATTACHMENT")
    async def test_actions(self) -> None:
        """``os-complete`` is the only action; the second one has no effect."""
        path = f"/{MISSING}/action"
        got = await self.attachments("POST", path, {"complete": {}})
        self.refused(got, refusals.NO_VOLUME_ACTION, "complete", version=VERSION)
        got = await self.attachments("POST", path, {})
        self.refused(got, refusals.MALFORMED_BODY.by_service["volume"], version=VERSION)
        got = await self.complete(MISSING)
        self.refused(got, refusals.NO_ATTACHMENT, MISSING, version=VERSION)
        made = await self.reserved(connector=CONNECTOR)
        for _ in range(2):
            self.assertEqual((await self.complete(made["id"])).status, 204)
            self.assertEqual(await self.status(made["volume_id"]), "in-use")

    @compares("NO_RESOURCE")
    async def test_since(self) -> None:
        """Attachments exist since 3.27, and their completion since 3.44."""
        one = "/" + MISSING
        for version, method, path, body in (
            ("3.26", "POST", "", {"attachment": {"volume_uuid": MISSING}}),
            ("3.26", "GET", "", None),
            ("3.26", "GET", one, None),
            ("3.26", "PUT", one, {"attachment": {"connector": CONNECTOR}}),
            ("3.26", "DELETE", one, None),
            ("3.43", "POST", one + "/action", {"os-complete": {}}),
        ):
            got = await self.attachments(method, path, body, version)
            self.refused(got, refusals.NO_RESOURCE, version=version)
        got = await self.post("3.27", volume_uuid=await self.volume())
        self.answered(got, 200, {"attachment": ATTACHMENT}, "3.27")
        self.assertEqual(got.type, JSON)
