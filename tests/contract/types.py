"""Volume types and their extra specs."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from txstorage.embedded.wire import account_refusals, refusals

from .case import WireTests
from .exchanges import EMPTY, JSON, Answer
from .record import compares
from .shapes import NULL, UUID, Having, Is

_TYPES = "volume {} /v3/<project_id>/types"
_TYPE = _TYPES + "/<type_id>"
_SPECS = _TYPE + "/extra_specs"
_QUOTA = "volume {} /v3/<project_id>/os-quota-sets/<quota_project>"
TYPE = {
    "id": UUID,
    "name": str,
    "is_public": bool,
    "description": (NULL, str),
    "extra_specs": Having(),
}
PUBLIC = "os-volume-type-access:is_public"


class TypeTests(WireTests):
    """Volume types and their extra specs."""

    async def _clean_up(self) -> None:
        await super()._clean_up()
        for type_id in getattr(self, "types", []):
            await self.cinder_as("admin", "DELETE", "/types/" + type_id)

    async def new(self, **wanted: Any) -> dict[str, Any]:
        """Make a type, which is removed after the test."""
        body = {"volume_type": dict({"name": f"wire-{uuid4()}"}, **wanted)}
        got = await self.cinder_as("admin", "POST", "/types", body)
        made: dict[str, Any] = self.answered(got, 200, {"volume_type": {**TYPE, PUBLIC: bool}})[
            "volume_type"
        ]
        self.types: list[str] = [*getattr(self, "types", []), made["id"]]
        return made

    @compares(
        *(_QUOTA.format("GET"), _QUOTA.format("GET") + "/defaults", _QUOTA.format("PUT")),
        *("volume POST /v3/<project_id>/volumes", "volume POST /v3/<project_id>/snapshots"),
        *("volume POST /v3/<project_id>/volumes/<volume_id>/action", _TYPE.format("PUT")),
        *("OVER_GIGABYTES", "OVER_VOLUMES", "OVER_SNAPSHOTS", "QUOTA_BELOW_USE", "UNKNOWN_QUOTA"),
        "QUOTA_TOO_SMALL",
    )
    async def test_quotas(self) -> None:
        """A type has quotas of its own, in each project, which follow its name."""
        made = await self.new()
        kind, path = made["name"], "/os-quota-sets/" + self.session.project
        volumes, gigabytes, snapshots = (
            f"{name}_{kind}" for name in ("volumes", "gigabytes", "snapshots")
        )

        async def put(**quota: int) -> Answer:
            return await self.cinder_as("admin", "PUT", path, {"quota_set": quota})

        async def create(size: int) -> Answer:
            body = {"volume": {"size": size, "volume_type": kind}}
            return await self.cinder("POST", "/volumes", body)

        async def shown(suffix: str = "") -> dict[str, Any]:
            found = (await self.cinder("GET", path + suffix)).body["quota_set"]
            return {name: value for name, value in found.items() if name.endswith(kind)}

        none = dict.fromkeys((volumes, gigabytes, snapshots), -1)
        self.assertEqual((await shown(), await shown("/defaults")), (none, none))
        got = await put(**{volumes: 1, gigabytes: 3, snapshots: 0})
        shape = Having(**{volumes: Is(1), gigabytes: Is(3), snapshots: Is(0)})
        self.answered(got, 200, {"quota_set": shape})
        self.assertEqual(await shown(), {volumes: 1, gigabytes: 3, snapshots: 0})
        got = await create(4)
        self.refused(got, refusals.OVER_GIGABYTES, gigabytes, 4, 3, 0)
        volume_id = await self.volume(volume_type=kind)
        got = await create(1)
        self.refused(got, refusals.OVER_VOLUMES, 1, volumes)
        got = await self.cinder("POST", "/snapshots", {"snapshot": {"volume_id": volume_id}})
        self.refused(got, refusals.OVER_SNAPSHOTS, 0)
        action = f"/volumes/{volume_id}/action"
        got = await self.cinder("POST", action, {"os-extend": {"new_size": 4}})
        # Cinder names the quota of all types here, whichever is exceeded.
        self.refused(got, refusals.OVER_GIGABYTES, "gigabytes", 3, ..., ...)
        used = (await shown("?usage=true"))[gigabytes]
        self.assertEqual(used, {"limit": 3, "in_use": 1, "reserved": 0})
        for quota, refusal, values in (
            ({gigabytes: 0}, account_refusals.QUOTA_BELOW_USE, (gigabytes, 1, 0)),
            ({gigabytes: -2}, account_refusals.QUOTA_TOO_SMALL, (gigabytes,)),
            ({gigabytes + "s": 1}, account_refusals.UNKNOWN_QUOTA, (gigabytes + "s",)),
        ):
            self.refused(await put(**quota), refusal, *values)
        kind += "-renamed"
        body = {"volume_type": {"name": kind}}
        got = await self.cinder_as("admin", "PUT", "/types/" + made["id"], body)
        self.assertEqual(got.status, 200)
        wanted = {volumes: 1, gigabytes: 3, snapshots: 0}
        self.assertEqual(
            await shown(), {name + "-renamed": limit for name, limit in wanted.items()}
        )

    @compares(*(_TYPES.format("POST"), _TYPE.format("GET"), _TYPES.format("GET"), "NO_VOLUME_TYPE"))
    async def test_new(self) -> None:
        """A type of an administrator is everybody's; only administrators see its extra specs."""
        made = await self.new(description="d", extra_specs={"a": "b"})
        path = "/types/" + made["id"]
        got = await self.cinder_as("admin", "GET", path)
        shape = {**TYPE, PUBLIC: bool, "qos_specs_id": NULL}
        seen = self.answered(got, 200, {"volume_type": shape})["volume_type"]
        self.assertEqual(seen["extra_specs"], {"a": "b"})
        got = await self.cinder("GET", path)
        seen = self.answered(got, 200, {"volume_type": {**TYPE, PUBLIC: bool}})["volume_type"]
        self.assertEqual(seen, {**made, "extra_specs": {}})
        got = await self.cinder_as("reader", "GET", path)
        self.answered(got, 200, {"volume_type": TYPE})
        listed = (await self.cinder("GET", "/types")).body["volume_types"]
        # The newest first.
        self.assertEqual(listed[0], seen)
        self.refused(await self.cinder("GET", "/types/nope"), refusals.NO_VOLUME_TYPE, "nope")

    @compares(_TYPE.format("GET"))
    async def test_default(self) -> None:
        """The default type has a path of its own."""
        got = await self.cinder("GET", "/types/default")
        found = self.answered(got, 200, {"volume_type": TYPE})["volume_type"]
        self.assertEqual(found["name"], "__DEFAULT__")

    @compares(
        *(_TYPES.format("POST"), "FORBIDDEN", "TYPE_EXISTS", "TYPE_NAME_IS_BLANK", "IS_EMPTY"),
        *("MISSING_FIELD[volume]", "MISSING_MEMBER[volume]", "ADDITIONAL_FIELD[volume]"),
        "LABEL_TOO_LONG",
    )
    async def test_malformed(self) -> None:
        """A type needs a name that no other has, and an administrator."""
        made = await self.new()
        wanted = {"volume_type": {"name": "t"}}
        got = await self.cinder("POST", "/types", wanted)
        self.refused(got, refusals.FORBIDDEN, "volume_extension:type_create")
        long = "x" * 256
        kind = refusals.MISSING_FIELD.by_service["volume"]
        more = refusals.ADDITIONAL_FIELD.by_service["volume"]
        extra = {"name": "t", "more": 1}
        for body, refusal, values in (
            ({"name": made["name"]}, account_refusals.TYPE_EXISTS, (made["name"],)),
            ({"name": "  "}, account_refusals.TYPE_NAME_IS_BLANK, ()),
            ({"name": ""}, refusals.IS_EMPTY, ("name", "", "")),
            ({"name": long}, refusals.LABEL_TOO_LONG, ("name", long, long)),
            ({}, kind, ("volume_type", {}, "name")),
            (extra, more, ("volume_type", extra, "'more' was unexpected")),
        ):
            got = await self.cinder_as("admin", "POST", "/types", {"volume_type": body})
            self.refused(got, refusal, *values)
        got = await self.cinder_as("admin", "POST", "/types", {})
        self.refused(got, refusals.MISSING_MEMBER.by_service["volume"], "volume_type")

    @compares(
        *(_TYPE.format("PUT"), "FORBIDDEN", "TYPE_EXISTS", "NO_TYPE_CHANGE", "NO_VOLUME_TYPE"),
        "NEW_TYPE_NAME_IS_BLANK",
    )
    async def test_change(self) -> None:
        """An administrator changes a type's name, description and publicity."""
        made = await self.new()
        path, name = "/types/" + made["id"], f"wire-{uuid4()}"
        got = await self.cinder_as("admin", "PUT", path, {"volume_type": {"name": name}})
        changed = self.answered(got, 200, {"volume_type": TYPE})["volume_type"]
        self.assertEqual((changed["name"], changed["id"]), (name, made["id"]))
        for body, refusal, values in (
            ({}, account_refusals.NO_TYPE_CHANGE, ()),
            ({"name": "  "}, account_refusals.NEW_TYPE_NAME_IS_BLANK, ()),
            ({"name": "__DEFAULT__"}, account_refusals.TYPE_EXISTS, ("__DEFAULT__",)),
        ):
            got = await self.cinder_as("admin", "PUT", path, {"volume_type": body})
            self.refused(got, refusal, *values)
        wanted = {"volume_type": {"description": "e"}}
        got = await self.cinder_as("admin", "PUT", "/types/nope", wanted)
        self.refused(got, refusals.NO_VOLUME_TYPE, "nope")
        got = await self.cinder("PUT", path, wanted)
        self.refused(got, refusals.FORBIDDEN, "volume_extension:type_update")

    @compares(*(_TYPE.format("GET"), _TYPES.format("GET"), "NO_VOLUME_TYPE"))
    async def test_private(self) -> None:
        """A private type exists for administrators only, who list it on request."""
        made = await self.new(**{PUBLIC: False})
        got = await self.cinder("GET", "/types/" + made["id"])
        self.refused(got, refusals.NO_VOLUME_TYPE, made["id"])
        wanted = {"volume": {"size": 1, "volume_type": made["id"]}}
        got = await self.cinder("POST", "/volumes", wanted)
        self.refused(got, refusals.NO_VOLUME_TYPE, made["id"])
        self.assertEqual((await self.cinder_as("admin", "GET", "/types/" + made["id"])).status, 200)
        for who, query, shown in (
            ("other", "", False),
            ("other", "?is_public=None", False),
            ("admin", "", False),
            ("admin", "?is_public=None", True),
            ("admin", "?is_public=False", True),
            ("admin", "?is_public=True", False),
        ):
            got = await self.cinder_as(who, "GET", "/types" + query)
            ids = [each["id"] for each in got.body["volume_types"]]
            self.assertEqual(made["id"] in ids, shown, (who, query))

    @compares(_TYPES.format("GET"), "UNKNOWN_FILTER", "BAD_PUBLICITY", "VOLUME_FAULT")
    async def test_filters(self) -> None:
        """
        Administrators filter by most members; other users, from 3.52 on, by the extra specs that
        they see; before that, theirs have no effect.
        """
        one = await self.new(extra_specs={"a": "b", "multiattach": "<is> True"}, description="d")
        two = await self.new(extra_specs={"a": "b", "c": "d"})
        hidden = await self.new(extra_specs={"a": "b"}, **{PUBLIC: False})
        names = {one["id"]: "1", two["id"]: "2", hidden["id"]: "3"}
        everyones, name, type_id = "12", one["name"], two["id"]
        for who, version, query, wanted in (
            ("admin", "3.0", {"extra_specs": "{'a': 'b'}"}, "12"),
            ("admin", "3.71", {"extra_specs": '{"a": "b", "c": "d"}'}, "2"),
            ("admin", "3.71", {"extra_specs": "{'a': 'b'}", "is_public": "None"}, "123"),
            ("admin", "3.71", {"extra_specs": "{'a': 1}"}, ""),
            ("admin", "3.0", {"name": name}, "1"),
            ("admin", "3.71", {"id": type_id}, "2"),
            ("admin", "3.71", {"description": "d", "name": name}, "1"),
            ("admin", "3.71", {"name": hidden["name"]}, ""),
            ("admin", "3.71", {"name": hidden["name"], "is_public": "0"}, "3"),
            ("admin", "3.71", {"qos_specs_id": "x"}, ""),
            ("admin", "3.71", {"nosuch": "x"}, ""),
            ("admin", "3.71", {"all_tenants": "1"}, ""),
            ("other", "3.51", {"extra_specs": "{'c': 'd'}", "name": "x"}, everyones),
            ("other", "3.51", {"extra_specs": "nonsense"}, everyones),
            ("other", "3.52", {"extra_specs": "{'a': 'b'}"}, ""),
            ("other", "3.52", {"extra_specs": "{'multiattach': '<is> True'}"}, "1"),
            ("other", "3.52", {"is_public": "nonsense", "all_tenants": "1"}, everyones),
        ):
            path = "/types?" + urlencode(query)
            got = await self.cinder_as(who, "GET", path, version=version)
            self.assertEqual(got.status, 200, got.content)
            found = [names.get(each["id"], "") for each in got.body["volume_types"]]
            self.assertEqual("".join(sorted(found)), wanted, (who, version, query))
        for who, query, refusal, values in (
            ("admin", "is_public=nonsense", account_refusals.BAD_PUBLICITY, ("nonsense",)),
            ("admin", "is_public=", account_refusals.BAD_PUBLICITY, ("",)),
            ("admin", "extra_specs=nonsense", refusals.VOLUME_FAULT, ()),
            ("admin", "extra_specs={}", refusals.VOLUME_FAULT, ()),
            ("other", "extra_specs=['a']", refusals.VOLUME_FAULT, ()),
            ("other", "name=x&id=y", refusals.UNKNOWN_FILTER, ("name,id",)),
        ):
            got = await self.cinder_as(who, "GET", "/types?" + query, version="3.71")
            self.refused(got, refusal, *values, version="3.71")

    @compares(
        _TYPE.format("GET") + "/os-volume-type-access",
        _TYPE.format("POST") + "/action",
        *(_TYPE.format("GET"), "PUBLIC_TYPE_ACCESS", "PUBLIC_TYPE", "TYPE_ACCESS_EXISTS"),
        *("NO_TYPE_ACCESS", "NO_VOLUME_ACTION", "FORBIDDEN", "MISSING_FIELD[volume]"),
        "NO_VOLUME_TYPE",
    )
    async def test_access(self) -> None:
        """An administrator lets projects use a private type; a public one is everybody's."""
        private, public = await self.new(**{PUBLIC: False}), await self.new()
        path, project = "/types/" + private["id"], self.session.project
        body = {"addProjectAccess": {"project": project}}
        got = await self.cinder("POST", path + "/action", body)
        policy = "volume_extension:volume_type_access:"
        self.refused(got, refusals.FORBIDDEN, policy + "addProjectAccess")
        got = await self.cinder("GET", path + "/os-volume-type-access")
        self.refused(got, refusals.FORBIDDEN, policy + "get_all_for_type")
        got = await self.cinder_as("admin", "POST", path + "/action", body)
        self.empty(got, 202)
        got = await self.cinder_as("admin", "POST", path + "/action", body)
        exists = account_refusals.TYPE_ACCESS_EXISTS
        self.refused(got, exists, private["id"], project)
        got = await self.cinder_as("admin", "GET", path + "/os-volume-type-access")
        own = {"volume_type_id": private["id"], "project_id": project}
        self.assertEqual((got.status, got.body), (200, {"volume_type_access": [own]}))
        self.assertEqual((await self.cinder("GET", path)).status, 200)
        self.assertEqual((await self.cinder_as("other", "GET", path)).status, 404)
        body = {"removeProjectAccess": {"project": project}}
        self.empty(await self.cinder_as("admin", "POST", path + "/action", body), 202)
        got = await self.cinder("GET", path)
        self.refused(got, refusals.NO_VOLUME_TYPE, private["id"])
        got = await self.cinder_as("admin", "POST", path + "/action", body)
        self.refused(got, account_refusals.NO_TYPE_ACCESS, private["id"], project)
        await self.refused_access(path, "/types/" + public["id"])

    async def refused_access(self, private: str, public: str) -> None:
        """Request what is wrong, or not for a public type."""
        body: dict[str, Any] = {"addProjectAccess": {"project": self.session.project}}
        got = await self.cinder_as("admin", "POST", public + "/action", body)
        self.refused(got, account_refusals.PUBLIC_TYPE)
        got = await self.cinder_as("admin", "GET", public + "/os-volume-type-access")
        self.refused(got, account_refusals.PUBLIC_TYPE_ACCESS)
        got = await self.cinder_as("admin", "POST", private + "/action", {"addProjectAccess": {}})
        wanted = refusals.MISSING_FIELD.by_service["volume"]
        self.refused(got, wanted, "addProjectAccess", {}, "project")
        got = await self.cinder_as("admin", "POST", private + "/action", {"more": {}})
        self.refused(got, refusals.NO_VOLUME_ACTION, "more")

    @compares(
        *(_SPECS.format("GET"), _SPECS.format("POST"), _SPECS.format("GET") + "/<key>"),
        *(_SPECS.format("PUT") + "/<key>", _SPECS.format("DELETE") + "/<key>"),
        *("NO_SPEC", "SPEC_KEY", "LABEL_MISMATCH", "TOO_MANY_MEMBERS", "FORBIDDEN"),
        *("NO_VOLUME_TYPE", "MISSING_MEMBER[volume]", "NOT_OF_TYPE[volume]"),
    )
    async def test_specs(self) -> None:
        """An administrator sets, changes and removes extra specs; others may not."""
        type_id = (await self.new(extra_specs={"a": "b"}))["id"]
        path = f"/types/{type_id}/extra_specs"
        await self.change_specs(path)
        for method, where, body, refusal, values in (
            ("GET", path + "/nope", None, account_refusals.NO_SPEC, (type_id, "nope")),
            ("DELETE", path + "/nope", None, account_refusals.NO_SPEC, (type_id, "nope")),
            ("PUT", path + "/a", {"z": "y"}, refusals.LABEL_MISMATCH, ()),
            (
                *("PUT", path + "/a", {"a": "b", "z": "y"}, account_refusals.TOO_MANY_MEMBERS),
                ({"a": "b", "z": "y"},),
            ),
            (
                *("POST", path, {"extra_specs": {"/": "v"}}, account_refusals.SPEC_KEY),
                ("extra_specs", {"/": "v"}, "'/' does not"),
            ),
            (
                *("POST", path, {"extra_specs": {"k": 1}}),
                refusals.NOT_OF_TYPE.by_service["volume"],
                ("k", 1, 1, "'string', 'null'"),
            ),
            (
                *("POST", path, {}, refusals.MISSING_MEMBER.by_service["volume"]),
                ("extra_specs",),
            ),
            ("GET", "/types/nope/extra_specs", None, refusals.NO_VOLUME_TYPE, ("nope",)),
        ):
            got = await self.cinder_as("admin", method, where, body)
            self.refused(got, refusal, *values)
        self.assertEqual((await self.cinder("GET", path)).body, {"extra_specs": {}})
        for method, where, body, policy in (
            ("POST", path, {"extra_specs": {"k": "v"}}, "create"),
            ("PUT", path + "/a", {"a": "c"}, "update"),
            ("DELETE", path + "/a", None, "delete"),
        ):
            got = await self.cinder(method, where, body)
            policy = "volume_extension:types_extra_specs:" + policy
            self.refused(got, refusals.FORBIDDEN, policy)

    async def change_specs(self, path: str) -> None:
        """Set, change and remove extra specs, one of which the type has."""
        got = await self.cinder_as("admin", "POST", path, {"extra_specs": {"k": "v"}})
        self.assertEqual((got.status, got.body), (200, {"extra_specs": {"k": "v"}}))
        got = await self.cinder_as("admin", "PUT", path + "/k", {"k": "w"})
        self.assertEqual((got.status, got.body), (200, {"k": "w"}))
        got = await self.cinder_as("admin", "GET", path)
        self.assertEqual((got.status, got.body), (200, {"extra_specs": {"a": "b", "k": "w"}}))
        got = await self.cinder_as("admin", "DELETE", path + "/k")
        self.empty(got, 202, type=JSON)
        got = await self.cinder_as("admin", "GET", path + "/a")
        self.assertEqual((got.status, got.body), (200, {"a": "b"}))

    @compares(
        *(_TYPE.format("DELETE"), "TYPE_IN_USE", "DEFAULT_TYPE_STAYS", "NO_VOLUME_TYPE"),
        *("FORBIDDEN", _TYPES.format("GET")),
    )
    async def test_delete(self) -> None:
        """A type without volumes can be deleted, but not the default one."""
        made = await self.new()
        path = "/types/" + made["id"]
        volume_id = await self.volume(volume_type=made["name"])
        got = await self.cinder_as("admin", "DELETE", path)
        self.refused(got, account_refusals.TYPE_IN_USE)
        await self.cinder("DELETE", "/volumes/" + volume_id)
        await self.until(volume_id, "404")
        got = await self.cinder("DELETE", path)
        self.refused(got, refusals.FORBIDDEN, "volume_extension:type_delete")
        self.empty(await self.cinder_as("admin", "DELETE", path), 202, type=EMPTY)
        for got in (
            await self.cinder_as("admin", "DELETE", path),
            await self.cinder_as("admin", "GET", path),
        ):
            self.refused(got, refusals.NO_VOLUME_TYPE, made["id"])
        (default,) = [
            each["id"]
            for each in (await self.cinder("GET", "/types")).body["volume_types"]
            if each["name"] == "__DEFAULT__"
        ]
        got = await self.cinder_as("admin", "DELETE", "/types/" + default)
        self.refused(got, account_refusals.DEFAULT_TYPE_STAYS, default)


__all__ = ["TypeTests"]
