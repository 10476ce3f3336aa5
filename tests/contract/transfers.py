"""Block Storage: transfers of volumes between projects, by both paths."""

from __future__ import annotations

from typing import Any

from txstorage.embedded.wire import refusals, volume_refusals

from .case import MISSING, WireTests
from .exchanges import Answer
from .record import compares
from .shapes import INSTANT, NULL, Is

PATHS = ("os-volume-transfer", "volume-transfers")
LINKS = [{"rel": str, "href": str}, {"rel": str, "href": str}]
SUMMARY = {"id": str, "volume_id": str, "name": (str, NULL), "links": LINKS}


def routes(method: str, end: str = "") -> tuple[str, ...]:
    """Return a route's names, by both paths."""
    return tuple(f"volume {method} /v3/<project_id>/{name}{end}" for name in PATHS)


CREATE, LIST, DETAIL = routes("POST"), routes("GET"), routes("GET", "/detail")
SHOW, DELETE = routes("GET", "/<transfer_id>"), routes("DELETE", "/<transfer_id>")
ACCEPT = routes("POST", "/<transfer_id>/accept")


def detail_shape(version: str, key: bool = False) -> dict[str, Any]:
    """Return a transfer's members in a microversion."""
    shape: dict[str, Any] = {**SUMMARY, "created_at": INSTANT}
    number = tuple(map(int, version.split(".")))
    if number >= (3, 55):
        shape["no_snapshots"] = (Is(True), Is(False))
    if number >= (3, 57):
        shape.update(destination_project_id=NULL, source_project_id=str, accepted=Is(False))
    if key:
        shape["auth_key"] = str
    return shape


