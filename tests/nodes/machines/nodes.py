"""
The nodes of a run, and the operator's side of their network.

Ending a run is one step: the run's :mod:`.operator` notices that its input ends, when the run is
closed and also when this process is killed, and removes everything.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import ExitStack

from ...run import ROOT
from .network import NODE, OPERATOR, connect, entering
from .node import Node, NodeError
from .runs import Run, sweep_left

PLACE = os.path.join(ROOT, ".nodes")
#: The variable with the path of the description of what ``make test-docker`` made for the tests.
VARIABLE = "TXSTORAGE_NODES"
RUNS, LOGS = os.path.join(PLACE, "runs"), os.path.join(PLACE, "logs")


def control_groups():
    """:return: the directory of the control groups, version 2."""
    root = "/sys/fs/cgroup"
    unified = os.path.join(root, "unified")
    return unified if os.path.isdir(unified) else root


class Operator:
    """
    The operator's side: a network namespace with the address ``OPERATOR``.

    :param run: the :class:`~tests.nodes.runs.Run`.
    """

    address = OPERATOR

    def __init__(self, run):
        self._run = run
        self._spawned = []
        words = ["unshare", "--net", sys.executable, "-m", "tests.nodes.machines.operator"]
        self._process = subprocess.Popen(
            [*words, run.directory],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[run.lock],
            start_new_session=True,
        )
        try:
            if self._process.stdout.readline() != b"ready\n":
                raise NodeError("no network namespace can be made here")
            run.record_process(self.pid)
        except BaseException:
            # it holds the run's lock
            self.close()
            raise

    @property
    def pid(self):
        return self._process.pid

    def spawn(self, words, **options):
        """
        Start a program in the operator's network namespace, which ends with the run.

        :param words: list, the command.
        :param options: of ``Popen``.
        :return: a ``Popen``.
        """
        command = entering(self.pid, *words)
        process = subprocess.Popen(command, cwd=ROOT, start_new_session=True, **options)
        self._spawned.append(process)
        self._run.record_process(process.pid)
        return process

    def close(self):
        """End the run, and wait until nothing of it is left."""
        for process in self._spawned:
            process.kill()
            process.wait()
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


class Nodes:
    """
    Nodes, up within the context.

    :param layers: the directories that the nodes' roots are overlays of, the uppermost first.
    :param number: the number of nodes; their names are ``node-1`` and so on.
    :param place: the directory of the runs.

    :ivar operator: the :class:`Operator`.
    """

    def __init__(self, layers, number=2, place=RUNS):
        self._layers = layers
        self._number = number
        self._place = place
        self._nodes = []
        self._run = self.operator = None

    def __getitem__(self, number):
        """:return: a :class:`~tests.nodes.node.Node`, by its number from 1."""
        if number < 1:
            raise IndexError(number)
        return self._nodes[number - 1]

    def __iter__(self):
        return iter(self._nodes)

    def within(self, *path):
        """:return: a path in the run's directory, which is removed at the end."""
        return self._run.within(*path)

    def plug_in(self):
        """Make the network and the nodes, which are off; remove what earlier runs have left."""
        sweep_left(self._place)
        self._run = Run.make(self._place)
        self.operator = Operator(self._run)
        numbers = range(1, self._number + 1)
        hosts = {f"node-{number}": NODE.format(number) for number in numbers}
        for number in numbers:
            node = self._make(number, {"operator": OPERATOR, **hosts})
            self._nodes.append(node)
            connect(self.operator.pid, node.supply.pid, number)

    def _make(self, number, hosts):
        name, address = f"node-{number}", NODE.format(number)
        group = os.path.join(control_groups(), f"txstorage-{self._run.name}-{number}")
        self._run.record_group(group)
        directory = self._run.within(name)
        node = Node.make(name, directory, self._layers, hosts, address, group)
        self._run.record_process(node.supply.pid)
        return node

    def up(self):
        """
        Make the nodes and start them all.

        :raises NodeError: a node did not start; nothing is left then.
        """
        try:
            self.plug_in()
            for node in self:
                node.start(wait=False)
            for node in self:
                node.wait_until_up()
        except BaseException:
            self.down()
            raise

    def down(self):
        """End the run: cut all power, and remove everything that the run has made."""
        nodes, operator, run = self._nodes, self.operator, self._run
        self._nodes = []
        self._run = self.operator = None
        # the last of these first, and each one also after the error of another: the next run
        # waits for the lock
        with ExitStack() as ending:
            if run is not None:
                ending.callback(os.close, run.lock)
            for node in nodes:
                ending.callback(node.wait_until_unplugged)
            if operator is not None:
                ending.callback(operator.close)
            for node in nodes:
                ending.callback(node.unplug)

    def save_logs(self):
        """Copy the nodes' consoles and journals, into a directory that has the run's name."""
        for node in self:
            target = os.path.join(LOGS, self._run.name, node.name)
            os.makedirs(target)
            shutil.copy(node.within("console.log"), target)
            journal = node.within("upper/var/log/journal")
            if os.path.isdir(journal):
                shutil.copytree(journal, os.path.join(target, "journal"))

    def __enter__(self):
        self.up()
        return self

    def __exit__(self, *_):
        self.down()
