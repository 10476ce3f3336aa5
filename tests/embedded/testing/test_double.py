"""Tests of the interface of all doubles."""

from __future__ import annotations

from typing import Any

import yaml
from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded import testing
from txstorage.embedded.testing import ControlRefused, InMemoryOpenStack, OpenStackDouble


class ScriptedDouble(OpenStackDouble):
    """A double whose answers are a script, and whose requests are kept."""

    auth_url = "http://127.0.0.1:5/identity/v3"
    password = "open sesame"

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[Any, ...]] = []

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Keep a request, and answer it."""
        self.asked.append((method, path, body))
        return self._answers.pop(0)

    def close(self) -> None:
        """Keep the end."""
        self.asked.append(("closed",))


class ExportTests(SynchronousTestCase):
    """Tests of the names that the package exports."""

    def test_names(self) -> None:
        """Each exported name exists, and an unknown one is an attribute error."""
        for name in testing.__all__:
            self.assertEqual(getattr(testing, name), vars(testing)[name])
        self.assertRaises(AttributeError, getattr, testing, "ThreadedOpenstack")


class ClientTests(SynchronousTestCase):
    """Tests of what clients are configured with."""

    def test_environment(self) -> None:
        """The variables have the address, the user with its domain, and the project with its."""
        self.assertEqual(
            ScriptedDouble().environment,
            {
                "OS_AUTH_URL": "http://127.0.0.1:5/identity/v3",
                "OS_USERNAME": "txstorage",
                "OS_PASSWORD": "open sesame",
                "OS_PROJECT_NAME": "txstorage",
                "OS_USER_DOMAIN_NAME": "Default",
                "OS_PROJECT_DOMAIN_NAME": "Default",
                "OS_REGION_NAME": "txstorage",
                "OS_IDENTITY_API_VERSION": "3",
            },
        )

    def test_clouds_yaml(self) -> None:
        """The file has the same under the cloud's name."""
        double = ScriptedDouble()
        [(name, cloud)] = yaml.safe_load(double.clouds_yaml)["clouds"].items()
        self.assertEqual((name, cloud), ("txstorage", double.cloud))
        given = {f"OS_{key.upper()}": value for key, value in cloud["auth"].items()}
        given["OS_REGION_NAME"] = cloud["region_name"]
        given["OS_IDENTITY_API_VERSION"] = str(cloud["identity_api_version"])
        self.assertEqual(given, double.environment)


class ControlTests(SynchronousTestCase):
    """Tests of the requests to the controls."""

    def test_closed(self) -> None:
        """As a context manager, a double is closed at the end, also after an error."""
        double = ScriptedDouble()
        with self.assertRaises(ZeroDivisionError), double as entered:
            self.assertIs(entered, double)
            raise ZeroDivisionError()
        self.assertEqual(double.asked, [("closed",)])

    def test_fail(self) -> None:
        """A route's fault has the given members only, and how often it happens."""
        double = ScriptedDouble({"fault": {"id": 7}}, None)
        fault = double.fail("volume", times=None, status=503, retry_after=0)
        fault.remove()
        body = {"route": "volume", "times": None, "status": 503, "retry_after": 0}
        expected = [("POST", "/faults", body), ("DELETE", "/faults/7", None)]
        self.assertEqual(double.asked, expected)

    def test_fail_transition(self) -> None:
        """So does a transition's."""
        double = ScriptedDouble({"fault": {"id": 8}})
        self.assertEqual(double.fail_transition("creating", stuck=True).fault_id, 8)
        body = {"transition": "creating", "times": 1, "resource": "volume", "stuck": True}
        self.assertEqual(double.asked, [("POST", "/faults", body)])

    def test_every_member(self) -> None:
        """Every argument is a member that the service knows."""
        with InMemoryOpenStack() as double:
            double.fail("*", times=2, status=500, message="m", retry_after=1, carried_out=True)
            double.fail("*", delay=2, lost="answer")
            double.fail_transition(
                "creating", times=3, resource="snapshot", resource_id="s", seconds=1.5, error="e"
            )
            given = [dict(each) for each in double.faults]
        every = {name for each in given for name in each} - {"id"}
        self.assertEqual(
            every,
            {"route", "times", "status", "message", "retry_after", "carried_out", "delay", "lost"}
            | {"transition", "resource", "resource_id", "seconds", "error"},
        )
        self.assertEqual([each["times"] for each in given], [2, 1, 3])

    def test_refused(self) -> None:
        """A wrong name is an error with the nearest one."""
        with InMemoryOpenStack() as double:
            error = self.assertRaises(ControlRefused, double.fail, "volumes", status=500)
            self.assertEqual(error.status, 400)
            self.assertIn("the nearest one is 'volume'", str(error))
            self.assertIn("GET /volume/v3/volumes", double.routes)
            error = self.assertRaises(ControlRefused, double.advance, -1)
            self.assertEqual(error.status, 400)

    def test_rest(self) -> None:
        """The clock, the reset and the end of all faults are one request each."""
        double = ScriptedDouble({"clock": {"now": "then"}}, None, None, None)
        self.assertEqual(double.now, "then")
        double.advance(2)
        double.reset()
        double.clear_faults()
        self.assertEqual(
            double.asked,
            [
                ("GET", "/clock", None),
                ("POST", "/clock", {"advance": 2}),
                ("POST", "/reset", None),
                ("DELETE", "/faults", None),
            ],
        )
