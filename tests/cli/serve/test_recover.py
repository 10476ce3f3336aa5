"""
Tests for ``txstorage.cli.serve.recover``.
"""

from __future__ import annotations

import json
import os
from typing import Any, cast

from click import testing
from twisted.internet import task
from twisted.trial.unittest import SynchronousTestCase

from tests.embedded.support import temporary_directory
from txstorage.cli import settings_file
from txstorage.cli.main import main
from txstorage.cli.serve.recover import recover
from txstorage.embedded.memory import ServiceMemory
from txstorage.embedded.recovery import is_lost
from txstorage.embedded.settings import GIB
from txstorage.embedded.state_directory import StateDirectory
from txstorage.embedded.store.features.backups import NewBackup
from txstorage.embedded.store.records import NewSnapshot, NewVolume, Usage
from txstorage.embedded.store.sidecars import Sidecars
from txstorage.embedded.store.store import Store

from ..support import runner

FACTS = {
    "cluster_id": "c1",
    "project_id": "p1",
    "user_id": "u1",
    "application_credential_id": "a1",
}


class RecoverTests(SynchronousTestCase):
    """``serve --recover`` in a directory whose database is lost."""

    def setUp(self) -> None:
        self.patch(settings_file, "DIRECTORY", os.path.abspath(self.mktemp()))
        self.directory = os.path.join(temporary_directory(self), "state")
        state = StateDirectory(self.directory)
        store = Store(":memory:", lambda: 1.0)
        for name in ("one", "two"):
            made = store.add_volume(NewVolume(name, None, 3, "gold", {"label": name}))
            path = os.path.join(state.volumes, "volume-" + made.volume_id)
            with open(path, "w") as opened:
                opened.truncate(3 * GIB)
        self.lost_sidecar = made.volume_id
        self.snapshot = self.add_snapshot(store, state, store.volumes()[-1])
        self.backup = self.add_backup(store, state, store.volumes()[-1])
        Sidecars(state.volumes, "p1", "c1").reconcile(
            store.volumes(), [self.snapshot], [self.backup]
        )
        os.unlink(os.path.join(state.volumes, f"volume-{made.volume_id}.json"))
        with open(state.memory, "wb") as opened:
            opened.write(ServiceMemory(FACTS, {"node-1": "s1"}).as_bytes())
        state.close()
        self.served: list[Any] = []
        self.patch(task, "react", self.served.append)

    def add_snapshot(self, store: Store, state: StateDirectory, volume: Any) -> Any:
        """Add a snapshot of a volume, with its file."""
        new = NewSnapshot(volume.volume_id, "before", None, 3, "gold", {"why": "upgrade"})
        made = store.snapshots.add(new)
        store.snapshots.set_status(made.snapshot_id, "available")
        with open(os.path.join(state.volumes, "snapshot-" + made.snapshot_id), "w") as opened:
            opened.truncate(3 * GIB)
        return store.snapshots.find(made.snapshot_id)

    def add_backup(self, store: Store, state: StateDirectory, volume: Any) -> Any:
        """Add a backup of a volume, with its file."""
        new = NewBackup(
            *(volume.volume_id, None, "nightly", None, 3, None, {"a": "b"}, None, None, None, None)
        )
        made = store.backups.add(new, volume)
        store.backups.settle(made, "available", "")
        with open(os.path.join(state.volumes, "backup-" + made.backup_id), "w") as opened:
            opened.truncate(3 * GIB)
        return store.backups.find(made.backup_id)

    def recover(self, *arguments: str, before: tuple[str, ...] = (), **more: Any) -> Any:
        """Run the command, without serving."""
        command = [*before, "serve", "--state-dir", self.directory, "--recover", *arguments]
        return runner().invoke(main, command, **more)

    def lost(self) -> bool:
        """Check whether the database is still lost."""
        state = StateDirectory(self.directory)
        self.addCleanup(state.close)
        try:
            return is_lost(state)
        finally:
            state.close()

    def test_table(self) -> None:
        """Without a terminal and --yes, a table shows what there is, and nothing is changed."""
        result = self.recover()
        self.assertEqual((result.exit_code, self.served), (1, []))
        for words in ("cluster id: c1", "node node-1: s1", "one", "3 GiB", self.lost_sidecar):
            self.assertIn(words, result.stdout)
        self.assertIn("lost with the database: transfers", " ".join(result.stdout.split()))
        for word in (self.snapshot.snapshot_id, "before", self.backup.backup_id, "nightly"):
            self.assertIn(word, result.stdout)
        [line] = [line for line in result.stdout.splitlines() if self.lost_sidecar in line]
        self.assertIn("its name and labels are lost", line)
        self.assertIn("Nothing was changed", result.stderr)
        self.assertTrue(self.lost())

    def test_confirmed(self) -> None:
        """With --yes, everything is restored, and the service starts."""
        result = self.recover("--yes")
        self.assertEqual((result.exit_code, len(self.served)), (0, 1), result.stderr)
        self.assertFalse(self.lost())
        store = Store(os.path.join(self.directory, "txstorage.sqlite"), lambda: 1.0)
        self.addCleanup(store.close)
        self.assertEqual({name: store.fact(name, str) for name in FACTS}, FACTS)
        self.assertEqual([each.server_id for each in store.servers.every()], ["s1"])
        self.assertEqual(store.usage(), Usage(2, 1, 9, 1, 3))

    def test_asked(self) -> None:
        """On a terminal the command asks first, and takes anything but a yes as a no."""
        for answer, restored in (("\n", False), ("n\n", False), ("", False), ("y\n", True)):
            # The runner replaces standard input.
            self.patch(testing._NamedTextIOWrapper, "isatty", lambda self: True)
            result = self.recover(input=answer)
            self.assertEqual(self.lost(), not restored, answer)
            self.assertEqual(
                (result.exit_code, len(self.served)), (int(not restored), int(restored))
            )

    def test_machines(self) -> None:
        """With --json, the table is one document."""
        result = self.recover(before=("--json",))
        document = json.loads(result.stdout)
        self.assertEqual((result.exit_code, result.stderr), (1, ""))
        self.assertEqual((document["facts"], document["nodes"]), (FACTS, {"node-1": "s1"}))
        by_problem = {each["problem"] is None: each for each in document["volumes"]}
        self.assertEqual(by_problem[True]["labels"], {"label": "one"})
        self.assertEqual(by_problem[False]["volume_id"], self.lost_sidecar)
        [snapshot] = document["snapshots"]
        self.assertEqual(
            {
                "snapshot_id": self.snapshot.snapshot_id,
                "volume_id": self.snapshot.volume_id,
                "size": 3 * GIB,
                "name": "before",
                "labels": {"why": "upgrade"},
                "problem": None,
            },
            snapshot,
        )
        [backup] = document["backups"]
        self.assertEqual(
            {
                "backup_id": self.backup.backup_id,
                "volume_id": self.backup.volume_id,
                "size": 3 * GIB,
                "name": "nightly",
                "labels": {"a": "b"},
                "problem": None,
            },
            backup,
        )

    def test_remarks(self) -> None:
        """The remarks of a recovery that was confirmed in advance have what is lost."""
        os.unlink(os.path.join(self.directory, "volumes", "backup-" + self.backup.backup_id))
        # The application is not needed without a question.
        remarks = recover(cast(Any, None), self.directory, True)
        [first, lost, *problems] = remarks
        self.assertIn("1 of 2 volumes completely", first)
        self.assertIn("application credentials", lost)
        self.assertEqual(
            [each.partition(": ")[0] for each in problems],
            [f"volume {self.lost_sidecar}", f"backup {self.backup.backup_id}"],
        )

    def test_not_lost(self) -> None:
        """A directory in which nothing is lost is refused."""
        self.recover("--yes")
        result = self.recover("--yes")
        self.assertEqual((result.exit_code, len(self.served)), (1, 1))
        self.assertTrue(result.stderr.startswith("Error: "), result.stderr)
        self.assertIn("nothing to recover", result.stderr)

    def test_usage(self) -> None:
        """--yes alone is wrong."""
        result = runner().invoke(main, ["serve", "--state-dir", self.directory, "--yes"])
        self.assertEqual((result.exit_code, self.served), (2, []))
