"""Tests of the pages of lists."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

from txstorage.embedded.testing import in_memory_cloud

from ..support import MISSING, CloudTests


class VolumePageTests(CloudTests):
    """Tests of lists of volumes."""

    def setUp(self) -> None:
        super().setUp()
        self.ids = [self.create(name=f"p{n}", metadata={"c": "1"}) for n in range(5)]
        self.chosen = "metadata=" + quote('{"c": "1"}')

    def names(self, got: Any) -> list[str]:
        """Return the names on a page."""
        self.assertEqual(got.code, 200, got)
        return [volume["name"] for volume in got.body["volumes"]]

    def test_follow(self) -> None:
        """
        The links lead to every volume once, newest first, keep the filter, and end at a page that
        is not full.
        """
        for path in ("/volumes", "/volumes/detail"):
            pages = []
            got = self.cinder("GET", path + "?limit=2&" + self.chosen)
            while True:
                pages.append(self.names(got))
                if "volumes_links" not in got.body:
                    break
                (link,) = got.body["volumes_links"]
                self.assertEqual(link["rel"], "next")
                self.assertTrue(urlsplit(link["href"]).path.endswith(self.project + path))
                got = self.ask("GET", link["href"])
            self.assertEqual(pages, [["p4", "p3"], ["p2", "p1"], ["p0"]])

    def test_link(self) -> None:
        """The link is the request's own query with another marker at its end."""
        got = self.volumes("GET", f"?limit=1&marker={self.ids[4]}&{self.chosen}")
        self.assertEqual(
            got.body["volumes_links"][0]["href"],
            f"http://cloud.example/volume/v3/{self.project}/volumes"
            f"?limit=1&metadata=%7B%22c%22%3A+%221%22%7D&marker={self.ids[3]}",
        )

    def test_exactly_full(self) -> None:
        """A page that is exactly full has a link, to an empty page."""
        got = self.volumes("GET", "?limit=5&" + self.chosen)
        got = self.ask("GET", got.body["volumes_links"][0]["href"])
        self.assertEqual(got.body, {"volumes": []})

    def test_zero(self) -> None:
        """A limit of zero returns nothing, and no link."""
        self.assertEqual(self.volumes("GET", "?limit=0").body, {"volumes": []})

    def test_offset(self) -> None:
        """An offset skips the first volumes."""
        self.assertEqual(self.names(self.volumes("GET", "?offset=1&limit=1")), ["p3"])

    def test_bad_numbers(self) -> None:
        """A limit that is not a positive number is 400."""
        for query, message in (
            ("limit=-1", "limit param must be positive"),
            ("limit=abc", "limit param must be an integer"),
            ("limit=", "limit param must be an integer"),
            ("offset=-1", "offset must be >= 0"),
            ("offset=1.5", "offset must be an integer"),
            ("offset=" + "9" * 5000, "offset must be <= 2147483647"),
        ):
            got = self.volumes("GET", "?" + query)
            self.assertEqual((got.code, got.message), (400, message), query)

    def test_unknown_marker(self) -> None:
        """A marker that is not a volume is 404."""
        got = self.volumes("GET", "?marker=" + MISSING)
        self.assertEqual(got.code, 404)
        self.assertEqual(got.message, f"Volume {MISSING} could not be found.")

    def test_maximum(self) -> None:
        """The service's page size limits every request."""
        self.use(in_memory_cloud(self.clock, page_size=2))
        self.create()
        for query in ("", "?limit=" + "9" * 5000):
            got = self.volumes("GET", query)
            self.assertEqual(len(got.body["volumes"]), 2)
            self.assertIn("volumes_links", got.body)

    def test_count(self) -> None:
        """Since 3.45 a list can have the number of volumes on all pages."""
        query = "?with_count=true&limit=1&" + self.chosen
        self.assertEqual(self.volumes("GET", query, version="3.45").body["count"], 5)
        self.assertNotIn("count", self.volumes("GET", query, version="3.44").body)


class ServerPageTests(CloudTests):
    """Tests of lists of servers and attachments."""

    def test_follow(self) -> None:
        """The links lead to every server once."""
        for path in ("/servers", "/servers/detail"):
            names = []
            got = self.nova("GET", path + "?limit=1")
            while got.body["servers"]:
                names.extend(server["name"] for server in got.body["servers"])
                got = self.ask("GET", got.body["servers_links"][0]["href"])
            self.assertEqual(names, ["node-2", "node-1"])

    def test_bad(self) -> None:
        """A malformed limit and an unknown marker are 400."""
        got = self.nova("GET", "/servers?limit=-1")
        self.assertEqual(
            (got.code, got.message),
            (
                400,
                "Invalid input for query parameters limit. Value: -1. "
                "'-1' does not match '^[0-9]*$'",
            ),
        )
        got = self.nova("GET", "/servers?marker=" + MISSING)
        self.assertEqual((got.code, got.message), (400, f"marker [{MISSING}] not found"))

    def test_attachments(self) -> None:
        """Attachments are paged by limit and offset."""
        for _ in range(2):
            self.attach(self.create())
        every = [entry["volumeId"] for entry in self.attachments()]
        self.assertEqual(len(every), 3)
        paged = [
            entry["volumeId"]
            for offset in range(4)
            for entry in self.attachments(query=f"?limit=1&offset={offset}")
        ]
        self.assertEqual(paged, every)
