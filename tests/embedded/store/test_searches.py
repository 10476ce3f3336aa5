"""Tests of the searches for volumes, and of the indexes that they use."""

from __future__ import annotations

from typing import Any

import attr
from hypothesis import example, given, settings
from hypothesis.strategies import dictionaries, text
from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.store.database import Database
from txstorage.embedded.store.records import NewVolume, VolumeFilter
from txstorage.embedded.store.searches import _FEW
from txstorage.embedded.store.store import Store

from ...helpers.properties import RELAXED

NEW = NewVolume("n", None, 1, "gold", {})


class SearchTests(SynchronousTestCase):
    """Tests of lists with many volumes, each with a label of its own and one of all."""

    def setUp(self) -> None:
        self.store = Store(":memory:", lambda: 0.0)
        self.addCleanup(self.store.close)
        with self.store.transaction():
            for number in range(_FEW + 20):
                labels = {"cluster": "c", "dataset": str(number), "half": str(number % 2)}
                self.store.add_volume(attr.evolve(NEW, metadata=labels))
        self.every = self.store.volumes()

    def plan(self, *arguments: Any) -> str:
        """Return the plan of the statement that lists volumes."""
        statements: list[Any] = []
        execute = Database.execute

        def recorded(database: Database, *statement: Any) -> Any:
            statements.append(statement)
            return execute(database, *statement)

        patched = self.patch(Database, "execute", recorded)
        self.store.volumes(*arguments)
        patched.restore()
        statement, *parameters = statements[-1]
        rows = self.store._database.execute("EXPLAIN QUERY PLAN " + statement, *parameters)
        return "\n".join(row["detail"] for row in rows)

    def test_rare_label(self) -> None:
        """A search for a label that few volumes have looks at those volumes only."""
        for labels in ({"dataset": "7"}, {"cluster": "c", "dataset": "7"}):
            plan = self.plan(VolumeFilter(metadata=labels))
            self.assertIn("SEARCH rare USING COVERING INDEX labels (key=? AND value=?)", plan)
            self.assertIn("SEARCH volumes USING INDEX sqlite_autoindex_volumes_1 (id=?)", plan)
            self.assertNotIn("SCAN", plan)

    def test_common_label(self) -> None:
        """A page of the volumes with a common label ends when it is full; nothing is sorted."""
        for chosen in (VolumeFilter(metadata={"cluster": "c"}), VolumeFilter()):
            self.assertNotIn("TEMP B-TREE", self.plan(chosen, 50, 10))
            self.assertIn("SEARCH volumes USING INTEGER PRIMARY KEY", self.plan(chosen, 50, 10))

    def test_message(self) -> None:
        """The end of a volume does not look at the messages of others."""
        rows = self.store._database.execute(
            "EXPLAIN QUERY PLAN DELETE FROM messages WHERE volume_id = ?", "x"
        )
        self.assertIn("INDEX messages_of_volume", "".join(row["detail"] for row in rows))

    def test_same(self) -> None:
        """A search finds the same volumes on the same pages, however it is made."""
        for labels in (
            {},
            {"cluster": "c"},
            {"cluster": "c", "half": "1"},
            {"dataset": "7"},
            {"dataset": "7", "half": "1", "cluster": "c"},
            {"dataset": "7", "half": "0"},
            {"dataset": "none"},
            {"none": "c"},
        ):
            expected = [
                each for each in self.every if set(labels.items()) <= set(each.metadata.items())
            ]
            chosen = VolumeFilter(metadata=labels)
            self.assertEqual(self.store.volumes(chosen), expected)
            self.assertEqual(self.store.searches.count(chosen), len(expected))
            pages = [self.store.volumes(chosen, limit=2)]
            while pages[-1]:
                pages.append(self.store.volumes(chosen, pages[-1][-1].sequence, 2))
            self.assertEqual([each for page in pages for each in page], expected)
            self.assertEqual(self.store.volumes(chosen, None, 2, 1), expected[1:3])
        named = VolumeFilter({"name": "n", "status": "creating"}, {"dataset": "7"})
        self.assertEqual(len(self.store.volumes(named)), 1)
        other = attr.evolve(named, columns={"status": "error"})
        self.assertEqual(self.store.volumes(other), [])

    @settings(**RELAXED)
    @example({"\0": "", "a\0b": "c\0d"})
    @given(dictionaries(text(), text(), max_size=3))
    def test_labels(self, labels: dict[str, str]) -> None:
        """A volume has exactly the labels that it was given, and each of them finds it."""
        made = self.store.add_volume(attr.evolve(NEW, metadata=labels))
        self.assertEqual(made.metadata, labels)
        for label in labels.items():
            self.assertIn(made, self.store.volumes(VolumeFilter(metadata=dict([label]))))
        self.store.settle(made.volume_id, "creating", "gone")
