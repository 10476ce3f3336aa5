"""Tests for :mod:`txstorage.docker.engine.listening`."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase
from twisted.web.static import Data

from txstorage.docker.engine.listening import SYSTEMD, Listener, make_way
from txstorage.errors import SocketUnusable

from .support import exchange

RESOURCE = Data(b"served", "text/plain")  # type: ignore[no-untyped-call]
RESOURCE.isLeaf = True
RESOURCE.render_POST = RESOURCE.render_GET  # type: ignore[attr-defined]

#: Passes a socket on as systemd does.
ACTIVATE = """\
import os, socket, sys
listening = socket.socket(socket.AF_UNIX)
listening.bind(sys.argv[1])
listening.listen()
os.dup2(listening.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="x")
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""
SERVE = """\
from twisted.internet import reactor
from twisted.internet.defer import ensureDeferred
from tests.docker.engine.test_listening import RESOURCE
from txstorage.docker.engine.listening import SYSTEMD, Listener
listener = Listener(reactor, SYSTEMD)
d = ensureDeferred(listener.start(RESOURCE))
reactor.addSystemEventTrigger("before", "shutdown", lambda: ensureDeferred(listener.stop()))
d.addCallbacks(lambda _: print("ready", flush=True), lambda f: print(f, flush=True))
reactor.run()
"""


class ListenerTests(TestCase):
    """The socket of a plugin."""

    timeout = 30

    def setUp(self) -> None:
        # A socket's path has a bound of 108 bytes.
        directory = os.path.relpath(self.mktemp())
        self.path = os.path.join(directory, "p.sock")

    async def start(self) -> Listener:
        """Listen at the path."""
        listener = Listener(reactor, self.path)
        await listener.start(RESOURCE)
        self.addCleanup(listener.stop)
        return listener

    async def test_served(self) -> None:
        """Requests are answered at the socket, which only its owner can open."""
        await self.start()
        self.assertEqual(200, (await exchange(self.path, "x", b""))[0])
        self.assertEqual(0o600, stat.S_IMODE(os.stat(self.path).st_mode))

    async def test_removed(self) -> None:
        """A stopped plugin leaves no socket, on which engines would wait."""
        listener = await self.start()
        await listener.stop()
        self.assertFalse(os.path.lexists(self.path))

    async def test_dead(self) -> None:
        """The socket of a killed plugin is replaced."""
        os.makedirs(os.path.dirname(self.path))
        dead = socket.socket(socket.AF_UNIX)
        dead.bind(self.path)
        dead.close()
        await self.start()
        self.assertEqual(200, (await exchange(self.path, "x", b""))[0])

    async def test_living(self) -> None:
        """The socket of a plugin that runs is left alone."""
        await self.start()
        self.assertRaises(SocketUnusable, make_way, self.path)
        self.assertEqual(200, (await exchange(self.path, "x", b""))[0])

    def test_other_file(self) -> None:
        """A file that is not a socket is left alone."""
        os.makedirs(os.path.dirname(self.path))
        with open(self.path, "w"):
            pass
        self.assertRaises(SocketUnusable, make_way, self.path)
        self.assertTrue(os.path.exists(self.path))

    async def test_not_activated(self) -> None:
        """Without a socket of systemd's, the error names its unit."""
        d = Deferred.fromCoroutine(Listener(reactor, SYSTEMD).start(RESOURCE))
        error = await self.assertFailure(d, SocketUnusable)
        self.assertIn("txstorage-docker.socket", error.remedy)

    async def test_activated(self) -> None:
        """A socket that systemd has opened is used, and is there after the plugin's end."""
        os.makedirs(os.path.dirname(self.path))
        process = subprocess.Popen(
            [sys.executable, "-c", ACTIVATE, self.path, "-c", SERVE],
            stdout=subprocess.PIPE,
            text=True,
            env=dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path)),
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.terminate)
        assert process.stdout is not None
        self.assertEqual("ready\n", process.stdout.readline())
        self.assertEqual(200, (await exchange(self.path, "x", b""))[0])
        process.terminate()
        process.wait()
        self.assertTrue(os.path.exists(self.path))
