"""Tests of the state beside volumes: what belongs to projects, types, quotas, credentials."""

from __future__ import annotations

import os
import sqlite3

import attr
from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.store.projects.credentials import CredentialRecord
from txstorage.embedded.store.records import NewSnapshot, NewVolume, Usage, VolumeFilter
from txstorage.embedded.store.store import Store

from ..support import temporary_directory

NEW = NewVolume("n", None, 3, "gold", {"a": "b"})
OTHERS = attr.evolve(NEW, size=5, project_id="p", user_id="u", metadata={"c": "d"})


class ProjectsCase(SynchronousTestCase):
    """A store in a file."""

    def setUp(self) -> None:
        self.path = os.path.join(temporary_directory(self), "db")
        self.store = self.open()

    def open(self) -> Store:
        """Open the store, also a second time, as after a crash."""
        store = Store(self.path, lambda: 1.0)
        self.addCleanup(store.close)
        return store


class OwnerTests(ProjectsCase):
    """Tests of the owners of volumes and snapshots."""

    def setUp(self) -> None:
        super().setUp()
        self.own = self.store.add_volume(NEW).volume_id
        self.other = self.store.add_volume(OTHERS).volume_id
        for volume_id, project_id in ((self.own, None), (self.other, "p")):
            new = NewSnapshot(volume_id, None, None, 7, "gold", {}, project_id)
            self.store.snapshots.add(new)
            self.store.messages.add(volume_id, volume_id)

    def test_survives(self) -> None:
        """An owner survives a crash."""
        found = {each.volume_id: each for each in self.open().volumes()}
        self.assertEqual((found[self.own].project_id, found[self.own].user_id), (None, None))
        self.assertEqual((found[self.other].project_id, found[self.other].user_id), ("p", "u"))

    def test_lists(self) -> None:
        """Volumes, labels, snapshots, messages and the use are those of one project."""
        for project_id, volume_id, size, labels in (
            (None, self.own, 3, {"a": ["b"]}),
            ("p", self.other, 5, {"c": ["d"]}),
        ):
            of_project = VolumeFilter().of_project(project_id)
            self.assertEqual([v.volume_id for v in self.store.volumes(of_project)], [volume_id])
            self.assertEqual(self.store.searches.summary(of_project), (1, size, labels))
            snapshots = self.store.snapshots.of_project(project_id)
            self.assertEqual([each.volume_id for each in snapshots], [volume_id])
            messages = self.store.messages.of_project(project_id)
            self.assertEqual([each.text for each in messages], [volume_id])
            self.assertEqual(self.store.usage(project_id), Usage(1, 1, size + 7))
        self.assertEqual(self.store.usage("q"), Usage(0, 0, 0))
        self.assertEqual(self.store.quotas.promised(), 3 + 5 + 7 + 7)
        self.assertEqual(len(self.store.volumes()), 2)

    def test_another_project(self) -> None:
        """A list of another project than the filter's has nothing."""
        chosen = VolumeFilter({"project_id": "p"})
        self.assertEqual(len(self.store.volumes(chosen.of_project("p"))), 1)
        self.assertEqual(self.store.volumes(chosen.of_project(None)), [])

    def test_attached(self) -> None:
        """Attachments are listed by the projects of their volumes."""
        for volume_id in (self.own, self.other):
            self.store.attachments.reserve_for_host(volume_id, None, "rw", None)

        def listed(*projects: str | None) -> set[str]:
            found = self.store.searches.attached({}, None, -1, 0, projects)
            return {each.volume_id for each in found}

        self.assertEqual(listed(None), {self.own})
        self.assertEqual(listed("p"), {self.other})
        self.assertEqual(listed("p", None), {self.own, self.other})
        self.assertEqual(listed(), set())
        every = self.store.searches.attached({}, None, -1, 0)
        self.assertEqual(len(every), 2)


