"""QoS specs and encryption of volume types, which administrators keep."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from txstorage.embedded.wire import account_refusals, refusals, volume_refusals

from .case import MISSING, WireTests
from .exchanges import EMPTY
from .record import compares
from .shapes import INSTANT, NULL, UUID, Is

_ALL = "volume {} /v3/<project_id>/qos-specs"
_QOS = _ALL + "/<qos_id>"
_SPECS = {"id": UUID, "name": str, "consumer": str, "specs": dict}
_TYPE = "/v3/<project_id>/types/<type_id>/encryption"
_POLICY = "volume_extension:qos_specs_manage:"
#: Of an encryption.
_LUKS = {"provider": "luks", "control_location": "front-end"}


class KindTests(WireTests):
    """Volume types and QoS specs that are removed after the test."""

    async def _clean_up(self) -> None:
        await super()._clean_up()
        for path in reversed(getattr(self, "kept", [])):
            await self.cinder_as("admin", "DELETE", path)

    async def as_admin(self, method: str, path: str, body: Any = None) -> Any:
        """Call Block Storage as an administrator, and return the answer."""
        return await self.cinder_as("admin", method, path, body)

    async def new(self, path: str, member: str, **wanted: Any) -> str:
        """Make what has a name, and return its id."""
        body = {member: {"name": f"wire-{uuid4()}", **wanted}}
        got = await self.as_admin("POST", path, body)
        made: str = got.body[member]["id"]
        forced = "?force=True" if member == "qos_specs" else ""
        self.kept: list[str] = [*getattr(self, "kept", []), f"{path}/{made}{forced}"]
        return made

    async def qos(self, **wanted: Any) -> str:
        """Make QoS specs, and return their id."""
        return await self.new("/qos-specs", "qos_specs", **wanted)

    async def type(self, **wanted: Any) -> str:
        """Make a volume type, and return its id."""
        return await self.new("/types", "volume_type", **wanted)

    async def seen_qos(self, qos_id: str) -> Any:
        """Return QoS specs as they are shown."""
        got = await self.as_admin("GET", "/qos-specs/" + qos_id)
        shape = {"qos_specs": _SPECS, "links": list}
        return self.answered(got, 200, shape)["qos_specs"]


class QosTests(KindTests):
    """QoS specs."""

    @compares(_ALL.format("POST"), _QOS.format("GET"), _ALL.format("GET"), "NO_QOS", "FORBIDDEN")
    async def test_new(self) -> None:
        """QoS specs have the back end as their consumer, and no values that are null."""
        name = f"wire-{uuid4()}"
        wanted = {"name": f" {name} ", "a": "b", "c": None, "%": "x"}
        got = await self.as_admin("POST", "/qos-specs", {"qos_specs": wanted})
        made = self.answered(got, 200, {"qos_specs": _SPECS, "links": list})
        qos_id = made["qos_specs"]["id"]
        self.kept = ["/qos-specs/" + qos_id]
        own = {"id": qos_id, "name": name, "consumer": "back-end", "specs": {"a": "b", "%": "x"}}
        self.assertEqual(made["qos_specs"], own)
        admin = await self.admin()
        path = f"/v3/{admin.project}/qos-specs/{qos_id}"
        self.assertEqual(
            made["links"],
            [
                {"rel": "self", "href": admin.roots["volume"] + path},
                {"rel": "bookmark", "href": admin.roots["volume"] + path.replace("/v3", "", 1)},
            ],
        )
        self.assertEqual(await self.seen_qos(qos_id), own)
        listed = self.answered(await self.as_admin("GET", "/qos-specs"), 200, dict)["qos_specs"]
        self.assertIn(own, listed)
        for method, path, policy in (
            ("GET", "/qos-specs", "get_all"),
            ("GET", "/qos-specs/" + qos_id, "get"),
        ):
            self.refused(await self.cinder(method, path), refusals.FORBIDDEN, _POLICY + policy)
        got = await self.as_admin("GET", "/qos-specs/nope")
        self.refused(got, volume_refusals.NO_QOS, "nope")

    @compares(
        *(_ALL.format("POST"), "FORBIDDEN", "QOS_EXISTS", "QOS_WITHOUT_NAME", "QOS_NAME_TOO_LONG"),
        *("TYPE_NAME_IS_BLANK", "BAD_CONSUMER", "QOS_KEY_IS_EMPTY", "QOS_VALUE_IS_NO_TEXT"),
        *("TOO_LONG", "ADDITIONAL_MEMBER", "MISSING_MEMBER[volume]", "MISSING_FIELD[volume]"),
        "NOT_OF_TYPE[volume]",
    )
    async def test_malformed(self) -> None:
        """QoS specs need a name that no others have, texts, and an administrator."""
        seen = await self.seen_qos(await self.qos())
        wanted = {"qos_specs": {"name": "n"}}
        got = await self.cinder("POST", "/qos-specs", wanted)
        self.refused(got, refusals.FORBIDDEN, _POLICY + "create")
        long = "x" * 256
        fields = {kind: getattr(refusals, kind).by_service["volume"] for kind in _FIELDS}
        for specs, refusal, values in (
            ({"name": seen["name"]}, volume_refusals.QOS_EXISTS, (seen["name"],)),
            ({"name": ""}, volume_refusals.QOS_WITHOUT_NAME, ()),
            ({"name": "  "}, account_refusals.TYPE_NAME_IS_BLANK, ()),
            ({"name": long}, volume_refusals.QOS_NAME_TOO_LONG, ()),
            ({"name": 5}, fields["NOT_OF_TYPE"], ("name", 5, 5, "'string'")),
            ({}, fields["MISSING_FIELD"], ("qos_specs", {}, "name")),
            ({"name": "n", "consumer": "nobody"}, volume_refusals.BAD_CONSUMER, ()),
            ({"name": "n", "": "x"}, volume_refusals.QOS_KEY_IS_EMPTY, ()),
            ({"name": "n", "a": 1}, volume_refusals.QOS_VALUE_IS_NO_TEXT, ("a",)),
            ({"name": "n", "a": long}, refusals.TOO_LONG, ('Value for key "a"', 256)),
            ({"name": "n", long: "a"}, refusals.TOO_LONG, (f'Key "{long}"', 256)),
        ):
            got = await self.as_admin("POST", "/qos-specs", {"qos_specs": specs})
            self.refused(got, refusal, *values)
        got = await self.as_admin("POST", "/qos-specs", {})
        self.refused(got, fields["MISSING_MEMBER"], "qos_specs")
        got = await self.as_admin("POST", "/qos-specs", {**wanted, "more": 1})
        self.refused(got, refusals.ADDITIONAL_MEMBER, "'more' was unexpected")

    @compares(_ALL.format("GET"), "NO_QOS", "BAD_SORT_KEY", "LIMIT_IS_NO_NUMBER")
    async def test_list(self) -> None:
        """A list has pages, an order and few filters."""
        older, newer = await self.qos(), await self.qos()
        name = (await self.seen_qos(newer))["name"]
        for query, ids in (
            ("?limit=0", []),
            ("?id=" + older, [older]),
            ("?value=" + name, [newer]),
            ("?name=" + name, []),
            ("?consumer=back-end", []),
            ("?marker=" + newer, [older]),
        ):
            got = await self.as_admin("GET", "/qos-specs" + query)
            found = [each["id"] for each in self.answered(got, 200, dict)["qos_specs"]]
            self.assertEqual(found, ids, query)
        got = await self.as_admin("GET", "/qos-specs?limit=1")
        admin = await self.admin()
        url = f"{admin.roots['volume']}/v3/{admin.project}/qos-specs?limit=1&marker={newer}"
        self.assertEqual(got.body["qos_specs_links"], [{"rel": "next", "href": url}])
        got = await self.as_admin("GET", "/qos-specs?sort=name:asc")
        self.refused(got, refusals.BAD_SORT_KEY)
        got = await self.as_admin("GET", "/qos-specs?limit=nope")
        self.refused(got, refusals.LIMIT_IS_NO_NUMBER)
        got = await self.as_admin("GET", "/qos-specs?marker=nope")
        self.refused(got, volume_refusals.NO_QOS, "nope")

    @compares(
        *(_QOS.format("PUT"), _QOS.format("PUT") + "/delete_keys", "NO_QOS", "NO_QOS_KEY"),
        *("BAD_CONSUMER", "LABEL_KEY", "LABEL_TOO_LONG", "NOT_UNIQUE", "FORBIDDEN"),
        *("NOT_OF_TYPE[volume]", "MISSING_MEMBER[volume]", _QOS.format("GET")),
    )
    async def test_change(self) -> None:
        """An administrator sets and removes values; those before a missing one go nevertheless."""
        qos_id = await self.qos(a="b", k="v")
        path = "/qos-specs/" + qos_id
        wanted = {"consumer": "front-end", "k": None, "new": None, "z": "y"}
        got = await self.as_admin("PUT", path, {"qos_specs": wanted})
        self.assertEqual(self.answered(got, 200, dict), {"qos_specs": wanted})
        seen = await self.seen_qos(qos_id)
        self.assertEqual(seen["consumer"], "front-end")
        self.assertEqual(seen["specs"], {"a": "b", "k": None, "z": "y"})
        got = await self.as_admin("PUT", path + "/delete_keys", {"keys": ["a", "nope", "k"]})
        self.refused(got, volume_refusals.NO_QOS_KEY, qos_id, "nope")
        self.assertEqual((await self.seen_qos(qos_id))["specs"], {"k": None, "z": "y"})
        got = await self.as_admin("PUT", path + "/delete_keys", {"keys": ["k", "z"]})
        self.empty(got, 202, type=EMPTY)
        self.assertEqual((await self.seen_qos(qos_id))["specs"], {})
        await self.refused_changes(path)

    async def refused_changes(self, path: str) -> None:
        """Request changes that are wrong, or for administrators."""
        long = "x" * 256
        kind, missing = (getattr(refusals, name).by_service["volume"] for name in _FIELDS[:2])
        for body, refusal, values in (
            ({"consumer": "nobody"}, volume_refusals.BAD_CONSUMER, ()),
            ({"k": 1}, kind, ("k", 1, 1, "'string', 'null'")),
            ({"%": "v"}, refusals.LABEL_KEY, ("qos_specs", {"%": "v"}, "'%' does not")),
            ({"k": long}, refusals.LABEL_TOO_LONG, ("k", long, long)),
        ):
            got = await self.as_admin("PUT", path, {"qos_specs": body})
            self.refused(got, refusal, *values)
        self.refused(await self.as_admin("PUT", path, {}), missing, "qos_specs")
        twice = ["x", "x"]
        for keys, refusal, values in (
            ("x", kind, ("keys", "x", "x", "'array'")),
            (twice, volume_refusals.NOT_UNIQUE, ("keys", twice, twice)),
        ):
            got = await self.as_admin("PUT", path + "/delete_keys", {"keys": keys})
            self.refused(got, refusal, *values)
        for body, end, policy in (
            ({"qos_specs": {}}, "", "update"),
            ({"keys": []}, "/delete_keys", "delete"),
        ):
            got = await self.cinder("PUT", path + end, body)
            self.refused(got, refusals.FORBIDDEN, _POLICY + policy)
            got = await self.as_admin("PUT", "/qos-specs/nope" + end, body)
            self.refused(got, volume_refusals.NO_QOS, "nope")

    @compares(
        *(_QOS.format("GET") + end for end in ("/associate", "/disassociate", "/associations")),
        *(_QOS.format("GET") + "/disassociate_all", _QOS.format("DELETE"), "QOS_IN_USE"),
        *("OTHER_QOS", "NO_TYPE_GIVEN", "NO_QOS", "NO_VOLUME_TYPE", "NO_BOOLEAN", "FORBIDDEN"),
        "volume GET /v3/<project_id>/types/<type_id>",
    )
    async def test_types(self) -> None:
        """QoS specs of a volume type stay, unless they are deleted by force."""
        qos_id, other = await self.qos(), await self.qos()
        type_id, second = await self.type(), await self.type()
        path = "/qos-specs/" + qos_id
        for each in (type_id, second, second):
            got = await self.as_admin("GET", f"{path}/associate?vol_type_id={each}")
            self.empty(got, 202, type=EMPTY)
        self.assertEqual(await self.types_of(path), {type_id, second})
        self.assertEqual(await self.qos_of(type_id), qos_id)
        got = await self.as_admin("GET", f"/qos-specs/{other}/associate?vol_type_id={type_id}")
        self.refused(got, volume_refusals.OTHER_QOS, type_id, qos_id)
        self.refused(await self.as_admin("DELETE", path), volume_refusals.QOS_IN_USE)
        got = await self.as_admin("DELETE", path + "?force=nope")
        self.refused(got, refusals.NO_BOOLEAN, "nope", "force")
        # Of other QoS specs, this takes nothing away.
        got = await self.as_admin("GET", f"/qos-specs/{other}/disassociate?vol_type_id={type_id}")
        self.empty(got, 202, type=EMPTY)
        got = await self.as_admin("GET", f"{path}/disassociate?vol_type_id={second}")
        self.empty(got, 202, type=EMPTY)
        self.assertEqual(await self.types_of(path), {type_id})
        self.empty(await self.as_admin("GET", path + "/disassociate_all"), 202, type=EMPTY)
        self.assertEqual(await self.types_of(path), set())
        await self.as_admin("GET", f"{path}/associate?vol_type_id={type_id}")
        await self.refused_types(path, type_id)
        self.empty(await self.as_admin("DELETE", path + "?force=true"), 202, type=EMPTY)
        self.assertIsNone(await self.qos_of(type_id))
        self.refused(await self.as_admin("DELETE", path), volume_refusals.NO_QOS, qos_id)

    async def types_of(self, path: str) -> set[str]:
        """Return the ids of the volume types with QoS specs."""
        shape = {"association_type": Is("volume_type"), "name": str, "id": UUID}
        got = await self.as_admin("GET", path + "/associations")
        found = self.answered(got, 200, {"qos_associations": list})["qos_associations"]
        for each in found:
            self.same_shape(each, shape)
        return {each["id"] for each in found}

    async def qos_of(self, type_id: str) -> Any:
        """Return the id of a volume type's QoS specs."""
        got = await self.as_admin("GET", "/types/" + type_id)
        return got.body["volume_type"]["qos_specs_id"]

    async def refused_types(self, path: str, type_id: str) -> None:
        """Request what is wrong, or for administrators."""
        for end in ("/associate", "/disassociate"):
            got = await self.as_admin("GET", path + end)
            self.refused(got, volume_refusals.NO_TYPE_GIVEN)
            got = await self.as_admin("GET", f"{path}{end}?vol_type_id={MISSING}")
            self.refused(got, refusals.NO_VOLUME_TYPE, MISSING)
            got = await self.as_admin("GET", f"/qos-specs/nope{end}?vol_type_id={type_id}")
            self.refused(got, volume_refusals.NO_QOS, "nope")
        for method, end, policy in (
            ("GET", "/associate", "update"),
            ("GET", "/disassociate", "update"),
            ("GET", "/disassociate_all", "update"),
            ("GET", "/associations", "get_all"),
            ("DELETE", "", "delete"),
        ):
            got = await self.cinder(method, path + end)
            self.refused(got, refusals.FORBIDDEN, _POLICY + policy)
        for end in ("/disassociate_all", "/associations"):
            got = await self.as_admin("GET", "/qos-specs/nope" + end)
            self.refused(got, volume_refusals.NO_QOS, "nope")


