# -*- test-case-name: tests.embedded.store.test_writer -*-
"""
The writer: a thread that makes all changes of a running service, and makes them durable.

A commit waits for the disk, for seconds when the disk is busy.  In the reactor's thread, that wait
would stall every other request.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Callable, TypeVar

import attr
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure

from ..disk import is_full
from ..machine.turns import ReactorTurns

if TYPE_CHECKING:
    from .store import Store

T = TypeVar("T")
#: One transaction: it reads and changes the store that it is called with.
Change = Callable[["Store"], T]


class WriterClosed(Exception):
    """The service stops, and makes no more changes."""


@attr.s(frozen=True, auto_attribs=True, eq=False)
class _Waiting:
    """A change that waits for its turn, and the ``Deferred`` of its result."""

    change: Change[Any]
    done: Deferred[Any]


class Writer:
    """
    Makes changes in the order of their requests, in a thread with its own connection.

    All changes that wait when a commit ends are made durable by the next commit, together.

    :param reactor: its thread gets the results.
    :param open_store: makes the thread's store; called in the thread.
    :param release: makes room when the disk is full; returns whether there is more now.  Called in
        the thread.
    :param turns: divides the reactor's time among the results.
    """

    def __init__(
        self,
        reactor: IReactorFromThreads,
        open_store: Callable[[], Store],
        release: Callable[[], bool] = lambda: False,
        turns: ReactorTurns | None = None,
    ) -> None:
        self._reactor = reactor
        self._turns = turns
        self._open_store = open_store
        self._release = release
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="txstorage-writer", daemon=True)
        self._thread.start()

    def write(self, change: Change[T]) -> Deferred[T]:
        """
        Make a change.

        :param change: called in the writer's thread, in one transaction.
        :return: fires with the change's result, or fails with its exception, once the change and
            everything that it has read is durable.
        """
        if self._closed:
            return fail(WriterClosed())
        done: Deferred[T] = Deferred()
        self._queue.put(_Waiting(change, done))
        return done

    def close(self) -> None:
        """Wait until the requested changes are durable, and end the thread."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        self._thread.join()

    def _deliver(self, group: list[_Waiting], results: list[Any]) -> None:
        for waiting, result in zip(group, results):
            # A Failure fires the errback.
            if self._turns is None:
                waiting.done.callback(result)
            else:
                self._turns.first(partial(waiting.done.callback, result))

    # -- in the thread -------------------------------------------------------------

    def _run(self) -> None:
        store: Store | None = None
        ended = False
        while not ended:
            group, ended = self._next_group()
            if not group:
                continue
            results: list[Any]
            try:
                store = self._open_store() if store is None else store
                results = self._commit_with_room(store, group)
            except Exception:
                # Nothing of the group is in the database.
                results = [Failure()] * len(group)
            self._reactor.callFromThread(self._deliver, group, results)
        if store is not None:
            store.close()

    def _commit_with_room(self, store: Store, group: list[_Waiting]) -> list[Any]:
        try:
            return _commit(store, group, self._release)
        except Exception as error:
            _undo(store.undo_sidecars)
            more = is_full(error) and self._release()
            # An OSError is that of a sidecar, without which its own change alone has to fail.
            if not (more or isinstance(error, OSError)):
                raise
        try:
            return _commit(store, group, self._release, apart=True)
        except Exception:
            _undo(store.undo_sidecars)
            raise

    def _next_group(self) -> tuple[list[_Waiting], bool]:
        """
        Wait for a change, and take all that wait.

        :return: the changes, and whether there will be no more.
        """
        group = []
        waiting = self._queue.get()
        while waiting is not None:
            group.append(waiting)
            try:
                waiting = self._queue.get_nowait()
            except Empty:
                return group, False
        return group, True


def _commit(
    store: Store, group: list[_Waiting], release: Callable[[], bool], apart: bool = False
) -> list[Any]:
    """
    Make the changes of a group durable with one commit, and their sidecars before it.

    :param apart: whether each change has its sidecars written before the next change is made, so
        that one without room for them fails alone.
    :return: the result of each change, or its ``Failure``; a change that failed left nothing.
    :raises Exception: the commit failed, so that the group left nothing.
    """
    results: list[Any] = []
    with store.transaction():
        for waiting in group:
            try:
                results.append(_make(store, waiting.change, release, apart))
            except Exception as error:
                if not store.in_transaction:
                    # SQLite ended the transaction, e.g. because the disk is full.
                    raise sqlite3.OperationalError(f"a transaction was ended: {error}") from error
                results.append(Failure())
        store.sync_sidecars()
    store.forget_touched()
    return results


def _make(store: Store, change: Change[T], release: Callable[[], bool], apart: bool) -> T:
    """Make a change and its sidecars, with the reserve if the disk is full."""
    try:
        try:
            return _make_both(store, change, strict=True, at_once=apart)
        except OSError as error:
            if not is_full(error):
                raise
            release()
        return _make_both(store, change, strict=False, at_once=True)
    except Exception:
        _undo(lambda: store.keep_sidecars(at_once=True))
        raise


def _make_both(store: Store, change: Change[T], strict: bool, at_once: bool) -> T:
    with store.savepoint():
        result = change(store)
        store.keep_sidecars(strict, at_once)
    return result


def _undo(write: Callable[[], None]) -> None:
    """Write the sidecars of changes that left nothing as they were."""
    # What remains is corrected at the next start.
    with suppress(OSError, sqlite3.Error):
        write()