class TransferTests(WireTests):
    """Offers of volumes, and who takes them."""

    async def ask_for(
        self, method: str, path: str, body: Any = None, version: str = "", who: str = ""
    ) -> Answer:
        """
        Make a request.

        :param who: another user than the own one.
        """
        if who:
            return await self.cinder_as(who, method, path, body, version=version)
        return await self.cinder(method, path, body, version=version)

    async def offer(
        self, volume_id: str, path: str = PATHS[0], version: str = "", **more: Any
    ) -> Any:
        """Offer a volume, and return the transfer."""
        body = {"transfer": {"volume_id": volume_id, **more}}
        got = await self.ask_for("POST", "/" + path, body, version)
        shape = {"transfer": detail_shape(version or "3.0", key=True)}
        return self.answered(got, 202, shape, version)["transfer"]

    async def accept(
        self, transfer: Any, path: str = PATHS[0], who: str = "other", **changes: Any
    ) -> Answer:
        """Take a volume."""
        body = {"accept": {"auth_key": transfer["auth_key"], **changes}}
        return await self.ask_for("POST", f"/{path}/{transfer['id']}/accept", body, who=who)

    async def give_back(self, volume_id: str) -> None:
        """Transfer another project's volume to the own one, where it is removed."""
        body = {"transfer": {"volume_id": volume_id}}
        got = await self.cinder_as("other", "POST", "/volume-transfers", body)
        got = await self.accept(got.body["transfer"], who="")
        self.assertEqual(got.status, 202, got.content)

    @compares(*CREATE, *SHOW, *DELETE, "NO_TRANSFER")
    async def test_offer(self) -> None:
        """An offered volume waits, its key is shown once, and a withdrawn offer frees it."""
        volume_id = await self.volume()
        for path, version in (
            (PATHS[0], "3.0"),
            (PATHS[0], "3.71"),
            (PATHS[1], "3.54"),
            (PATHS[1], "3.55"),
            (PATHS[1], "3.56"),
            (PATHS[1], "3.57"),
        ):
            made = await self.offer(volume_id, path, version, name=" n ")
            self.assertEqual((made["name"], made["volume_id"]), ("n", volume_id))
            self.assertEqual((await self.seen(volume_id))["status"], "awaiting-transfer")
            there = f"/{path}/{made['id']}"
            got = await self.ask_for("GET", there, version=version)
            del made["auth_key"]
            shape = {"transfer": detail_shape(version)}
            self.assertEqual(self.answered(got, 200, shape, version), {"transfer": made})
            self.empty(await self.ask_for("DELETE", there), 202)
            self.assertEqual((await self.seen(volume_id))["status"], "available")
            for method in ("GET", "DELETE"):
                got = await self.ask_for(method, there)
                self.refused(got, volume_refusals.NO_TRANSFER, made["id"])

    @compares(*CREATE, *ACCEPT, *SHOW, "NO_TRANSFER", "BAD_KEY", "NO_VOLUME")
    async def test_accept(self) -> None:
        """
        Another project that has the key gets the volume with its snapshots; nobody else has them
        any more.
        """
        volume_id = await self.volume()
        snapshot_id = await self.snapshot(volume_id)
        for path in PATHS:
            made = await self.offer(volume_id, path, name="n")
            got = await self.accept(made, path, auth_key="0123456789abcdef")
            self.refused(got, volume_refusals.BAD_KEY, made["id"])
            got = await self.accept({**made, "id": MISSING}, path)
            self.refused(got, volume_refusals.NO_TRANSFER, MISSING)
            got = await self.cinder_as("other", "GET", f"/{path}/{made['id']}")
            self.refused(got, volume_refusals.NO_TRANSFER, made["id"])
            got = await self.accept(made, path)
            taken = self.answered(got, 202, {"transfer": SUMMARY})["transfer"]
            self.assertEqual((taken["id"], taken["name"]), (made["id"], "n"))
            got = await self.cinder("GET", "/volumes/" + volume_id)
            self.refused(got, refusals.NO_VOLUME, volume_id)
            for kind, object_id in (("volume", volume_id), ("snapshot", snapshot_id)):
                got = await self.cinder_as("other", "GET", f"/{kind}s/{object_id}")
                self.assertEqual(got.body[kind]["status"], "available")
                own = await self.cinder("GET", f"/{kind}s/{object_id}")
                self.assertEqual(own.status, 404)
            got = await self.accept(made, path)
            self.refused(got, volume_refusals.NO_TRANSFER, made["id"])
            await self.give_back(volume_id)
            self.assertEqual((await self.seen(snapshot_id, "snapshot"))["status"], "available")

    @compares(*CREATE, *ACCEPT)
    async def test_without_snapshots(self) -> None:
        """Since 3.55 the newer path can leave the snapshots where they are."""
        volume_id = await self.volume()
        snapshot_id = await self.snapshot(volume_id)
        made = await self.offer(volume_id, PATHS[1], "3.55", no_snapshots=True)
        self.assertTrue(made["no_snapshots"])
        self.assertEqual((await self.accept(made, PATHS[1])).status, 202)
        self.assertEqual((await self.seen(volume_id))["status"], "404")
        self.assertEqual((await self.seen(snapshot_id, "snapshot"))["status"], "available")
        await self.give_back(volume_id)
        volume_id = await self.volume()
        body = {"transfer": {"volume_id": volume_id, "no_snapshots": True}}
        wanted = refusals.ADDITIONAL_FIELD.by_service["volume"]
        for path, version in ((PATHS[0], "3.71"), (PATHS[1], "3.54")):
            got = await self.ask_for("POST", "/" + path, body, version)
            self.refused(got, wanted, "transfer", ..., ..., version=version)

    @compares(
        *(*CREATE, "NO_VOLUME", "NO_SCHEMA[volume]", "NOT_A_UUID[volume]", "MISSING_FIELD[volume]"),
        *("NOT_TO_BE_OFFERED", "SNAPSHOT_NOT_TO_BE_OFFERED", "NOT_DELETABLE"),
    )
    async def test_refused_offers(self) -> None:
        """Only an available volume is offered, with snapshots that are, too."""
        volume_id = await self.volume()
        for path in PATHS:

            async def post(there: str = path, **transfer: Any) -> Answer:
                return await self.ask_for("POST", "/" + there, {"transfer": transfer})

            self.refused(await post(volume_id=MISSING), refusals.NO_VOLUME, MISSING)
            wanted = refusals.MISSING_FIELD.by_service["volume"]
            self.refused(await post(), wanted, "transfer", {}, "volume_id")
            wanted = refusals.NOT_A_UUID.by_service["volume"]
            self.refused(await post(volume_id="x"), wanted, "volume_id", "x", "x")
            for name in ("", "  ", "x" * 256):
                got = await post(volume_id=volume_id, name=name)
                self.refused(got, refusals.NO_SCHEMA.by_service["volume"], "name", name, name)
            made = await self.offer(volume_id, path)
            got = await post(volume_id=volume_id)
            self.refused(got, volume_refusals.NOT_TO_BE_OFFERED)
            got = await self.cinder("DELETE", "/volumes/" + volume_id)
            self.refused(got, refusals.NOT_DELETABLE)
            await self.ask_for("DELETE", f"/{path}/{made['id']}")
        snapshot_id = await self.snapshot(volume_id)
        await self.reset_snapshot(snapshot_id, "error")
        got = await self.ask_for("POST", "/" + PATHS[1], {"transfer": {"volume_id": volume_id}})
        self.refused(got, volume_refusals.SNAPSHOT_NOT_TO_BE_OFFERED, snapshot_id)

    async def reset_snapshot(self, snapshot_id: str, status: str) -> None:
        """Set a snapshot's status, as an administrator."""
        body = {"os-reset_status": {"status": status}}
        got = await self.cinder_as("admin", "POST", f"/snapshots/{snapshot_id}/action", body)
        self.assertEqual(got.status, 202, got.content)

    @compares(ACCEPT[0], "NOT_TO_BE_ACCEPTED", "NOT_OFFERED", "SNAPSHOT_NOT_AVAILABLE")
    async def test_refused_takes(self) -> None:
        """A volume whose status has changed since the offer is not taken, nor is its snapshot."""
        volume_id = await self.volume()
        snapshot_id = await self.snapshot(volume_id)
        made = await self.offer(volume_id)
        await self.reset(volume_id, "maintenance")
        self.refused(await self.accept(made), volume_refusals.NOT_TO_BE_ACCEPTED)
        await self.reset(volume_id, "available")
        self.refused(await self.accept(made), volume_refusals.NOT_OFFERED, made["id"], volume_id)
        await self.reset(volume_id, "awaiting-transfer")
        await self.reset_snapshot(snapshot_id, "error")
        got = await self.accept(made)
        ids = (made["id"], snapshot_id)
        self.refused(got, volume_refusals.SNAPSHOT_NOT_AVAILABLE, *ids)
        self.assertEqual((await self.seen(volume_id))["status"], "awaiting-transfer")
        self.assertEqual((await self.ask_for("DELETE", f"/{PATHS[0]}/{made['id']}")).status, 202)

    @compares(ACCEPT[0], "OVER_GIGABYTES_THEN", "OVER_VOLUMES", "OVER_SNAPSHOTS")
    async def test_quota(self) -> None:
        """The accepting project's quota is for the volume and its snapshots."""
        volume_id = await self.volume(size=2)
        await self.snapshot(volume_id)
        made = await self.offer(volume_id)
        other = await self.session_of("other")

        async def quota(**quotas: int) -> None:
            path = "/os-quota-sets/" + other.project
            got = await self.cinder_as("admin", "PUT", path, {"quota_set": quotas})
            self.assertEqual(got.status, 200, got.content)

        async def used(name: str) -> int:
            # A real project may use something already; and Cinder keeps what it reserved for an
            # accept that failed at the snapshots, so each amount is read when it is needed.
            path = f"/os-quota-sets/{other.project}?usage=true"
            found = (await self.cinder_as("other", "GET", path)).body["quota_set"][name]
            return int(found["in_use"] + found["reserved"])

        try:
            for more in (1, 3):
                limit = await used("gigabytes") + more
                await quota(gigabytes=limit)
                got = await self.accept(made)
                figures = ("gigabytes", 2, limit, ...)
                self.refused(got, volume_refusals.OVER_GIGABYTES_THEN, *figures)
            volumes = await used("volumes")
            await quota(gigabytes=await used("gigabytes") + 100, volumes=volumes)
            self.refused(await self.accept(made), refusals.OVER_VOLUMES, volumes, "volumes")
            of_type = "volumes___DEFAULT__"
            most = await used(of_type)
            await quota(volumes=volumes + 10, **{of_type: most})
            self.refused(await self.accept(made), refusals.OVER_VOLUMES, most, of_type)
            await quota(**{of_type: -1})
            snapshots = await used("snapshots")
            await quota(volumes=volumes + 10, snapshots=snapshots)
            self.refused(await self.accept(made), refusals.OVER_SNAPSHOTS, snapshots)
        finally:
            await self.cinder_as("admin", "DELETE", "/os-quota-sets/" + other.project)
        self.assertEqual((await self.ask_for("DELETE", f"/{PATHS[0]}/{made['id']}")).status, 202)

    @compares(*LIST, *DETAIL, "NO_TRANSFER", "BAD_SORT_KEY", "LIMIT_IS_NO_NUMBER")
    async def test_lists(self) -> None:
        """
        A list has the project's offers, the oldest first; since 3.59 the newer path has orders and
        pages, which are unknown filters elsewhere.
        """
        made = [await self.offer(await self.volume(), name=name) for name in ("b", "c", "a")]
        names = {each["id"]: each["name"] for each in made}

        def found(got: Answer) -> str:
            self.assertEqual(got.status, 200, got.content)
            return "".join(names.get(each["id"], "") for each in got.body["transfers"])

        for path in PATHS:
            got = await self.ask_for("GET", "/" + path)
            self.answered(got, 200, {"transfers": [SUMMARY, ...]})
            self.assertEqual(found(got), "bca")
            for version in ("3.0", "3.55", "3.57"):
                got = await self.ask_for("GET", f"/{path}/detail", version=version)
                shape = {"transfers": [detail_shape(version), ...]}
                self.answered(got, 200, shape, version)
                self.assertEqual(found(got), "bca")
            for query, expected in (
                ("?name=c", "c"),
                ("?volume_id=" + made[2]["volume_id"], "a"),
                ("?name=nosuch", ""),
                ("?nosuch=1", ""),
                ("?sort_key=id", ""),
            ):
                self.assertEqual(found(await self.ask_for("GET", f"/{path}{query}")), expected)
            got = await self.ask_for("GET", f"/{path}?limit=x")
            self.refused(got, refusals.LIMIT_IS_NO_NUMBER)
            got = await self.cinder_as("other", "GET", "/" + path)
            self.assertEqual(found(got), "")
            got = await self.cinder_as("admin", "GET", f"/{path}?all_tenants=1")
            self.assertEqual(found(got), "bca")

        async def page(query: str) -> Answer:
            return await self.ask_for("GET", f"/{PATHS[1]}?{query}", version="3.59")

        for query, expected in (
            ("", "acb"),
            ("sort=display_name:asc", "abc"),
            ("sort_key=display_name&sort_dir=desc", "cba"),
            ("limit=2", "ac"),
            (f"limit=2&marker={made[1]['id']}", "b"),
            ("offset=1&limit=2", "b"),
        ):
            self.assertEqual(found(await page(query)), expected, query)
        got = await page("limit=1")
        [link] = got.body["transfers_links"]
        self.assertIn(f"/{PATHS[0]}?limit=1&marker={made[2]['id']}", link["href"])
        self.refused(await page("sort=name"), refusals.BAD_SORT_KEY, version="3.59")
        got = await page("marker=" + MISSING)
        self.refused(got, volume_refusals.NO_TRANSFER, MISSING, version="3.59")
        for each in made:
            await self.ask_for("DELETE", f"/{PATHS[0]}/{each['id']}")
