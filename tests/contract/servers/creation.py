"""Compute: servers that are made and deleted."""

from __future__ import annotations

from typing import Any

from txstorage.embedded.wire import refusals
from txstorage.embedded.wire.refusal import Refusal
from txstorage.embedded.wire.tables import server_refusals

from ..case import MISSING, WireTests
from ..compute import ACTION, ATTACH, SERVER, SHOW, SUMMARY, server_shape
from ..exchanges import JSON, Answer
from ..record import compares, errors
from ..shapes import LINKS, UUID

SERVERS = "/v2.1/servers"
CREATE = "compute POST " + SERVERS
UPDATE = "compute PUT " + SERVERS + "/<server_id>"
DELETE = "compute DELETE " + SERVERS + "/<server_id>"
CREATED: dict[str, Any] = {
    "id": UUID,
    "links": LINKS,
    "OS-DCF:diskConfig": str,
    "security_groups": [{"name": str}],
    "adminPass": str,
}
#: The first version in which a server needs no network.
VERSION = "2.37"
#: Members that the response to a change lacked once.
LATER_IN_UPDATES = (
    *("OS-EXT-AZ:", "OS-EXT-STS:", "OS-SRV-USG:", "OS-EXT-SRV-ATTR:", "os-extended-volumes:"),
    *("config_drive", "key_name", "server_groups"),
)


