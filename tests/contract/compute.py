"""Compute: servers and their attachments."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from twisted.internet.defer import Deferred, gatherResults

from txstorage.embedded.wire import refusals

from .case import MISSING, WireTests
from .exchanges import JSON, Answer
from .record import compares
from .shapes import HEX, INSTANT_Z, LINKS, NULL, URL, UUID, Is, Text, differences

SERVERS = "/v2.1/servers"
SHORT = "compute GET " + SERVERS
DETAIL = "compute GET " + SERVERS + "/detail"
SHOW = "compute GET " + SERVERS + "/<server_id>"
ACTION = "compute POST " + SERVERS + "/<server_id>/action"
ATTACHMENTS = SERVERS + "/<server_id>/os-volume_attachments"
ATTACH = "compute POST " + ATTACHMENTS
DETACH = "compute DELETE " + ATTACHMENTS + "/<volume_id>"
LISTED = "compute GET " + ATTACHMENTS
SHOWN = "compute GET " + ATTACHMENTS + "/<volume_id>"

SERVER: dict[str, Any] = {
    "accessIPv4": str,
    "accessIPv6": str,
    "addresses": dict,
    "created": INSTANT_Z,
    "updated": INSTANT_Z,
    "flavor": {"id": str, "links": [{"rel": Is("bookmark"), "href": URL}]},
    "hostId": Text("[0-9a-f]{56}"),
    "id": UUID,
    "image": (str, dict),
    "links": LINKS,
    "metadata": dict,
    "name": str,
    "status": str,
    "tenant_id": HEX,
    "user_id": HEX,
    "progress": int,
    "config_drive": str,
    "key_name": (str, NULL),
    "OS-DCF:diskConfig": str,
    "OS-EXT-AZ:availability_zone": str,
    "OS-EXT-STS:task_state": (str, NULL),
    "OS-EXT-STS:vm_state": str,
    "OS-EXT-STS:power_state": int,
    "OS-SRV-USG:launched_at": (str, NULL),
    "OS-SRV-USG:terminated_at": NULL,
    "os-extended-volumes:volumes_attached": [{"id": UUID}, ...],
}
#: Members of later versions, by the version that adds them; one replaces an earlier shape.
LATER: list[tuple[tuple[int, int], dict[str, Any]]] = [
    (
        (2, 3),
        {
            "os-extended-volumes:volumes_attached": [
                {"id": UUID, "delete_on_termination": bool},
                ...,
            ]
        },
    ),
    ((2, 9), {"locked": Is(False)}),
    ((2, 19), {"description": (str, NULL)}),
    ((2, 26), {"tags": [str, ...]}),
    (
        (2, 47),
        {
            "flavor": {
                **{name: int for name in ("vcpus", "ram", "disk", "ephemeral", "swap")},
                "original_name": str,
                "extra_specs": dict,
            }
        },
    ),
    ((2, 63), {"trusted_image_certificates": NULL}),
    ((2, 71), {"server_groups": [str, ...]}),
    ((2, 73), {"locked_reason": NULL}),
    ((2, 90), {"OS-EXT-SRV-ATTR:hostname": str}),
    ((2, 96), {"pinned_availability_zone": (str, NULL)}),
    ((2, 100), {"scheduler_hints": dict}),
]
#: Members that only an administrator sees.
OF_ADMINISTRATORS: list[tuple[tuple[int, int], dict[str, Any]]] = [
    (
        (2, 1),
        {
            "OS-EXT-SRV-ATTR:host": str,
            "OS-EXT-SRV-ATTR:instance_name": str,
            "OS-EXT-SRV-ATTR:hypervisor_hostname": str,
        },
    ),
    (
        (2, 3),
        {
            "OS-EXT-SRV-ATTR:hostname": str,
            "OS-EXT-SRV-ATTR:kernel_id": str,
            "OS-EXT-SRV-ATTR:launch_index": int,
            "OS-EXT-SRV-ATTR:ramdisk_id": str,
            "OS-EXT-SRV-ATTR:reservation_id": Text("r-[a-z0-9]{8}"),
            "OS-EXT-SRV-ATTR:root_device_name": Text("/dev/[a-z]+"),
            "OS-EXT-SRV-ATTR:user_data": NULL,
        },
    ),
    ((2, 16), {"host_status": Is("UP")}),
]
SUMMARY = {"id": UUID, "name": str, "links": LINKS}
NEXT = [{"rel": Is("next"), "href": URL}]


def server_shape(version: str, admin: bool = False) -> dict[str, Any]:
    """The shape of a server, shown alone, in a microversion."""
    asked = tuple(int(number) for number in version.split("."))
    shape = dict(SERVER)
    for since, members in LATER + (OF_ADMINISTRATORS if admin else []):
        if asked >= since:
            shape.update(members)
    return shape


def attachment_shape(version: str = "2.1", listed: bool = True) -> dict[str, Any]:
    """
    The shape of an attachment in a microversion.

    :param listed: listed or shown, instead of the response to an attach.
    """
    asked = tuple(int(number) for number in version.split("."))
    shape: dict[str, Any] = {
        "id": UUID,
        "serverId": UUID,
        "volumeId": UUID,
        "device": Text("/dev/[a-z]+"),
    }
    for since, members in (
        ((2, 70), {"tag": NULL}),
        ((2, 79), {"delete_on_termination": bool}),
    ):
        if asked >= since:
            shape.update(members)
    if listed and asked >= (2, 89):
        del shape["id"]
        shape.update(attachment_id=UUID, bdm_uuid=UUID)
    return shape


class ServerTests(WireTests):
    """Tests of reading servers, and of turning them on and off."""

    @compares(SHORT, DETAIL, SHOW)
    async def test_servers(self) -> None:
        """Both lists have the newest server first, and an entry equals the server shown alone."""
        server_id = self.target.servers[0]
        found = {}
        for path, shape in (("/servers", SUMMARY), ("/servers/detail", SERVER)):
            got = await self.nova("GET", path)
            listed = self.answered(got, 200, {"servers": [shape, ...]})["servers"]
            found = {each["id"]: each for each in listed}
            self.assertLessEqual(set(self.target.servers), set(found))
        created = [each["created"] for each in found.values()]
        self.assertEqual(created, sorted(created, reverse=True))
        got = await self.nova("GET", "/servers/" + server_id)
        shown = self.answered(got, 200, {"server": SERVER})["server"]
        self.assertEqual(shown, found[server_id])
        self.assertEqual((shown["status"], shown["OS-EXT-STS:vm_state"]), ("ACTIVE", "active"))
        self.assertEqual(shown["tenant_id"], self.session.project)

    @compares(SHOW, DETAIL)
    async def test_versions(self) -> None:
        """Each microversion has its members; only a server shown alone has its groups."""
        server_id = self.target.servers[0]
        edges = [since for since, _ in LATER]
        minors = {minor + less for _, minor in edges for less in (-1, 0)} | {1, 102, 104}
        for version in (f"2.{minor}" for minor in sorted(minors)):
            shape = server_shape(version)
            got = await self.nova("GET", "/servers/" + server_id, version=version)
            self.answered(got, 200, {"server": shape}, version)
            shape.pop("server_groups", None)
            got = await self.nova("GET", "/servers/detail", version=version)
            self.answered(got, 200, {"servers": [shape, ...]}, version)

    @compares(SHOW)
    async def test_administrator(self) -> None:
        """An administrator sees more of a server."""
        admin = await self.admin()
        for version in ("2.1", "2.2", "2.3", "2.15", "2.16", "2.89", "2.104"):
            path = "/v2.1/servers/" + self.target.servers[0]
            got = await admin.ask("compute", "GET", path, version=version)
            self.answered(got, 200, {"server": server_shape(version, admin=True)}, version)

    @compares(DETAIL)
    async def test_pages(self) -> None:
        """A full page links to the next."""
        everything = (await self.nova("GET", "/servers/detail")).body["servers"]
        path, found = "/servers/detail?limit=1", []
        for _ in everything:
            got = await self.nova("GET", path)
            page = self.answered(got, 200, {"servers": [SERVER], "servers_links": NEXT})
            found += page["servers"]
            path = "/servers/detail?" + urlsplit(page["servers_links"][0]["href"]).query
        self.assertEqual(found, everything)
        self.answered(await self.nova("GET", path), 200, {"servers": []})

    @compares(SHORT, "NO_MARKER", "QUERY_IS_NO_NUMBER", "QUERY_IS_EMPTY")
    async def test_wrong_pages(self) -> None:
        """An invalid limit or marker is 400."""
        for limit in ("abc", "-1"):
            got = await self.nova("GET", "/servers?limit=" + limit)
            self.refused(got, refusals.QUERY_IS_NO_NUMBER, "limit", limit, limit)
        got = await self.nova("GET", "/servers?limit=")
        self.refused(got, refusals.QUERY_IS_EMPTY, "limit", "", "")
        got = await self.nova("GET", "/servers?marker=" + MISSING)
        self.refused(got, refusals.NO_MARKER, MISSING)
        self.answered(await self.nova("GET", "/servers?limit=0"), 200, {"servers": []})
        for query in ("limit=" + "9" * 20, "marker=", "offset=1", "nosuch=1"):
            got = await self.nova("GET", "/servers?" + query)
            self.assertGreaterEqual(len(got.body["servers"]), 2)

    @compares(SHOW, "NO_SERVER")
    async def test_missing(self) -> None:
        """An unknown server is 404, in whatever format its id is."""
        for server_id in (MISSING, "xyz"):
            got = await self.nova("GET", "/servers/" + server_id)
            self.refused(got, refusals.NO_SERVER, server_id)

    @compares(ACTION, SHOW, "WRONG_SERVER_STATE")
    async def test_power(self) -> None:
        """A stopped server can be started; a running one can't."""
        path = "/servers/" + self.target.servers[1]
        for action, verb, before, after in (
            ("os-stop", "stop", "stopped", "SHUTOFF"),
            ("os-start", "start", "active", "ACTIVE"),
        ):
            got = await self.nova("POST", path + "/action", {action: None})
            self.empty(got, 202, type=JSON)
            for _ in range(600):
                server = (await self.nova("GET", path)).body["server"]
                if server["status"] == after and server["OS-EXT-STS:task_state"] is None:
                    break
                await self.target.pause()
            # A stopped server has fewer members.
            wanted = {name: kind for name, kind in SERVER.items() if name in server}
            self.assertEqual(differences(server, wanted), [])
            self.assertEqual(server["status"], after)
            got = await self.nova("POST", path + "/action", {action: None})
            self.refused(got, refusals.WRONG_SERVER_STATE, verb, self.target.servers[1], before)

    @compares(ACTION, "NO_SERVER_ACTION", "NO_SERVER_TO_ACT_ON", "MALFORMED_BODY[compute]")
    async def test_wrong_actions(self) -> None:
        """An unknown action, two actions or none are 400; an unknown server is 404."""
        path = f"/servers/{self.target.servers[0]}/action"
        got = await self.nova("POST", path, {"os-nope": None})
        self.refused(got, refusals.NO_SERVER_ACTION, "os-nope")
        for body in ({}, {"os-start": None, "os-stop": None}, b"{nope", b""):
            got = await self.nova("POST", path, body)
            self.refused(got, refusals.MALFORMED_BODY.by_service["compute"])
        got = await self.nova("POST", f"/servers/{MISSING}/action", {"os-start": None})
        self.refused(got, refusals.NO_SERVER_TO_ACT_ON, MISSING)


