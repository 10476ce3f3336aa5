"""Compute: the metadata and the tags of servers, their networks and their actions."""

from __future__ import annotations

from typing import Any

from txstorage.embedded.wire.tables import server_refusals

from ..case import MISSING, WireTests
from ..compute import ATTACH
from ..exchanges import EMPTY, JSON
from ..record import compares
from ..shapes import HEX, INSTANT, NULL, REQUEST_ID, UUID, Is, Text

SERVER = "/v2.1/servers/<server_id>"
_ITEMS = SERVER + "/metadata"
_TAGS = SERVER + "/tags"
_ACTIONS = SERVER + "/os-instance-actions"


class MemberTests(WireTests):
    """Tests with a server that is there already, which is left as it was."""

    async def setUp(self) -> None:
        """Choose the server."""
        await super().setUp()
        self.place = "/servers/" + self.target.servers[0]

    async def _clean_up(self) -> None:
        await self.nova("PUT", self.place + "/metadata", {"metadata": {}})
        await self.nova("DELETE", self.place + "/tags", version="2.26")
        await super()._clean_up()

    @compares(
        *(f"compute {method} {_ITEMS}" for method in ("GET", "POST", "PUT")),
        *(f"compute {method} {_ITEMS}/<key>" for method in ("GET", "PUT", "DELETE")),
        *("NO_ITEM", "ITEM_MISMATCH", "BAD_METADATA_KEY", "TOO_MANY_ITEMS"),
    )
    async def test_metadata(self) -> None:
        """Items are added, replaced, set and deleted; wrong ones are refused."""
        path = self.place + "/metadata"

        async def items() -> Any:
            return self.answered(await self.nova("GET", path), 200, {"metadata": dict})["metadata"]

        self.assertEqual(await items(), {})
        for method, given, expected in (
            ("POST", {"a": "1"}, {"a": "1"}),
            ("POST", {"b": "2"}, {"a": "1", "b": "2"}),
            ("PUT", {"c": "3"}, {"c": "3"}),
        ):
            got = await self.nova(method, path, {"metadata": given})
            self.assertEqual(self.answered(got, 200, dict), {"metadata": expected})
            self.assertEqual(await items(), expected)
        got = await self.nova("PUT", path + "/d", {"meta": {"d": "4"}})
        self.assertEqual(self.answered(got, 200, dict), {"meta": {"d": "4"}})
        got = await self.nova("GET", path + "/d")
        self.assertEqual(self.answered(got, 200, dict), {"meta": {"d": "4"}})
        self.empty(await self.nova("DELETE", path + "/c"), 204, type=JSON)
        self.assertEqual(await items(), {"d": "4"})
        for method in ("GET", "DELETE"):
            self.refused(await self.nova(method, path + "/c"), server_refusals.NO_ITEM)
        got = await self.nova("PUT", path + "/d", {"meta": {"e": "4"}})
        self.refused(got, server_refusals.ITEM_MISMATCH)
        got = await self.nova("POST", path, {"metadata": {"?": "1"}})
        self.refused(got, server_refusals.BAD_METADATA_KEY, {"?": "1"}, "?")
        got = await self.nova("POST", path, {"metadata": {str(n): "" for n in range(129)}})
        self.refused(got, server_refusals.TOO_MANY_ITEMS, 128)
        self.assertEqual(await items(), {"d": "4"})

    @compares(
        *(f"compute {method} {_TAGS}" for method in ("GET", "PUT", "DELETE")),
        *(f"compute {method} {_TAGS}/<tag>" for method in ("GET", "PUT", "DELETE")),
        *(
            "NO_TAG",
            "NO_TAG_TO_DELETE",
            "BAD_NEW_TAG",
            "BAD_TAG",
            "TOO_MANY_TAGS",
            "NOT_IN_VERSION",
        ),
    )
    async def test_tags(self) -> None:
        """From 2.26 on, tags are set, added and deleted; lists choose servers by them."""
        path, version = self.place + "/tags", "2.26"

        async def ask(method: str, more: str = "", body: Any = None) -> Any:
            return await self.nova(method, path + more, body, version=version)

        got = await ask("PUT", body={"tags": ["a", "b", "a"]})
        self.assertEqual(sorted(self.answered(got, 200, dict, version)["tags"]), ["a", "b"])
        got = await ask("PUT", "/c")
        self.empty(got, 201, version, type=EMPTY)
        self.assertTrue(got.headers["location"].endswith(path + "/c"))
        for method, tag, kind in (("PUT", "c", EMPTY), ("GET", "c", JSON), ("DELETE", "a", JSON)):
            self.empty(await ask(method, "/" + tag), 204, version, type=kind)
        got = await ask("GET")
        self.assertEqual(sorted(self.answered(got, 200, dict, version)["tags"]), ["b", "c"])
        for query, number in {"tags=b,c": 1, "tags=a": 0, "tags-any=a,b": 1}.items():
            got = await self.nova("GET", "/servers?" + query, version=version)
            self.assertEqual(len(got.body["servers"]), number, query)
        server_id = self.target.servers[0]
        got = await ask("GET", "/a")
        self.refused(got, server_refusals.NO_TAG, server_id, "a", version=version)
        got = await ask("DELETE", "/a")
        self.refused(got, server_refusals.NO_TAG_TO_DELETE, server_id, "a", version=version)
        got = await ask("PUT", "/" + "x" * 61)
        self.refused(got, server_refusals.BAD_NEW_TAG, "x" * 61, "x" * 61, "long", version=version)
        got = await ask("PUT", body={"tags": ["a,b"]})
        self.refused(got, server_refusals.BAD_TAG, "0", "a,b", "a,b", version=version)
        many = [str(number) for number in range(51)]
        got = await ask("PUT", body={"tags": many})
        wrong = server_refusals.BAD_LENGTH
        self.refused(got, wrong, "tags", many, many, "long", version=version)
        self.assertEqual((await ask("PUT", body={"tags": many[:50]})).status, 200)
        got = await ask("PUT", "/another")
        self.refused(got, server_refusals.TOO_MANY_TAGS, 50, version=version)
        self.empty(await ask("DELETE"), 204, version, type=JSON)
        self.assertEqual((await ask("GET")).body, {"tags": []})
        got = await self.nova("GET", path, version="2.25")
        self.refused(got, server_refusals.NOT_IN_VERSION, version="2.25")

    @compares(
        f"compute GET {SERVER}/ips",
        f"compute GET {SERVER}/ips/<network>",
        f"compute GET {SERVER}/os-interface",
        f"compute GET {SERVER}/os-security-groups",
        "NO_ADDRESSES",
    )
    async def test_networks(self) -> None:
        """A server has no network."""
        for path, name, value in (
            ("ips", "addresses", {}),
            ("os-interface", "interfaceAttachments", []),
            ("os-security-groups", "security_groups", []),
        ):
            got = await self.nova("GET", f"{self.place}/{path}")
            self.assertEqual(self.answered(got, 200, {name: type(value)}), {name: value})
        got = await self.nova("GET", self.place + "/ips/nosuch")
        self.refused(got, server_refusals.NO_ADDRESSES)

    @compares(
        f"compute GET {_ACTIONS}", f"compute GET {_ACTIONS}/<request_id>", ATTACH, "NO_ACTION"
    )
    async def test_actions(self) -> None:
        """A request that changes a server is among its actions, the newest first."""
        volume_id = await self.volume()
        body = {"volumeAttachment": {"volumeId": volume_id}}
        got = await self.nova("POST", self.place + "/os-volume_attachments", body)
        request_id = got.headers["x-openstack-request-id"]
        shape = {
            "action": str,
            "instance_uuid": UUID,
            "request_id": REQUEST_ID,
            "user_id": HEX,
            "project_id": HEX,
            "start_time": str,
            "message": (str, NULL),
        }
        path = self.place + "/os-instance-actions"
        got = await self.nova("GET", path)
        newest = self.answered(got, 200, {"instanceActions": [shape, ...]})["instanceActions"][0]
        self.assertEqual((newest["action"], newest["request_id"]), ("attach_volume", request_id))
        later = {**shape, "updated_at": (str, NULL)}
        got = await self.nova("GET", path, version="2.58")
        self.answered(got, 200, {"instanceActions": [later, ...]}, "2.58")
        got = await self.nova("GET", f"{path}/{request_id}")
        self.answered(got, 200, {"instanceAction": shape})
        got = await self.nova("GET", f"{path}/{request_id}", version="2.58")
        self.answered(got, 200, {"instanceAction": {**later, "events": [dict, ...]}}, "2.58")
        unknown = "req-" + MISSING
        got = await self.nova("GET", f"{path}/{unknown}")
        self.refused(got, server_refusals.NO_ACTION, unknown)
        await self.until(volume_id, "in-use")
        await self.nova("DELETE", f"{self.place}/os-volume_attachments/{volume_id}")
        await self.until(volume_id, "available")

    @compares(f"compute GET {_ACTIONS}", f"compute GET {_ACTIONS}/<request_id>")
    async def test_growth(self) -> None:
        """The growth of a volume that a server has is one of its actions, with an event."""
        volume_id = await self.volume()
        body = {"volumeAttachment": {"volumeId": volume_id}}
        await self.nova("POST", self.place + "/os-volume_attachments", body)
        await self.until(volume_id, "in-use")
        grown = {"os-extend": {"new_size": 2}}
        await self.cinder("POST", f"/volumes/{volume_id}/action", grown, version="3.42")
        path, newest = self.place + "/os-instance-actions", {"action": ""}
        while newest["action"] != "extend_volume":
            await self.target.pause()
            newest = (await self.nova("GET", path)).body["instanceActions"][0]
        path += "/" + newest["request_id"]
        while not await self.ended(path):
            await self.target.pause()
        event = {"event": Is("compute_extend_volume"), "start_time": INSTANT}
        event |= {"finish_time": INSTANT, "result": Is("Success")}
        host, traceback = {"hostId": Text("[0-9a-f]{56}")}, {"traceback": NULL}
        of_admin = {**event, **traceback, "host": str, **host}
        for who, version, shape in (
            ("user", "2.51", event),
            ("user", "2.62", {**event, **host}),
            ("user", "2.84", {**event, **host}),
            ("admin", "2.1", {**event, **traceback}),
            ("admin", "2.62", of_admin),
            ("admin", "2.84", {**of_admin, "details": NULL}),
        ):
            got = await self.nova_as(who, "GET", path, version=version)
            self.same_shape(got.body["instanceAction"]["events"], [shape])
        await self.nova("DELETE", f"{self.place}/os-volume_attachments/{volume_id}")
        await self.until(volume_id, "available")

    async def ended(self, path: str) -> bool:
        """Check whether an action's events have ended."""
        got = await self.nova("GET", path, version="2.51")
        return all(each["finish_time"] for each in got.body["instanceAction"]["events"])
