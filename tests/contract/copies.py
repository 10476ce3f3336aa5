"""Block Storage: volumes that begin as copies, and volumes that grow."""

from __future__ import annotations

from typing import Any

from txstorage.embedded.wire import refusals

from .case import MISSING, WireTests
from .exchanges import Answer
from .record import compares
from .volumes import ACTION, CREATE, CREATED, SHOW, VOLUME

#: From this version on, a volume in use can be extended.
ONLINE = "3.42"
_RACES = 5


class CopyTests(WireTests):
    """Volumes that are filled from a snapshot or another volume."""

    async def post(self, version: str = "", **volume: Any) -> Answer:
        """Request a volume."""
        return await self.cinder("POST", "/volumes", {"volume": volume}, version=version)

    async def copied(self, **volume: Any) -> dict[str, Any]:
        """Request a volume, and wait until it is available."""
        made = self.answered(await self.post(**volume), 202, {"volume": CREATED})["volume"]
        self.assertEqual(made["status"], "creating")
        found = (await self.until(made["id"], "available"))[-1]
        self.same_shape(found, VOLUME)
        return found

    @compares(CREATE, SHOW)
    async def test_snapshot(self) -> None:
        """
        A volume from a snapshot names it, has its size unless the request has a larger one, and
        none of its labels.
        """
        volume_id = await self.volume(size=2)
        snapshot_id = await self.snapshot(volume_id, metadata={"a": "b"})
        for size, expected in ((None, 2), (3, 3)):
            found = await self.copied(snapshot_id=snapshot_id, size=size, name="c")
            members = ("size", "snapshot_id", "source_volid", "metadata", "name")
            self.assertEqual(
                [found[name] for name in members], [expected, snapshot_id, None, {}, "c"]
            )
            self.assertEqual(found["volume_type"], (await self.seen(volume_id))["volume_type"])

    @compares(CREATE, SHOW)
    async def test_volume(self) -> None:
        """A copy of a volume names it, also when the volume is in use."""
        volume_id, _ = await self.attached()
        for size, expected in ((None, 1), ("2", 2)):
            found = await self.copied(source_volid=volume_id, size=size)
            members = ("size", "snapshot_id", "source_volid", "attachments")
            self.assertEqual([found[name] for name in members], [expected, None, volume_id, []])
        self.assertEqual((await self.seen(volume_id))["status"], "in-use")

    @compares(CREATE)
    async def test_origin_gone(self) -> None:
        """A copy stays when its origin is deleted, and still names it."""
        volume_id = await self.volume()
        snapshot_id = await self.snapshot(volume_id)
        of_snapshot = await self.copied(snapshot_id=snapshot_id)
        of_volume = await self.copied(source_volid=volume_id)
        await self.cinder("DELETE", f"/volumes/{volume_id}?cascade=true")
        await self.until(volume_id, "404")
        self.assertEqual((await self.seen(of_snapshot["id"]))["snapshot_id"], snapshot_id)
        self.assertEqual((await self.seen(of_volume["id"]))["source_volid"], volume_id)

    @compares(
        CREATE,
        "NO_SNAPSHOT",
        "NO_VOLUME",
        "NO_SCHEMA[volume]",
        "ONLY_ONE_SOURCE",
        "SMALLER_THAN_SNAPSHOT",
        "SMALLER_THAN_SOURCE",
    )
    async def test_refused(self) -> None:
        """A copy has one origin, which exists and is not larger."""
        volume_id = await self.volume(size=2)
        snapshot_id = await self.snapshot(volume_id)
        self.refused(await self.post(snapshot_id=MISSING), refusals.NO_SNAPSHOT, MISSING)
        self.refused(await self.post(source_volid=MISSING), refusals.NO_VOLUME, MISSING)
        for name in ("snapshot_id", "source_volid"):
            got = await self.post(**{name: "x"})
            self.refused(got, refusals.NO_SCHEMA.by_service["volume"], name, "x", "x")
        got = await self.post(snapshot_id=snapshot_id, source_volid=volume_id)
        self.refused(got, refusals.ONLY_ONE_SOURCE)
        got = await self.post(snapshot_id=snapshot_id, size=1)
        self.refused(got, refusals.SMALLER_THAN_SNAPSHOT, 1, 2)
        got = await self.post(source_volid=volume_id, size=1)
        self.refused(got, refusals.SMALLER_THAN_SOURCE, 1, 2)

    @compares(CREATE)
    async def test_bootable(self) -> None:
        """A copy of a bootable volume is bootable from the beginning; no process has it yet."""
        volume_id = await self.volume()
        body = {"os-set_bootable": {"bootable": True}}
        await self.cinder("POST", f"/volumes/{volume_id}/action", body)
        snapshot_id = await self.snapshot(volume_id)
        for origin in ({"snapshot_id": snapshot_id}, {"source_volid": volume_id}):
            copy = (await self.post(**origin, version="3.48")).body["volume"]
            self.assertEqual(copy["bootable"], "true")
            self.assertEqual((copy["service_uuid"], copy["shared_targets"]), (None, True))
            found = (await self.until(copy["id"], "available"))[-1]
            self.assertEqual(found["bootable"], "true")

    @compares(CREATE, "SNAPSHOT_NOT_READY", "SOURCE_NOT_READY")
    async def test_not_ready(self) -> None:
        """The origin of a copy is available, or a volume in use."""
        volume_id, refused = await self.volume(), 0
        await self.reset(volume_id, "maintenance")
        self.refused(await self.post(source_volid=volume_id), refusals.SOURCE_NOT_READY)
        await self.reset(volume_id, "available")
        for _ in range(_RACES):
            got = await self.cinder("POST", "/snapshots", {"snapshot": {"volume_id": volume_id}})
            got = await self.post(snapshot_id=got.body["snapshot"]["id"])
            if got.status != 202:
                self.refused(got, refusals.SNAPSHOT_NOT_READY)
                refused += 1
        self.assertGreater(refused, 0)


