"""
Block Storage: volumes from their creation to their deletion, and the project's other resources.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

from txstorage.embedded.wire import refusals

from .case import MISSING, WireTests
from .exchanges import Answer
from .record import compares
from .shapes import HEX, INSTANT, LINKS, NULL, URL, UUID, Is, Text

VOLUMES = "/v3/<project_id>/volumes"
CREATE = "volume POST " + VOLUMES
SHOW = "volume GET " + VOLUMES + "/<volume_id>"
ACTION = "volume POST " + VOLUMES + "/<volume_id>/action"

ATTACHMENT = {
    "id": UUID,
    "attachment_id": UUID,
    "volume_id": UUID,
    "server_id": UUID,
    "host_name": NULL,
    "device": Text("/dev/[a-z]+"),
    "attached_at": INSTANT,
}
#: Members of the response to a create.
CREATED: dict[str, Any] = {
    "id": UUID,
    "status": str,
    "size": int,
    "availability_zone": str,
    "created_at": INSTANT,
    "updated_at": (INSTANT, NULL),
    "name": (str, NULL),
    "description": (str, NULL),
    "volume_type": str,
    "snapshot_id": (UUID, NULL),
    "source_volid": (UUID, NULL),
    "metadata": dict,
    "links": LINKS,
    "user_id": HEX,
    "bootable": (Is("true"), Is("false")),
    "encrypted": Is(False),
    "replication_status": NULL,
    "consistencygroup_id": NULL,
    "multiattach": Is(False),
    "attachments": [ATTACHMENT, ...],
}
VOLUME = dict(CREATED, **{"os-vol-tenant-attr:tenant_id": HEX})
#: Members of later versions, by the version that adds them.
LATER = [
    ((3, 13), {"group_id": NULL}),
    ((3, 48), {"shared_targets": (bool, NULL), "service_uuid": (UUID, NULL)}),
    ((3, 63), {"volume_type_id": UUID}),
    ((3, 65), {"consumes_quota": bool}),
]
#: Members that only an administrator sees, the first ones not in the response to a create.
OF_ADMINISTRATORS = [
    (
        (3, 0),
        {
            "os-vol-host-attr:host": (str, NULL),
            "os-vol-mig-status-attr:migstat": NULL,
            "os-vol-mig-status-attr:name_id": NULL,
        },
    ),
    ((3, 0), {"migration_status": NULL}),
    ((3, 21), {"provider_id": NULL}),
    ((3, 61), {"cluster_name": NULL}),
]
SUMMARY = {"id": UUID, "name": (str, NULL), "links": LINKS}
NEXT = [{"rel": Is("next"), "href": URL}]


def volume_shape(
    version: str, shape: dict[str, Any] = VOLUME, more: list[Any] | None = None
) -> dict[str, Any]:
    """
    The shape of a volume in a microversion.

    :param more: the history of further members.
    """
    asked = tuple(int(number) for number in version.split("."))
    shape = dict(shape)
    for since, members in LATER + (more or []):
        if asked >= since:
            shape.update(members)
    return shape


class CreateTests(WireTests):
    """Tests of creating volumes."""

    async def post(self, version: str = "", **volume: Any) -> Answer:
        """Request a volume."""
        return await self.cinder("POST", "/volumes", {"volume": volume}, version=version)

    @compares(CREATE, SHOW)
    async def test_create(self) -> None:
        """
        The response to a create comes before the create is complete, and shows the volume in
        progress; later the volume is available, with the requested members.
        """
        labels = {"flocker-cluster-id": str(uuid4()), "k": "ü 'x' \"y\""}
        got = await self.post(size=1, name="p", description="d", metadata=labels, bogus=1)
        made = self.answered(got, 202, {"volume": CREATED})["volume"]
        self.assertEqual(made["status"], "creating")
        looks = await self.until(made["id"], "available")
        self.assertLessEqual({look["status"] for look in looks}, {"creating", "available"})
        asked = {"size": 1, "name": "p", "description": "d", "metadata": labels}
        for volume in (made, looks[-1]):
            self.assertEqual({name: volume[name] for name in asked}, asked)
            self.assertEqual((volume["attachments"], volume["bootable"]), ([], "false"))
            self.assertEqual(volume["user_id"], self.session.user_id)
        self.assertEqual(looks[-1]["os-vol-tenant-attr:tenant_id"], self.session.project)
        self.assertEqual(looks[-1]["created_at"], made["created_at"])

    @compares(CREATE, SHOW)
    async def test_versions(self) -> None:
        """Each microversion has its members, and is in the response."""
        volume_id = await self.volume()
        edges = [minor + less for (_, minor), _ in LATER for less in (-1, 0)]
        for version in ("3.0", *(f"3.{minor}" for minor in edges), "3.71"):
            got = await self.cinder("GET", "/volumes/" + volume_id, version=version)
            self.answered(got, 200, {"volume": volume_shape(version)}, version)
        got = await self.post(version="3.71", size="1", volume_type="__DEFAULT__")
        self.answered(got, 202, {"volume": volume_shape("3.71", CREATED)}, "3.71")
        self.assertEqual(got.body["volume"]["volume_type"], "__DEFAULT__")
        await self.until(got.body["volume"]["id"], "available")

    @compares(CREATE, SHOW)
    async def test_administrator(self) -> None:
        """An administrator sees more of a volume."""
        admin = await self.admin()
        path = f"/v3/{admin.project}/volumes"
        body = {"volume": {"size": 1}}
        got = await admin.ask("volume", "POST", path, body, version="3.71")
        shape = volume_shape("3.71", CREATED, OF_ADMINISTRATORS[1:])
        volume_id = self.answered(got, 202, {"volume": shape}, "3.71")["volume"]["id"]
        for version in ("3.0", "3.20", "3.21", "3.60", "3.61", "3.71"):
            got = await admin.ask("volume", "GET", f"{path}/{volume_id}", version=version)
            shape = volume_shape(version, more=OF_ADMINISTRATORS)
            self.answered(got, 200, {"volume": shape}, version)
        while got.status == 200:
            await admin.ask("volume", "DELETE", f"{path}/{volume_id}")
            await self.target.pause()
            got = await admin.ask("volume", "GET", f"{path}/{volume_id}")

    @compares(
        CREATE,
        "NOT_OF_TYPE[volume]",
        "SIZE_IS_NO_NUMBER",
        "TOO_SMALL",
        "TOO_GREAT",
        "INCORRECT",
        "TOO_LONG",
    )
    async def test_wrong_fields(self) -> None:
        """A malformed size or name is 400, with the schema's message."""
        for size in (0, -1):
            self.refused(await self.post(size=size), refusals.TOO_SMALL, "size", size, size, 1)
        self.refused(await self.post(size="abc"), refusals.SIZE_IS_NO_NUMBER, "abc", "abc")
        most = 2**31 - 1
        for size in (most + 1, 10**30):
            self.refused(await self.post(size=size), refusals.TOO_GREAT, "size", size, size, most)
        kinds = {"size": "'integer', 'string', 'null'"}
        for name, value in (
            ("size", 1.5),
            ("size", True),
            ("name", 1),
            ("description", 1),
            ("volume_type", 1),
            ("availability_zone", 1),
        ):
            got = await self.post(**dict({"size": 1}, **{name: value}))
            kind = kinds.get(name, "'string', 'null'")
            wanted = refusals.NOT_OF_TYPE.by_service["volume"]
            self.refused(got, wanted, name, value, value, kind)
        for volume in ({}, {"size": None}):
            self.refused(await self.post(**volume), refusals.INCORRECT)
        for name in ("name", "description"):
            got = await self.post(**{"size": 1, name: "x" * 256})
            self.refused(got, refusals.TOO_LONG, name, 256)

    @compares(CREATE, "LABEL_KEY", "LABEL_TOO_LONG", "NOT_OF_TYPE[volume]")
    async def test_wrong_labels(self) -> None:
        """Labels are texts of at most 255 characters, and their keys have a limited alphabet."""
        for key in ("", "a/b?", "k" * 256):
            got = await self.post(size=1, metadata={key: "x"})
            self.refused(got, refusals.LABEL_KEY, "metadata", {key: "x"}, f"{key!r} does not")
        long = "x" * 256
        got = await self.post(size=1, metadata={"a": long})
        self.refused(got, refusals.LABEL_TOO_LONG, "a", long, long)
        wanted = refusals.NOT_OF_TYPE.by_service["volume"]
        got = await self.post(size=1, metadata={"a": 1})
        self.refused(got, wanted, "a", 1, 1, "'string'")
        got = await self.post(size=1, metadata=["a"])
        self.refused(got, wanted, "metadata", ["a"], ["a"], "'object', 'null'")

    @compares(
        CREATE,
        "NO_VOLUME_TYPE",
        "NO_VOLUME_TYPE_NAMED",
        "NO_ZONE",
        "NO_SNAPSHOT",
        "NO_VOLUME",
        "NO_BACKUP",
        "NO_GROUP",
        "NO_IMAGE",
    )
    async def test_unknown_things(self) -> None:
        """An unknown type, zone or source is named in the refusal."""
        got = await self.post(size=1, volume_type="nope")
        self.refused(got, refusals.NO_VOLUME_TYPE_NAMED, "nope")
        got = await self.post(size=1, volume_type=MISSING)
        self.refused(got, refusals.NO_VOLUME_TYPE, MISSING)
        got = await self.post(size=1, availability_zone="nope")
        self.refused(got, refusals.NO_ZONE, "nope")
        for source, refusal in (
            ("snapshot_id", refusals.NO_SNAPSHOT),
            ("source_volid", refusals.NO_VOLUME),
            ("backup_id", refusals.NO_BACKUP),
            ("consistencygroup_id", refusals.NO_GROUP),
            ("group_id", refusals.NO_GROUP),
        ):
            self.refused(await self.post(**{"size": 1, source: MISSING}), refusal, MISSING)
        self.refused(await self.post(size=1, imageRef=MISSING), refusals.NO_IMAGE)

    @compares(CREATE, "NO_GROUP", "NOT_OF_TYPE[volume]")
    async def test_unknown_group(self) -> None:
        """A group is looked for in every version; since 3.13 its id is a text."""
        for version in ("3.12", "3.13", "3.71"):
            for group in (MISSING, "x"):
                got = await self.post(version, size=1, group_id=group)
                self.refused(got, refusals.NO_GROUP, group, version=version)
        self.refused(
            await self.post("3.12", size=1, group_id=5), refusals.NO_GROUP, 5, version="3.12"
        )
        wanted, kind = refusals.NOT_OF_TYPE.by_service["volume"], "'string', 'null'"
        got = await self.post("3.13", size=1, group_id=5)
        self.refused(got, wanted, "group_id", 5, 5, kind, version="3.13")

    @compares(CREATE, "NO_MULTIATTACH", "NO_SCHEMA[volume]", "NO_BOOLEAN")
    async def test_multiattach(self) -> None:
        """No volume is for several servers at once; a request for one is 400."""
        for yes in (True, "yes"):
            got = await self.post(size=1, multiattach=yes, availability_zone="nope")
            self.refused(got, refusals.NO_MULTIATTACH)
        for wrong in ("maybe", 1):
            got = await self.post(size=1, multiattach=wrong)
            self.refused(got, refusals.NO_SCHEMA.by_service["volume"], "multiattach", wrong, wrong)
        got = await self.post(size=1, multiattach=None)
        self.refused(got, refusals.NO_BOOLEAN, "None", "multiattach")
        got = await self.post(size=1, multiattach="no")
        self.answered(got, 202, {"volume": CREATED})

    @compares(
        CREATE,
        "MISSING_MEMBER[volume]",
        "NOT_OF_TYPE[volume]",
        "BODY_IS_NO_OBJECT[volume]",
        "MALFORMED_BODY[volume]",
        "VOLUME_FAULT",
        "TOO_LARGE[volume]",
    )
    async def test_malformed(self) -> None:
        """
        A body that is not JSON, or not an object that wraps a volume, is 400; an empty body is a
        fault of the service, and a body that is too long is a 413 of another format than the
        quota's.
        """

        async def post(body: Any) -> Answer:
            return await self.cinder("POST", "/volumes", body)

        self.refused(await post({}), refusals.MISSING_MEMBER.by_service["volume"], "volume")
        for wrong in (1, None):
            wanted = refusals.NOT_OF_TYPE.by_service["volume"]
            self.refused(await post({"volume": wrong}), wanted, "volume", wrong, wrong, "'object'")
        self.refused(await post([1]), refusals.BODY_IS_NO_OBJECT.by_service["volume"], [1])
        for body in (b"{nope", b"\xff"):
            self.refused(await post(body), refusals.MALFORMED_BODY.by_service["volume"])
        self.refused(await post(b""), refusals.VOLUME_FAULT)
        long = b" " * 114689
        self.refused(await post(long), refusals.TOO_LARGE["volume"], version=None)
        got = await self.cinder("POST", "/volumes", long, token=None)
        self.refused(got, refusals.TOO_LARGE["volume"], version=None)

    @compares(CREATE, "OVER_VOLUMES", "OVER_GIGABYTES", "volume GET /v3/<project_id>/limits")
    async def test_quota(self) -> None:
        """
        A volume over the quota, in number or size, is 413 with ``Retry-After: 0``; only the message
        names the quota.
        """
        await self.volume(size=2)
        volumes, gigabytes = await self.usage()
        self.assertGreaterEqual(gigabytes, 2)
        await self.target.limit(volumes, -1)
        self.refused(await self.post(size=1), refusals.OVER_VOLUMES, volumes, "volumes")
        volumes, gigabytes = await self.usage()
        await self.target.limit(-1, gigabytes + 1)
        got = await self.post(size=2)
        figures = ("gigabytes", 2, gigabytes + 1, gigabytes)
        self.refused(got, refusals.OVER_GIGABYTES, *figures)
        self.assertEqual(got.headers["retry-after"], "0")

    async def usage(self) -> tuple[int, int]:
        """The numbers of volumes and GiB do not count deleted volumes."""
        looks: list[tuple[int, int]] = []
        while len(looks) < 10 or len(set(looks[-10:])) > 1:
            await self.target.pause()
            used = (await self.cinder("GET", "/limits")).body["limits"]["absolute"]
            looks.append((used["totalVolumesUsed"], used["totalGigabytesUsed"]))
        return looks[-1]

    @compares(CREATE, "OVER_COUNTING")
    async def test_uncountable(self) -> None:
        """A size beyond the service's integers is over the quota too."""
        await self.volume()
        got = await self.post(size=2**31 - 1)
        self.refused(got, refusals.OVER_COUNTING, "__DEFAULT__")

    @compares(CREATE, "volume GET /v3/<project_id>/messages", "NO_RESOURCE", "NO_MESSAGE")
    async def test_failed(self) -> None:
        """
        A volume whose creation failed is in error, has a message with the reason, and can be
        deleted; before 3.3 messages do not exist.
        """
        got = await self.post(size=self.target.too_big)
        volume_id = got.body["volume"]["id"]
        await self.until(volume_id, "error")
        path = "/messages?" + urlencode({"resource_uuid": volume_id})
        message = {
            "id": UUID,
            "event_id": Text("VOLUME_VOLUME_[0-9_]+"),
            "user_message": str,
            "message_level": Is("ERROR"),
            "resource_type": Is("VOLUME"),
            "resource_uuid": Is(volume_id),
            "created_at": INSTANT,
            "guaranteed_until": INSTANT,
            "request_id": Text("req-[0-9a-f-]{36}"),
            "links": LINKS,
        }
        got = await self.cinder("GET", path, version="3.5")
        listed = self.answered(got, 200, {"messages": [message, ...]}, "3.5")["messages"]
        self.assertTrue(listed)
        times = [each["created_at"] for each in listed]
        self.assertEqual(times, sorted(times, reverse=True))
        got = await self.cinder("GET", "/messages?resource_uuid=" + MISSING, version="3.5")
        self.answered(got, 200, {"messages": []}, "3.5")
        got = await self.cinder("GET", path + "&limit=1", version="3.5")
        shape = {"messages": [message], "messages_links": NEXT}
        self.assertEqual(self.answered(got, 200, shape, "3.5")["messages"], listed[:1])
        query = urlsplit(got.body["messages_links"][0]["href"]).query
        got = await self.cinder("GET", "/messages?" + query, version="3.5")
        self.assertEqual(got.body["messages"], listed[1:2])
        got = await self.cinder("GET", "/messages?marker=" + MISSING, version="3.5")
        self.refused(got, refusals.NO_MESSAGE, MISSING, version="3.5")
        # Later versions add filters and pages.
        got = await self.cinder("GET", "/messages?resource_uuid=" + MISSING, version="3.3")
        self.assertIn(listed[0]["id"], [each["id"] for each in got.body["messages"]])
        self.refused(await self.cinder("GET", "/messages"), refusals.NO_RESOURCE)


