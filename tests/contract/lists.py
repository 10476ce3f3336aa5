"""Block Storage: lists of volumes, and the labels that filter them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit
from uuid import uuid4

from txstorage.embedded.wire import refusals

from .case import MISSING, WireTests
from .exchanges import Answer
from .record import compares
from .shapes import Is
from .volumes import NEXT, SUMMARY, VOLUME, VOLUMES, volume_shape

SHORT = "volume GET " + VOLUMES
DETAIL = "volume GET " + VOLUMES + "/detail"
LABELS = VOLUMES + "/<volume_id>/metadata"
CHANGES = [
    f"volume {change}"
    for change in (
        f"POST {LABELS}",
        f"PUT {LABELS}",
        f"PUT {LABELS}/<key>",
        f"DELETE {LABELS}/<key>",
    )
]


def names(got: Answer) -> list[str]:
    """Return the names of the volumes in a list."""
    return [volume["name"] for volume in got.body["volumes"]]


class ListTests(WireTests):
    """Lists of volumes: filters and pages."""

    async def setUp(self) -> None:
        await super().setUp()
        self.cluster = str(uuid4())
        for name in ("p0", "p1", "p2"):
            await self.volume(name=name, metadata={"cluster": self.cluster, "dataset": name})
        self.labels = self.query({"cluster": self.cluster})

    def query(self, labels: Any, **more: Any) -> str:
        """A query by labels: a percent-encoded JSON object."""
        return urlencode(dict(more, metadata=json.dumps(labels)), quote_via=quote)

    async def listed(self, query: str, version: str = "", path: str = "/volumes/detail") -> Answer:
        """List volumes."""
        return await self.cinder("GET", path + "?" + query, version=version)

    @compares(SHORT, DETAIL)
    async def test_lists(self) -> None:
        """
        Both lists have the newest volume first; the short one has names, the other all members.
        """
        for path, shape in (("/volumes", SUMMARY), ("/volumes/detail", VOLUME)):
            got = await self.listed(self.labels, path=path)
            self.answered(got, 200, {"volumes": [shape, ...]})
            self.assertEqual(names(got), ["p2", "p1", "p0"])
        got = await self.listed(self.labels, "3.71")
        self.answered(got, 200, {"volumes": [volume_shape("3.71"), ...]}, "3.71")

    @compares(DETAIL)
    async def test_labels(self) -> None:
        """
        The filter is an object of labels, all of which a volume must have; an invalid one matches
        nothing, without an error.
        """
        both = self.query({"cluster": self.cluster, "dataset": "p1"})
        self.assertEqual(names(await self.listed(both)), ["p1"])
        python = urlencode({"metadata": repr({"cluster": self.cluster})})
        self.assertEqual(len(names(await self.listed(python))), 3)
        for wrong in ("abc", "{cluster:1}", "[1]", '{"cluster": 1}', '{"cluster": "x"}'):
            got = await self.listed(urlencode({"metadata": wrong}))
            self.answered(got, 200, {"volumes": []})

    @compares(DETAIL, "UNKNOWN_FILTER")
    async def test_other_filters(self) -> None:
        """
        Status and name are filters; before 3.31 the effect of any other is undefined, and since
        3.31 it is 400.
        """
        self.assertEqual(names(await self.listed(self.labels + "&name=p1")), ["p1"])
        self.assertEqual(names(await self.listed(self.labels + "&status=error")), [])
        self.assertEqual(len(names(await self.listed(self.labels + "&status=available"))), 3)
        ignored = self.labels + "&nosuch=1&id=" + MISSING
        for version in ("", "3.30"):
            self.assertEqual(len(names(await self.listed(ignored, version))), 3)
        got = await self.listed(ignored, "3.31")
        self.refused(got, refusals.UNKNOWN_FILTER, "nosuch,id", version="3.31")

    @compares(DETAIL, "UNKNOWN_FILTER", "BAD_BOOLEAN", "NO_BOOLEAN", "BAD_COMPARISON")
    async def test_filters_by_version(self) -> None:
        """Each filter works, and is checked, from one microversion on; earlier ones ignore it."""
        no, every = [], ["p2", "p1", "p0"]
        for query, since, before, after in (
            ("availability_zone=nope", "", no, no),
            ("migration_status=x", "", no, no),
            ("bootable=true", "", no, no),
            ("bootable=0", "3.2", no, every),
            ("bootable=maybe", "3.2", no, (refusals.BAD_BOOLEAN, "bootable", "maybe")),
            ("bootable=", "3.2", every, (refusals.BAD_BOOLEAN, "bootable", "")),
            ("group_id=" + MISSING, "3.10", every, no),
            ("consumes_quota=true", "3.31", no, every),
            ("consumes_quota=x", "3.31", no, (refusals.NO_BOOLEAN, "x", "use_quota")),
            ("created_at=lt:1960-01-01", "3.31", every, no),
            ("created_at=gt:x", "3.31", every, (refusals.BAD_COMPARISON, "x", "value")),
            ("updated_at=1960", "3.31", every, (refusals.BAD_COMPARISON, "1960", "operator")),
            ("created_at=", "3.31", every, (refusals.BAD_COMPARISON, "", "operator")),
            ("all_tenants=1&nosuch=1", "3.31", every, (refusals.UNKNOWN_FILTER, "nosuch")),
            ("name~=p", "3.31", every, (refusals.UNKNOWN_FILTER, "name~")),
            ("host=x", "3.31", every, (refusals.UNKNOWN_FILTER, "host")),
        ):
            major, _, minor = (since or "3.0").partition(".")
            versions = [("3.71", after), (since, after)]
            versions += [(f"{major}.{int(minor) - 1}", before)] if since else []
            for version, expected in versions:
                got = await self.listed(f"{self.labels}&{query}", version)
                if isinstance(expected, tuple):
                    self.refused(got, *expected, version=version)
                else:
                    self.assertEqual((got.status, names(got)), (200, expected), (query, version))

    @compares(DETAIL)
    async def test_values_of_filters(self) -> None:
        """A value is a Python literal: a list has the possible values; only a name is a text."""
        every = ["p2", "p1", "p0"]
        for query, expected in (
            ("size=1", every),
            ("size=[1,2]", every),
            ('size="1"', every),
            ("size=2", []),
            ("size=abc", []),
            ("status=['available','error']", every),
            ("status=['error']", []),
            ('name=["p0","p1"]', []),
            ("availability_zone=nova", every),
            ("group_id=None&migration_status=None", every),
            ("created_at=gt:1960-01-01T00:00:00Z", every),
            ("created_at=gte:1960-01,lt:1960-01-01T00:00:00%2B01:00", every),
            ("created_at=neq:1960-01-01&updated_at=gt:1960-01-01", every),
            ("created_at=eq:1960-01-01", []),
            ("bootable=f&consumes_quota=1&all_tenants=maybe", every),
        ):
            name, _, value = query.partition("=")
            safe = quote(value, safe="&=%:,")
            got = await self.listed(f"{self.labels}&{name}={safe}", "3.71")
            self.assertEqual((got.status, names(got)), (200, expected), query)

    @compares(SHORT, DETAIL, "BAD_SORT_KEY", "BAD_SORT_DIRECTION", "SORT_TWICE")
    async def test_orders(self) -> None:
        """A list can have another order; the time of creation decides between equals."""
        forth, back = ["p0", "p1", "p2"], ["p2", "p1", "p0"]
        for query, expected in (
            ("sort=name:asc", forth),
            ("sort=name", back),
            ("sort=size:asc,name:desc", back),
            ("sort=size:desc,display_name:asc", forth),
            ("sort=bootable:asc", forth),
            ("sort_key=name", back),
            ("sort_key=name&sort_dir=asc", forth),
            ("sort_dir=asc", forth),
            *((f"sort={key}:asc", forth) for key in ("volume_type_id", "host", "attach_status")),
            *((f"sort={key}:asc", forth) for key in ("launched_at", "updated_at", "use_quota")),
        ):
            for path in ("/volumes", "/volumes/detail"):
                got = await self.listed(f"{self.labels}&{query}", path=path)
                self.assertEqual((got.status, names(got)), (200, expected), query)
        for query, refusal in (
            ("sort=bogus:asc", refusals.BAD_SORT_KEY),
            ("sort_key=bogus", refusals.BAD_SORT_KEY),
            ("sort=", refusals.BAD_SORT_KEY),
            ("sort=description", refusals.BAD_SORT_KEY),
            ("sort=consumes_quota", refusals.BAD_SORT_KEY),
            ("sort=name:up", refusals.BAD_SORT_DIRECTION),
            ("sort_dir=up", refusals.BAD_SORT_DIRECTION),
            ("sort=id&sort_key=id", refusals.SORT_TWICE),
        ):
            self.refused(await self.listed(query, path="/volumes"), refusal)

    @compares(SHORT)
    async def test_ordered_pages(self) -> None:
        """A page of a list in another order begins after its marker in that order."""
        for order in ("sort=name:asc", "sort=size:desc,name:asc", "sort=availability_zone:asc"):
            query, found = f"{self.labels}&{order}&limit=1", []
            while query:
                got = await self.listed(query, path="/volumes")
                found += names(got)
                links = got.body.get("volumes_links")
                query = urlsplit(links[0]["href"]).query if links else ""
            self.assertEqual(found, ["p0", "p1", "p2"], order)

    @compares(DETAIL)
    async def test_pages(self) -> None:
        """
        A full page links to the next, with the whole query; a last page that is full links to an
        empty one.
        """
        for limit, expected in ((2, [["p2", "p1"], ["p0"]]), (3, [["p2", "p1", "p0"], []])):
            query, pages = self.query({"cluster": self.cluster}, limit=limit), []
            while query:
                got = await self.listed(query)
                full = len(names(got)) == limit
                more = {"volumes_links": NEXT} if full else {}
                self.answered(got, 200, dict({"volumes": [VOLUME, ...]}, **more))
                pages.append(names(got))
                query = urlsplit(got.body["volumes_links"][0]["href"]).query if full else ""
                if full:
                    asked = dict(parse_qsl(query))
                    self.assertEqual(asked.pop("marker"), got.body["volumes"][-1]["id"])
                    self.assertEqual(json.loads(asked["metadata"]), {"cluster": self.cluster})
            self.assertEqual(pages, expected)

    @compares(
        SHORT,
        "NO_VOLUME",
        "LIMIT_IS_NO_NUMBER",
        "LIMIT_IS_NEGATIVE",
        "OFFSET_IS_NO_NUMBER",
        "OFFSET_IS_NEGATIVE",
        "OFFSET_TOO_GREAT",
    )
    async def test_wrong_pages(self) -> None:
        """An invalid limit or offset is 400; an unknown marker is 404."""
        for query, refusal in (
            ("limit=abc", refusals.LIMIT_IS_NO_NUMBER),
            ("limit=", refusals.LIMIT_IS_NO_NUMBER),
            ("limit=-1", refusals.LIMIT_IS_NEGATIVE),
            ("offset=abc", refusals.OFFSET_IS_NO_NUMBER),
            ("offset=-1", refusals.OFFSET_IS_NEGATIVE),
            ("offset=" + "9" * 20, refusals.OFFSET_TOO_GREAT),
        ):
            self.refused(await self.listed(query, path="/volumes"), refusal)
        for marker in (MISSING, ""):
            got = await self.listed("marker=" + marker, path="/volumes")
            self.refused(got, refusals.NO_VOLUME, marker)
        for query, expected in (("limit=0", []), ("limit=" + "9" * 20, ["p2", "p1", "p0"])):
            got = await self.listed(self.labels + "&" + query)
            self.answered(got, 200, {"volumes": [VOLUME, ...]})
            self.assertEqual(names(got), expected)
        got = await self.listed(self.labels + "&offset=1&limit=1")
        self.assertEqual(names(got), ["p1"])

    @compares(SHORT, "UNKNOWN_FILTER", "NO_BOOLEAN")
    async def test_early_count(self) -> None:
        """Before 3.45 the request of a number is an unknown filter; then it is a boolean."""
        for version in ("3.31", "3.44"):
            got = await self.listed("with_count=true", version, "/volumes")
            self.refused(got, refusals.UNKNOWN_FILTER, "with_count", version=version)
        got = await self.listed("with_count=maybe", "3.45", "/volumes")
        self.refused(got, refusals.NO_BOOLEAN, "maybe", "with_count", version="3.45")

    @compares(SHORT)
    async def test_count(self) -> None:
        """Since 3.45 a list can have the number of volumes on all pages."""
        query = self.labels + "&limit=1&with_count=true"
        shape = {"volumes": [SUMMARY], "volumes_links": NEXT}
        self.answered(await self.listed(query, path="/volumes"), 200, shape)
        got = await self.listed(query, "3.45", "/volumes")
        self.answered(got, 200, dict(shape, count=Is(3)), "3.45")


class LabelTests(WireTests):
    """The labels of a volume."""

    async def setUp(self) -> None:
        await super().setUp()
        self.volume_id = await self.volume(metadata={"a": "b"})

    async def labels(self, method: str, body: Any = None, key: str = "", **options: Any) -> Answer:
        """Request or change labels."""
        path = "/volumes/{}/metadata".format(options.pop("volume_id", self.volume_id))
        return await self.cinder(method, path + ("/" + key if key else ""), body)

    @compares(*(f"volume {method} {LABELS}" for method in ("GET", "POST", "PUT")))
    async def test_all(self) -> None:
        """Labels can be added and replaced."""
        for method, labels, expected in (
            ("POST", {"c": "d"}, {"a": "b", "c": "d"}),
            ("PUT", {"e": "f"}, {"e": "f"}),
        ):
            got = await self.labels(method, {"metadata": labels})
            self.answered(got, 200, {"metadata": Is(expected)})
            self.answered(await self.labels("GET"), 200, {"metadata": Is(expected)})

    @compares(*(f"volume {name} {LABELS}/<key>" for name in ("GET", "PUT", "DELETE")))
    async def test_one(self) -> None:
        """One label can be set and removed."""
        got = await self.labels("PUT", {"meta": {"k": "1"}}, "k")
        self.answered(got, 200, {"meta": Is({"k": "1"})})
        self.answered(await self.labels("GET", key="k"), 200, {"meta": Is({"k": "1"})})
        self.empty(await self.labels("DELETE", key="k"), 200)

    @compares("LABEL_MISMATCH", "IS_EMPTY", "LABELS_TOO_MANY", "NO_LABEL", "NO_VOLUME")
    async def test_refused(self) -> None:
        """
        A request for one label has exactly the label that the path names, of an existing volume.
        """
        for method in ("GET", "DELETE"):
            got = await self.labels(method, key="k")
            self.refused(got, refusals.NO_LABEL, self.volume_id, "k")
        got = await self.labels("PUT", {"meta": {"q": "1"}}, "k")
        self.refused(got, refusals.LABEL_MISMATCH)
        for labels, refusal in (
            ({}, refusals.IS_EMPTY),
            ({"q": "1", "k": "2"}, refusals.LABELS_TOO_MANY),
        ):
            got = await self.labels("PUT", {"meta": labels}, "k")
            self.refused(got, refusal, "meta", labels, labels)
        for method, body in (("GET", None), ("POST", {"metadata": {}})):
            got = await self.labels(method, body, volume_id=MISSING)
            self.refused(got, refusals.NO_VOLUME, MISSING)
        got = await self.labels("PUT", {"meta": {"q": "1"}}, "k", volume_id=MISSING)
        self.refused(got, refusals.LABEL_MISMATCH)

    @compares(*CHANGES, "KEEPS_LABELS", "NO_LABEL")
    async def test_statuses(self) -> None:
        """The labels of a volume in maintenance, or of which an image is made, stay as they are."""
        for status in ("maintenance", "uploading"):
            await self.reset(self.volume_id, status)
            for method, body, key, change in (
                ("POST", {"metadata": {"c": "d"}}, "", "Updating"),
                ("PUT", {"metadata": {}}, "", "Updating"),
                ("PUT", {"meta": {"a": "1"}}, "a", "Updating"),
                ("DELETE", None, "a", "Deleting"),
            ):
                got = await self.labels(method, body, key)
                self.refused(got, refusals.KEEPS_LABELS, change, status)
            got = await self.labels("DELETE", key="k")
            self.refused(got, refusals.NO_LABEL, self.volume_id, "k")
            self.answered(await self.labels("GET"), 200, {"metadata": Is({"a": "b"})})
        await self.reset(self.volume_id, "available")

    @compares(f"volume DELETE {LABELS}/<key>", "NO_LABEL")
    async def test_formats(self) -> None:
        """The end of a key that names the format of responses is not a part of the key."""
        await self.labels("POST", {"metadata": {"a.json": "1", "b.xml": "2", "c.text": "3"}})
        self.empty(await self.labels("DELETE", key="a.json"), 200)
        got = await self.labels("DELETE", key="a.json")
        self.refused(got, refusals.NO_LABEL, self.volume_id, "a")
        self.empty(await self.labels("DELETE", key="c.text"), 200)
        expected = {"a.json": "1", "b.xml": "2"}
        self.answered(await self.labels("GET"), 200, {"metadata": Is(expected)})
