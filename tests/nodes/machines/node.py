"""A node: a machine in namespaces, with power, a network address and files of its own."""

from __future__ import annotations

import os
import select
import shlex
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass
from json import dumps

from ...run import ROOT
from .inside import Description

#: Seconds in which a node starts, or ends.
PATIENCE = 120
#: Shows the failed units, and the end of the journal.
FAILED = "systemctl --failed --no-legend --plain; journalctl --boot --no-pager | tail -n 60"
SURROUNDINGS = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "HOME": "/root",
}


class NodeError(Exception):
    """A node does not do what it should; the text has its last messages."""


class CommandFailed(NodeError):
    """A command on a node failed; the text has its output."""


@dataclass(frozen=True)
class Done:
    """
    A command that has ended.

    :ivar code: the exit code.
    :ivar output: standard output.
    :ivar errors: standard error.
    """

    code: int
    output: str
    errors: str


def ended(process):
    """:return: the :class:`Done` of a process, which may still run."""
    output, errors = process.communicate()
    return Done(process.returncode, output, errors)


class Node:
    """
    A node, which is off at first.

    :param description: its :class:`~tests.nodes.machines.inside.Description`.
    :param address: its network address.
    :param group: the directory of its control group.

    :ivar supply: its :mod:`.power`, a ``Popen``.
    """

    def __init__(self, description, address, group):
        self._description = description
        # 0 from the command to start, or to reboot, until the node has a first process
        self._pid = None
        self._ready = self._plugged = False
        self._unread = b""
        self.address = address
        os.makedirs(description.directory)
        words = ["unshare", "--net", sys.executable, "-m", "tests.nodes.machines.power"]
        self.supply = subprocess.Popen(
            [*words, group, dumps(asdict(description))],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        # its network namespace is there
        self._wait(lambda: self._plugged, PATIENCE, "plugged in")

    @classmethod
    def make(cls, name, directory, layers, hosts, address, group):
        """Make a node with a machine id of its own."""
        description = Description(name, directory, layers, uuid.uuid4().hex, hosts)
        return cls(description, address, group)

    @property
    def name(self):
        return self._description.name

    def within(self, *path):
        """:return: a path in the node's directory on this machine."""
        return self._description.within(*path)

    # -- power -------------------------------------------------------------

    @property
    def pid(self):
        """The process id, on this machine, of the node's systemd; ``None`` when it has none."""
        self._take_events(0)
        return self._pid or None

    @property
    def is_off(self):
        """``True`` while the node is off; not while it reboots."""
        self._take_events(0)
        return self._pid is None

    @property
    def is_up(self):
        """``True`` from when the node's systemd has started everything."""
        self._take_events(0)
        return self._ready

    def start(self, wait=True):
        """
        Start the node.

        :param wait: whether to wait until everything is started.
        :raises NodeError: it is not, or a unit failed.
        """
        self._command("on")
        if wait:
            self.wait_until_up()

    def wait_until_up(self):
        """
        Wait until everything is started.

        :raises NodeError: it is not, or a unit failed.
        """
        self._wait(lambda: self._ready or self._pid is None, PATIENCE, "up")
        if not self._ready:
            raise NodeError(f"{self.name} did not start:\n{self.last_words()}")
        if self.run("systemctl is-system-running", check=False).output.strip() != "running":
            said = self.run(FAILED, check=False).output
            raise NodeError(f"{self.name} has failed units:\n{said}")

    def power_off(self):
        """Shut the node down in order: services are stopped, and file systems unmounted."""
        self.run("systemctl poweroff", check=False)
        self._wait(lambda: self._pid is None, PATIENCE, "off")

    def die(self):
        """End all processes of the node at once: nothing is stopped, written or unmounted."""
        self._command("cut")
        self._wait(lambda: self._pid is None, PATIENCE, "dead")

    def unplug(self):
        """End the power supply, which cuts the power; it may have ended before."""
        with suppress(BrokenPipeError):
            # a command that it did not take may be left
            self.supply.stdin.close()

    def wait_until_unplugged(self):
        """Wait until the power supply, and with it every process of the node, has ended."""
        self.supply.wait()
        self.supply.stdout.close()

    def reboot(self):
        """Reboot the node in order, and wait until it is up."""
        before = self.pid
        self.run("systemctl reboot", check=False)
        self._wait(lambda: self._pid is None or self._pid not in (0, before), PATIENCE, "rebooting")
        self.wait_until_up()

    def _command(self, command):
        self.supply.stdin.write(command.encode("ascii") + b"\n")
        self.supply.stdin.flush()
        if command == "on" and self._pid is None:
            self._pid = 0

    def _wait(self, reached, seconds, state):
        """
        Wait for a state.

        :raises NodeError: the node does not reach it in time, or ends instead.
        """
        end = time.monotonic() + seconds
        while not reached():
            left = end - time.monotonic()
            if left <= 0 or not self._take_events(left):
                raise NodeError(f"{self.name} is not {state}:\n{self.last_words()}")

    def _take_events(self, seconds):
        """
        Take in the events of the power supply.

        :param seconds: the time to wait for the first one.
        :return: whether there was one.
        """
        took = False
        while self.supply.poll() is None:
            if not select.select([self.supply.stdout], [], [], 0 if took else seconds)[0]:
                break
            data = os.read(self.supply.stdout.fileno(), 4096)
            if not data:
                break
            took = True
            *lines, self._unread = (self._unread + data).split(b"\n")
            for line in lines:
                self._event(*line.decode("ascii").split())
        return took

    def _event(self, event, pid=None):
        self._plugged = True
        if event == "on":
            self._pid = int(pid)
        elif event == "ready":
            self._ready = True
        elif event in ("off", "again"):
            self._pid, self._ready = (None if event == "off" else 0), False

    # -- commands and files ----------------------------------------------------

    def entering(self, words):
        """
        :param words: list, a command for the node.
        :return: list, the command that runs it there.
        :raises NodeError: the node is off.
        """
        if self.pid is None:
            raise NodeError(f"{self.name} is off")
        variables = [f"{name}={value}" for name, value in SURROUNDINGS.items()]
        return ["nsenter", "--all", f"--target={self.pid}", "env", "-i", *variables, *words]

    def spawn(self, command, **options):
        """
        Start a command on the node.

        :param command: a line for a shell, or a list of words.
        :param options: of ``Popen``.
        :return: a ``Popen``; it ends with the node at the latest.
        """
        words = ["sh", "-c", command] if isinstance(command, str) else command
        given = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(self.entering(words), **{"text": True, **given, **options})

    def run(self, command, check=True):
        """
        Run a command on the node.

        :param command: a line for a shell, or a list of words.
        :return: its standard output; without ``check`` a :class:`Done`.
        :raises CommandFailed: with all its output.
        :raises NodeError: the node is off.
        """
        done = ended(self.spawn(command))
        if not check:
            return done
        if done.code:
            shown = command if isinstance(command, str) else shlex.join(command)
            said = "{}: {}: exit code {}\n{}{}"
            raise CommandFailed(said.format(self.name, shown, done.code, done.output, done.errors))
        return done.output

    def put(self, content, path, mode=0o644):
        """
        Write a file on the node.

        :param content: bytes, or a binary file of this machine.
        :param path: the file's on the node; its directory is made.
        """
        script = 'mkdir -p "$(dirname "$2")" && install -m "$1" /dev/null "$2" && cat >"$2"'
        words = ["sh", "-c", script, "sh", f"{mode:o}", path]
        given = content if not isinstance(content, bytes) else subprocess.PIPE
        process = self.spawn(words, stdin=given, text=False)
        _, errors = process.communicate(content if isinstance(content, bytes) else None)
        if process.returncode:
            raise CommandFailed(f"{self.name}: {path}: {errors.decode('utf-8', 'replace')}")

    def pull(self, path):
        """:return: the content, bytes, of a file on the node."""
        process = self.spawn(["cat", path], text=False)
        content, errors = process.communicate()
        if process.returncode:
            raise CommandFailed(f"{self.name}: {path}: {errors.decode('utf-8', 'replace')}")
        return content

    def last_words(self, lines=30):
        """:return: the end of the node's console, text."""
        try:
            with open(self.within("console.log"), errors="replace") as console:
                return "".join(console.readlines()[-lines:])
        except FileNotFoundError:
            return ""
