"""Block Storage: the default volume types of projects, which administrators choose."""

from __future__ import annotations

from typing import Any

from txstorage.embedded.wire import account_refusals, refusals, volume_refusals

from .case import MISSING, WireTests
from .exchanges import JSON, Answer
from .record import compares
from .shapes import Is

_LIST = "volume GET /v3/<project_id>/default-types"
_SHOW, _PUT, _DELETE = (
    f"volume {method} /v3/<project_id>/default-types/<of_project>"
    for method in ("GET", "PUT", "DELETE")
)
_TYPE = "volume GET /v3/<project_id>/types/<type_id>"
_V = "3.62"


class DefaultTypeTests(WireTests):
    """The default volume type of another project than the tests' own."""

    async def setUp(self) -> None:
        await super().setUp()
        self.project = (await self.session_of("other")).project
        self.path = "/default-types/" + self.project
        self.types: list[str] = []
        self.volumes: list[str] = []

    async def _clean_up(self) -> None:
        for volume_id in self.volumes:
            await self.other_until(volume_id, "available")
            await self.cinder_as("other", "DELETE", "/volumes/" + volume_id)
            await self.other_until(volume_id, "404")
        await self.change("DELETE")
        for type_id in self.types:
            await self.cinder_as("admin", "DELETE", "/types/" + type_id)
        await super()._clean_up()

    async def other_until(self, volume_id: str, wanted: str) -> None:
        """Wait for a status of the other project's volume."""
        status = ""
        while status != wanted:
            await self.target.pause()
            got = await self.cinder_as("other", "GET", "/volumes/" + volume_id)
            status = "404" if got.status == 404 else got.body["volume"]["status"]

    async def change(self, method: str, body: Any = None, who: str = "admin") -> Answer:
        """Ask for the project's default type."""
        return await self.cinder_as(who, method, self.path, body, version=_V)

    async def choose(self, volume_type: object) -> Answer:
        """Choose a default type."""
        return await self.change("PUT", {"default_type": {"volume_type": volume_type}})

    async def make_type(self, name: str, public: bool = True) -> str:
        """Make a volume type, which is removed after the test."""
        wanted = {"name": name, "os-volume-type-access:is_public": public}
        got = await self.cinder_as("admin", "POST", "/types", {"volume_type": wanted})
        type_id: str = got.body["volume_type"]["id"]
        self.types.append(type_id)
        return type_id

    @compares(
        *(_LIST, _SHOW, _PUT, _DELETE, _TYPE, "volume POST /v3/<project_id>/volumes"),
        *("NO_DEFAULT_TYPE", "NO_RESOURCE"),
    )
    async def test_choice(self) -> None:
        """New volumes of the project have the type, until it is no longer the default."""
        type_id = await self.make_type("wire-default")
        former = (await self.cinder_as("other", "GET", "/types/default")).body["volume_type"]
        got = await self.change("GET")
        self.refused(got, volume_refusals.NO_DEFAULT_TYPE, self.project, version=_V)
        for named in ("wire-default", type_id):
            shape = {"project_id": Is(self.project), "volume_type_id": Is(type_id)}
            got = await self.choose(named)
            self.answered(got, 200, {"default_type": shape}, _V)
        self.answered(await self.change("GET"), 200, {"default_type": shape}, _V)
        got = await self.cinder_as("admin", "GET", "/default-types", version=_V)
        self.answered(got, 200, {"default_types": [shape]}, _V)
        got = await self.cinder_as("other", "GET", "/types/default")
        self.assertEqual(got.body["volume_type"]["id"], type_id)
        got = await self.cinder("GET", "/types/default")
        self.assertEqual(got.body["volume_type"]["id"], former["id"])
        got = await self.cinder_as("other", "POST", "/volumes", {"volume": {"size": 1}})
        self.assertEqual(got.body["volume"]["volume_type"], "wire-default")
        self.volumes.append(got.body["volume"]["id"])
        for _ in range(2):
            self.empty(await self.change("DELETE"), 204, version=_V, type=JSON)
        got = await self.cinder_as("other", "GET", "/types/default")
        self.assertEqual(got.body["volume_type"], former)
        for path in ("/default-types", self.path):
            got = await self.cinder_as("admin", "GET", path, version="3.61")
            self.refused(got, refusals.NO_RESOURCE, version="3.61")

    @compares(
        *(_PUT, _TYPE, "volume POST /v3/<project_id>/volumes", "NO_VOLUME_TYPE"),
        *("volume DELETE /v3/<project_id>/types/<type_id>", "DEFAULT_TYPE_STAYS"),
    )
    async def test_private(self) -> None:
        """A type that the project may not use makes no volumes; a default type stays."""
        type_id = await self.make_type("wire-private", public=False)
        self.assertEqual((await self.choose(type_id)).status, 200)
        got = await self.cinder_as("other", "GET", "/types/default")
        self.refused(got, refusals.NO_VOLUME_TYPE, type_id)
        got = await self.cinder_as("other", "POST", "/volumes", {"volume": {"size": 1}})
        self.refused(got, refusals.NO_VOLUME_TYPE, type_id)
        got = await self.cinder_as("admin", "DELETE", "/types/" + type_id)
        self.refused(got, account_refusals.DEFAULT_TYPE_STAYS, type_id)

    @compares(
        *(_PUT, _SHOW, _DELETE, "NO_TYPE_OF_NAME", "NO_TYPE_TO_CHOOSE", "NO_PROJECT_THERE"),
        *("TYPE_NAME_IS_BLANK", "IS_EMPTY", "NOT_OF_TYPE[volume]", "MISSING_FIELD[volume]"),
        *("ADDITIONAL_FIELD[volume]", "LABEL_TOO_LONG", "VOLUME_FAULT"),
    )
    async def test_malformed(self) -> None:
        """The project and the type must exist."""
        long = "x" * 256
        of_type = refusals.NOT_OF_TYPE.by_service["volume"]
        for name, refusal, values in (
            ("nosuch", volume_refusals.NO_TYPE_OF_NAME, ("nosuch",)),
            (MISSING, volume_refusals.NO_TYPE_TO_CHOOSE, (MISSING,)),
            ("  ", account_refusals.TYPE_NAME_IS_BLANK, ()),
            ("", refusals.IS_EMPTY, ("volume_type", "", "")),
            (3, of_type, ("volume_type", 3, 3, "'string'")),
            (long, refusals.LABEL_TOO_LONG, ("volume_type", long, long)),
        ):
            self.refused(await self.choose(name), refusal, *values, version=_V)
        missing = refusals.MISSING_FIELD.by_service["volume"]
        more = refusals.ADDITIONAL_FIELD.by_service["volume"]
        for body, refusal, values in (
            ({"default_type": {}}, missing, ("default_type", {}, "volume_type")),
            ({"default_type": 3}, of_type, ("default_type", 3, 3, "'object'")),
            (
                {"default_type": {"volume_type": "t", "more": 1}},
                more,
                ("default_type", {"volume_type": "t", "more": 1}, "'more' was unexpected"),
            ),
            ({}, refusals.VOLUME_FAULT, ()),
        ):
            self.refused(await self.change("PUT", body), refusal, *values, version=_V)
        body = {"default_type": {"volume_type": "nosuch"}}
        for method, sent in (("GET", None), ("PUT", body)):
            got = await self.cinder_as("admin", method, "/default-types/no", sent, version=_V)
            self.refused(got, volume_refusals.NO_PROJECT_THERE, "no", version=_V)
        got = await self.cinder_as("admin", "DELETE", "/default-types/no", version=_V)
        self.empty(got, 204, version=_V, type=JSON)

    @compares(_LIST, _SHOW, _PUT, _DELETE, "NOT_AUTHORIZED_HERE")
    async def test_forbidden(self) -> None:
        """
        Only an administrator sees and chooses default types.  Other users' requests for another
        project than theirs make Cinder fail.
        """
        got = await self.cinder_as("other", "GET", "/default-types", version=_V)
        self.refused(got, volume_refusals.NOT_AUTHORIZED_HERE, version=_V)
        body = {"default_type": {"volume_type": "nosuch"}}
        for method, sent in (("GET", None), ("PUT", body), ("DELETE", None)):
            got = await self.change(method, sent, "other")
            self.refused(got, volume_refusals.NOT_AUTHORIZED_HERE, version=_V)
