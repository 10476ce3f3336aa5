"""Block Storage: lists of snapshots, and the labels that filter them."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import uuid4

from txstorage.embedded.wire import refusals

from .case import MISSING, WireTests
from .exchanges import Answer
from .record import compares
from .shapes import Is
from .snapshots import SNAPSHOT, SNAPSHOTS, SUMMARY, snapshot_shape
from .volumes import NEXT

SHORT = "volume GET " + SNAPSHOTS
DETAIL = "volume GET " + SNAPSHOTS + "/detail"
LABELS = SNAPSHOTS + "/<snapshot_id>/metadata"


def names(got: Answer) -> list[str]:
    """Return the names of the snapshots in a list."""
    return [snapshot["name"] for snapshot in got.body["snapshots"]]


class SnapshotListTests(WireTests):
    """Lists of snapshots: filters, orders and pages."""

    async def setUp(self) -> None:
        await super().setUp()
        self.cluster = str(uuid4())
        self.volume_id = await self.volume()
        for name in ("s0", "s2", "s1"):
            labels = {"cluster": self.cluster, "dataset": name}
            await self.snapshot(self.volume_id, name=name, metadata=labels)

    async def listed(
        self, version: str = "", path: str = "/snapshots/detail", **query: Any
    ) -> Answer:
        """List the volume's snapshots."""
        query = dict({"volume_id": self.volume_id}, **query)
        return await self.cinder("GET", f"{path}?{urlencode(query)}", version=version)

    @compares(SHORT, DETAIL)
    async def test_lists(self) -> None:
        """Both lists have the newest snapshot first; the short one has fewer members."""
        for version in ("3.0", "3.71"):
            for path, shape in (
                ("/snapshots", SUMMARY),
                ("/snapshots/detail", snapshot_shape(version)),
            ):
                got = await self.listed(version, path)
                self.answered(got, 200, {"snapshots": [shape, ...]}, version)
                self.assertEqual(names(got), ["s1", "s2", "s0"])

    @compares(DETAIL, "NO_BOOLEAN")
    async def test_later_filters(self) -> None:
        """The zone is not a filter before 3.31; the quota's use is one from 3.65 on."""
        for version, query, count in (
            ("3.30", {"availability_zone": "nowhere"}, 3),
            ("3.65", {"consumes_quota": "false"}, 0),
            ("3.65", {"consumes_quota": "1"}, 3),
        ):
            got = await self.listed(version, **query)
            self.assertEqual(len(names(got)), count, (version, query))
        got = await self.listed("3.65", consumes_quota="maybe")
        self.refused(got, refusals.NO_BOOLEAN, "maybe", "use_quota", version="3.65")

    @compares(DETAIL, "UNKNOWN_FILTER")
    async def test_filters(self) -> None:
        """
        Name, status and volume are filters, as are the labels since 3.22; since 3.31 any unknown
        one is 400.
        """
        self.assertEqual(names(await self.listed(name="s2")), ["s2"])
        self.assertEqual(names(await self.listed(status="error")), [])
        self.assertEqual(len(names(await self.listed(status="available"))), 3)
        self.assertEqual(names(await self.listed(volume_id=MISSING)), [])
        labels = repr({"cluster": self.cluster, "dataset": "s1"})
        for version, expected in (("3.21", 3), ("3.22", 1), ("3.71", 1)):
            got = await self.listed(version, metadata=labels)
            self.assertEqual(len(names(got)), expected, version)
        self.assertEqual(names(await self.listed("3.22", metadata="abc")), [])
        self.assertEqual(len(names(await self.listed("3.30", nosuch="1"))), 3)
        got = await self.listed("3.31", nosuch="1")
        self.refused(got, refusals.UNKNOWN_FILTER, "nosuch", version="3.31")

    @compares(SHORT, "BAD_SORT_KEY", "BAD_SORT_DIRECTION", "SORT_TWICE")
    async def test_orders(self) -> None:
        """A list can have another order; since 3.30, that of the names."""
        for version, query, expected in (
            ("", {"sort": "created_at:asc"}, ["s0", "s2", "s1"]),
            ("", {"sort_key": "status", "sort_dir": "asc"}, ["s0", "s2", "s1"]),
            ("3.30", {"sort": "name:asc"}, ["s0", "s1", "s2"]),
            ("3.30", {"sort": "volume_id,name"}, ["s2", "s1", "s0"]),
        ):
            got = await self.listed(version, "/snapshots", **query)
            self.answered(got, 200, {"snapshots": [SUMMARY, ...]}, version)
            self.assertEqual(names(got), expected)
        for query, refusal in (
            ({"sort": "name"}, refusals.BAD_SORT_KEY),
            ({"sort_key": "nosuch"}, refusals.BAD_SORT_KEY),
            ({"sort": "id:up"}, refusals.BAD_SORT_DIRECTION),
            ({"sort": "id", "sort_dir": "asc"}, refusals.SORT_TWICE),
        ):
            self.refused(await self.listed(path="/snapshots", **query), refusal)

    @compares(SHORT, DETAIL, "NO_SNAPSHOT", "LIMIT_IS_NO_NUMBER")
    async def test_pages(self) -> None:
        """A full page links to the next, with the whole query."""
        for path, shape in (("/snapshots", SUMMARY), ("/snapshots/detail", SNAPSHOT)):
            query: dict[str, Any] = {"limit": 2, "sort": "created_at:asc"}
            got = await self.listed(path=path, **query)
            self.answered(got, 200, {"snapshots": [shape, ...], "snapshots_links": NEXT})
            self.assertEqual(names(got), ["s0", "s2"])
            link = urlsplit(got.body["snapshots_links"][0]["href"])
            self.assertTrue(link.path.endswith(path), link.path)
            asked = dict(parse_qsl(link.query))
            self.assertEqual(asked["marker"], got.body["snapshots"][-1]["id"])
            got = await self.cinder("GET", f"{path}?{link.query}")
            self.answered(got, 200, {"snapshots": [shape, ...]})
            self.assertEqual(names(got), ["s1"])
        self.assertEqual(names(await self.listed(offset=1, limit=1)), ["s2"])
        self.refused(await self.listed(marker=MISSING), refusals.NO_SNAPSHOT, MISSING)
        self.refused(await self.listed(limit="abc"), refusals.LIMIT_IS_NO_NUMBER)

    @compares(SHORT, "NO_BOOLEAN")
    async def test_count(self) -> None:
        """Since 3.45 a list can have the number of snapshots on all pages."""
        query = {"limit": 1, "with_count": "true"}
        shape = {"snapshots": [SUMMARY], "snapshots_links": NEXT}
        self.answered(await self.listed("3.44", "/snapshots", limit=1), 200, shape, "3.44")
        got = await self.listed("3.45", "/snapshots", **query)
        self.answered(got, 200, dict(shape, count=Is(3)), "3.45")
        got = await self.listed("3.45", "/snapshots", with_count="maybe")
        self.refused(got, refusals.NO_BOOLEAN, "maybe", "with_count", version="3.45")


