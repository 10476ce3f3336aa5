"""Tests for :mod:`txstorage.docker.metrics.state`."""

from __future__ import annotations

from typing import Any

import attr
from prometheus_client import CollectorRegistry
from twisted.trial.unittest import SynchronousTestCase

from txstorage.docker.journal import KnownVolume
from txstorage.docker.metrics.health import Health
from txstorage.docker.metrics.state import STATES, StateMetrics, state_of


def volume(name: str, attached_to: str | None = None, removing: bool = False) -> KnownVolume:
    """:return: a volume."""
    return KnownVolume(name, "id-" + name, 1, attached_to, removing=removing)


@attr.s(auto_attribs=True)
class Plugin:
    """The parts of a plugin that have its state."""

    volumes: list[KnownVolume] = attr.Factory(list)
    mounted: list[str] = attr.Factory(list)
    known_node: str | None = "here"
    health: Health = Health(None, "", 180.0)

    def all_known(self) -> list[KnownVolume]:
        """See ``Catalog``."""
        return self.volumes

    def names(self) -> list[str]:
        """See ``Mounts``."""
        return self.mounted


class StateTests(SynchronousTestCase):
    """The metrics of the state, as a registry has them."""

    def setUp(self) -> None:
        self.plugin: Any = Plugin()
        self.registry = CollectorRegistry()
        self.registry.register(StateMetrics(self.plugin, self.plugin, lambda: self.plugin.health))

    def value(self, name: str, **labels: str) -> float | None:
        """:return: of a sample."""
        return self.registry.get_sample_value(name, labels)

    def volumes(self) -> dict[str, float | None]:
        """:return: the number of volumes by state."""
        return {state: self.value("txstorage_volumes", state=state) for state in STATES}

    def test_states(self) -> None:
        """A volume has exactly one state; its removal comes first."""
        for record, mounted, state in [
            (volume("a"), False, "free"),
            (volume("a", "here"), False, "attached"),
            (volume("a", "here"), True, "mounted"),
            (volume("a", "there"), False, "elsewhere"),
            (volume("a", "here", True), True, "removing"),
        ]:
            self.assertEqual(state, state_of(record, mounted, "here"))

    def test_volumes(self) -> None:
        """All states are there, also those of no volume, and follow the plugin."""
        self.plugin.volumes = [volume("a"), volume("b", "here"), volume("c", "here"), volume("d")]
        self.plugin.mounted = ["c", "old"]
        expected = {"free": 2, "attached": 1, "mounted": 1, "elsewhere": 0, "removing": 0}
        self.assertEqual(expected, self.volumes())
        self.assertEqual(2, self.value("txstorage_mounts"))
        self.plugin.volumes.pop()
        self.assertEqual(1, self.volumes()["free"])

    def test_no_node(self) -> None:
        """Until this node's id is known, no volume has a place."""
        self.plugin.volumes, self.plugin.known_node = [volume("a", "here")], None
        self.assertEqual({None}, set(self.volumes().values()))

    def test_health(self) -> None:
        """The health is a number; a list that has never been read has no age."""
        self.assertEqual(0, self.value("txstorage_healthy"))
        self.assertEqual(None, self.value("txstorage_list_age_seconds"))
        self.plugin.health = Health(7.5, "", 180.0)
        self.assertEqual(1, self.value("txstorage_healthy"))
        self.assertEqual(7.5, self.value("txstorage_list_age_seconds"))
