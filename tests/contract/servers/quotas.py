"""Compute: quotas of projects, which administrators change."""

from __future__ import annotations

from typing import Any

from txstorage.embedded.wire import refusals
from txstorage.embedded.wire.tables import server_refusals

from ..case import WireTests
from ..exchanges import JSON, Answer
from ..record import compares
from .project import QUOTAS, members

_GET, _PUT, _DELETE = (
    f"compute {method} /v2.1/os-quota-sets/<quota_project>" for method in ("GET", "PUT", "DELETE")
)
_POLICY = "os_compute_api:os-quota-sets:"


class ComputeQuotaTests(WireTests):
    """The quotas of the project with servers, which are the default ones before and after."""

    async def setUp(self) -> None:
        await super().setUp()
        self.path = "/os-quota-sets/" + self.session.project

    async def _clean_up(self) -> None:
        await self.nova_as("admin", "DELETE", self.path)
        await super()._clean_up()

    async def put(self, body: Any, version: str = "", path: str = "") -> Answer:
        """Set quotas, as an administrator."""
        return await self.nova_as("admin", "PUT", path or self.path, body, version=version)

    async def shown(self) -> dict[str, int]:
        """Return the project's quotas."""
        got = await self.nova("GET", self.path)
        found: dict[str, int] = got.body["quota_set"]
        return found

    @compares(_GET, _PUT, _DELETE, "compute GET /v2.1/limits", _GET + "/detail")
    async def test_set(self) -> None:
        """The quotas are set, as numbers or as texts, and are the default ones once deleted."""
        before = await self.shown()
        for version in ("2.1", "2.36", "2.57"):
            got = await self.put({"quota_set": {"instances": 7, "ram": "-1"}}, version)
            found = self.answered(got, 200, {"quota_set": dict}, version)["quota_set"]
            self.assertEqual(set(found), members(QUOTAS, version))
            self.assertEqual((found["instances"], found["ram"]), (7, -1))
        changed = {**before, "instances": 7, "ram": -1}
        self.assertEqual(await self.shown(), changed)
        limits = (await self.nova("GET", "/limits")).body["limits"]["absolute"]
        self.assertEqual((limits["maxTotalInstances"], limits["maxTotalRAMSize"]), (7, -1))
        detail = (await self.nova("GET", self.path + "/detail")).body["quota_set"]
        self.assertEqual(detail["instances"]["limit"], 7)
        got = await self.put({"quota_set": {}})
        self.assertEqual(got.body["quota_set"]["instances"], 7)
        self.empty(await self.nova_as("admin", "DELETE", self.path), 202, type=JSON)
        self.assertEqual(await self.shown(), before)

    @compares(
        *(_PUT, _GET, "NO_QUOTA", "BELOW_MINIMUM", "ABOVE_MAXIMUM", "BELOW_USE", "BAD_CHOICE"),
        *("NO_VALID_PROJECT", "ADDITIONAL_FIELD[compute]", "MISSING_MEMBER[compute]"),
        *("NOT_OF_TYPE[compute]", "UNKNOWN_FLAVOR_PARAMETER"),
    )
    async def test_malformed(self) -> None:
        """A quota is a number of something that the microversion knows, and not below the use."""
        before = await self.shown()
        more = refusals.ADDITIONAL_FIELD.by_service["compute"]
        of_type = refusals.NOT_OF_TYPE.by_service["compute"]
        missing = refusals.MISSING_MEMBER.by_service["compute"]
        for body, refusal, values in (
            ({"instances": -2}, server_refusals.BELOW_MINIMUM, ("instances", -2, -2)),
            (
                {"instances": 2**31},
                server_refusals.ABOVE_MAXIMUM,
                ("instances", 2**31, 2**31, 2**31 - 1),
            ),
            ({"instances": "x"}, server_refusals.NO_QUOTA, ("instances", "x", "x")),
            ({"instances": None}, of_type, ("instances", None, None, "'integer', 'string'")),
            ({"more": 5}, more, ("quota_set", {"more": 5}, "'more' was unexpected")),
            ({"force": "x"}, server_refusals.BAD_CHOICE, ("force", "x", "x", ...)),
            ({"instances": 0}, server_refusals.BELOW_USE, (0, "instances", ...)),
        ):
            self.refused(await self.put({"quota_set": body}), refusal, *values)
        self.refused(await self.put({}), missing, "quota_set")
        got = await self.put({"quota_set": {}, "more": 1})
        self.refused(got, refusals.UNKNOWN_FLAVOR_PARAMETER, "'more' was unexpected")
        for version, name in (("2.36", "floating_ips"), ("2.57", "injected_files")):
            got = await self.put({"quota_set": {name: 5}}, version)
            unexpected = f"'{name}' was unexpected"
            self.refused(got, more, "quota_set", {name: 5}, unexpected, version=version)
        self.assertEqual(await self.shown(), before)
        got = await self.put({"quota_set": {"instances": 0, "force": True}})
        self.assertEqual(got.body["quota_set"]["instances"], 0)
        got = await self.put({"quota_set": {}}, path="/os-quota-sets/nosuch")
        self.refused(got, server_refusals.NO_VALID_PROJECT, "nosuch")
        got = await self.nova_as("admin", "GET", "/os-quota-sets/nosuch")
        self.refused(got, server_refusals.NO_VALID_PROJECT, "nosuch")

    @compares(_PUT, _DELETE, "FORBIDDEN_BY_COMPUTE")
    async def test_forbidden(self) -> None:
        """Only an administrator changes quotas, those of the own project, too."""
        body = {"quota_set": {"instances": 1}}
        for method, sent, action in (("PUT", body, "update"), ("DELETE", None, "delete")):
            got = await self.nova(method, self.path, sent)
            self.refused(got, refusals.FORBIDDEN_BY_COMPUTE, _POLICY + action)
