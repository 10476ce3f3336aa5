"""Tests of the page's resource: its addresses, its headers and its visitors."""

from __future__ import annotations

import os
import re
from base64 import b64encode
from html.parser import HTMLParser
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.accounts.attempts import MOST, PERIOD
from txstorage.embedded.page import resource
from txstorage.embedded.testing import PASSWORD

from .support import Browser, FeedTests

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
FILES = ("/page/style.css", "/page/script.js", "/page/icon.svg")


def static(name: str) -> str:
    """Return the content of one of the page's files."""
    with open(os.path.join(resource._DIRECTORY, name), encoding="utf-8") as opened:
        return opened.read()


class AnswerTests(FeedTests):
    """Tests of a visitor on this machine."""

    def answer(self, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes, bytes]:
        """Return the status, the head and the body of a response."""
        browser = Browser(self)
        browser.ask(path, method, **headers)
        head, _, body = browser.transport.value().partition(b"\r\n\r\n")
        return browser.status, head, body

    def test_programs(self) -> None:
        """Without a preference for a page, ``GET /`` answers as it always did."""
        expected: Any = None
        for accept in (None, "*/*", "application/json", "text/html, application/json"):
            got = self.ask("GET", "/", **({} if accept is None else {"Accept": accept}))
            self.assertEqual((got.code, got.body["service"]), (200, "txstorage"))
            names = sorted(set(got.headers) - {"date"})
            expected = expected or (names, got.body)
            self.assertEqual((names, got.body), expected)
        self.assertNotIn("vary", expected[0])

    def test_page(self) -> None:
        """A browser gets the page, and HEAD only its headers."""
        for path in ("/", "//"):
            status, head, body = self.answer(path, Accept=BROWSER)
            self.assertEqual(status, 200)
            self.assertIn(b"Content-Type: text/html; charset=utf-8", head)
            self.assertIn(b"Vary: Accept", head)
            self.assertTrue(body.startswith(b"<!DOCTYPE html>"))
        status, head, body = self.answer("/", "HEAD", Accept=BROWSER)
        self.assertEqual((status, body), (200, b""))

    def test_files(self) -> None:
        """The page's files have their types."""
        for path, kind in zip(FILES, (b"text/css", b"text/javascript", b"image/svg+xml")):
            status, head, body = self.answer(path)
            self.assertEqual(status, 200)
            self.assertIn(b"Content-Type: " + kind, head)
            self.assertEqual(body.decode(), static(os.path.basename(path)))

    def test_other_paths(self) -> None:
        """Nothing else is below the page's path, whatever is above it on the disk."""
        for path in (
            "/page",
            "/page/",
            "/page/index.html",
            "/page/../page/style.css",
            "/page/..%2f..%2faccess.py",
            "/page/style.css/more",
            "/page/%00",
            "/page/%ff",
        ):
            self.assertEqual(self.answer(path)[0], 404, path)

    def test_read_only(self) -> None:
        """No other method is answered, and none changes anything."""
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            status, head, _ = self.answer("/page/events", method)
            self.assertEqual(status, 405, method)
            self.assertIn(b"Allow: GET, HEAD", head)
            self.assertEqual(self.answer("/", method, Accept=BROWSER)[0], 404, method)

    def test_head_of_events(self) -> None:
        """HEAD for the events ends at once."""
        status, head, body = self.answer("/page/events", "HEAD")
        self.assertEqual((status, body), (200, b""))
        self.assertIn(b"text/event-stream", head)
        self.assertEqual(self.feed._listeners, {})

    def test_headers(self) -> None:
        """Every response confines the page to its own files, and keeps other sites away."""
        for path, headers in (
            ("/", {"Accept": BROWSER}),
            *((path, {}) for path in FILES),
            ("/page/events", {}),
            ("/page/else", {}),
            ("/page/events", {"Host": "evil.example"}),
        ):
            _, head, _ = self.answer(path, **headers)
            for header in (
                b"Content-Security-Policy: default-src 'none'; ",
                b"X-Content-Type-Options: nosniff",
                b"Cross-Origin-Resource-Policy: same-origin",
                b"X-Frame-Options: DENY",
                b"Referrer-Policy: no-referrer",
                b"Cache-Control: no-store",
            ):
                self.assertIn(header, head, path)
            self.assertNotIn(b"Access-Control", head)
        for unsafe in ("unsafe", "http:", "https:", "*", "data:"):
            self.assertNotIn(unsafe, resource._POLICY)

    def test_other_sites(self) -> None:
        """The script of another site can't read the events, nor take a listener's place."""
        for site in ("cross-site", "same-site"):
            self.assertEqual(self.answer("/page/events", Sec_Fetch_Site=site)[0], 403)
        self.assertEqual(self.feed._listeners, {})
        # A link from another site may lead to the page.
        status, _, _ = self.answer("/", Accept=BROWSER, Sec_Fetch_Site="cross-site")
        self.assertEqual(status, 200)