_FIELDS = ("NOT_OF_TYPE", "MISSING_MEMBER", "MISSING_FIELD")


class EncryptionTests(KindTests):
    """The encryption of volume types."""

    @compares(
        *(f"volume {method} {_TYPE}" for method in ("GET", "POST")),
        *(f"volume {method} {_TYPE}/<key>" for method in ("GET", "PUT", "DELETE")),
        *("NO_ENCRYPTION", "ENCRYPTION_EXISTS"),
    )
    async def test_life(self) -> None:
        """An encryption is made, shown, changed and deleted, under whatever id."""
        type_id = await self.type()
        path = f"/types/{type_id}/encryption"
        self.answered(await self.as_admin("GET", path), 200, {})
        missing = (volume_refusals.NO_ENCRYPTION, type_id)
        self.refused(await self.as_admin("GET", path + "/cipher"), *missing)
        self.refused(await self.as_admin("PUT", path + "/x", {"encryption": {}}), *missing)
        self.refused(await self.as_admin("DELETE", path + "/x"), *missing)
        wanted = {**_LUKS, "key_size": "128", "cipher": "aes-xts-plain64", "more": "m"}
        got = await self.as_admin("POST", path, {"encryption": wanted})
        made = self.answered(got, 200, {"encryption": dict})["encryption"]
        encryption_id = made["encryption_id"]
        ids = {"volume_type_id": type_id, "encryption_id": encryption_id}
        self.assertEqual(made, {**wanted, "key_size": 128, **ids})
        got = await self.as_admin("POST", path, {"encryption": _LUKS})
        self.refused(got, volume_refusals.ENCRYPTION_EXISTS, type_id)
        self.refused(await self.as_admin("GET", path + "/" + encryption_id), *missing)
        got = await self.as_admin("GET", path + "/cipher")
        self.assertEqual(self.answered(got, 200, dict), {"cipher": "aes-xts-plain64"})
        got = await self.as_admin("PUT", path + "/x", {"encryption": {"key_size": "256"}})
        self.assertEqual(self.answered(got, 200, dict), {"encryption": {"key_size": 256}})
        shape = {
            **{name: Is(value) for name, value in {**_LUKS, "key_size": 256, **ids}.items()},
            "cipher": Is("aes-xts-plain64"),
            "deleted": Is(False),
            "deleted_at": NULL,
            "created_at": INSTANT,
            "updated_at": INSTANT,
        }
        self.answered(await self.as_admin("GET", path), 200, shape)
        self.empty(await self.as_admin("DELETE", path + "/x"), 202, type=EMPTY)
        self.answered(await self.as_admin("GET", path), 200, {})

    @compares(
        *(f"volume {method} {_TYPE}" for method in ("GET", "POST")),
        *(f"volume {method} {_TYPE}/<key>" for method in ("GET", "PUT", "DELETE")),
        *("NO_VOLUME_TYPE", "NO_ENCRYPTION", "FORBIDDEN", "KEY_SIZE_IS_NO_NUMBER", "TOO_SMALL"),
        *("TOO_GREAT", "NO_FORCE", "MISSING_FIELD[volume]", "MISSING_MEMBER[volume]"),
        *("NOT_OF_TYPE[volume]", "ADDITIONAL_MEMBER"),
    )
    async def test_refused(self) -> None:
        """An encryption has a provider, a place and a size of keys; it is administrators'."""
        path = f"/types/{await self.type()}/encryption"
        kind, member, field = (getattr(refusals, name).by_service["volume"] for name in _FIELDS)
        places = ["front-end", "back-end"]
        for wanted, refusal, values in (
            ({}, field, ("encryption", {}, "provider")),
            ({"provider": "p"}, field, ("encryption", {"provider": "p"}, "control_location")),
            ({**_LUKS, "provider": 5}, kind, ("provider", 5, 5, "'string'")),
            ({**_LUKS, "cipher": 5}, kind, ("cipher", 5, 5, "'string', 'null'")),
            (
                *({**_LUKS, "control_location": "x"}, refusals.NO_FORCE),
                ("control_location", "x", "x", places),
            ),
            ({**_LUKS, "key_size": "many"}, volume_refusals.KEY_SIZE_IS_NO_NUMBER, ()),
            ({**_LUKS, "key_size": -1}, refusals.TOO_SMALL, ("key_size", -1, -1, 0)),
            (
                *({**_LUKS, "key_size": 2**31}, refusals.TOO_GREAT),
                ("key_size", 2**31, 2**31, 2**31 - 1),
            ),
        ):
            got = await self.as_admin("POST", path, {"encryption": wanted})
            self.refused(got, refusal, *values)
        self.refused(await self.as_admin("POST", path, {}), member, "encryption")
        got = await self.as_admin("POST", path, {"encryption": _LUKS, "more": 1})
        self.refused(got, refusals.ADDITIONAL_MEMBER, "'more' was unexpected")
        elsewhere, body = f"/types/{MISSING}/encryption", {"encryption": _LUKS}
        for method, end, policy in (
            ("GET", "", "get"),
            ("GET", "/cipher", "get"),
            ("POST", "", "create"),
            ("PUT", "/x", "update"),
            ("DELETE", "/x", "delete"),
        ):
            sent = body if method in ("POST", "PUT") else None
            got = await self.cinder(method, path + end, sent)
            policy = "volume_extension:volume_type_encryption:" + policy
            self.refused(got, refusals.FORBIDDEN, policy)
            got = await self.as_admin(method, elsewhere + end, sent)
            unknown = refusals.NO_VOLUME_TYPE
            gone = volume_refusals.NO_ENCRYPTION
            self.refused(got, gone if method == "DELETE" else unknown, MISSING)

    @compares(
        *(f"volume POST {_TYPE}", f"volume PUT {_TYPE}/<key>", f"volume DELETE {_TYPE}/<key>"),
        *("ENCRYPTION_IN_USE", "volume POST /v3/<project_id>/volumes"),
    )
    async def test_in_use(self) -> None:
        """The encryption of a type with volumes stays as it is."""
        type_id = await self.type()
        path, body = f"/types/{type_id}/encryption", {"encryption": _LUKS}
        volume_id = await self.volume(volume_type=type_id)
        for method, end, sent, verb in (
            ("POST", "", body, "create"),
            ("PUT", "/x", body, "update"),
            ("DELETE", "/x", None, "delete"),
        ):
            got = await self.as_admin(method, path + end, sent)
            self.refused(got, volume_refusals.ENCRYPTION_IN_USE, verb)
        await self.cinder("DELETE", "/volumes/" + volume_id)
        await self.until(volume_id, "404")

    @compares(f"volume POST {_TYPE}", "NO_CIPHER", "volume POST /v3/<project_id>/volumes")
    async def test_without_cipher(self) -> None:
        """A volume of a type whose encryption has no cipher can't be made."""
        type_id = await self.type()
        await self.as_admin("POST", f"/types/{type_id}/encryption", {"encryption": _LUKS})
        wanted = {"volume": {"size": 1, "volume_type": type_id}}
        self.refused(await self.cinder("POST", "/volumes", wanted), volume_refusals.NO_CIPHER)


__all__ = ["EncryptionTests", "QosTests"]
