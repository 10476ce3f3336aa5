"""Block Storage: its pools and hosts, for administrators."""

from __future__ import annotations

from typing import Any

from txstorage.embedded.wire import refusals, volume_refusals

from .case import WireTests
from .exchanges import Answer
from .record import compares
from .shapes import INSTANT, NULL, Having, Is, Text

_POOLS = "volume GET /v3/<project_id>/scheduler-stats/get_pools"
_HOSTS = "volume GET /v3/<project_id>/os-hosts"
_HOST, _UPDATE = _HOSTS + "/<host>", "volume PUT /v3/<project_id>/os-hosts/<host>"
_ROOM = (float, int, Is("infinite"))
_CAPABILITIES = Having(
    volume_backend_name=str,
    vendor_name=str,
    driver_version=(str, NULL),
    storage_protocol=str,
    total_capacity_gb=_ROOM,
    free_capacity_gb=_ROOM,
    reserved_percentage=Is(0),
    multiattach=Is(False),
    allocated_capacity_gb=int,
    filter_function=NULL,
    goodness_function=NULL,
    timestamp=INSTANT,
)


class PoolTests(WireTests):
    """The pools and the hosts."""

    async def pools(self, query: str = "", version: str = "", who: str = "admin") -> Answer:
        """List the pools."""
        path = "/scheduler-stats/get_pools" + query
        return await self.cinder_as(who, "GET", path, version=version)

    async def host(self) -> str:
        """Return the host of the volumes."""
        got = await self.cinder_as("admin", "GET", "/os-services?binary=cinder-volume")
        host: str = got.body["services"][0]["host"]
        return host

    @compares(_POOLS, "FORBIDDEN", "NO_BOOLEAN")
    async def test_pools(self) -> None:
        """An administrator sees the pools' names, and with ``detail`` their capabilities."""
        got = await self.pools()
        (pool,) = self.answered(got, 200, {"pools": [{"name": str}]})["pools"]
        self.assertEqual(pool["name"].partition("#")[0], await self.host())
        got = await self.pools("?detail=true")
        shape = {"name": Is(pool["name"]), "capabilities": _CAPABILITIES}
        self.answered(got, 200, {"pools": [shape]})
        got = await self.pools("?detail=maybe")
        self.refused(got, refusals.NO_BOOLEAN, "maybe", "detail")
        for who in ("other", "reader"):
            got = await self.pools(who=who)
            policy = "scheduler_extension:scheduler_stats:get_pools"
            self.refused(got, refusals.FORBIDDEN, policy)

    @compares(_POOLS, "UNKNOWN_FILTER")
    async def test_filters(self) -> None:
        """Names choose from 3.28 on, types from 3.35 on; another filter chooses nothing."""
        for query, version, number in (
            ("?name=nosuch", "3.27", 1),
            ("?name=nosuch", "3.28", 0),
            ("?more=x", "3.27", 1),
            ("?more=x", "3.30", 0),
            ("?volume_type=nosuch", "3.34", 1),
            ("?volume_type=__DEFAULT__", "3.35", 1),
        ):
            got = await self.pools(query, version)
            self.answered(got, 200, {"pools": [dict, ...]}, version)
            self.assertEqual(len(got.body["pools"]), number, (query, version))
        got = await self.pools("?more=x", "3.31")
        self.refused(got, refusals.UNKNOWN_FILTER, "more", version="3.31")
        got = await self.pools("?volume_type=nosuch", "3.35")
        # Cinder adds the traceback of another of its processes.
        expected = "Volume type with name nosuch could not be found."
        self.assertEqual((got.status, got.message.partition("\n")[0]), (404, expected))

    @compares(_HOSTS, _HOST, "FORBIDDEN", "NO_PROCESS")
    async def test_hosts(self) -> None:
        """An administrator sees the hosts, and the projects' volumes on one."""
        await self.volume()
        texts = {name: str for name in ("host_name", "service")}
        shape = {
            **texts,
            "zone": Is("nova"),
            "service-status": Is("available"),
            "service-state": Is("enabled"),
            "last-update": INSTANT,
        }
        got = await self.cinder_as("admin", "GET", "/os-hosts")
        listed = self.answered(got, 200, {"hosts": [shape, ...]})["hosts"]
        self.assertLessEqual(
            {"cinder-volume", "cinder-scheduler"}, {each["service"] for each in listed}
        )
        for query, number in (("?zone=nosuch", 0), ("?zone=nova", len(listed))):
            got = await self.cinder_as("admin", "GET", "/os-hosts" + query)
            self.assertEqual(len(got.body["hosts"]), number)
        host, number = await self.host(), Text("[0-9]+")
        names = ("volume_count", "total_volume_gb", "snapshot_count", "total_snapshot_gb")
        row = {"host": Is(host), "project": str, **dict.fromkeys(names, number)}
        got = await self.cinder_as("admin", "GET", "/os-hosts/" + host)
        rows = self.answered(got, 200, {"host": [{"resource": row}, ...]})["host"]
        resources = [each["resource"] for each in rows]
        self.assertEqual(resources[0]["project"], "(total)")
        self.assertIn(self.session.project, [each["project"] for each in resources])
        for name in names[:2]:
            numbers = [int(each[name]) for each in resources]
            self.assertEqual(numbers[0], sum(numbers[1:]), name)
        got = await self.cinder_as("admin", "GET", "/os-hosts/nosuch")
        self.refused(got, volume_refusals.NO_PROCESS, "cinder-volume", "nosuch")
        for path in ("", "/" + host, "/nosuch"):
            got = await self.cinder("GET", "/os-hosts" + path)
            self.refused(got, refusals.FORBIDDEN, "volume_extension:hosts")

    @compares(
        *(_UPDATE, "NO_ADMINISTRATOR", "NO_HOST_OF_NAME", "BAD_SETTING", "NO_FORCE"),
        *("NOT_OF_TYPE[volume]", "VOLUME_FAULT"),
    )
    async def test_update(self) -> None:
        """No host is enabled or disabled: Cinder fails at it, once the request is right."""
        host = await self.host()
        no_text = refusals.NOT_OF_TYPE.by_service["volume"]
        bad: Any
        for body, refusal, bad in (
            ({"status": "no"}, refusals.NO_FORCE, ("status", "no", "no", ...)),
            ({"status": 3}, no_text, ("status", 3, 3, "'string'")),
            ({"more": "x"}, volume_refusals.BAD_SETTING, ("more",)),
            ({"status": "enable"}, refusals.VOLUME_FAULT, ()),
        ):
            got = await self.cinder_as("admin", "PUT", "/os-hosts/" + host, body)
            self.refused(got, refusal, *bad)
        got = await self.cinder_as("admin", "PUT", "/os-hosts/" + host, {})
        self.assertEqual(self.answered(got, 200, dict), {})
        body = {"status": "enable"}
        got = await self.cinder_as("admin", "PUT", "/os-hosts/nosuch", body)
        self.refused(got, volume_refusals.NO_HOST_OF_NAME, "nosuch")
        got = await self.cinder("PUT", "/os-hosts/nosuch", body)
        self.refused(got, volume_refusals.NO_ADMINISTRATOR)
