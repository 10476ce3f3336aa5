"""Compute: a project's limits and quotas, and what it does not have."""

from __future__ import annotations

from typing import Any

from txstorage.embedded.wire import refusals
from txstorage.embedded.wire.tables import server_refusals

from ..case import MISSING, WireTests
from ..record import compares
from ..shapes import NULL

_QUOTA = "compute GET /v2.1/os-quota-sets/<quota_project>"
_PATHS = "compute GET /v2.1/"
#: The members of the limits, and of the quotas, that later versions lack, by those versions.
LIMITS = {
    "2.35": {
        *("maxSecurityGroups", "maxSecurityGroupRules", "maxTotalFloatingIps"),
        *("totalSecurityGroupsUsed", "totalFloatingIpsUsed"),
    },
    "2.38": {"maxImageMeta"},
    "2.56": {"maxPersonality", "maxPersonalitySize"},
    "": {
        *("maxServerMeta", "maxTotalInstances", "maxTotalCores", "maxTotalRAMSize"),
        *("maxTotalKeypairs", "maxServerGroups", "maxServerGroupMembers", "totalInstancesUsed"),
        *("totalCoresUsed", "totalRAMUsed", "totalServerGroupsUsed"),
    },
}
QUOTAS = {
    "2.35": {"fixed_ips", "floating_ips", "security_group_rules", "security_groups"},
    "2.56": {"injected_file_content_bytes", "injected_file_path_bytes", "injected_files"},
    "": {
        *("cores", "instances", "key_pairs", "metadata_items", "ram", "server_groups"),
        "server_group_members",
    },
}


def members(table: dict[str, set[str]], version: str) -> set[str]:
    """The members in a version."""
    minor = int(version.partition(".")[2])
    return {
        name
        for last, names in table.items()
        if not last or minor <= int(last.partition(".")[2])
        for name in names
    }


class ComputeProjectTests(WireTests):
    """Tests of a project in Compute."""

    @compares(_PATHS + "limits", "FORBIDDEN_BY_COMPUTE")
    async def test_limits(self) -> None:
        """The limits have the members of the version, and count the project's servers."""
        for version in ("2.1", "2.35", "2.36", "2.38", "2.39", "2.56", "2.57", "2.104"):
            got = await self.nova("GET", "/limits", version=version)
            shape = {"limits": {"rate": [], "absolute": dict}}
            found = self.answered(got, 200, shape, version)["limits"]["absolute"]
            self.assertEqual(set(found), members(LIMITS, version))
            self.assertEqual({type(value) for value in found.values()}, {int})
        servers = (await self.nova("GET", "/servers")).body["servers"]
        self.assertEqual(found["totalInstancesUsed"], len(servers))
        got = await self.nova("GET", "/limits?tenant_id=" + MISSING)
        policy = "os_compute_api:limits:other_project"
        self.refused(got, refusals.FORBIDDEN_BY_COMPUTE, policy)

    @compares(_QUOTA, _QUOTA + "/defaults", _QUOTA + "/detail", "FORBIDDEN_BY_COMPUTE")
    async def test_quotas(self) -> None:
        """The quotas have the members of the version, and in detail their use."""
        own = self.session.project
        for version in ("2.1", "2.35", "2.36", "2.56", "2.57", "2.104"):
            for more in ("", "/defaults", "/detail"):
                path = f"/os-quota-sets/{own}{more}"
                got = await self.nova("GET", path, version=version)
                found = self.answered(got, 200, {"quota_set": dict}, version)["quota_set"]
                self.assertEqual(found.pop("id"), own)
                self.assertEqual(set(found), members(QUOTAS, version))
                figures: Any = dict.fromkeys(("limit", "in_use", "reserved"), int)
                for each in found.values():
                    self.same_shape(each, figures if more == "/detail" else int)
        got = await self.nova("GET", "/os-quota-sets/" + MISSING.replace("-", ""))
        self.refused(got, refusals.FORBIDDEN_BY_COMPUTE, "os_compute_api:os-quota-sets:show")

    @compares(_PATHS + "os-availability-zone")
    async def test_zones(self) -> None:
        """The availability zones have a name and a state."""
        zone = {"zoneName": str, "zoneState": {"available": bool}, "hosts": NULL}
        got = await self.nova("GET", "/os-availability-zone")
        self.answered(got, 200, {"availabilityZoneInfo": [zone, ...]})

    @compares(
        *(
            _PATHS + "os-keypairs",
            "QUERY_IS_NO_NUMBER",
            "NO_KEY_MARKER",
            "UNKNOWN_FLAVOR_PARAMETER",
        ),
        "FORBIDDEN_BY_COMPUTE",
    )
    async def test_parameters_of_key_pairs(self) -> None:
        """The parameters of a list of key pairs are checked, each from a microversion on."""
        forbidden = (refusals.FORBIDDEN_BY_COMPUTE, "os_compute_api:os-keypairs:index")
        unknown = (refusals.UNKNOWN_FLAVOR_PARAMETER, "'nosuch' was unexpected")
        for query, since, refused in (
            ("limit=x", 35, (refusals.QUERY_IS_NO_NUMBER, "limit", "x", "x")),
            ("marker=nosuch", 35, (server_refusals.NO_KEY_MARKER, "nosuch")),
            ("user_id=nosuch", 10, forbidden),
            ("nosuch=1", 75, unknown),
        ):
            path = "/os-keypairs?" + query
            for minor in (since, 90):
                got = await self.nova("GET", path, version=f"2.{minor}")
                self.refused(got, *refused, version=f"2.{minor}")
            got = await self.nova("GET", path, version=f"2.{since - 1}")
            self.assertEqual((got.status, got.body), (200, {"keypairs": []}))
        for query in ("limit=0", "user_id=" + self.session.user_id):
            got = await self.nova("GET", "/os-keypairs?" + query, version="2.90")
            self.assertEqual((got.status, got.body), (200, {"keypairs": []}))
        got = await self.nova_as("admin", "GET", "/os-keypairs?user_id=nosuch", version="2.90")
        self.assertEqual((got.status, got.body), (200, {"keypairs": []}))

    @compares(
        _PATHS + "os-keypairs",
        _PATHS + "os-keypairs/<key_name>",
        _PATHS + "os-security-groups",
        *("NO_KEY_PAIR", "NOT_IN_VERSION"),
    )
    async def test_nothing(self) -> None:
        """There are no key pairs, and no security groups, which later versions do not know."""
        got = await self.nova("GET", "/os-keypairs")
        self.assertEqual(self.answered(got, 200, {"keypairs": list}), {"keypairs": []})
        got = await self.nova("GET", "/os-keypairs/nosuch")
        self.refused(got, server_refusals.NO_KEY_PAIR, "nosuch", self.session.user_id)
        got = await self.nova("GET", "/os-security-groups", version="2.35")
        self.answered(got, 200, {"security_groups": [dict, ...]}, "2.35")
        got = await self.nova("GET", "/os-security-groups", version="2.36")
        self.refused(got, server_refusals.NOT_IN_VERSION, version="2.36")