class NewServerTests(WireTests):
    """Tests with servers that boot from volumes."""

    async def setUp(self) -> None:
        """Make a volume to boot from, and find the flavor."""
        await super().setUp()
        self.servers: list[str] = []
        [flavor] = (await self.nova("GET", "/flavors")).body["flavors"]
        self.flavor = flavor["id"]

    async def _clean_up(self) -> None:
        for server_id in self.servers:
            if (await self.nova("DELETE", "/servers/" + server_id)).status == 204:
                await self.gone(server_id)
        await super()._clean_up()

    async def bootable(self) -> str:
        """Make a volume to boot from."""
        volume_id = await self.volume()
        body = {"os-set_bootable": {"bootable": True}}
        await self.cinder("POST", f"/volumes/{volume_id}/action", body)
        return volume_id

    def wanted(self, volume_id: str, **members: Any) -> dict[str, Any]:
        """The body of a create, of a server without a network."""
        mapping = {"uuid": volume_id, "source_type": "volume", "destination_type": "volume"}
        server = {
            "name": "s",
            "flavorRef": self.flavor,
            "networks": "none",
            "block_device_mapping_v2": [{**mapping, "boot_index": 0}],
        }
        return {"server": {**server, **members}}

    async def post(self, body: Any) -> Answer:
        """Request a server."""
        got = await self.nova("POST", "/servers", body, version=VERSION)
        if got.status == 202 and "server" in got.body:
            self.servers.append(got.body["server"]["id"])
        return got

    async def status(self, server_id: str) -> str:
        """Return a server's status, or an empty text."""
        got = await self.nova("GET", "/servers/" + server_id)
        return "" if got.status == 404 else got.body["server"]["status"]

    async def active(self, server_id: str) -> None:
        """Wait until a server is built."""
        for _ in range(600):
            status = await self.status(server_id)
            if status == "ACTIVE":
                return
            self.assertIn(status, ("BUILD", "REBOOT", "HARD_REBOOT", "SHUTOFF"))
            await self.target.pause()
        self.fail("it was never built")

    async def gone(self, server_id: str) -> None:
        """Wait until a server does not exist."""
        for _ in range(600):
            if not await self.status(server_id):
                return
            await self.target.pause()
        self.fail("it is still there")

    @compares(CREATE, SHOW, DELETE, "NO_SERVER")
    async def test_life(self) -> None:
        """
        A server is built with its volume, and deleted: the volume is attached as its root, and is
        available again.
        """
        volume_id = await self.bootable()
        got = await self.post(self.wanted(volume_id))
        self.answered(got, 202, {"server": CREATED}, VERSION)
        server_id = got.body["server"]["id"]
        self.assertTrue(got.headers["location"].endswith("/servers/" + server_id))
        self.assertEqual(await self.status(server_id), "BUILD")
        await self.active(server_id)
        got = await self.nova("GET", "/servers/" + server_id)
        server = self.answered(got, 200, {"server": SERVER})["server"]
        self.assertEqual((server["image"], server["name"]), ("", "s"))
        self.assertEqual(server["os-extended-volumes:volumes_attached"], [{"id": volume_id}])
        volume = await self.seen(volume_id)
        self.assertEqual(volume["status"], "in-use")
        self.assertRegex(volume["attachments"][0]["device"], "^/dev/[sv]da$")
        path = f"/servers/{server_id}/os-volume_attachments/{volume_id}"
        self.refused(await self.nova("DELETE", path), refusals.ROOT_VOLUME)
        self.empty(await self.nova("DELETE", "/servers/" + server_id), 204, type=JSON)
        await self.gone(server_id)
        self.assertEqual((await self.seen(volume_id))["status"], "available")
        for path in ("/servers/" + server_id, "/servers/" + MISSING):
            got = await self.nova("DELETE", path)
            self.refused(got, refusals.NO_SERVER, path.rpartition("/")[2])

    @compares(CREATE, DELETE)
    async def test_deleted_with_it(self) -> None:
        """A new volume of a server is deleted with it, when the request says so."""
        volume_id = await self.bootable()
        body = self.wanted(volume_id)
        blank = {"source_type": "blank", "destination_type": "volume", "boot_index": -1}
        body["server"]["block_device_mapping_v2"].append(
            {**blank, "volume_size": 1, "delete_on_termination": True}
        )
        server_id = (await self.post(body)).body["server"]["id"]
        await self.active(server_id)
        got = await self.nova("GET", f"/servers/{server_id}/os-volume_attachments", version="2.79")
        listed = {each["volumeId"]: each for each in got.body["volumeAttachments"]}
        self.assertFalse(listed.pop(volume_id)["delete_on_termination"])
        [(added, attachment)] = listed.items()
        self.assertRegex(attachment["device"], "^/dev/[sv]db$")
        self.assertTrue(attachment["delete_on_termination"])
        await self.nova("DELETE", "/servers/" + server_id)
        await self.gone(server_id)
        for _ in range(600):
            if (await self.cinder("GET", "/volumes/" + added)).status == 404:
                break
            await self.target.pause()
        else:
            self.fail("the volume is still there")

    @compares(UPDATE, ACTION, "BAD_CHOICE", "BAD_LENGTH")
    async def test_changes(self) -> None:
        """A server's name and description change; it reboots; wrong changes are refused."""
        server_id = (await self.post(self.wanted(await self.bootable()))).body["server"]["id"]
        await self.active(server_id)
        path = "/servers/" + server_id
        got = await self.nova("PUT", path, {"server": {"name": "t"}})
        shape = {n: s for n, s in SERVER.items() if not n.startswith(LATER_IN_UPDATES)}
        self.assertEqual(self.answered(got, 200, {"server": shape})["server"]["name"], "t")
        for version in ("2.19", "2.75"):
            body = {"server": {"description": version}}
            got = await self.nova("PUT", path, body, version=version)
            whole = server_shape(version)
            if version == "2.19":
                whole = {n: s for n, s in whole.items() if not n.startswith(LATER_IN_UPDATES)}
            self.answered(got, 200, {"server": whole}, version)
            self.assertEqual(got.body["server"]["description"], version)
        got = await self.nova("PUT", path, {"server": {"OS-DCF:diskConfig": "x"}})
        self.refused(
            got, server_refusals.BAD_CHOICE, "OS-DCF:diskConfig", "x", "x", ["AUTO", "MANUAL"]
        )
        got = await self.nova("PUT", path, {"server": {"name": "n" * 256}})
        self.refused(got, server_refusals.BAD_LENGTH, "name", "n" * 256, "n" * 256, "long")
        got = await self.nova("POST", path + "/action", {"reboot": {"type": "HARD"}})
        self.empty(got, 202, type=JSON)
        await self.active(server_id)

    @compares(
        CREATE,
        *("BAD_FLAVOR", "MISSING_IMAGE", "BAD_KEY_NAME", "NO_SCHEMA[compute]"),
        *("NO_SECURITY_GROUP", "NO_ZONE_FOR_SERVERS", "TOO_FEW_SERVERS", "BAD_COUNTS"),
        *("OVER_SERVERS", "SHARED_VOLUMES"),
    )
    async def test_refused(self) -> None:
        """A request for what is not here is refused."""
        volume_id = await self.bootable()
        cases: list[tuple[dict[str, Any], list[Any]]] = [
            ({"flavorRef": "nosuch"}, ["BAD_FLAVOR", "nosuch"]),
            ({"block_device_mapping_v2": []}, ["MISSING_IMAGE"]),
            ({"imageRef": "nosuch"}, ["NO_SCHEMA[compute]", "imageRef", "nosuch", "nosuch"]),
            ({"networks": "x"}, ["NO_SCHEMA[compute]", "networks", "x", "x"]),
            ({"key_name": "nosuch"}, ["BAD_KEY_NAME"]),
            ({"security_groups": [{"name": "nosuch"}]}, ["NO_SECURITY_GROUP", "nosuch"]),
            ({"availability_zone": "nosuch"}, ["NO_ZONE_FOR_SERVERS"]),
            ({"min_count": 0}, ["TOO_FEW_SERVERS", "min_count", 0, 0]),
            ({"min_count": 3, "max_count": 2}, ["BAD_COUNTS"]),
            ({"max_count": 2}, ["SHARED_VOLUMES"]),
        ]
        for members, [name, *values] in cases:
            got = await self.post(self.wanted(volume_id, **members))
            refusal: Refusal = errors()[name]
            self.refused(got, refusal, *values, version=VERSION)
        source = {"source_type": "snapshot", "uuid": await self.snapshot(volume_id)}
        mapping = [{**source, "destination_type": "volume", "boot_index": 0}]
        members = {"block_device_mapping_v2": mapping, "min_count": 1000}
        got = await self.post(self.wanted(volume_id, **members))
        names = "cores, instances, ram"
        values = (names, "1000, 1000, 64000", ..., ..., names)
        self.refused(got, server_refusals.OVER_SERVERS, *values, version=VERSION)
        got = await self.nova("GET", "/servers")
        self.answered(got, 200, {"servers": [SUMMARY, ...]})
        names = {each["name"] for each in got.body["servers"]}
        self.assertNotIn("s", names)
        self.assertEqual((await self.seen(volume_id))["status"], "available")

    @compares(
        CREATE,
        *("BAD_DEVICE_MAPPING", "BAD_BOOT_SEQUENCE", "NO_MAPPED_VOLUME", "NO_MAPPED_SNAPSHOT"),
        *("NO_MAPPED_IMAGE", "NOT_BOOTABLE", "NOT_RESERVABLE_FOR_SERVER", "BAD_CHOICE"),
        *("NO_VOLUME_TO_ATTACH", "NOT_OF_TYPE[compute]", "BLANK_WITHOUT_SIZE"),
        "NO_EPHEMERAL_DISK",
    )
    async def test_mapping(self) -> None:
        """A device that can't be made, or that none can boot from, is refused."""
        plain = await self.volume()
        reserved = await self.bootable()
        await self.cinder("POST", f"/volumes/{reserved}/action", {"os-reserve": {}})
        volume = {"source_type": "volume", "uuid": MISSING, "boot_index": 0}
        blank = {"source_type": "blank", "destination_type": "volume"}
        sources = ["volume", "image", "snapshot", "blank"]
        cases: list[tuple[dict[str, Any], list[Any]]] = [
            ({}, ["NO_MAPPED_VOLUME", MISSING]),
            ({"source_type": "snapshot"}, ["NO_MAPPED_SNAPSHOT", MISSING]),
            ({"source_type": "image", "volume_size": 1}, ["NO_MAPPED_IMAGE", MISSING]),
            ({"source_type": "image"}, ["NO_MAPPED_IMAGE", MISSING]),
            (blank, ["BAD_DEVICE_MAPPING", "Invalid device UUID."]),
            ({"boot_index": 1}, ["NO_VOLUME_TO_ATTACH", MISSING]),
            ({"uuid": plain, "boot_index": 1}, ["BAD_BOOT_SEQUENCE"]),
            ({"uuid": plain}, ["NOT_BOOTABLE", plain]),
            ({"source_type": "x"}, ["BAD_CHOICE", "source_type", "x", "x", sources]),
        ]
        for members, [name, *values] in cases:
            body = self.wanted(plain, block_device_mapping_v2=[{**volume, **members}])
            got = await self.post(body)
            self.refused(got, getattr(server_refusals, name), *values, version=VERSION)
        body = self.wanted(plain, block_device_mapping_v2=[{**volume, "uuid": None}])
        refusal = refusals.NOT_OF_TYPE.by_service["compute"]
        got = await self.post(body)
        self.refused(got, refusal, "uuid", None, None, "'string'", version=VERSION)
        del volume["uuid"]
        for members, [name, *values] in (
            ({}, ["BAD_DEVICE_MAPPING", "Missing device UUID."]),
            (blank, ["BLANK_WITHOUT_SIZE"]),
            ({**blank, "destination_type": "local", "volume_size": 1}, ["NO_EPHEMERAL_DISK"]),
        ):
            mapping = [{**volume, **members}]
            got = await self.post(self.wanted(plain, block_device_mapping_v2=mapping))
            self.refused(got, getattr(server_refusals, name), *values, version=VERSION)
        got = await self.post(self.wanted(reserved))
        refusal = server_refusals.NOT_RESERVABLE_FOR_SERVER
        self.refused(got, refusal, reserved, "attaching", ..., version=VERSION)
        await self.cinder("POST", f"/volumes/{reserved}/action", {"os-unreserve": {}})

    @compares(CREATE, ATTACH)
    async def test_too_early(self) -> None:
        """Nothing is attached to a server that is still built."""
        server_id = (await self.post(self.wanted(await self.bootable()))).body["server"]["id"]
        body = {"volumeAttachment": {"volumeId": await self.volume()}}
        got = await self.nova("POST", f"/servers/{server_id}/os-volume_attachments", body)
        if got.status == 409:
            values = ("attach_volume", server_id, "building")
            self.refused(got, refusals.WRONG_SERVER_STATE, *values)
        await self.active(server_id)
