"""Block Storage: changes of a volume's texts, and the service's descriptions of itself."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from txstorage.embedded.wire import refusals

from .case import MISSING, WireTests
from .exchanges import Answer
from .record import compares
from .shapes import INSTANT, NULL, Is
from .volumes import CREATED, SHOW, VOLUMES, volume_shape

UPDATE = "volume PUT " + VOLUMES + "/<volume_id>"
TYPE = "volume GET /v3/<project_id>/types/<type_id>"
EXTENSIONS = "volume GET /v3/<project_id>/extensions"
SERVICES = "volume GET /v3/<project_id>/os-services"
FILTERS = "volume GET /v3/<project_id>/resource_filters"


def process_shape(binary: str, version: str) -> dict[str, Any]:
    """Return a process's members in a microversion."""
    shape = {
        **{name: str for name in ("binary", "host", "zone")},
        "status": Is("enabled"),
        "state": Is("up"),
        "updated_at": (INSTANT, NULL),
        "disabled_reason": NULL,
    }
    number = tuple(map(int, version.split(".")))
    if number >= (3, 7):
        shape["cluster"] = NULL
    if binary == "cinder-volume":
        shape.update(replication_status=str, active_backend_id=NULL, frozen=Is(False))
        if number >= (3, 49):
            shape["backend_state"] = Is("up")
    return shape


class UpdateTests(WireTests):
    """Changes of a volume's name, description and labels."""

    async def put(self, volume_id: str, version: str = "", **volume: Any) -> Answer:
        """Change a volume."""
        path = "/volumes/" + volume_id
        return await self.cinder("PUT", path, {"volume": volume}, version=version)

    @compares(UPDATE, SHOW)
    async def test_texts(self) -> None:
        """The name and the description change, each alone or both, without the space around."""
        volume_id = await self.volume(name="n", description="d")
        for change, expected in (
            ({"name": " m "}, ("m", "d")),
            ({"display_description": "e"}, ("m", "e")),
            ({"description": None, "display_name": "x", "name": "o"}, ("o", None)),
        ):
            got = await self.put(volume_id, **change)
            self.answered(got, 200, {"volume": volume_shape("3.0", CREATED)})
            for found in (got.body["volume"], await self.seen(volume_id)):
                self.assertEqual((found["name"], found["description"]), expected)
        got = await self.put(volume_id, "3.71", name="p")
        self.answered(got, 200, {"volume": volume_shape("3.71", CREATED)}, "3.71")

    @compares(UPDATE)
    async def test_labels(self) -> None:
        """The labels of an update replace all others; without any, they stay."""
        volume_id = await self.volume(metadata={"a": "b", "c": "d"})
        await self.put(volume_id, name="n")
        self.assertEqual((await self.seen(volume_id))["metadata"], {"a": "b", "c": "d"})
        got = await self.put(volume_id, metadata={"e": "f"})
        for found in (got.body["volume"], await self.seen(volume_id)):
            self.assertEqual(found["metadata"], {"e": "f"})

    @compares(UPDATE, "NO_VOLUME", "NO_SCHEMA[volume]", "TOO_LONG", "ADDITIONAL_FIELD[volume]")
    async def test_refused(self) -> None:
        """
        An unknown volume, a member that can't change, and a long text are refused; from 3.53 on, a
        request without a change is, too.
        """
        volume_id = await self.volume()
        self.refused(await self.put(MISSING, name="n"), refusals.NO_VOLUME, MISSING)
        got = await self.put(volume_id, size=2)
        wanted = refusals.ADDITIONAL_FIELD.by_service["volume"]
        self.refused(got, wanted, "volume", {"size": 2}, "'size' was unexpected")
        for name in ("name", "description"):
            got = await self.put(volume_id, **{name: "x" * 256})
            self.refused(got, refusals.TOO_LONG, name, 256)
        self.assertEqual((await self.put(volume_id, "3.52")).status, 200)
        got = await self.put(volume_id, "3.53")
        self.refused(got, refusals.NO_SCHEMA.by_service["volume"], "volume", {}, {}, version="3.53")

    @compares(UPDATE, "NO_UPDATE_NOW")
    async def test_maintenance(self) -> None:
        """A volume in maintenance does not change."""
        volume_id = await self.volume()
        await self.reset(volume_id, "maintenance")
        self.refused(await self.put(volume_id, name="n"), refusals.NO_UPDATE_NOW)
        await self.reset(volume_id, "available")