class SnapshotLabelTests(WireTests):
    """The labels of a snapshot."""

    async def setUp(self) -> None:
        await super().setUp()
        self.snapshot_id = await self.snapshot(await self.volume(), metadata={"a": "b"})

    async def labels(self, method: str, body: Any = None, key: str = "", there: str = "") -> Answer:
        """Request or change labels."""
        path = f"/snapshots/{there or self.snapshot_id}/metadata"
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
        self.answered(await self.labels("GET"), 200, {"metadata": Is({"a": "b"})})

    @compares("LABEL_MISMATCH", "IS_EMPTY", "NO_SNAPSHOT_LABEL", "NO_SNAPSHOT")
    async def test_refused(self) -> None:
        """A request for one label has exactly the label that the path names."""
        for method in ("GET", "DELETE"):
            got = await self.labels(method, key="k")
            self.refused(got, refusals.NO_SNAPSHOT_LABEL, self.snapshot_id, "k")
        got = await self.labels("PUT", {"meta": {"q": "1"}}, "k")
        self.refused(got, refusals.LABEL_MISMATCH)
        got = await self.labels("PUT", {"meta": {}}, "k")
        self.refused(got, refusals.IS_EMPTY, "meta", {}, {})
        for method, body in (("GET", None), ("POST", {"metadata": {}})):
            got = await self.labels(method, body, there=MISSING)
            self.refused(got, refusals.NO_SNAPSHOT, MISSING)
