"""Tests of ``/healthcheck``."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.apis.healthcheck import health

from ..support import CloudTests


class HealthTests(SynchronousTestCase):
    """Tests of the responses, which are those of OpenStack's middleware."""

    def test_text(self) -> None:
        """The response is one word, or the reason; a monitor that only looks gets 204."""
        for head, problem, status, body in (
            (False, "", 200, "OK"),
            (False, "DISK FULL", 503, "DISK FULL"),
            (True, "", 204, ""),
            (True, "DISK FULL", 503, ""),
        ):
            for accept in (b"", b"*/*", b"text/plain", b"image/png"):
                answer = health(head, accept, problem)
                self.assertEqual((answer.status, answer.body), (status, body))
                self.assertEqual(answer.content_type, "text/plain; charset=UTF-8")

    def test_json(self) -> None:
        """With ``Accept: application/json`` the reason is in a document."""
        for problem, status, reason in (("", 200, "OK"), ("DISK FULL", 503, "DISK FULL")):
            answer = health(False, b"application/json", problem)
            self.assertEqual((answer.status, answer.content_type), (status, "application/json"))
            self.assertEqual(json.loads(answer.body), {"detailed": False, "reasons": [reason]})


class PageTests(CloudTests):
    """Tests of the page."""

    def test_without_token(self) -> None:
        """The page needs no token."""
        self.token = None
        got = self.ask("GET", "/healthcheck")
        self.assertEqual((got.code, got.body), (200, "OK"))
        self.assertEqual(self.ask("GET", "/healthcheck/").code, 200)
        self.assertEqual(self.ask("HEAD", "/healthcheck").code, 204)
        got = self.ask("GET", "/healthcheck", Accept="application/json")
        self.assertEqual(got.body["reasons"], ["OK"])
        self.assertEqual(self.ask("GET", "/healthcheck/else").code, 404)

    def test_full_disk(self) -> None:
        """A full disk, on which no volume can be created, is not healthy."""
        self.patch(self.cloud.application._devices.files, "has_room", lambda: False)
        got = self.ask("GET", "/healthcheck")
        self.assertEqual((got.code, got.body), (503, "DISK FULL"))

    def test_database(self) -> None:
        """A database that can't be read is not healthy, and the reason is given."""

        def broken() -> None:
            raise OSError(5, "Input/output error")

        self.patch(self.cloud.store, "usage", broken)
        got = self.ask("GET", "/healthcheck")
        self.assertEqual(got.code, 503)
        self.assertIn("Input/output error", got.body)