class FeatureTests(WireTests):
    """The service's descriptions of itself."""

    @compares(TYPE, "NO_VOLUME_TYPE")
    async def test_type(self) -> None:
        """
        A type by itself is as in the list; the default one has another path, too, which omits a
        member.
        """
        every = (await self.cinder("GET", "/types")).body["volume_types"]
        for each in every:
            got = await self.cinder("GET", "/types/" + each["id"])
            self.assertEqual(self.answered(got, 200, {"volume_type": dict}), {"volume_type": each})
        got = await self.cinder("GET", "/types/default")
        [default] = [each for each in every if each["name"] == "__DEFAULT__"]
        del default["os-volume-type-access:is_public"]
        self.assertEqual(self.answered(got, 200, {"volume_type": dict}), {"volume_type": default})
        for missing in (str(uuid4()), "nosuch"):
            got = await self.cinder("GET", "/types/" + missing)
            self.refused(got, refusals.NO_VOLUME_TYPE, missing)

    @compares(EXTENSIONS)
    async def test_extensions(self) -> None:
        """Each extension has a name, an alias and a description."""
        texts = {name: str for name in ("name", "alias", "description", "updated")}
        shape = {**texts, "links": Is([])}
        got = await self.cinder("GET", "/extensions")
        listed = self.answered(got, 200, {"extensions": [shape, ...]})["extensions"]
        names = {each["alias"]: each["name"] for each in listed}
        self.assertEqual(names["os-availability-zone"], "AvailabilityZones")
        self.assertEqual(names["os-volume-actions"], "VolumeActions")

    @compares(FILTERS, "NO_RESOURCE")
    async def test_filters(self) -> None:
        """From 3.33 on, the filters of all lists, or of one, are shown; of an unknown one, none."""
        shape = {"resource": str, "filters": [str, ...]}
        got = await self.cinder("GET", "/resource_filters", version="3.33")
        listed = self.answered(got, 200, {"resource_filters": [shape, ...]}, "3.33")
        found = {each["resource"]: each["filters"] for each in listed["resource_filters"]}
        self.assertLessEqual({"name", "status", "metadata"}, set(found["volume"]))
        self.assertLessEqual({"volume_id", "metadata"}, set(found["snapshot"]))
        self.assertEqual(set(found["pool"]), {"name", "volume_type"})
        self.assertEqual(set(found["volume_type"]), {"extra_specs", "is_public"})
        for resource, number in {"volume": 1, "nosuch": 0}.items():
            path = "/resource_filters?resource=" + resource
            got = await self.cinder("GET", path, version="3.71")
            self.assertEqual(len(got.body["resource_filters"]), number)
        got = await self.cinder("GET", "/resource_filters", version="3.32")
        self.refused(got, refusals.NO_RESOURCE, version="3.32")

    @compares(SERVICES, "FORBIDDEN")
    async def test_services(self) -> None:
        """An administrator sees the processes, with the members of the microversion."""
        got = await self.cinder("GET", "/os-services")
        self.refused(got, refusals.FORBIDDEN, "volume_extension:services:index")
        admin = await self.admin()
        path = f"/v3/{admin.project}/os-services"
        for version in ("3.0", "3.6", "3.7", "3.48", "3.49", "3.71"):
            got = await admin.ask("volume", "GET", path, version=version)
            for each in self.answered(got, 200, {"services": [dict, ...]}, version)["services"]:
                self.same_shape(each, process_shape(each["binary"], version))
        for query, binaries in {
            "?binary=cinder-volume": {"cinder-volume"},
            "?host=nosuch": set(),
        }.items():
            got = await admin.ask("volume", "GET", path + query)
            self.assertEqual({each["binary"] for each in got.body["services"]}, binaries)
