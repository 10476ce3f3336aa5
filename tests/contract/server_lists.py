"""Compute: the filters and orders of lists of servers."""

from __future__ import annotations

from typing import Any

from txstorage.embedded.wire import refusals

from .case import MISSING, WireTests
from .compute import DETAIL, SHORT
from .exchanges import Answer
from .record import compares

#: What a filter leaves: nothing, or all servers.
NONE, ALL = False, True
#: Filters, the first version that has them, and what they leave before it and since.
FILTERS: list[tuple[str, str, Any, Any]] = [
    ("name=nosuch", "", NONE, NONE),
    ("name=nosuch&name=^.", "", ALL, ALL),
    ("name=[", "", None, (refusals.NO_EXPRESSION, "name", "[", "[")),
    ("status=active", "", ALL, ALL),
    ("status=SHUTOFF", "", NONE, NONE),
    ("status=SHUTOFF&status=ACTIVE", "", ALL, ALL),
    ("status=paused", "", NONE, NONE),
    ("status=bogus", "2.38", NONE, (refusals.BAD_SERVER_STATUS,)),
    ("status=deleted", "", None, (refusals.DELETED_SERVERS,)),
    ("image=" + MISSING, "", NONE, NONE),
    ("image=", "", ALL, ALL),
    ("flavor=1", "", ALL, ALL),
    ("flavor=nosuch", "", NONE, NONE),
    ("flavor=", "", None, (refusals.NO_EXPRESSION, "flavor", "", "")),
    ("ip=10", "", NONE, NONE),
    ("ip6=10", "2.5", ALL, NONE),
    ("reservation_id=^r-", "", ALL, ALL),
    ("reservation_id=x$^", "", NONE, NONE),
    ("changes-since=2100-01-01T00:00:00Z", "", NONE, NONE),
    ("changes-since=1960-01-01", "", ALL, ALL),
    ("changes-since=x", "", None, (refusals.NO_TIME, "changes-since", "x", "x")),
    ("changes-before=1960-01-01", "2.66", ALL, NONE),
    ("changes-before=1960&changes-since=1961", "2.66", ALL, (refusals.CHANGES_CROSSED,)),
    ("all_tenants=0", "", ALL, ALL),
    ("all_tenants=x", "", None, (refusals.NO_BOOLEAN_FOR_COMPUTE, "x")),
    ("tags=a", "2.26", ALL, NONE),
    ("not-tags=a&not-tags-any=a", "", ALL, ALL),
    ("locked=true", "2.73", ALL, NONE),
    ("locked=0", "", ALL, ALL),
    ("locked=x", "2.73", ALL, (refusals.NO_BOOLEAN_FOR_COMPUTE, "x")),
    ("nosuch=1", "2.75", ALL, (refusals.UNKNOWN_PARAMETER, "'nosuch' does")),
    ("offset=1&a=1&_x=1", "2.75", ALL, (refusals.UNKNOWN_PARAMETER, "'a', 'offset' do")),
    ("availability_zone=x", "2.83", ALL, NONE),
    ("availability_zone=n.v", "2.83", ALL, ALL),
    ("config_drive=True", "2.83", ALL, NONE),
    ("key_name=x", "2.83", ALL, NONE),
    ("created_at=^1960", "2.83", ALL, NONE),
    ("created_at=00000$&launched_at=^[12]", "2.83", ALL, ALL),
    ("terminated_at=20", "2.83", ALL, NONE),
    ("power_state=4", "2.83", ALL, NONE),
    ("power_state=1&vm_state=active&progress=0", "2.83", ALL, ALL),
    ("vm_state=stopped", "2.83", ALL, NONE),
    ("task_state=None", "2.83", ALL, NONE),
    ("user_id=x", "2.83", ALL, NONE),
    ("hostname=nosuch", "2.90", ALL, NONE),
    *((f"{name}=x", "", ALL, ALL) for name in ("host", "node", "uuid", "metadata", "_x")),
    *((f"{name}=x", "", ALL, ALL) for name in ("display_name", "project_id", "deleted")),
]