class LoginTests(AnswerTests):
    """Tests of a visitor who has to log in; the service is not local, so everybody has to."""

    settings = {"local": False}

    def setUp(self) -> None:
        super().setUp()
        self.login = "Basic " + b64encode(f"txstorage:{PASSWORD}".encode()).decode()

    def answer(self, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes, bytes]:
        """Ask with the login."""
        return super().answer(path, method, **{"Authorization": self.login, **headers})

    def test_refused(self) -> None:
        """Without the right login there is nothing but the request for it."""
        wrong = "Basic " + b64encode(b"txstorage:wrong").decode()
        for path in ("/", "/page/events", *FILES, "/page/else"):
            for login in ("", wrong, "Bearer x"):
                status, head, body = self.answer(path, Authorization=login, Accept=BROWSER)
                self.assertEqual(status, 401, path)
                self.assertIn(b'WWW-Authenticate: Basic realm="txstorage", charset="UTF-8"', head)
                self.assertLess(len(body), 80)

    def test_wrong_passwords(self) -> None:
        """
        After some wrong passwords, none of that client's is checked for a while, not even the right
        one; a browser's first request, which has none, does not count.
        """
        wrong = "Basic " + b64encode(b"txstorage:wrong").decode()
        for _ in range(MOST + 1):
            self.assertEqual(self.answer("/", Accept=BROWSER, Authorization="")[0], 401)
        for _ in range(MOST):
            self.assertEqual(self.answer("/page/style.css", Authorization=wrong)[0], 401)
        for path in ("/", "/page/events"):
            status, head, _ = self.answer(path, Accept=BROWSER)
            self.assertEqual(status, 429, path)
            self.assertIn(b"Retry-After: 60", head)
        self.clock.advance(PERIOD)
        self.assertEqual(self.answer("/", Accept=BROWSER)[0], 200)

    def test_local_visitor(self) -> None:
        """A visitor on this machine, who needs no login, never waits."""
        self.use_local()
        wrong = "Basic " + b64encode(b"txstorage:wrong").decode()
        for _ in range(MOST + 1):
            self.assertEqual(self.answer("/", Accept=BROWSER, Authorization=wrong)[0], 200)

    def test_programs_without_login(self) -> None:
        """Programs need none for the JSON document."""
        self.assertEqual(self.ask("GET", "/", Accept="application/json").code, 200)

    def test_rebound_name(self) -> None:
        """On a local service, a name of another site needs the login."""
        self.use_local()
        for host, status in (("evil.example", 401), ("localhost", 200)):
            got = self.answer("/", Accept=BROWSER, Host=host, Authorization="")
            self.assertEqual(got[0], status)
        self.assertEqual(self.answer("/", Accept=BROWSER, Host="evil.example")[0], 200)

    def use_local(self) -> None:
        """Let only this machine reach the service."""
        self.cloud.application._page.resource._local_service = True


class _Outline(HTMLParser):
    """The elements of the page, with their attributes, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """See ``HTMLParser``."""
        self.found.append((tag, dict(attributes)))


class DocumentTests(SynchronousTestCase):
    """Tests of the page's files, without a browser."""

    def setUp(self) -> None:
        outline = _Outline()
        outline.feed(static("index.html"))
        self.found = outline.found

    def named(self, *tags: str) -> list[dict[str, str | None]]:
        """Return the attributes of the elements with some names."""
        return [attributes for tag, attributes in self.found if tag in tags]

    def test_own_files(self) -> None:
        """The page refers to its own files only, and has no script or style inside."""
        addresses = [
            each[name]
            for each in self.named("link", "script", "img", "a")
            for name in ("href", "src")
            if name in each
        ]
        self.assertEqual(
            sorted(filter(None, addresses)),
            ["#content", "page/icon.svg", "page/script.js", "page/style.css"],
        )
        for tag, attributes in self.found:
            self.assertFalse([name for name in attributes if name.startswith(("on", "style"))], tag)
        self.assertTrue(all("src" in each for each in self.named("script")))
        self.assertEqual(self.named("style"), [])

    def test_tables(self) -> None:
        """Each table has a caption and headers with a scope, and each section a heading."""
        self.assertEqual(len(self.named("table")), len(self.named("caption")))
        self.assertEqual({each.get("scope") for each in self.named("th")}, {"col"})
        ids = {each["id"] for each in self.named("h2")}
        self.assertEqual({each["aria-labelledby"] for each in self.named("section")}, ids)

    def test_language(self) -> None:
        """The page has a language, a title, one first heading, and a label for its field."""
        self.assertEqual([each["lang"] for each in self.named("html")], ["en"])
        self.assertEqual((len(self.named("title")), len(self.named("h1"))), (1, 1))
        self.assertEqual([each["for"] for each in self.named("label")], ["filter"])
        self.assertEqual([each["id"] for each in self.named("input")], ["filter"])

    def test_no_markup_from_data(self) -> None:
        """The script writes texts only."""
        for unsafe in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            self.assertNotIn(unsafe, static("script.js"))

    def test_motion(self) -> None:
        """Nothing moves for a person who prefers that."""
        style = static("style.css")
        calm, _, moving = style.partition("@media (prefers-reduced-motion: no-preference) {")
        self.assertIsNone(re.search("animation|transition", calm))
        self.assertIn("animation", moving)
