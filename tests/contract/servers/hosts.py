"""Compute: its hosts and processes, for administrators."""

from __future__ import annotations

from typing import Any

from txstorage.embedded.wire import refusals
from txstorage.embedded.wire.tables import server_refusals

from ..case import MISSING, WireTests
from ..exchanges import Answer
from ..record import compares
from ..shapes import INSTANT, NULL, UUID, Having, Is

_ZONES = "compute GET /v2.1/os-availability-zone/detail"
_LIST, _PUT = "compute GET /v2.1/os-services", "compute PUT /v2.1/os-services/<process_id>"
_HYPERVISORS = "compute GET /v2.1/os-hypervisors"
_ONE = _HYPERVISORS + "/<hypervisor_id>"
_LAST = "2.104"
_SIZES = dict.fromkeys(
    (
        *("vcpus", "memory_mb", "local_gb", "vcpus_used", "memory_mb_used", "local_gb_used"),
        *("free_ram_mb", "free_disk_gb", "current_workload", "running_vms"),
        "disk_available_least",
    ),
    int,
)


def summary(version: str) -> dict[str, Any]:
    """A hypervisor's members in a short list."""
    number: Any = UUID if int(version.partition(".")[2]) >= 53 else int
    names = {"hypervisor_hostname": str, "state": Is("up"), "status": Is("enabled")}
    return {"id": number, **names}


def detail(version: str) -> dict[str, Any]:
    """A hypervisor's members in full."""
    minor, short = int(version.partition(".")[2]), summary(version)
    shape = {
        **short,
        "hypervisor_type": str,
        "hypervisor_version": int,
        "host_ip": str,
        "service": {"id": short["id"], "host": str, "disabled_reason": NULL},
    }
    if minor >= 88:
        return {**shape, "uptime": (str, NULL)}
    return {**shape, **_SIZES, "cpu_info": dict if minor >= 28 else str}


