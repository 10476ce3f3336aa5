"""Tests of the thread that makes changes durable."""

from __future__ import annotations

import os
import sqlite3
import threading
from queue import SimpleQueue
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.machine.turns import ReactorTurns
from txstorage.embedded.store.database import Database
from txstorage.embedded.store.records import NewVolume
from txstorage.embedded.store.store import Store
from txstorage.embedded.store.writer import Writer, WriterClosed

from ..support import temporary_directory

NEW = NewVolume("n", None, 1, "gold", {"a": "b"})
#: Seconds; a busy machine is slow.
PATIENCE = 60.0


class Calls:
    """A reactor that keeps the calls from other threads until the test makes them."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[Any] = SimpleQueue()

    def callFromThread(self, function: Any, *args: Any) -> None:
        """See ``IReactorFromThreads``."""
        self._calls.put((function, args))

    def turn(self) -> None:
        """Wait for one call, and make it."""
        function, args = self._calls.get(timeout=PATIENCE)
        function(*args)

    def idle(self) -> bool:
        """Check that no call waits."""
        return self._calls.empty()


class Disk:
    """A disk that the test can stop: its commits are counted, and wait while it hangs."""

    def __init__(self, case: SynchronousTestCase) -> None:
        self.commits = 0
        self.reached = threading.Event()
        self.running = threading.Event()
        self.running.set()
        real = Database.commit

        def commit(database: Database) -> None:
            self.commits += 1
            self.reached.set()
            assert self.running.wait(PATIENCE)
            real(database)

        case.patch(Database, "commit", commit)
        case.addCleanup(self.running.set)

    def hang(self) -> None:
        """Let the next commits wait."""
        self.reached.clear()
        self.running.clear()


class WriterTests(SynchronousTestCase):
    """Tests of :class:`Writer`."""

    def setUp(self) -> None:
        self.path = os.path.join(temporary_directory(self), "db")
        self.reader = self.open()
        self.addCleanup(self.reader.close)
        self.calls = Calls()
        self.disk = Disk(self)
        self.writer = Writer(self.calls, self.open)
        self.addCleanup(self.writer.close)

    def open(self) -> Store:
        """Open the store, for this thread or the writer's."""
        return Store(self.path, lambda: 0.0)

    def fact(self, name: str) -> str | None:
        """Return a fact that the database has, as a reader sees it."""
        row = self.reader._database.execute("SELECT value FROM facts WHERE name = ?", name)
        found = row.fetchone()
        return None if found is None else found[0]

    def put(self, name: str, value: str = "v") -> Deferred[str]:
        """Request a fact."""
        return self.writer.write(lambda store: store.set_fact(name, value))

    def hanging(self) -> Deferred[str]:
        """Request a fact, whose commit hangs."""
        self.successful(self.put("first"))
        self.disk.hang()
        held = self.put("held")
        self.assertTrue(self.disk.reached.wait(PATIENCE))
        return held

    def successful(self, change: Deferred[Any]) -> Any:
        """Return the result of a change."""
        self.calls.turn()
        return self.successResultOf(change)

    def test_durable(self) -> None:
        """A change is neither answered nor readable before its commit has ended."""
        held = self.hanging()
        self.assertNoResult(held)
        self.assertTrue(self.calls.idle())
        self.assertIs(self.fact("held"), None)
        self.disk.running.set()
        self.assertEqual(self.successful(held), "v")
        self.assertEqual(self.fact("held"), "v")

    def test_group(self) -> None:
        """All changes that wait during one commit are made durable by the next one."""
        held = self.hanging()
        waiting = [self.put(f"fact-{number}", str(number)) for number in range(50)]
        before = self.disk.commits
        self.disk.running.set()
        self.successful(held)
        self.calls.turn()
        self.assertEqual(
            [self.successResultOf(each) for each in waiting], [str(n) for n in range(50)]
        )
        self.assertEqual(self.disk.commits - before, 1)

    def test_turns(self) -> None:
        """Results for which the reactor has no time wait for its next iteration."""
        clock = Clock()
        writer = Writer(self.calls, self.open, turns=ReactorTurns(clock, bound=-1.0))
        self.addCleanup(writer.close)
        change = writer.write(lambda store: store.set_fact("a", "v"))
        self.calls.turn()
        self.assertNoResult(change)
        [call] = clock.getDelayedCalls()
        self.assertEqual(call.getTime(), 0.0)
        writer._turns._bound = 1.0
        clock.advance(0)
        self.assertEqual(self.successResultOf(change), "v")

    def test_order(self) -> None:
        """Changes are made and answered in the order of their requests, each after the last."""
        answered: list[int] = []
        changes = [
            self.writer.write(
                lambda store, n=n: (store.fact("last", lambda: ""), store.set_fact("last", str(n)))
            ).addCallback(lambda found, n=n: answered.append(n) or found[0])
            for n in range(100)
        ]
        while len(answered) < 100:
            self.calls.turn()
        self.assertEqual(answered, list(range(100)))
        before = [self.successResultOf(change) for change in changes]
        self.assertEqual(before, ["", *map(str, range(99))])

    def test_one_fails(self) -> None:
        """A failed change leaves nothing, and the others of its group stay."""
        held = self.hanging()

        def fail(store: Store) -> None:
            store.add_volume(NEW)
            raise KeyError("reason")

        changes: list[Deferred[Any]] = [self.put("a"), self.writer.write(fail), self.put("b")]
        self.disk.running.set()
        self.successful(held)
        self.successful(changes[0])
        self.assertEqual(self.failureResultOf(changes[1], KeyError).value.args, ("reason",))
        self.assertEqual((self.fact("a"), self.fact("b")), ("v", "v"))
        self.assertEqual(self.reader.volumes(), [])

    def test_commit_fails(self) -> None:
        """
        When a commit fails, every change of the group fails, a refused one too, since it has read
        what was lost; later changes succeed.
        """
        held = self.hanging()

        def refuse(store: Store) -> None:
            raise KeyError(store.fact("a", lambda: "unknown"))

        changes: list[Deferred[Any]] = [self.put("a"), self.writer.write(refuse)]
        self.patch(Database, "commit", _no_room)
        self.disk.running.set()
        self.successful(held)
        self.calls.turn()
        for change in changes:
            self.failureResultOf(change, sqlite3.OperationalError)
        self.assertIs(self.fact("a"), None)
        self.patch(Database, "commit", lambda database: database.execute("COMMIT"))
        self.successful(self.put("c"))
        self.assertEqual((self.fact("a"), self.fact("c")), (None, "v"))

    def test_full(self) -> None:
        """A full disk, at which SQLite may end the transaction, loses no change unnoticed."""
        held = self.hanging()

        def fill(store: Store) -> None:
            (pages,) = store._database.execute("PRAGMA page_count").fetchone()
            store._database.execute(f"PRAGMA max_page_count = {pages + 2}")
            store.set_fact("full", "x" * 10**6)

        changes: list[Deferred[Any]] = [self.put("a"), self.writer.write(fill), self.put("b")]
        self.disk.running.set()
        self.successful(held)
        self.calls.turn()
        self.failureResultOf(changes[1], sqlite3.Error)
        for change, name in ((changes[0], "a"), (changes[2], "b")):
            answered: list[Any] = []
            change.addCallbacks(answered.append, lambda failure: None)
            self.assertEqual(self.fact(name), answered[0] if answered else None)

    def test_ended_by_sqlite(self) -> None:
        """When SQLite ends the transaction of a group, every change of it fails."""
        held = self.hanging()

        def end(store: Store) -> None:
            store._database.execute("ROLLBACK")
            raise sqlite3.OperationalError("disk I/O error")

        changes: list[Deferred[Any]] = [self.put("a"), self.writer.write(end), self.put("b")]
        self.disk.running.set()
        self.successful(held)
        self.calls.turn()
        for change in changes:
            failure = self.failureResultOf(change, sqlite3.OperationalError)
            self.assertIn("disk I/O error", str(failure.value))
        self.assertEqual((self.fact("a"), self.fact("b")), (None, None))

    def test_not_opened(self) -> None:
        """A store that can't be opened fails the changes, until it can be opened."""
        broken = [True]

        def open_store() -> Store:
            if broken.pop():
                raise sqlite3.OperationalError("no room")
            return self.open()

        broken.insert(0, False)
        writer = Writer(self.calls, open_store)
        self.addCleanup(writer.close)
        failed = writer.write(lambda store: None)
        self.calls.turn()
        self.failureResultOf(failed, sqlite3.OperationalError)
        self.successful(writer.write(lambda store: store.set_fact("a", "v")))
        self.assertEqual(self.fact("a"), "v")

    def test_close(self) -> None:
        """Closing makes the requested changes durable; later ones fail."""
        changes = [self.put(f"fact-{number}") for number in range(10)]
        self.writer.close()
        self.writer.close()
        self.assertEqual([self.fact(f"fact-{number}") for number in range(10)], ["v"] * 10)
        self.failureResultOf(self.put("late"), WriterClosed)
        while not self.calls.idle():
            self.calls.turn()
        for change in changes:
            self.assertEqual(self.successResultOf(change), "v")


class WriteTests(SynchronousTestCase):
    """Tests of :meth:`Store.write`."""

    def setUp(self) -> None:
        self.path = os.path.join(temporary_directory(self), "db")
        self.store = Store(self.path, lambda: 0.0)
        self.addCleanup(self.store.close)

    def test_here(self) -> None:
        """Without a thread, a change is made at once, and a failed one leaves nothing."""
        volume = self.successResultOf(self.store.write(lambda store: store.add_volume(NEW)))
        self.assertEqual(self.store.volumes(), [volume])

        def fail(store: Store) -> None:
            store.add_volume(NEW)
            raise KeyError()

        self.failureResultOf(self.store.write(fail), KeyError)
        self.assertEqual(self.store.volumes(), [volume])

    def test_only_there(self) -> None:
        """With a thread, a change in the reactor's thread, which could stall it, is refused."""
        calls = Calls()
        self.store.write_in_thread(calls)
        self.assertRaises(sqlite3.OperationalError, self.store.add_volume, NEW)
        volume = self.store.write(lambda store: store.add_volume(NEW))
        calls.turn()
        self.assertEqual(self.store.volumes(), [self.successResultOf(volume)])


def _no_room(database: Database) -> None:
    raise sqlite3.OperationalError("database or disk is full")
