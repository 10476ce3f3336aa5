"""The common parts of the tests of the controls."""

from __future__ import annotations

from typing import Any

from txstorage.embedded.control.controls import Controls
from txstorage.embedded.testing import in_memory_cloud

from ..support import CloudTests, Got


class ControlledTests(CloudTests):
    """Tests with a cloud that serves the routes for tests."""

    def setUp(self) -> None:
        super().setUp()
        self.controls = Controls(self.clock)
        self.use(in_memory_cloud(self.clock, controls=self.controls, **self.settings))

    def control(self, method: str, path: str, body: Any = None, **headers: str) -> Got:
        """Call a route for tests, without a token."""
        token, self.token = self.token, None
        try:
            return self.ask(method, path, body, **{"Host": "localhost", **headers})
        finally:
            self.token = token

    def advance(self, seconds: float) -> None:
        """Advance the service's clock."""
        got = self.control("POST", "/clock", {"advance": seconds})
        self.assertEqual(got.code, 200, got)

    def fail_with(self, **body: Any) -> int:
        """Put a fault in force; :return: its id."""
        got = self.control("POST", "/faults", body)
        self.assertEqual(got.code, 201, got)
        number: int = got.body["fault"]["id"]
        return number
