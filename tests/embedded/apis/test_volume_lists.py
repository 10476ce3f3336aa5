"""Tests of the filters and orders of a list of volumes."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from txstorage.embedded.testing import in_memory_cloud

from ..support import MISSING, CloudTests

ROOTS = ["node-2-root", "node-1-root"]


class VolumeListTests(CloudTests):
    """Tests with two volumes, beside the servers' root volumes."""

    def use_two(self, **settings: Any) -> None:
        """Use a cloud with two volumes."""
        self.use(in_memory_cloud(self.clock, **settings))
        self.ids = []
        for name, size in (("b", 1), ("a", 2)):
            self.clock.advance(2**-20)
            self.ids.append(self.create(name=name, size=size))

    def setUp(self) -> None:
        super().setUp()
        self.use_two()

    def names(self, query: str, version: str = "3.71") -> Any:
        """Return the names in a list."""
        got = self.volumes("GET", "?" + query, version=version)
        self.assertEqual(got.code, 200, (query, got))
        return [volume["name"] for volume in got.body["volumes"]]

    def test_booleans(self) -> None:
        """The servers' root volumes can be started from, and have no part in the quota."""
        for query in ("bootable=true", "consumes_quota=false"):
            self.assertEqual(self.names(query), ROOTS)
        for query in ("bootable=false", "consumes_quota=true"):
            self.assertEqual(self.names(query), ["a", "b"])
        self.assertEqual(self.names("bootable=true&consumes_quota=true"), [])

    def test_times(self) -> None:
        """A comparison is exact to the microsecond; of several, one is enough."""
        created = self.volumes("GET", "/" + self.ids[0]).body["volume"]["created_at"]
        for query, expected in (
            ("created_at=eq:" + created, ["b"]),
            ("created_at=gt:" + created, ["a"]),
            ("created_at=gte:" + created, ["a", "b"]),
            ("created_at=lt:" + created, ROOTS),
            ("created_at=lte:" + created, ["b", *ROOTS]),
            ("created_at=neq:" + created, ["a", *ROOTS]),
            (f"created_at=lt:{created},gt:{created}", ["a", *ROOTS]),
            (f"created_at=gt:1970,gt:{created}", ["a"]),
            ("updated_at=gt:1970-01-01&created_at=gt:" + created, ["a"]),
        ):
            self.assertEqual(self.names(query), expected, query)

    def test_literals(self) -> None:
        """A literal that no volume can have finds none."""
        for text in (
            *("9" * 30, "1e400", "{}", "{1: 2}", "1+2j", "b'x'", "[[1]]", "[]", "()", "[None]"),
            *("None", "(" * 3000, "-1"),
        ):
            self.assertEqual(self.names("size=" + quote(text)), [], text)
        for text in ("(1, 2)", "{1, 2}", "[2, 1, 'x']"):
            self.assertEqual(self.names("bootable=0&size=" + quote(text)), ["a", "b"], text)
        for text in (r"'\ud800'", r"['\ud800']"):
            got = self.volumes("GET", "?status=" + quote(text))
            self.assertEqual(got.code, 400)

    def test_order(self) -> None:
        """An order may have several keys; without another, the newest comes first."""
        for query, expected in (
            ("sort=bootable:desc,name:asc", [*reversed(ROOTS), "a", "b"]),
            ("sort=size:desc", ["a", "b", *ROOTS]),
            ("sort=size:asc", [*reversed(ROOTS), "b", "a"]),
            ("sort_key=id&sort_dir=desc&bootable=0", self.by_id(True)),
            ("sort_key=id&sort_dir=asc&bootable=0", self.by_id(False)),
        ):
            self.assertEqual(self.names(query), expected, query)
        self.assertEqual(self.names("sort=attach_status:asc,name:asc"), [*sorted(ROOTS), "a", "b"])

    def test_pages(self) -> None:
        """Pages in any order have every volume once, in that order."""
        for key in ("use_quota", "bootable", "attach_status", "volume_type_id", "updated_at"):
            for query in (f"sort={key}:asc", f"sort={key}", f"sort={key},size:asc,{key}:asc"):
                page, found = self.names(query + "&limit=1"), []
                while page and len(found) < 5:
                    found += page
                    (volume,) = self.volumes("GET", "?name=" + page[0]).body["volumes"]
                    page = self.names(f"{query}&limit=1&marker={volume['id']}")
                self.assertEqual(found, self.names(query), query)
                self.assertEqual(sorted(found), ["a", "b", *reversed(ROOTS)])

    def test_many(self) -> None:
        """A query with very many keys, values or comparisons is answered."""
        self.assertEqual(self.names("sort=" + ",".join(["name:asc"] * 1000))[:2], ["a", "b"])
        self.assertEqual(self.names(f"size={[2] * 2000}".replace(" ", ""))[:1], ["a"])
        times = ",".join(["lt:1970"] * 1000)
        self.assertEqual(self.names(f"created_at={times},gt:1970&bootable=0"), ["a", "b"])

    def by_id(self, descending: bool) -> list[str]:
        """Return the names in the order of the ids."""
        pairs = sorted(zip(self.ids, ("b", "a")), reverse=descending)
        return [name for _, name in pairs]

    def test_marker(self) -> None:
        """A page begins after its marker, also if the filters exclude that."""
        query = "sort=name:asc&bootable=0&marker="
        self.assertEqual(self.names(query + self.ids[1]), ["b"])
        self.assertEqual(self.names(query + self.ids[0]), [])
        self.assertEqual(self.names("sort=name:asc&bootable=1&marker=" + self.ids[1]), ROOTS[::-1])

    def test_administrator(self) -> None:
        """An administrator may filter by any column, and finds nothing by anything else."""
        self.use_two(roles=("admin", "member"))
        for query, expected in (
            ("all_tenants=1&bootable=false", ["a", "b"]),
            ("project_id=" + self.project, ["a", "b", *ROOTS]),
            # It chooses among all projects only.
            ("project_id=" + MISSING, ["a", "b", *ROOTS]),
            ("all_tenants=1&project_id=" + MISSING, []),
            ("id=" + self.ids[0], ["b"]),
            ("multiattach=false&size=2", ["a"]),
            ("multiattach=true", []),
            *((f"{name}=x", []) for name in ("nosuch", "user_id", "host")),
            ("all_tenants=0", []),
        ):
            for version in ("3.0", "3.71"):
                self.assertEqual(self.names(query, version), expected, query)
        got = self.volumes("GET", "?all_tenants=maybe")
        self.assertEqual(
            (got.code, got.message), (400, "Value 'maybe' for 'all_tenants' is not a boolean.")
        )