class ShowTests(WireTests):
    """Tests of reading volumes, and the project's resources."""

    @compares(SHOW, "NO_VOLUME")
    async def test_missing(self) -> None:
        """An unknown volume is 404, in whatever format its id is."""
        for volume_id in (MISSING, "nonsense"):
            got = await self.cinder("GET", "/volumes/" + volume_id)
            self.refused(got, refusals.NO_VOLUME, volume_id)

    @compares(f"volume GET {VOLUMES}/summary", "NO_RESOURCE")
    async def test_summary(self) -> None:
        """Since 3.12 there is a summary of the volumes, since 3.36 with all their labels."""
        key = str(uuid4())
        before = {"total_count": 0, "total_size": 0}
        for size, value in ((0, ""), (2, "b"), (1, "a"), (1, "b")):
            if size:
                await self.volume(size=size, metadata={key: value})
            got = await self.cinder("GET", "/volumes/summary?all_tenants=1", version="3.12")
            summary = self.answered(
                got, 200, {"volume-summary": {name: int for name in before}}, "3.12"
            )["volume-summary"]
            if size:
                grown = {"total_count": before["total_count"] + 1}
                grown["total_size"] = before["total_size"] + size
                self.assertEqual(summary, grown)
            before = summary
        got = await self.cinder("GET", "/volumes/summary", version="3.36")
        shape = {**{name: int for name in before}, "metadata": dict}
        labels = self.answered(got, 200, {"volume-summary": shape}, "3.36")["volume-summary"]
        self.assertEqual(sorted(labels["metadata"][key]), ["a", "b"])
        got = await self.cinder("GET", "/volumes/summary", version="3.11")
        self.refused(got, refusals.NO_RESOURCE, version="3.11")

    @compares("volume GET /v3/<project_id>/types")
    async def test_types(self) -> None:
        """The list of volume types has the default one."""
        shape = {
            "id": UUID,
            "name": str,
            "is_public": Is(True),
            "description": (str, NULL),
            "extra_specs": dict,
            "os-volume-type-access:is_public": Is(True),
        }
        got = await self.cinder("GET", "/types")
        listed = self.answered(got, 200, {"volume_types": [shape, ...]})["volume_types"]
        self.assertIn("__DEFAULT__", [each["name"] for each in listed])

    @compares("volume GET /v3/<project_id>/types")
    async def test_pages_of_types(self) -> None:
        """A page of types links to the next, under another name than the list's."""
        everything = (await self.cinder("GET", "/types")).body["volume_types"]
        path, found = "/types?limit=1", []
        for _ in everything:
            got = await self.cinder("GET", path)
            page = self.answered(got, 200, {"volume_types": list, "volume_type_links": NEXT})
            found += page["volume_types"]
            path = "/types?" + urlsplit(page["volume_type_links"][0]["href"]).query
        self.assertEqual(found, everything)
        self.answered(await self.cinder("GET", path), 200, {"volume_types": []})
        got = await self.cinder("GET", "/types?marker=" + MISSING)
        self.assertEqual(got.body["volume_types"], everything)

    @compares(
        "volume GET /v3/<project_id>/types", "UNKNOWN_FILTER", "BAD_SORT_KEY", "BAD_SORT_DIRECTION"
    )
    async def test_lists_of_types(self) -> None:
        """Types are sorted; an unknown filter is ignored below 3.52, and refused from then on."""
        everything = (await self.cinder("GET", "/types")).body["volume_types"]
        for query, key, reverse in (
            ("sort=name:asc", "name", False),
            ("sort_key=name", "name", True),
            ("sort_key=id&sort_dir=asc", "id", False),
        ):
            got = await self.cinder("GET", "/types?" + query)
            expected = sorted((each[key] for each in everything), reverse=reverse)
            self.assertEqual([each[key] for each in got.body["volume_types"]], expected)
        got = await self.cinder("GET", "/types?sort_dir=asc")
        self.assertEqual(got.body["volume_types"], everything[::-1])
        got = await self.cinder("GET", "/types?sort_key=nosuch")
        self.refused(got, refusals.BAD_SORT_KEY)
        got = await self.cinder("GET", "/types?sort=name:up")
        self.refused(got, refusals.BAD_SORT_DIRECTION)
        for query, version in (
            ("nosuch=1&name=x", "3.51"),
            ("is_public=true", "3.52"),
            ("all_tenants=1", "3.71"),
        ):
            got = await self.cinder("GET", "/types?" + query, version=version)
            self.assertEqual(got.body["volume_types"], everything)
        got = await self.cinder("GET", "/types?nosuch=1&name=x", version="3.52")
        self.refused(got, refusals.UNKNOWN_FILTER, "nosuch,name", version="3.52")

    @compares("volume GET /v3/<project_id>/os-availability-zone")
    async def test_zones(self) -> None:
        """The availability zones have a name and a state."""
        zone = {"zoneName": str, "zoneState": {"available": bool}}
        got = await self.cinder("GET", "/os-availability-zone")
        self.answered(got, 200, {"availabilityZoneInfo": [zone, ...]})
        self.assertTrue(got.body["availabilityZoneInfo"])

    @compares("volume GET /v3/<project_id>/limits")
    async def test_limits(self) -> None:
        """The limits have the quota and its use; -1 is unlimited."""
        names = ("Volumes", "VolumeGigabytes", "Snapshots", "Backups", "BackupGigabytes")
        absolute = {"maxTotal" + name: int for name in names}
        names = ("Volumes", "Gigabytes", "Snapshots", "Backups", "BackupGigabytes")
        absolute.update({f"total{name}Used": int for name in names})
        got = await self.cinder("GET", "/limits")
        self.answered(got, 200, {"limits": {"rate": [], "absolute": absolute}})

    @compares("volume GET /v3/<project_id>/os-quota-sets/<quota_project>", "FORBIDDEN")
    async def test_quota_set(self) -> None:
        """The quota set has the quota, with its use on request; another project's is forbidden."""
        path = "/os-quota-sets/" + self.session.project
        figures = ("volumes", "gigabytes", "per_volume_gigabytes", "snapshots", "backups")
        usage = {"limit": int, "in_use": int, "reserved": int}
        for query, shape in (("", int), ("?usage=True", usage)):
            got = await self.cinder("GET", path + query)
            document = self.answered(got, 200, {"quota_set": dict})["quota_set"]
            self.assertEqual(document["id"], self.session.project)
            for name in figures:
                self.same_shape(document[name], shape)
        for more in ("", "/defaults"):
            got = await self.cinder("GET", f"/os-quota-sets/{'0' * 32}{more}")
            self.refused(got, refusals.FORBIDDEN, "volume_extension:quotas:show")

    @compares("volume GET /v3/<project_id>/os-quota-sets/<quota_project>/defaults")
    async def test_default_quota(self) -> None:
        """The default quota has the members of a project's quota."""
        path = "/os-quota-sets/" + self.session.project
        own = (await self.cinder("GET", path)).body["quota_set"]
        got = await self.cinder("GET", path + "/defaults")
        document = self.answered(got, 200, {"quota_set": dict})["quota_set"]
        self.assertEqual(set(document), set(own))
        self.assertEqual(document["id"], self.session.project)
        self.assertEqual({type(document[name]) for name in document if name != "id"}, {int})
