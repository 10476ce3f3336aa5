"""Tests of the end of :class:`tests.nodes.machines.nodes.Nodes`, without nodes."""

from __future__ import annotations

import fcntl
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from .node import Node
from .nodes import Nodes
from .runs import Run


class Broken:
    """A node, or an operator, of which nothing can be ended."""

    def fail(self) -> None:
        raise ZeroDivisionError

    close = unplug = wait_until_unplugged = fail


class DownTests(SynchronousTestCase):
    """The end of a run in which something can't be ended."""

    def test_lock(self) -> None:
        """The lock is free after an error, and all else was ended, too."""
        nodes = Nodes([], place=self.mktemp())
        nodes._run = Run.make(nodes._place)
        path = nodes.within("lock")
        ended = []

        class Ending(Broken):
            def unplug(self) -> None:
                ended.append(self)

        last = Ending()
        nodes._nodes, nodes.operator = [Broken(), last], Broken()
        self.assertRaises(ZeroDivisionError, nodes.down)
        with open(path) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.assertEqual([last], ended)
        nodes.down()


class UnplugTests(SynchronousTestCase):
    """Power supplies."""

    def test_ended_before(self) -> None:
        """A power supply that ended before it took a command can be unplugged."""
        words = [sys.executable, "-c", ""]
        supply = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        supply.wait()
        node = Node.__new__(Node)
        node.supply, node._pid = supply, 1
        self.assertRaises(BrokenPipeError, node._command, "on")
        node.unplug()
        node.wait_until_unplugged()
        self.assertTrue(supply.stdin.closed and supply.stdout.closed)
