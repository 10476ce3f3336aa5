"""Block Storage: snapshots from their creation to their deletion."""

from __future__ import annotations

from typing import Any

from txstorage.embedded.wire import refusals

from .actions import DELETE as DELETE_VOLUME
from .case import MISSING, WireTests
from .exchanges import Answer
from .record import compares
from .shapes import HEX, INSTANT, NULL, UUID, Text

SNAPSHOTS = "/v3/<project_id>/snapshots"
CREATE = "volume POST " + SNAPSHOTS
SHOW = "volume GET " + SNAPSHOTS + "/<snapshot_id>"
UPDATE = "volume PUT " + SNAPSHOTS + "/<snapshot_id>"
DELETE = "volume DELETE " + SNAPSHOTS + "/<snapshot_id>"

#: Members in the short list.
SUMMARY: dict[str, Any] = {
    "id": UUID,
    "created_at": INSTANT,
    "updated_at": (INSTANT, NULL),
    "name": (str, NULL),
    "description": (str, NULL),
    "volume_id": UUID,
    "status": str,
    "size": int,
    "metadata": dict,
}
#: Members of later versions, by the version that adds them.
LATER: list[tuple[tuple[int, int], dict[str, Any]]] = [
    ((3, 14), {"group_snapshot_id": NULL}),
    ((3, 41), {"user_id": HEX}),
    ((3, 65), {"consumes_quota": bool}),
]
SNAPSHOT = dict(
    SUMMARY,
    **{
        "os-extended-snapshot-attributes:progress": Text("[0-9]+%"),
        "os-extended-snapshot-attributes:project_id": HEX,
    },
)
PROGRESS = "os-extended-snapshot-attributes:progress"
#: From this version on, the volume may be in use.
IN_USE = "3.66"
_RACES = 5


def snapshot_shape(version: str, shape: dict[str, Any] = SNAPSHOT) -> dict[str, Any]:
    """The shape of a snapshot in a microversion."""
    asked = tuple(int(number) for number in version.split("."))
    shape = dict(shape)
    for since, members in LATER:
        if asked >= since:
            shape.update(members)
    return shape


