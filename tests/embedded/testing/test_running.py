"""Tests of the client of a double that runs elsewhere."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.testing import ControlRefused, RunningOpenStack, ThreadedOpenStack
from txstorage.embedded.testing.running import decoded


class RunningOpenStackTests(SynchronousTestCase):
    """Tests of :class:`RunningOpenStack`."""

    def test_stays(self) -> None:
        """A double that runs elsewhere is controlled, and stays when its client is closed."""
        with ThreadedOpenStack() as double:
            with RunningOpenStack(double.auth_url, double.password) as running:
                running.fail("volume", status=500)
            self.assertEqual(len(double.faults), 1)

    def test_away(self) -> None:
        """A double that is away is an error of the operating system."""
        with ThreadedOpenStack() as double:
            pass
        with self.assertRaises(OSError):
            double.advance(1)


class DecodedTests(SynchronousTestCase):
    """Tests of :func:`decoded`."""

    def test_answers(self) -> None:
        """An answer is its JSON value, and an empty one ``None``."""
        self.assertEqual(decoded(200, b'{"a": 1}'), {"a": 1})
        self.assertIsNone(decoded(204, b""))

    def test_errors(self) -> None:
        """An error is raised with its status and its message."""
        error = self.assertRaises(ControlRefused, decoded, 400, b'{"error": {"message": "no"}}')
        self.assertEqual((error.status, str(error)), (400, "no"))

    def test_other_service(self) -> None:
        """An error of something else leads to the option that serves the routes."""
        for content in (b"", b"<html>", b"[]", b'{"error": 1}', b'{"message": "m"}'):
            error = self.assertRaises(ControlRefused, decoded, 404, content)
            self.assertIn("status 404; does it serve the routes for tests?", str(error))