class AttachTests(WireTests):
    """Tests of attaching volumes to servers, and of detaching them."""

    async def listed(self, server: int = 0, query: str = "", version: str = "") -> list[Any]:
        """Return a server's attachments."""
        got = await self.nova("GET", self.attachments_path(server) + query, version=version)
        shape = attachment_shape(version or "2.1")
        attachments: list[Any] = self.answered(
            got, 200, {"volumeAttachments": [shape, ...]}, version
        )["volumeAttachments"]
        return attachments

    @compares(ATTACH, DETACH, LISTED, SHOWN)
    async def test_life(self) -> None:
        """
        The response to an attach comes before the attach is complete.  Compute lists the attachment
        at once, Block Storage when the attach is complete; until a detach is complete both list it,
        and then neither.
        """
        volume_id = await self.volume()
        got = await self.attach(volume_id)
        shape = attachment_shape(listed=False)
        made = self.answered(got, 200, {"volumeAttachment": shape})["volumeAttachment"]
        server_id = self.target.servers[0]
        self.assertEqual((made["id"], made["volumeId"]), (volume_id, volume_id))
        self.assertEqual(made["serverId"], server_id)
        self.assertIn(made, await self.listed())
        looks = await self.until(volume_id, "in-use")
        self.assertLessEqual(
            {look["status"] for look in looks}, {"available", "reserved", "attaching", "in-use"}
        )
        # Cinder commits the attachment a moment before the status.
        before = [look for look in looks if look["status"] in ("available", "reserved")]
        self.assertEqual([look["attachments"] for look in before], [[]] * len(before))
        listed = [bool(look["attachments"]) for look in looks]
        self.assertEqual(listed, sorted(listed))
        (attached,) = looks[-1]["attachments"]
        self.assertEqual(attached["server_id"], server_id)
        self.assertEqual((attached["id"], attached["volume_id"]), (volume_id, volume_id))
        self.assertEqual(attached["device"], made["device"])
        got = await self.nova("GET", self.attachments_path(0, volume_id))
        self.answered(got, 200, {"volumeAttachment": Is(made)})

        got = await self.nova("DELETE", self.attachments_path(0, volume_id))
        self.empty(got, 202, type=JSON)
        looks = await self.until(volume_id, "available")
        passed = {look["status"] for look in looks}
        self.assertLessEqual(passed, {"in-use", "detaching", "available"})
        self.assertEqual(looks[-1]["attachments"], [])
        self.assertNotIn(volume_id, [each["volumeId"] for each in await self.listed()])

    @compares(LISTED, DETACH, "ROOT_VOLUME")
    async def test_root(self) -> None:
        """
        A server's root volume is one of its attachments: a bootable volume in use, which can't be
        detached.
        """
        listed = [await self.seen(each["volumeId"]) for each in await self.listed()]
        (root,) = [volume for volume in listed if volume["bootable"] == "true"]
        self.assertEqual((root["status"], len(root["attachments"])), ("in-use", 1))
        got = await self.nova("DELETE", self.attachments_path(0, root["id"]))
        self.refused(got, refusals.ROOT_VOLUME)

    @compares(LISTED)
    async def test_order(self) -> None:
        """Attachments have no guaranteed order, and a page of them has no link."""
        first, _ = await self.attached()
        second, _ = await self.attached()
        attachments = await self.listed()
        self.assertEqual(len({each["device"] for each in attachments}), len(attachments))
        self.assertLess({first, second}, {each["volumeId"] for each in attachments})
        self.assertEqual(await self.listed(query="?limit=2"), attachments[:2])
        self.assertEqual(await self.listed(query="?offset=1&limit=1"), attachments[1:2])
        self.assertEqual(await self.listed(query="?limit=0"), attachments)
        server = (await self.nova("GET", "/servers/" + self.target.servers[0])).body["server"]
        shown = server["os-extended-volumes:volumes_attached"]
        self.assertEqual({each["id"] for each in shown}, {each["volumeId"] for each in attachments})

    @compares(ATTACH, LISTED, SHOWN)
    async def test_versions(self) -> None:
        """Each microversion has its members; since 2.101 the response to an attach has no body."""
        volume_id, _ = await self.attached()
        for version in ("2.1", "2.70", "2.79", "2.88", "2.89", "2.104"):
            await self.listed(version=version)
            got = await self.nova("GET", self.attachments_path(0, volume_id), version=version)
            shape = {"volumeAttachment": attachment_shape(version)}
            self.answered(got, 200, shape, version)
        for version in ("2.89", "2.100"):
            got = await self.attach(await self.volume(), version=version)
            shape = {"volumeAttachment": attachment_shape(version, listed=False)}
            self.answered(got, 200, shape, version)
        for version in ("2.101", "2.104"):
            volume_id = await self.volume()
            self.empty(await self.attach(volume_id, version=version), 202, version)
            await self.until(volume_id, "in-use")
        for volume_id in self.made:
            await self.until(volume_id, "in-use")

    @compares(ATTACH, "ALREADY_ATTACHED")
    async def test_again(self) -> None:
        """An attached or attaching volume can't be attached anywhere."""
        volume_id = await self.volume()
        self.assertEqual((await self.attach(volume_id)).status, 200)
        for when in ("at once", "when it is complete"):
            for server in (0, 1):
                got = await self.attach(volume_id, server)
                self.refused(got, refusals.ALREADY_ATTACHED, volume_id, self.target.servers[0])
            self.assertTrue(await self.until(volume_id, "in-use"), when)
        self.assertNotIn(volume_id, [each["volumeId"] for each in await self.listed(1)])

    @compares(ATTACH)
    async def test_race(self) -> None:
        """
        Of two concurrent attaches of one volume to two servers, one succeeds and the other is 400.
        """
        volume_id = await self.volume()
        both = [Deferred.fromCoroutine(self.attach(volume_id, server)) for server in (0, 1)]
        answers: list[Answer] = await gatherResults(both)
        self.assertEqual(sorted(got.status for got in answers), [200, 400])
        (lost,) = [got for got in answers if got.status == 400]
        self.assertRegex(lost.message, "already attached|must be available or downloading")
        found = (await self.until(volume_id, "in-use"))[-1]
        winner = self.target.servers[[got.status for got in answers].index(200)]
        self.assertEqual([each["server_id"] for each in found["attachments"]], [winner])

    @compares(ATTACH, "NOT_RESERVABLE", "VOLUME_IN_ERROR")
    async def test_status(self) -> None:
        """Only an available volume can be attached; the refusal is Block Storage's."""
        volume_id = await self.volume()
        for status in ("creating", "maintenance", "attaching", "detaching", "reserved"):
            await self.reset(volume_id, status)
            got = await self.attach(volume_id)
            self.refused(got, refusals.NOT_RESERVABLE, volume_id, status, ...)
        await self.reset(volume_id, "error")
        got = await self.attach(volume_id)
        self.refused(got, refusals.VOLUME_IN_ERROR, volume_id, "error", ...)
        self.assertEqual((await self.seen(volume_id))["attachments"], [])

    @compares(ATTACH, "NO_SERVER", "NO_SUCH_VOLUME", "NOT_A_UUID[compute]")
    async def test_missing(self) -> None:
        """The format of the volume's id is checked first, then the server, then the volume."""
        missing = {"volumeAttachment": {"volumeId": MISSING}}
        wrong = {"volumeAttachment": {"volumeId": "xyz"}}
        nowhere = f"/servers/{MISSING}/os-volume_attachments"
        got = await self.nova("POST", nowhere, wrong)
        wanted = refusals.NOT_A_UUID.by_service["compute"]
        self.refused(got, wanted, "volumeId", "xyz", "xyz")
        self.refused(await self.nova("POST", nowhere, missing), refusals.NO_SERVER, MISSING)
        self.refused(await self.attach(MISSING), refusals.NO_SUCH_VOLUME, MISSING)
        for method, path in (("GET", nowhere), ("GET", nowhere + "/" + MISSING)):
            self.refused(await self.nova(method, path), refusals.NO_SERVER, MISSING)

    @compares(
        ATTACH,
        "MISSING_MEMBER[compute]",
        "NOT_OF_TYPE[compute]",
        "MISSING_FIELD[compute]",
        "ADDITIONAL_FIELD[compute]",
        "BODY_IS_NO_OBJECT[compute]",
        "MALFORMED_BODY[compute]",
        "TOO_LARGE[compute]",
    )
    async def test_malformed(self) -> None:
        """A malformed request for an attachment is 400, with the schema's message."""
        path = self.attachments_path()

        async def post(body: Any) -> Answer:
            return await self.nova("POST", path, body)

        name = "volumeAttachment"
        got = await post({})
        self.refused(got, refusals.MISSING_MEMBER.by_service["compute"], name)
        wanted = refusals.NOT_OF_TYPE.by_service["compute"]
        for wrong in (1, None):
            self.refused(await post({name: wrong}), wanted, name, wrong, wrong, "'object'")
        missing = refusals.MISSING_FIELD.by_service["compute"]
        self.refused(await post({name: {}}), missing, name, {}, "volumeId")
        self.refused(await self.attach(1), wanted, "volumeId", 1, 1, "'string'")
        got = await self.attach(MISSING, device=1)
        self.refused(got, wanted, "device", 1, 1, "'string', 'null'")
        more, wanted = {"volumeId": MISSING, "bogus": 1}, refusals.ADDITIONAL_FIELD
        got = await post({name: more})
        self.refused(got, wanted.by_service["compute"], name, more, "'bogus' was unexpected")
        wanted = refusals.BODY_IS_NO_OBJECT.by_service["compute"]
        self.refused(await post([1]), wanted, [1])
        self.refused(await post(b""), wanted, None)
        self.refused(await post(b"{nope"), refusals.MALFORMED_BODY.by_service["compute"])
        long = b" " * 114689
        self.refused(await post(long), refusals.TOO_LARGE["compute"], version=None)

    @compares(ATTACH, "BAD_DEVICE", "DEVICE_IN_USE")
    async def test_device(self) -> None:
        """
        A request may name a device, and the response may name another; clients can't rely on
        either.
        """
        volume_id = await self.volume()
        for device in ("bogus", "/dev/", "", "/dev/disk/by-id/x"):
            got = await self.attach(volume_id, device=device)
            self.refused(got, refusals.BAD_DEVICE, device, device)
        got = await self.attach(volume_id, device="/dev/vdz")
        shape = {"volumeAttachment": attachment_shape(listed=False)}
        self.answered(got, 200, shape)
        chosen = got.body["volumeAttachment"]["device"]
        self.assertEqual(chosen[-1], "z")
        await self.until(volume_id, "in-use")
        other = await self.volume()
        for device in ("/dev/vdz", chosen):
            got = await self.attach(other, device=device)
            self.refused(got, refusals.DEVICE_IN_USE, device)
        self.assertEqual((await self.until(other, "available"))[-1]["attachments"], [])

    @compares(DETACH, SHOWN, "NOT_ATTACHED", "NO_SUCH_VOLUME", "NO_SERVER")
    async def test_not_attached(self) -> None:
        """
        A failed detach reports whether the server, the volume or the attachment is missing; showing
        an attachment does not report a missing volume.
        """
        volume_id, _ = await self.attached(1)
        server_id = self.target.servers[0]
        for method in ("GET", "DELETE"):
            got = await self.nova(method, self.attachments_path(0, volume_id))
            self.refused(got, refusals.NOT_ATTACHED, server_id, volume_id)
        for missing in (MISSING, "xyz"):
            got = await self.nova("GET", self.attachments_path(0, missing))
            self.refused(got, refusals.NOT_ATTACHED, server_id, missing)
            got = await self.nova("DELETE", self.attachments_path(0, missing))
            self.refused(got, refusals.NO_SUCH_VOLUME, missing)
        path = f"/servers/{MISSING}/os-volume_attachments/{volume_id}"
        self.refused(await self.nova("DELETE", path), refusals.NO_SERVER, MISSING)

    @compares(DETACH, "NOT_DETACHABLE")
    async def test_busy(self) -> None:
        """During an attach, a detach or any other transition a volume can't be detached."""
        volume_id, _ = await self.attached()
        for status in ("attaching", "detaching", "reserved", "error"):
            await self.reset(volume_id, status)
            got = await self.nova("DELETE", self.attachments_path(0, volume_id))
            self.refused(got, refusals.NOT_DETACHABLE, ...)
        await self.reset(volume_id, "in-use")
        self.assertEqual((await self.seen(volume_id))["status"], "in-use")

    @compares(DETACH)
    async def test_delete_attached(self) -> None:
        """An attached volume can't be deleted until it is detached."""
        volume_id, _ = await self.attached()
        got = await self.cinder("DELETE", "/volumes/" + volume_id)
        self.refused(got, refusals.NOT_DELETABLE)
        got = await self.nova("DELETE", self.attachments_path(0, volume_id))
        self.empty(got, 202, type=JSON)
        await self.until(volume_id, "available")
        self.empty(await self.cinder("DELETE", "/volumes/" + volume_id), 202)

    @compares(LISTED, "QUERY_IS_NO_NUMBER", "QUERY_IS_EMPTY")
    async def test_wrong_pages(self) -> None:
        """An invalid limit or offset is 400."""
        for name in ("limit", "offset"):
            for text in ("abc", "-1"):
                path = f"{self.attachments_path()}?{name}={text}"
                got = await self.nova("GET", path)
                self.refused(got, refusals.QUERY_IS_NO_NUMBER, name, text, text)
            got = await self.nova("GET", f"{self.attachments_path()}?{name}=")
            self.refused(got, refusals.QUERY_IS_EMPTY, name, "", "")