class SnapshotTests(WireTests):
    """Tests of snapshots."""

    async def post(self, version: str = "", **snapshot: Any) -> Answer:
        """Request a snapshot."""
        return await self.cinder("POST", "/snapshots", {"snapshot": snapshot}, version=version)

    @compares(CREATE, SHOW)
    async def test_create(self) -> None:
        """
        The response to a create comes before the create is complete, and shows the snapshot in
        progress; later the snapshot is available, with the requested members.
        """
        volume_id = await self.volume(size=2)
        labels = {"flocker-cluster-id": "c", "k": "\u00fc 'x'"}
        got = await self.post(
            volume_id=volume_id, name=" s ", description=" d ", metadata=labels, force=False
        )
        made = self.answered(got, 202, {"snapshot": SUMMARY})["snapshot"]
        self.assertEqual(made["status"], "creating")
        looks = await self.until(made["id"], "available", "snapshot")
        self.assertLessEqual({look["status"] for look in looks}, {"creating", "available"})
        asked = {"name": "s", "description": "d", "size": 2, "metadata": labels}
        for snapshot in (made, looks[-1]):
            self.assertEqual({name: snapshot[name] for name in asked}, asked)
            self.assertEqual(snapshot["volume_id"], volume_id)
        self.assertEqual(looks[-1][PROGRESS], "100%")
        project = "os-extended-snapshot-attributes:project_id"
        self.assertEqual(looks[-1][project], self.session.project)
        self.assertEqual((await self.seen(volume_id))["status"], "available")

    @compares(CREATE, SHOW)
    async def test_versions(self) -> None:
        """Each microversion has its members, and is in the response."""
        volume_id = await self.volume()
        snapshot_id = await self.snapshot(volume_id)
        for version in ("3.0", "3.13", "3.14", "3.40", "3.41", "3.64", "3.65", "3.71"):
            got = await self.cinder("GET", "/snapshots/" + snapshot_id, version=version)
            self.answered(got, 200, {"snapshot": snapshot_shape(version)}, version)
        got = await self.post("3.71", volume_id=volume_id, display_name="n", metadata=None)
        self.answered(got, 202, {"snapshot": snapshot_shape("3.71", SUMMARY)}, "3.71")
        self.assertEqual(got.body["snapshot"]["name"], "n")

    @compares(
        CREATE,
        "NO_SCHEMA[volume]",
        "NO_FORCE",
        "NOT_OF_TYPE[volume]",
        "LABEL_TOO_LONG",
        "LABEL_KEY",
        "MISSING_FIELD[volume]",
        "MISSING_MEMBER[volume]",
        "ADDITIONAL_FIELD[volume]",
        "ADDITIONAL_MEMBER",
        "NO_VOLUME",
    )
    async def test_wrong_fields(self) -> None:
        """A malformed body is 400, with the schema's message; an unknown volume is 404."""
        kind = refusals.NOT_OF_TYPE.by_service["volume"]
        for volume_id in ("x", 1):
            got = await self.post(volume_id=volume_id)
            self.refused(
                got, refusals.NO_SCHEMA.by_service["volume"], "volume_id", volume_id, volume_id
            )
        got = await self.post(volume_id=MISSING, force="maybe")
        self.refused(got, refusals.NO_FORCE, "force", "maybe", "maybe", ...)
        for name in ("name", "description"):
            got = await self.post(volume_id=MISSING, **{name: 1})
            self.refused(got, kind, name, 1, 1, "'string', 'null'")
            long = "x" * 256
            got = await self.post(volume_id=MISSING, **{name: long})
            self.refused(got, refusals.LABEL_TOO_LONG, name, long, long)
        got = await self.post(volume_id=MISSING, metadata={"": "x"})
        self.refused(got, refusals.LABEL_KEY, "metadata", {"": "x"}, "'' does not")
        missing = refusals.MISSING_FIELD.by_service["volume"]
        self.refused(await self.post(name="n"), missing, "snapshot", {"name": "n"}, "volume_id")
        got = await self.post(volume_id=MISSING, bogus=1)
        wanted = refusals.ADDITIONAL_FIELD.by_service["volume"]
        value = {"volume_id": MISSING, "bogus": 1}
        self.refused(got, wanted, "snapshot", value, "'bogus' was unexpected")
        got = await self.cinder("POST", "/snapshots", {})
        self.refused(got, refusals.MISSING_MEMBER.by_service["volume"], "snapshot")
        got = await self.cinder("POST", "/snapshots", {"snapshot": value, "more": 1})
        self.assertEqual(got.status, 400)
        got = await self.cinder(
            "POST", "/snapshots", {"snapshot": {"volume_id": MISSING}, "more": 1}
        )
        self.refused(got, refusals.ADDITIONAL_MEMBER, "'more' was unexpected")
        self.refused(await self.post(volume_id=MISSING), refusals.NO_VOLUME, MISSING)
        self.refused(await self.post(volume_id=None), refusals.NO_VOLUME, "None")

    @compares(CREATE, "NOT_IN_MAINTENANCE", "NOT_OF_ERROR", "NO_SNAPSHOT_NOW")
    async def test_statuses(self) -> None:
        """A volume in a transition, in maintenance or in error has no new snapshot."""
        volume_id = await self.volume()
        for status, refusal in (
            ("maintenance", refusals.NOT_IN_MAINTENANCE),
            ("error", refusals.NOT_OF_ERROR),
        ):
            await self.reset(volume_id, status)
            self.refused(await self.post(volume_id=volume_id, force=True), refusal)
        await self.reset(volume_id, "reserved")
        wanted = (volume_id, "available", "reserved")
        self.refused(await self.post(volume_id=volume_id), refusals.NO_SNAPSHOT_NOW, *wanted)
        wanted = (volume_id, "available, in-use", "reserved")
        got = await self.post(volume_id=volume_id, force="yes")
        self.refused(got, refusals.NO_SNAPSHOT_NOW, *wanted)
        await self.reset(volume_id, "available")

    @compares(CREATE, "NO_SNAPSHOT_NOW", "FORCE_IS_INVALID")
    async def test_in_use(self) -> None:
        """
        Before 3.66, the snapshot of a volume in use takes ``force``; since 3.66 it does not, and
        ``force`` may only be true.
        """
        volume_id, _ = await self.attached()
        for force in ({}, {"force": "no"}):
            got = await self.post("3.65", volume_id=volume_id, **force)
            wanted = (volume_id, "available", "in-use")
            self.refused(got, refusals.NO_SNAPSHOT_NOW, *wanted, version="3.65")
        got = await self.post(IN_USE, volume_id=volume_id, force=False)
        self.refused(got, refusals.FORCE_IS_INVALID, version=IN_USE)
        for version, force in (("3.65", {"force": True}), (IN_USE, {}), (IN_USE, {"force": "1"})):
            got = await self.post(version, volume_id=volume_id, **force)
            shape = {"snapshot": snapshot_shape(version, SUMMARY)}
            made = self.answered(got, 202, shape, version)["snapshot"]
            await self.until(made["id"], "available", "snapshot")
        self.assertEqual((await self.seen(volume_id))["status"], "in-use")

    @compares(CREATE, "OVER_SNAPSHOTS", "OVER_GIGABYTES", "volume GET /v3/<project_id>/limits")
    async def test_quota(self) -> None:
        """A snapshot counts as one, and with its volume's size."""
        volume_id = await self.volume(size=2)
        before = await self.used()
        snapshot_id = await self.snapshot(volume_id)
        snapshots, gigabytes = await self.used()
        self.assertEqual((snapshots, gigabytes), (before[0] + 1, before[1] + 2))
        await self.target.limit(-1, -1, snapshots)
        got = await self.post(volume_id=volume_id)
        self.refused(got, refusals.OVER_SNAPSHOTS, snapshots)
        await self.target.limit(-1, gigabytes + 1)
        got = await self.post(volume_id=volume_id)
        figures = ("gigabytes", 2, gigabytes + 1, gigabytes)
        self.refused(got, refusals.OVER_GIGABYTES, *figures)
        self.assertEqual((await self.seen(snapshot_id, "snapshot"))["status"], "available")

    async def used(self) -> tuple[int, int]:
        """The numbers of snapshots and GiB, once they stay the same."""
        looks: list[tuple[int, int]] = []
        while len(looks) < 10 or len(set(looks[-10:])) > 1:
            await self.target.pause()
            used = (await self.cinder("GET", "/limits")).body["limits"]["absolute"]
            looks.append((used["totalSnapshotsUsed"], used["totalGigabytesUsed"]))
        return looks[-1]

    @compares(UPDATE, "NO_SCHEMA[volume]", "ADDITIONAL_FIELD[volume]", "NO_SNAPSHOT")
    async def test_update(self) -> None:
        """The name and the description can be changed, each alone."""
        snapshot_id = await self.snapshot(await self.volume(), name="n", description="d")

        async def put(there: str, **snapshot: Any) -> Answer:
            return await self.cinder("PUT", "/snapshots/" + there, {"snapshot": snapshot})

        for change, expected in (
            ({"name": " m "}, ("m", "d")),
            ({"display_description": "e"}, ("m", "e")),
            ({"description": None}, ("m", None)),
        ):
            got = await put(snapshot_id, **change)
            self.answered(got, 200, {"snapshot": SUMMARY})
            for found in (got.body["snapshot"], await self.seen(snapshot_id, "snapshot")):
                self.assertEqual((found["name"], found["description"]), expected)
        self.refused(
            await put(snapshot_id), refusals.NO_SCHEMA.by_service["volume"], "snapshot", {}, {}
        )
        got = await put(snapshot_id, name="n", size=1)
        wanted = refusals.ADDITIONAL_FIELD.by_service["volume"]
        value = {"name": "n", "size": 1}
        self.refused(got, wanted, "snapshot", value, "'size' was unexpected")
        self.refused(await put(MISSING, name="n"), refusals.NO_SNAPSHOT, MISSING)

    @compares(DELETE, SHOW, "NO_SNAPSHOT")
    async def test_delete(self) -> None:
        """The response to a delete comes before the snapshot is gone, and has no body."""
        snapshot_id = await self.snapshot(await self.volume())
        self.empty(await self.cinder("DELETE", "/snapshots/" + snapshot_id), 202)
        looks = await self.until(snapshot_id, "404", "snapshot")
        self.assertLessEqual({look["status"] for look in looks}, {"deleting", "404"})
        for missing in (snapshot_id, "nonsense"):
            for method in ("GET", "DELETE"):
                got = await self.cinder(method, "/snapshots/" + missing)
                self.refused(got, refusals.NO_SNAPSHOT, missing)

    @compares(DELETE, CREATE, "SNAPSHOT_NOT_DELETABLE")
    async def test_not_deletable(self) -> None:
        """A snapshot can't be deleted while it is being created or deleted."""
        refused, volume_id = 0, await self.volume()
        for _ in range(_RACES):
            got = await self.post(volume_id=volume_id)
            path = "/snapshots/" + got.body["snapshot"]["id"]
            for _ in range(2):
                got = await self.cinder("DELETE", path)
                if got.status == 400:
                    self.refused(got, refusals.SNAPSHOT_NOT_DELETABLE)
                    refused += 1
        self.assertGreater(refused, 0)

    @compares(DELETE_VOLUME, "NOT_DELETABLE", "NO_BOOLEAN")
    async def test_volume_with_snapshots(self) -> None:
        """A volume with snapshots can be deleted together with them only."""
        volume_id = await self.volume()
        snapshots = [await self.snapshot(volume_id) for _ in range(2)]
        path = "/volumes/" + volume_id
        for query in ("", "?cascade=false", "?cascade=0"):
            self.refused(await self.cinder("DELETE", path + query), refusals.NOT_DELETABLE)
        got = await self.cinder("DELETE", path + "?cascade=maybe")
        self.refused(got, refusals.NO_BOOLEAN, "maybe", "cascade")
        self.empty(await self.cinder("DELETE", path + "?cascade=True"), 202)
        looks = await self.until(volume_id, "404")
        self.assertLessEqual({look["status"] for look in looks}, {"deleting", "404"})
        for snapshot_id in snapshots:
            self.assertEqual((await self.seen(snapshot_id, "snapshot"))["status"], "404")

    @compares(DELETE_VOLUME, "FORBIDDEN", "NOT_DELETABLE_BY_FORCE", "NOT_DELETABLE")
    async def test_force(self) -> None:
        """
        Since 3.23 an administrator may delete a volume in any status, but not without its
        snapshots.
        """
        volume_id, admin = await self.volume(), await self.admin()
        snapshot_id = await self.snapshot(volume_id)
        path = f"/volumes/{volume_id}?force=true"
        got = await self.cinder("DELETE", path, version="3.23")
        self.refused(got, refusals.FORBIDDEN, "volume:force_delete", version="3.23")
        self.refused(
            await self.cinder("DELETE", path, version="3.22"),
            refusals.NOT_DELETABLE,
            version="3.22",
        )

        async def delete() -> Answer:
            there = f"/v3/{admin.project}{path}"
            return await admin.ask("volume", "DELETE", there, version="3.23")

        self.refused(await delete(), refusals.NOT_DELETABLE_BY_FORCE, version="3.23")
        await self.cinder("DELETE", "/snapshots/" + snapshot_id)
        await self.until(snapshot_id, "404", "snapshot")
        await self.reset(volume_id, "maintenance")
        self.empty(await delete(), 202, "3.23")
        await self.until(volume_id, "404")
