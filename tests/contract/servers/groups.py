"""Compute: groups of servers."""

from __future__ import annotations

from typing import Any

from txstorage.embedded.wire import refusals
from txstorage.embedded.wire.tables import server_refusals

from ..case import MISSING, WireTests
from ..exchanges import JSON, Answer
from ..record import compares
from ..shapes import HEX, UUID, Is

_LIST, _CREATE = (f"compute {method} /v2.1/os-server-groups" for method in ("GET", "POST"))
_SHOW, _DELETE = (
    f"compute {method} /v2.1/os-server-groups/<group_id>" for method in ("GET", "DELETE")
)
_PATH = "/os-server-groups"


def shape(version: str, policy: str = "affinity", **rules: int) -> dict[str, Any]:
    """A group's members in a microversion."""
    minor = int(version.partition(".")[2])
    found: dict[str, Any] = {"id": UUID, "name": Is("g"), "members": Is([])}
    if minor >= 64:
        found.update(policy=Is(policy), rules=Is(rules))
    else:
        found.update(policies=Is([policy]), metadata=Is({}))
    return {**found, "project_id": HEX, "user_id": HEX} if minor >= 13 else found


class ServerGroupTests(WireTests):
    """Groups of servers."""

    async def setUp(self) -> None:
        await super().setUp()
        self.groups: list[str] = []

    async def _clean_up(self) -> None:
        for group_id in self.groups:
            await self.nova("DELETE", f"{_PATH}/{group_id}")
        await super()._clean_up()

    async def make(self, version: str, **wanted: Any) -> Answer:
        """Make a group, which is removed after the test."""
        got = await self.nova("POST", _PATH, {"server_group": wanted}, version=version)
        if got.status == 200:
            self.groups.append(got.body["server_group"]["id"])
        return got

    @compares(_LIST, _CREATE, _SHOW, _DELETE, "NO_GROUP_OF_SERVERS")
    async def test_life(self) -> None:
        """A group is made, shown in each microversion, listed and deleted."""
        for version, wanted in (
            ("2.1", {"policies": ["affinity"]}),
            ("2.13", {"policies": ["affinity"]}),
            ("2.15", {"policies": ["soft-affinity"]}),
            ("2.64", {"policy": "affinity"}),
        ):
            got = await self.make(version, name="g", **wanted)
            policy = "affinity" if version != "2.15" else "soft-affinity"
            self.answered(got, 200, {"server_group": shape(version, policy)}, version)
        rules = {"max_server_per_host": "4"}
        got = await self.make("2.64", name="g", policy="anti-affinity", rules=rules)
        made = shape("2.64", "anti-affinity", max_server_per_host=4)
        self.answered(got, 200, {"server_group": made}, "2.64")
        for version in ("2.1", "2.12", "2.13", "2.63", "2.64", "2.104"):
            got = await self.nova("GET", f"{_PATH}/{self.groups[0]}", version=version)
            self.answered(got, 200, {"server_group": shape(version)}, version)
        for query, expected in (("?limit=2", [0, 1]), ("?offset=1&limit=1", [1])):
            got = await self.nova("GET", _PATH + query)
            ids = [each["id"] for each in got.body["server_groups"]]
            self.assertEqual(ids, [self.groups[each] for each in expected])
        path = f"{_PATH}/{self.groups[0]}"
        self.empty(await self.nova("DELETE", path), 204, type=JSON)
        for method in ("GET", "DELETE"):
            got = await self.nova(method, path)
            self.refused(got, server_refusals.NO_GROUP_OF_SERVERS, self.groups[0])

    @compares(_LIST, _CREATE, _SHOW, _DELETE, "NO_GROUP_OF_SERVERS", "FORBIDDEN_BY_COMPUTE")
    async def test_others(self) -> None:
        """Another project has none of a group; a reader only sees it; an administrator all."""
        await self.make("2.1", name="g", policies=["affinity"])
        path = f"{_PATH}/{self.groups[0]}"
        for method in ("GET", "DELETE"):
            got = await self.nova_as("other", method, path)
            self.refused(got, server_refusals.NO_GROUP_OF_SERVERS, self.groups[0])
        self.assertEqual((await self.nova_as("reader", "GET", path)).status, 200)
        self.assertEqual((await self.nova_as("admin", "GET", path)).status, 200)
        for who, query, seen in (
            ("reader", "", True),
            ("other", "?all_projects=1", False),
            ("admin", "", False),
            ("admin", "?all_projects=1", True),
        ):
            got = await self.nova_as(who, "GET", _PATH + query)
            ids = [each["id"] for each in got.body["server_groups"]]
            self.assertEqual(self.groups[0] in ids, seen, (who, query))
        body = {"server_group": {"name": "g", "policies": ["affinity"]}}
        for method, where, sent, action in (
            ("POST", _PATH, body, "create"),
            ("DELETE", path, None, "delete"),
        ):
            got = await self.nova_as("reader", method, where, sent)
            policy = "os_compute_api:os-server-groups:" + action
            self.refused(got, refusals.FORBIDDEN_BY_COMPUTE, policy)

    @compares(
        *(_LIST, _CREATE, _SHOW, "BAD_CHOICE", "RULES_OF_OTHERS", "BAD_GROUP_NAME"),
        *("MISSING_FIELD[compute]", "MISSING_MEMBER[compute]", "ADDITIONAL_FIELD[compute]"),
        *("TOO_FEW_SERVERS", "BAD_LENGTH", "EMPTY_FIELD", "NOT_OF_TYPE[compute]"),
        *("UNKNOWN_FLAVOR_PARAMETER", "QUERY_IS_NO_NUMBER", "NO_GROUP_OF_SERVERS"),
    )
    async def test_malformed(self) -> None:
        """A group has a name and one policy that the microversion knows."""
        missing = refusals.MISSING_FIELD.by_service["compute"]
        more = refusals.ADDITIONAL_FIELD.by_service["compute"]
        of_type = refusals.NOT_OF_TYPE.by_service["compute"]
        one, two, long = ["affinity"], ["affinity", "anti-affinity"], "x" * 256
        unknown = {"name": "g", "policies": one, "more": 1}
        rules = {"max_server_per_host": 3}
        for version, wanted, refusal, values in (
            (
                "2.14",
                {"name": "g", "policies": ["soft-affinity"]},
                server_refusals.BAD_CHOICE,
                (0, "soft-affinity", "soft-affinity", ...),
            ),
            (
                "2.64",
                {"name": "g", "policies": one},
                missing,
                ("server_group", {"name": "g", "policies": one}, "policy"),
            ),
            ("2.1", {"policies": one}, missing, ("server_group", {"policies": one}, "name")),
            (
                "2.64",
                {"name": "g", "policy": "affinity", "rules": rules},
                server_refusals.RULES_OF_OTHERS,
                (),
            ),
            (
                "2.64",
                {"name": "g", "policy": "no"},
                server_refusals.BAD_CHOICE,
                ("policy", "no", "no", ...),
            ),
            (
                "2.1",
                {"name": "g", "policies": []},
                server_refusals.EMPTY_FIELD,
                ("policies", [], []),
            ),
            (
                "2.1",
                {"name": "g", "policies": two},
                server_refusals.BAD_LENGTH,
                ("policies", two, two, "long"),
            ),
            ("2.1", {"name": "", "policies": one}, server_refusals.EMPTY_FIELD, ("name", "", "")),
            (
                "2.1",
                {"name": long, "policies": one},
                server_refusals.BAD_LENGTH,
                ("name", long, long, "long"),
            ),
            ("2.1", {"name": " g", "policies": one}, server_refusals.BAD_GROUP_NAME, ()),
            ("2.1", {"name": 3, "policies": one}, of_type, ("name", 3, 3, "'string'")),
            ("2.1", unknown, more, ("server_group", unknown, "'more' was unexpected")),
            (
                "2.64",
                {"name": "g", "policy": "anti-affinity", "rules": {"max_server_per_host": 0}},
                server_refusals.TOO_FEW_SERVERS,
                ("max_server_per_host", 0, 0),
            ),
        ):
            got = await self.make(version, **wanted)
            self.refused(got, refusal, *values, version=version)
        got = await self.nova("POST", _PATH, {})
        wanted_member = refusals.MISSING_MEMBER.by_service["compute"]
        self.refused(got, wanted_member, "server_group")
        got = await self.nova("GET", _PATH + "?more=1", version="2.75")
        unexpected = "'more' was unexpected"
        self.refused(got, refusals.UNKNOWN_FLAVOR_PARAMETER, unexpected, version="2.75")
        got = await self.nova("GET", _PATH + "?limit=x")
        self.refused(got, refusals.QUERY_IS_NO_NUMBER, "limit", "x", "x")
        got = await self.nova("GET", f"{_PATH}/{MISSING}")
        self.refused(got, server_refusals.NO_GROUP_OF_SERVERS, MISSING)
