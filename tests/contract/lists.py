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
