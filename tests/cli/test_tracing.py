"""
Tests for ``txstorage.cli.tracing``.
"""

from __future__ import annotations

import re
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from txstorage.cli.tracing import RequestTrace, shown_exchange

from .support import CommandTestCase, keep_destinations

LINE = re.compile(r"(GET|POST|DELETE) \S+ (\d{3}) \d+ ms req-\S+")


class VerboseTests(CommandTestCase):
    """``--verbose``."""

    def setUp(self) -> None:
        super().setUp()
        keep_destinations(self)

    def test_requests(self) -> None:
        """Standard error has a line for each request; standard output is the same as without."""
        plain = self.txstorage("volumes", "list").stdout
        result = self.txstorage("volumes", "list", "-v")
        self.assertEqual(result.stdout, plain)
        lines = result.stderr.splitlines()
        for line in lines:
            self.assertRegex(line, LINE)
        self.assertTrue(any("/volumes/detail 200 " in line for line in lines), lines)

    def test_no_secrets(self) -> None:
        """Neither the password nor a token is shown, not even when the cloud refuses them."""
        self.write_config(password="s3cr3t")
        result = self.txstorage("volumes", "list", "-v")
        self.assertNotIn("s3cr3t", result.stderr)
        [line] = [each for each in result.stderr.splitlines() if each.startswith("POST")]
        self.assertIn("/auth/tokens 401 ", line)

    def test_request_id_of_a_refusal(self) -> None:
        """The line of a refused request has the service's request id and the reason."""
        result = self.txstorage("volumes", "show", "0" * 8 + "-0000-4000-8000-" + "0" * 12, "-v")
        [line] = [each for each in result.stderr.splitlines() if " 404 " in each]
        self.assertRegex(line, LINE.pattern + ": .*404")


class RequestTraceTests(SynchronousTestCase):
    """``RequestTrace``."""

    def message(self, action_status: str, **fields: Any) -> dict[str, Any]:
        """A message about one exchange."""
        return {
            "task_uuid": "t",
            "task_level": [2, 1 if action_status == "started" else 5],
            "action_type": "txstorage:http",
            "action_status": action_status,
            **fields,
        }

    def test_together(self) -> None:
        """The end of an exchange is shown with its beginning, whatever is logged in between."""
        said: list[str] = []
        trace = RequestTrace(said.append)
        trace(self.message("started", timestamp=1.0, method="GET", url="u", request_id="req-1"))
        trace({"message_type": "other", "task_uuid": "t", "task_level": [2, 3]})
        self.assertEqual(said, [])
        trace(self.message("succeeded", timestamp=1.25, status=200, service_request_id="req-2"))
        self.assertEqual(said, ["GET u 200 250 ms req-2"])

    def test_no_answer(self) -> None:
        """Without an answer the line has the client's request id and the reason."""
        started = {"timestamp": 5.0, "method": "GET", "url": "u", "request_id": "req-1"}
        ended = {"timestamp": 4.0, "action_status": "failed", "reason": "refused"}
        self.assertEqual(shown_exchange(started, ended), "GET u failed 0 ms req-1: refused")

    def test_retry(self) -> None:
        """A wait before another attempt is shown."""
        said: list[str] = []
        RequestTrace(said.append)(
            {"message_type": "txstorage:http:retry", "delay": 0.51, "reason": "busy"}
        )
        self.assertEqual(said, ["retry in 0.5 s: busy"])