class ServerListTests(WireTests):
    """Tests of lists of servers."""

    async def listed(self, query: str, version: str = "", path: str = "") -> Answer:
        """List servers."""
        return await self.nova("GET", f"/servers{path}?{query}", version=version)

    def ids(self, got: Answer) -> list[str]:
        """Return the ids of the target's servers in a list."""
        self.assertEqual(got.status, 200, (got.url, got.content))
        listed = [each["id"] for each in got.body["servers"]]
        return [each for each in listed if each in self.target.servers]

    @compares(
        *(SHORT, "NO_EXPRESSION", "BAD_SERVER_STATUS", "DELETED_SERVERS", "NO_TIME"),
        *("CHANGES_CROSSED", "NO_BOOLEAN_FOR_COMPUTE", "UNKNOWN_PARAMETER"),
    )
    async def test_filters(self) -> None:
        """Each filter works, and is checked, from one microversion on; earlier ones ignore it."""
        for query, since, before, after in FILTERS:
            versions = [("2.104" if since else "2.74", after), (since or "2.1", after)]
            if since:
                versions.append((f"2.{int(since[2:]) - 1}", before))
            for version, expected in versions:
                got = await self.listed(query, version)
                if isinstance(expected, tuple):
                    self.refused(got, *expected, version=version)
                else:
                    wanted = sorted(self.target.servers) if expected else []
                    self.assertEqual(sorted(self.ids(got)), wanted, (query, version))

    @compares(SHORT, DETAIL, "FORBIDDEN_BY_COMPUTE")
    async def test_tenants(self) -> None:
        """Only an administrator sees the servers of all projects."""
        for path, name in (("", "index"), ("/detail", "detail")):
            for query in ("all_tenants=1", "all_tenants="):
                got = await self.listed(query, path=path)
                policy = f"os_compute_api:servers:{name}:get_all_tenants"
                self.refused(got, refusals.FORBIDDEN_BY_COMPUTE, policy)
        admin = await self.admin()
        for query in ("all_tenants=1", "all_tenants=1&project_id=" + self.session.project):
            got = await admin.ask("compute", "GET", "/v2.1/servers?" + query)
            self.assertEqual(sorted(self.ids(got)), sorted(self.target.servers))
        got = await admin.ask("compute", "GET", "/v2.1/servers?all_tenants=1&tenant_id=x")
        self.assertEqual(self.ids(got), [])

    @compares(SHORT, "BAD_FILTER")
    async def test_administrator(self) -> None:
        """An administrator may filter by most columns, whatever the version."""
        admin = await self.admin()
        one, other = self.target.servers
        for query, expected in (
            ("uuid=" + one, [one]),
            ("uuid=" + other, [other]),
            ("host=nosuch", []),
            ("node=.", [one, other]),
            ("vm_state=stopped", []),
            ("deleted=false", [one, other]),
        ):
            path = "/v2.1/servers?all_tenants=1&" + query
            got = await admin.ask("compute", "GET", path)
            self.assertEqual(sorted(self.ids(got)), sorted(expected), query)
        for name in ("metadata", "_x"):
            got = await admin.ask("compute", "GET", f"/v2.1/servers?{name}=x")
            self.refused(got, refusals.BAD_FILTER, name)

    @compares(
        *(SHORT, DETAIL, "NO_KEY", "NO_ORDER_BY", "BAD_DIRECTION_OF_SERVERS"),
        "TOO_MANY_DIRECTIONS",
    )
    async def test_orders(self) -> None:
        """A list can have another order, in which the ids decide between equals."""
        by_id = sorted(self.target.servers)
        got = await self.listed("")
        newest = self.ids(got)
        names = {each["id"]: each["name"] for each in got.body["servers"]}
        by_name = sorted(self.target.servers, key=lambda each: names[each])
        for query, expected in (
            ("sort_key=display_name", by_name[::-1]),
            ("sort_key=display_name&sort_dir=asc", by_name),
            ("sort_key=vm_state&sort_key=display_name&sort_dir=desc&sort_dir=desc", by_name[::-1]),
            ("sort_dir=asc", newest[::-1]),
            ("sort_key=uuid&sort_dir=asc", by_id),
            ("sort_key=uuid", by_id[::-1]),
            ("sort_key=project_id", by_id),
            ("sort_key=access_ip_v4&sort_dir=desc", by_id),
            ("sort_key=vcpus", newest),
            ("sort_key=id&sort_key=uuid&sort_dir=desc&sort_dir=asc", by_id),
        ):
            for path in ("", "/detail"):
                got = await self.listed(query, path=path)
                self.assertEqual(self.ids(got), expected, query)
        self.assertEqual(self.ids(await self.listed("sort_key=locked", "2.72")), newest)
        self.assertEqual(self.ids(await self.listed("sort_key=locked", "2.73")), by_id)
        for key, version in (("bogus", ""), ("name", "2.74"), ("", ""), ("vcpus", "2.75")):
            got = await self.listed("sort_key=" + key, version)
            self.refused(got, refusals.NO_KEY, "sort_key", key, key, ..., version=version)
        for key in ("host", "node"):
            got = await self.listed("sort_key=" + key)
            self.refused(got, refusals.NO_ORDER_BY, key)
        for query in ("sort_dir=up", "sort_dir="):
            got = await self.listed(query)
            self.refused(got, refusals.BAD_DIRECTION_OF_SERVERS)
        got = await self.listed("sort_key=uuid&sort_dir=asc&sort_dir=asc")
        self.refused(got, refusals.TOO_MANY_DIRECTIONS)

    @compares(SHORT)
    async def test_pages(self) -> None:
        """A page of a list in another order begins after its marker in that order."""
        by_id = sorted(self.target.servers)
        query = "sort_key=uuid&sort_dir=asc&limit=1&marker=" + by_id[0]
        self.assertEqual(self.ids(await self.listed(query)), by_id[1:])
        query = "sort_key=uuid&marker=" + by_id[1]
        self.assertEqual(self.ids(await self.listed(query)), by_id[:1])