class ComputeHostTests(WireTests):
    """Compute's hosts and processes."""

    async def get(self, path: str, version: str = "", who: str = "admin") -> Answer:
        """Look something up, as an administrator."""
        return await self.nova_as(who, "GET", path, version=version)

    @compares(_ZONES, "FORBIDDEN_BY_COMPUTE")
    async def test_zones(self) -> None:
        """An administrator sees each zone's processes, by their hosts."""
        state = {"available": bool, "active": Is(True), "updated_at": INSTANT}
        got = await self.get("/os-availability-zone/detail")
        shape = {"zoneName": str, "zoneState": {"available": Is(True)}, "hosts": dict}
        found = self.answered(got, 200, {"availabilityZoneInfo": [shape, ...]})
        by_name = {each["zoneName"]: each["hosts"] for each in found["availabilityZoneInfo"]}
        self.assertEqual(set(by_name), {"internal", "nova"})
        for zone, binaries in (
            ("internal", {"nova-conductor": state, "nova-scheduler": state}),
            ("nova", {"nova-compute": state}),
        ):
            for processes in by_name[zone].values():
                self.same_shape(processes, binaries)
        got = await self.get("/os-availability-zone/detail", who="other")
        policy = "os_compute_api:os-availability-zone:detail"
        self.refused(got, refusals.FORBIDDEN_BY_COMPUTE, policy)

    @compares(_LIST, "FORBIDDEN_BY_COMPUTE", "UNKNOWN_FLAVOR_PARAMETER")
    async def test_processes(self) -> None:
        """An administrator sees the processes, with the members of the microversion."""
        for version in ("2.1", "2.10", "2.11", "2.52", "2.53", "2.69", _LAST):
            minor = int(version.partition(".")[2])
            shape: dict[str, Any] = {
                **dict.fromkeys(("binary", "host", "zone"), str),
                "id": UUID if minor >= 53 else int,
                "status": Is("enabled"),
                "state": Is("up"),
                "updated_at": INSTANT,
                "disabled_reason": NULL,
            }
            if minor >= 11:
                shape["forced_down"] = Is(False)
            got = await self.get("/os-services", version)
            self.answered(got, 200, {"services": [shape, ...]}, version)
            zones = {each["binary"]: each["zone"] for each in got.body["services"]}
            expected = {"nova-conductor": "internal", "nova-scheduler": "internal"}
            self.assertEqual(zones, {**expected, "nova-compute": "nova"})
        for query, number in (("?binary=nova-compute", 1), ("?host=nosuch", 0), ("?more=x", 3)):
            got = await self.get("/os-services" + query)
            self.assertEqual(len(got.body["services"]), number, query)
        got = await self.get("/os-services?more=x", "2.75")
        unexpected = "'more' was unexpected"
        self.refused(got, refusals.UNKNOWN_FLAVOR_PARAMETER, unexpected, version="2.75")
        got = await self.get("/os-services", who="other")
        self.refused(got, refusals.FORBIDDEN_BY_COMPUTE, "os_compute_api:os-services:list")

    @compares(
        *(_PUT, _LIST, "NO_UUID", "KEEPS_STATUS", "NO_CHANGE_OF_PROCESS"),
        "NO_COMPUTE_PROCESS",
        *("NEEDLESS_REASON", "BAD_CHOICE", "FORBIDDEN_BY_COMPUTE"),
    )
    async def test_update(self) -> None:
        """An administrator enables and disables the process that has the servers."""
        listed = (await self.get("/os-services", _LAST)).body["services"]
        ids = {each["binary"]: each["id"] for each in listed}
        own = "/os-services/" + ids["nova-compute"]

        async def put(path: str, body: Any, who: str = "admin") -> Answer:
            return await self.nova_as(who, "PUT", path, body, version=_LAST)

        for change, status, reason in (
            ({"status": "disabled", "disabled_reason": "why"}, "disabled", "why"),
            ({"forced_down": False}, "disabled", "why"),
            ({"status": "enabled"}, "enabled", None),
        ):
            got = await put(own, change)
            shape = Having(status=Is(status), disabled_reason=Is(reason), forced_down=Is(False))
            self.answered(got, 200, {"service": shape}, _LAST)
        for path, change, refusal, values in (
            (own, {}, server_refusals.NO_CHANGE_OF_PROCESS, ()),
            (own, {"disabled_reason": "x"}, server_refusals.NO_CHANGE_OF_PROCESS, ()),
            (
                own,
                {"status": "enabled", "disabled_reason": "x"},
                server_refusals.NEEDLESS_REASON,
                (),
            ),
            ("/os-services/no", {}, server_refusals.NO_UUID, ("no",)),
            ("/os-services/" + MISSING, {}, server_refusals.NO_COMPUTE_PROCESS, (MISSING,)),
            (
                "/os-services/" + ids["nova-scheduler"],
                {"status": "enabled"},
                server_refusals.KEEPS_STATUS,
                ("nova-scheduler",),
            ),
        ):
            self.refused(await put(path, change), refusal, *values, version=_LAST)
        got = await put(own, {"status": "no"})
        self.refused(got, server_refusals.BAD_CHOICE, "status", "no", "no", ..., version=_LAST)
        got = await put(own, {"status": "enabled"}, "other")
        policy = "os_compute_api:os-services:update"
        self.refused(got, refusals.FORBIDDEN_BY_COMPUTE, policy, version=_LAST)

    @compares(
        *(_HYPERVISORS, _HYPERVISORS + "/detail", _ONE, "NO_HYPERVISOR", "NO_UUID"),
        *("NO_HYPERVISOR_LIKE", "NO_MARKER", "UNKNOWN_FLAVOR_PARAMETER"),
    )
    async def test_hypervisors(self) -> None:
        """An administrator sees the hypervisors, with the members of the microversion."""
        got = await self.get("/os-hypervisors?limit=0", "2.90")
        self.assertEqual((got.status, got.body["hypervisors"]), (200, []))
        for version in ("2.1", "2.27", "2.28", "2.52", "2.53", "2.87", "2.88", _LAST):
            got = await self.get("/os-hypervisors", version)
            found = self.answered(got, 200, {"hypervisors": [summary(version)]}, version)
            got = await self.get("/os-hypervisors/detail", version)
            self.answered(got, 200, {"hypervisors": [detail(version)]}, version)
            number = found["hypervisors"][0]["id"]
            got = await self.get(f"/os-hypervisors/{number}", version)
            self.answered(got, 200, {"hypervisor": detail(version)}, version)
        got = await self.get(f"/os-hypervisors/{number}?with_servers=true", _LAST)
        servers = got.body["hypervisor"]["servers"]
        self.same_shape(servers, [{"name": str, "uuid": UUID}, ...])
        self.assertLessEqual(set(self.target.servers), {each["uuid"] for each in servers})
        got = await self.get("/os-hypervisors?limit=1", _LAST)
        links = [{"rel": Is("next"), "href": str}]
        shape = {"hypervisors": [summary(_LAST)], "hypervisors_links": links}
        self.answered(got, 200, shape, _LAST)
        got = await self.get(f"/os-hypervisors?marker={number}", _LAST)
        self.assertEqual(self.answered(got, 200, dict, _LAST), {"hypervisors": []})
        for path, version, refusal, values in (
            (MISSING, _LAST, server_refusals.NO_HYPERVISOR, (MISSING,)),
            ("no", _LAST, server_refusals.NO_UUID, ("no",)),
            ("no", "2.1", server_refusals.NO_HYPERVISOR, ("no",)),
            ("999", "2.1", server_refusals.NO_HYPERVISOR, ("999",)),
            (
                "?hypervisor_hostname_pattern=no",
                _LAST,
                server_refusals.NO_HYPERVISOR_LIKE,
                ("no",),
            ),
            ("?marker=" + MISSING, _LAST, refusals.NO_MARKER, (MISSING,)),
            ("?more=x", _LAST, refusals.UNKNOWN_FLAVOR_PARAMETER, ("'more' was unexpected",)),
        ):
            path = path if path.startswith("?") else "/" + path
            got = await self.get("/os-hypervisors" + path, version)
            self.refused(got, refusal, *values, version=version)

    @compares(
        *(_HYPERVISORS + "/statistics", _ONE + "/search", _ONE + "/servers", "NOT_IN_VERSION"),
        *("NO_HYPERVISOR_LIKE", "FORBIDDEN_BY_COMPUTE", _ONE),
    )
    async def test_former(self) -> None:
        """Former microversions have statistics, and searches of their own."""
        name = (await self.get("/os-hypervisors")).body["hypervisors"][0]["hypervisor_hostname"]
        got = await self.get("/os-hypervisors/statistics", "2.87")
        self.answered(got, 200, {"hypervisor_statistics": {"count": Is(1), **_SIZES}}, "2.87")
        path = "/os-hypervisors/" + name
        got = await self.get(path + "/search", "2.52")
        self.answered(got, 200, {"hypervisors": [summary("2.52")]}, "2.52")
        got = await self.get(path + "/servers", "2.52")
        servers = [{"name": str, "uuid": UUID}, ...]
        shape = {"hypervisors": [{**summary("2.52"), "servers": servers}]}
        self.answered(got, 200, shape, "2.52")
        for where, version in (
            ("/os-hypervisors/statistics", "2.88"),
            (path + "/search", "2.53"),
            (path + "/servers", "2.53"),
        ):
            got = await self.get(where, version)
            self.refused(got, server_refusals.NOT_IN_VERSION, version=version)
        got = await self.get("/os-hypervisors/nosuch/search")
        self.refused(got, server_refusals.NO_HYPERVISOR_LIKE, "nosuch")
        for path, action in (
            ("", "list"),
            ("/detail", "list-detail"),
            ("/statistics", "statistics"),
            ("/" + MISSING, "show"),
            ("/no/search", "search"),
            ("/no/servers", "servers"),
        ):
            got = await self.get("/os-hypervisors" + path, who="other")
            policy = "os_compute_api:os-hypervisors:" + action
            self.refused(got, refusals.FORBIDDEN_BY_COMPUTE, policy)