class QuotasTests(ProjectsCase):
    """Tests of quotas."""

    def test_set(self) -> None:
        """A quota holds for its project, survives a crash, and can be reset."""
        self.store.quotas.set(None, {"volumes": 1, "gigabytes": -1})
        self.store.quotas.set("p", {"volumes": 2})
        self.store.quotas.set(None, {"volumes": 3})
        again = self.open().quotas
        self.assertEqual(again.of_project(None), {"volumes": 3, "gigabytes": -1})
        self.assertEqual(again.of_project("p"), {"volumes": 2})
        self.store.quotas.reset(None)
        self.assertEqual(self.open().quotas.of_project(None), {})
        self.assertEqual(self.open().quotas.of_project("p"), {"volumes": 2})


class TypesTests(ProjectsCase):
    """Tests of volume types."""

    def test_first(self) -> None:
        """A new store has the service's own types, with their fixed ids."""
        names = [each.name for each in self.store.types.every()]
        self.assertEqual(names, ["bronze", "silver", "gold", "__DEFAULT__"])
        gold = self.store.types.find("gold")
        assert gold is not None
        self.assertEqual(self.store.types.find(gold.type_id), gold)
        self.assertEqual(self.store.types.ids()["gold"], gold.type_id)
        self.assertTrue(gold.is_public)

    def test_renamed(self) -> None:
        """A type's volumes and snapshots get its new name, and their sidecars are written."""
        made = self.store.types.add("t", "d", specs={"a": "b", "c": None})
        volume_id = self.store.add_volume(attr.evolve(NEW, volume_type="t")).volume_id
        new = NewSnapshot(volume_id, None, None, 3, "t", {})
        snapshot_id = self.store.snapshots.add(new).snapshot_id
        self.assertTrue(self.store.types.used("t"))
        self.store.forget_touched()
        database = self.store._database
        database.touched.clear()
        database.touched_snapshots.clear()
        changed = self.store.types.change(made, {"name": "u", "is_public": False})
        self.assertEqual(
            (database.touched, database.touched_snapshots), ({volume_id}, {snapshot_id})
        )
        self.assertEqual(
            (changed.name, changed.is_public, changed.description, changed.extra_specs),
            ("u", False, "d", {"a": "b", "c": None}),
        )
        again = self.open()
        volume = again.volume(volume_id)
        assert volume is not None
        self.assertEqual(volume.volume_type, "u")
        self.assertEqual([each.volume_type for each in again.snapshots.every()], ["u"])
        self.assertFalse(again.types.used("t"))

    def test_one_name(self) -> None:
        """No two types have a name."""
        self.assertRaises(sqlite3.IntegrityError, self.store.types.add, "gold")

    def test_specs(self) -> None:
        """Extra specs are set, replaced and removed, and end with their type."""
        type_id = self.store.types.add("t", specs={"a": "b"}).type_id
        self.store.types.set_specs(type_id, {"a": "c", "d": "e"})
        self.store.types.remove_spec(type_id, "d")
        found = self.open().types.find("t")
        assert found is not None
        self.assertEqual(found.extra_specs, {"a": "c"})
        self.store.types.remove(type_id)
        self.assertIs(self.open().types.find("t"), None)
        rows = self.store._database.execute("SELECT * FROM extra_specs").fetchall()
        self.assertEqual(rows, [])


class CredentialsTests(ProjectsCase):
    """Tests of application credentials."""

    def test_life(self) -> None:
        """A credential survives a crash, until it is removed; a name is its user's once."""
        first = CredentialRecord("i", "u", "p", "n", None, "s", "d", ("reader",), 2.5, True)
        others = [
            attr.evolve(first, credential_id="j", user_id="v"),
            attr.evolve(first, credential_id="k", name="m", expires_at=None, unrestricted=False),
        ]
        for each in (first, *others):
            self.store.credentials.add(each)
        again = self.open().credentials
        self.assertEqual(again.find("i"), first)
        self.assertEqual(again.of_user("u"), [first, others[1]])
        taken = attr.evolve(first, credential_id="l")
        self.assertRaises(sqlite3.IntegrityError, self.store.credentials.add, taken)
        self.store.credentials.remove("i")
        self.assertIs(self.open().credentials.find("i"), None)
        self.assertNotIn("'s'", repr(first))
