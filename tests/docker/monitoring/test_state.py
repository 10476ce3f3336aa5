"""Tests for :mod:`txstorage.docker.monitoring.state`."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest
from twisted.trial.unittest import SynchronousTestCase

from txstorage.docker.journal import KnownVolume
from txstorage.docker.monitoring.state import STATES, StateCollector, problem_of, state_of
from txstorage.errors import StorageError


def volume(name: str, attached_to: str | None = None, **labels: str) -> KnownVolume:
    """:return: a volume."""
    return KnownVolume(name, "id-" + name, 1, attached_to, labels)


class StateTests(SynchronousTestCase):
    """The metrics of the state, as a registry has them."""

    def setUp(self) -> None:
        self.volumes = [volume("a"), volume("b", "here"), volume("c", "here"), volume("d")]
        self.mounted = ["c", "old"]
        self.node: str | None = "here"
        self.age: float | None = 7.5
        self.problem = ""
        self.registry = CollectorRegistry()
        self.registry.register(
            StateCollector(
                lambda: self.volumes,
                lambda: self.mounted,
                lambda: self.node,
                lambda: self.age,
                lambda: self.problem,
            )
        )

    def value(self, name: str, **labels: str) -> float | None:
        """:return: the value of a sample."""
        return self.registry.get_sample_value("txstorage_docker_" + name, labels)

    def numbers(self) -> dict[str, float | None]:
        """:return: the number of volumes by state."""
        return {state: self.value("volumes", state=state) for state in STATES}

    def test_states(self) -> None:
        """A volume has exactly one state; its removal comes first."""
        for record, mounted, state in [
            (volume("a"), False, "free"),
            (volume("a", "here"), False, "attached"),
            (volume("a", "here"), True, "mounted"),
            (volume("a", "there"), False, "elsewhere"),
            (volume("a", "here", **{"docker-removing": "here"}), True, "removing"),
        ]:
            self.assertEqual(state, state_of(record, mounted, "here"))

    def test_volumes(self) -> None:
        """All states are there, also those of no volume, and follow the plugin."""
        expected = {"free": 2, "attached": 1, "mounted": 1, "elsewhere": 0, "removing": 0}
        self.assertEqual(expected, self.numbers())
        self.assertEqual(2, self.value("mounts"))
        self.volumes.pop()
        self.assertEqual(1, self.numbers()["free"])

    def test_no_node(self) -> None:
        """Until this node's id is known, no volume has a place."""
        self.node = None
        self.assertEqual({None}, set(self.numbers().values()))

    def test_health(self) -> None:
        """The health is a number; a list that has never been read has no age."""
        self.assertEqual((1, 7.5), (self.value("healthy"), self.value("list_age_seconds")))
        self.problem, self.age = "down", None
        self.assertEqual((0, None), (self.value("healthy"), self.value("list_age_seconds")))
        self.assertNotIn("\ntxstorage_docker_list_age", generate_latest(self.registry).decode())


class ProblemTests(SynchronousTestCase):
    """The reason why the plugin is not healthy."""

    def test_age(self) -> None:
        """A list at the limit is recent; an older one, and the lack of one, is a reason."""
        self.assertEqual("", problem_of(180.0, None, 180.0))
        self.assertIn("181 s ago", problem_of(181.0, None, 180.0))
        self.assertIn("not answered yet", problem_of(None, None, 180.0))

    def test_problem(self) -> None:
        """A problem is one also while the list is recent, in one line of bounded length."""
        reason = problem_of(1.0, StorageError("down\nand " + "x" * 5000), 180.0)
        self.assertTrue(reason.startswith("down and x"))
        self.assertEqual(1000, len(reason))
        self.assertEqual("StorageError", problem_of(1.0, StorageError(""), 180.0))
