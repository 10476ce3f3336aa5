"""The filters of administrators, who may filter by any column."""

from __future__ import annotations

from .case import MISSING, WireTests
from .record import compares

_V = "volume {} /v3/<project_id>/"


class AdministratorFilterTests(WireTests):
    """
    An administrator filters by any column in any version, and finds nothing by anything else.
    """

    async def ids(self, kind: str, query: str, version: str) -> list[str]:
        """Return the ids in an administrator's list."""
        got = await self.cinder_as("admin", "GET", f"/{kind}?{query}", version=version)
        self.assertEqual(got.status, 200, (query, got.content))
        return [each["id"] for each in got.body[kind]]

    async def check(self, kind: str, found: str, columns: list[str], versions: list[str]) -> None:
        """
        Check the filters of a list.

        :param found: the id that filters find.
        :param columns: the filters, each with another one that leaves only this.
        """
        for version in versions:
            for query in columns:
                listed = await self.ids(kind, f"all_tenants=1&id={found}&{query}", version)
                self.assertEqual(listed, [found], (kind, query, version))
            for query in ("nosuch=1", "host=nosuch", "id=" + MISSING, "user_id=nosuch"):
                listed = await self.ids(kind, "all_tenants=1&" + query, version)
                self.assertEqual(listed, [], (kind, query, version))
            # The project chooses among all projects only.
            every = await self.ids(kind, "", version)
            self.assertEqual(await self.ids(kind, "project_id=" + MISSING, version), every)
            listed = await self.ids(kind, "all_tenants=1&project_id=" + MISSING, version)
            self.assertEqual(listed, [], (kind, version))

    @compares(_V.format("GET") + "snapshots")
    async def test_snapshots(self) -> None:
        """A snapshot is found by its columns, under their names in the database."""
        wanted = {"name": "filtered", "description": "d"}
        found = await self.snapshot(await self.volume(), **wanted)
        columns = ["display_name=filtered", "display_description=d", "volume_size=1"]
        columns.append("user_id=" + self.session.user_id)
        await self.check("snapshots", found, columns, ["3.0", "3.30", "3.31", "3.71"])

    @compares(_V.format("GET") + "volumes")
    async def test_volumes(self) -> None:
        """A volume is found by its columns."""
        found = await self.volume(name="filtered")
        columns = ["name=filtered", "size=1", "user_id=" + self.session.user_id]
        await self.check("volumes", found, columns, ["3.0", "3.71"])

    @compares(
        _V.format("GET") + "attachments",
        _V.format("POST") + "attachments",
        _V.format("DELETE") + "attachments/<attachment_id>",
    )
    async def test_attachments(self) -> None:
        """An attachment is found by its id and its volume's."""
        volume_id = await self.volume()
        body = {"attachment": {"volume_uuid": volume_id}}
        got = await self.cinder("POST", "/attachments", body, version="3.27")
        found = got.body["attachment"]["id"]
        try:
            for version in ("3.27", "3.31", "3.71"):
                for query in ("id=" + found, "volume_id=" + volume_id):
                    listed = await self.ids("attachments", "all_tenants=1&" + query, version)
                    self.assertEqual(listed, [found], (query, version))
                for query in ("nosuch=1", "name=x", f"id={found}&nosuch=1"):
                    listed = await self.ids("attachments", "all_tenants=1&" + query, version)
                    self.assertEqual(listed, [], (query, version))
        finally:
            await self.cinder("DELETE", "/attachments/" + found, version="3.27")

    @compares(_V.format("GET") + "scheduler-stats/get_pools")
    async def test_pools(self) -> None:
        """A list of pools is for all projects, whether this is requested or not."""
        pools = [
            (await self.cinder_as("admin", "GET", "/scheduler-stats/get_pools" + query)).body
            for query in ("", "?all_tenants=1")
        ]
        self.assertEqual(*pools)
        self.assertTrue(pools[0]["pools"])