class GrowTests(WireTests):
    """Volumes that grow."""

    async def extend(self, volume_id: str, size: Any, version: str = "") -> Answer:
        """Request a size."""
        path = f"/volumes/{volume_id}/action"
        return await self.cinder("POST", path, {"os-extend": {"new_size": size}}, version=version)

    @compares(ACTION, "NOT_LARGER")
    async def test_extend(self) -> None:
        """A volume grows, and is available again; it never shrinks."""
        volume_id = await self.volume()
        self.empty(await self.extend(volume_id, 2), 202, type="application/json")
        looks = await self.until(volume_id, "available")
        self.assertLessEqual({look["status"] for look in looks}, {"extending", "available"})
        self.assertEqual(looks[-1]["size"], 2)
        for size in (1, "2"):
            got = await self.extend(volume_id, size)
            self.refused(got, refusals.NOT_LARGER, 2, int(size))
        self.empty(await self.extend(volume_id, "3"), 202, type="application/json")
        self.assertEqual((await self.until(volume_id, "available"))[-1]["size"], 3)

    @compares(ACTION, "NOT_EXTENDABLE")
    async def test_in_use(self) -> None:
        """Since 3.42, a volume in use grows, and stays in use."""
        volume_id, _ = await self.attached()
        got = await self.extend(volume_id, 2, "3.41")
        wanted = (volume_id, {"status": "available"}, "in-use")
        self.refused(got, refusals.NOT_EXTENDABLE, *wanted, version="3.41")
        got = await self.extend(volume_id, 2, ONLINE)
        self.empty(got, 202, ONLINE, type="application/json")
        looks = await self.until(volume_id, "in-use")
        self.assertLessEqual({look["status"] for look in looks}, {"extending", "in-use"})
        self.assertEqual((looks[-1]["size"], len(looks[-1]["attachments"])), (2, 1))

    @compares(
        ACTION,
        "NOT_EXTENDABLE",
        "NO_VOLUME",
        "NEW_SIZE_IS_NO_NUMBER",
        "TOO_SMALL",
        "NOT_OF_TYPE[volume]",
        "MISSING_FIELD[volume]",
        "ADDITIONAL_FIELD[volume]",
    )
    async def test_refused(self) -> None:
        """A size is a positive number; a volume in any other status does not grow."""
        volume_id = await self.volume()
        await self.reset(volume_id, "maintenance")
        got = await self.extend(volume_id, 2, ONLINE)
        wanted = (volume_id, {"status": "available"}, "maintenance")
        self.refused(got, refusals.NOT_EXTENDABLE, *wanted, version=ONLINE)
        self.refused(await self.extend(MISSING, 2), refusals.NO_VOLUME, MISSING)
        got = await self.extend(volume_id, "abc")
        self.refused(got, refusals.NEW_SIZE_IS_NO_NUMBER, "abc", "abc")
        self.refused(await self.extend(volume_id, 0), refusals.TOO_SMALL, "new_size", 0, 0, 1)
        got = await self.extend(volume_id, None)
        kinds = refusals.NOT_OF_TYPE.by_service["volume"]
        self.refused(got, kinds, "new_size", None, None, "'integer', 'string'")
        path = f"/volumes/{volume_id}/action"
        got = await self.cinder("POST", path, {"os-extend": {}})
        missing = refusals.MISSING_FIELD.by_service["volume"]
        self.refused(got, missing, "os-extend", {}, "new_size")
        value = {"new_size": 2, "more": 1}
        got = await self.cinder("POST", path, {"os-extend": value})
        more = refusals.ADDITIONAL_FIELD.by_service["volume"]
        self.refused(got, more, "os-extend", value, "'more' was unexpected")

    @compares(ACTION, "OVER_GIGABYTES", "OVER_COUNTING")
    async def test_quota(self) -> None:
        """Only the additional size counts."""
        volume_id, _ = await self.volume(size=2), await self.volume()
        got = await self.extend(volume_id, 2**31 - 1)
        self.refused(got, refusals.OVER_COUNTING, "__DEFAULT__")
        used = (await self.cinder("GET", "/limits")).body["limits"]["absolute"]
        gigabytes = used["totalGigabytesUsed"]
        await self.target.limit(-1, gigabytes + 1)
        got = await self.extend(volume_id, 4)
        figures = ("gigabytes", 2, gigabytes + 1, gigabytes)
        self.refused(got, refusals.OVER_GIGABYTES, *figures)
        self.empty(await self.extend(volume_id, 3), 202, type="application/json")
        await self.until(volume_id, "available")
