"""
The power supply of a node: ``unshare --net python3 -m tests.nodes.machines.power``.

The program's network namespace is the node's, also while the node is off.  Its arguments are the
directory of the node's control group, and the description for :mod:`.inside`.  It reads commands,
one a line:

``on``
    start the node, unless it runs;
``cut``
    end all processes of the node at once: nothing is unmounted or written before.

It prints a line for each event: ``plugged`` at first; ``on PID``, with the process id of the node's
init; ``ready``, once systemd has started everything; ``again`` when the node reboots; and
``off``.

The end of the input, which comes with the end of the program that started this one, cuts the power
and removes the control group.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import subprocess
import sys

from .inside import NOTIFY, SET_UP, Description
from .runs import remove_group

#: Makes the namespaces; ends with the power supply, also when that is killed.
UNSHARE = """\
setpriv --pdeathsig KILL unshare --mount --pid --uts --ipc --fork --kill-child --propagation private
""".split()
#: Enters the control group, the first argument, as its only process: systemd may then give
#: controllers to the groups in it.
ENTER = ["sh", "-c", 'echo 0 >"$1/cgroup.procs" && shift && exec unshare --cgroup "$@"', "sh"]
#: The exit codes of ``unshare`` when the node reboots: the kernel ends its init with SIGHUP.
REBOOTS = (-signal.SIGHUP, 128 + signal.SIGHUP)


def child_of(pid):
    """:return: the process id of a process's only child; ``None`` without one."""
    with open(f"/proc/{pid}/task/{pid}/children") as opened:
        children = opened.read().split()
    return int(children[0]) if children else None


def say(*words):
    print(*words, flush=True)


class Supply:
    """
    :param group: the directory of the node's control group.
    :param description: the node's, JSON.
    """

    def __init__(self, group, description):
        self._group = group
        self._description = description
        self._console = Description(**json.loads(description)).within("console.log")
        self._machine = self._init = None
        self._selector = selectors.DefaultSelector()
        self._notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notified.bind(NOTIFY.replace("@", "\0"))
        self._selector.register(self._notified, selectors.EVENT_READ, self._message)

    def on(self):
        """Start the node, unless it runs."""
        if self._machine is not None:
            return
        # the last boot's group may have given controllers away, and takes no process then
        remove_group(self._group)
        os.mkdir(self._group)
        inside = [sys.executable, "-m", "tests.nodes.machines.inside", self._description]
        with open(self._console, "ab") as console:
            self._machine = subprocess.Popen(
                [*UNSHARE, *ENTER, self._group, *inside],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
            )
        self._ended = os.pidfd_open(self._machine.pid)
        self._selector.register(self._ended, selectors.EVENT_READ, self._end)

    def cut(self):
        """End the node's processes, unless it is off."""
        if self._machine is None:
            return
        # the kernel ends all processes of the namespace before the init counts as ended
        init = self._init or child_of(self._machine.pid)
        try:
            os.kill(init or self._machine.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def _message(self):
        """Take in a message of the node's init."""
        message = self._notified.recv(4096)
        if self._machine is None:
            return
        if message == SET_UP:
            self._init = child_of(self._machine.pid)
            say("on", self._init)
        elif b"READY=1" in message.split(b"\n"):
            say("ready")

    def _end(self):
        """Take in the end of the node's init."""
        self._selector.unregister(self._ended)
        os.close(self._ended)
        code = self._machine.wait()
        self._machine = self._init = None
        if code in REBOOTS:
            say("again")
            self.on()
        else:
            say("off")

    def _read(self):
        """Take in commands; at the end of the input, end the node and this program."""
        data = os.read(0, 4096)
        if not data:
            self.cut()
            self._selector.unregister(0)
            if self._machine is not None:
                self._machine.wait()
            remove_group(self._group)
            sys.exit()
        for command in data.decode("ascii").split():
            {"on": self.on, "cut": self.cut}[command]()

    def run(self):
        """Serve until the input ends."""
        self._selector.register(0, selectors.EVENT_READ, self._read)
        say("plugged")
        while True:
            for key, _ in self._selector.select():
                key.data()


if __name__ == "__main__":
    Supply(*sys.argv[1:]).run()
