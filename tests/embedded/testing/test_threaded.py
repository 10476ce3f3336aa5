"""Tests of the double in a thread."""

from __future__ import annotations

import os
import threading
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.testing import ThreadedOpenStack, threaded

from .support import Client, DoubleTests


def threads() -> set[str]:
    """The names of the threads of doubles, with their numbers."""
    return {f"{each.name} {each.ident}" for each in threading.enumerate() if "double" in each.name}


class ThreadedOpenStackTests(DoubleTests, SynchronousTestCase):
    """Tests of :class:`ThreadedOpenStack`."""

    def double(self, **settings: Any) -> ThreadedOpenStack:
        """Return a double in a thread."""
        double = ThreadedOpenStack(**settings)
        self.addCleanup(double.close)
        return double

    def test_several(self) -> None:
        """Several doubles in one process have nothing in common."""
        one, other = self.double(), self.double()
        self.assertNotEqual(one.auth_url, other.auth_url)
        client, stranger = Client(one), Client(other)
        one.fail("volume", status=500, times=None)
        stranger.create()
        self.assertEqual(client.ask("GET", "/volume/v3/volumes")[0], 500)
        one.reset()
        self.assertEqual((client.volumes(), len(stranger.volumes())), ([], 1))
        # A token is its own cloud's.
        stranger.token = client.token
        self.assertEqual(stranger.ask("GET", "/volume/v3/volumes")[0], 401)

    def test_closed(self) -> None:
        """A closed double leaves no thread, no open file and no directory, and answers nothing."""
        descriptors = os.listdir("/proc/self/fd")
        before = threads()
        with ThreadedOpenStack() as double:
            directory = double._directory
            self.assertEqual(len(threads() - before), 1)
            client = Client(double)
            client.create()
        self.assertEqual((threads(), os.path.exists(directory)), (before, False))
        self.assertEqual(len(os.listdir("/proc/self/fd")), len(descriptors))
        self.assertRaises(OSError, client.create)
        double.close()

    def test_late_when_closed(self) -> None:
        """A double with a late answer can be closed; the client's connection ends."""
        double = self.double()
        client = Client(double)
        double.fail("volume", delay=3600)
        errors: list[BaseException] = []
        asked = threading.Event()

        def ask() -> None:
            asked.set()
            try:
                client.create()
            except OSError as error:
                errors.append(error)

        waiting = threading.Thread(target=ask)
        waiting.start()
        asked.wait()
        while double.faults:
            # It is listed until the request has arrived.
            pass
        double.close()
        waiting.join()
        self.assertEqual(len(errors), 1)

    def test_no_start(self) -> None:
        """An unknown setting is raised to the caller, and leaves neither thread nor directory."""
        made: list[str] = []
        make = threaded.scratch_directory
        self.patch(threaded, "scratch_directory", lambda: made.append(make()) or made[0])
        before = threads()
        error = self.assertRaises(TypeError, ThreadedOpenStack, transition_delya=1)
        self.assertIn("transition_delya", str(error))
        self.assertEqual((threads(), os.path.exists(made[0])), (before, False))
