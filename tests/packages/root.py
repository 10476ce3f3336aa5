"""
A clean root to install packages into, and the namespaces it is used in.

The mounts, the network and the processes of a root are in namespaces that end with the process
that uses the root, however that ends.  Loop devices outlive them: :func:`sweep` finds them by the
place of their files.
"""

import glob
import json
import os
import shlex
import shutil
import subprocess

from ..helpers.loops import detach_below

HERE = os.path.dirname(os.path.abspath(__file__))
CONFIGURATION = "/var/lib/txstorage/agent-node-1.yml"

#: Keeps the namespaces until its input ends.  As their first process it also
#: reaps the processes whose parents ended first.
KEEPER = """\
set -e
mount --rbind /dev "$1/dev"
mount --rbind /sys "$1/sys"
mount -t proc proc "$1/proc"
ip link set lo up
echo ready
cat
:
"""
SURROUNDINGS = [
    "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL=C.UTF-8",
    "HOME=/root",
    "DEBIAN_FRONTEND=noninteractive",
]


class CommandFailed(Exception):
    """A command in a root failed."""


class Root:
    """
    A root, copied from one that debootstrap made.

    :param base: the path of the original.
    :param path: the path of the copy; nothing is there yet.
    """

    def __init__(self, base, path):
        self.path = path
        subprocess.run(["cp", "--archive", "--reflink=auto", base, path], check=True)
        unshare = "unshare --mount --pid --net --fork --kill-child --propagation private sh -c"
        self._keeper = subprocess.Popen(
            [*unshare.split(), KEEPER, "keeper", path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        if self._keeper.stdout.readline() != b"ready\n":
            self.close()
            raise CommandFailed("no namespaces for a root can be made here")

    def within(self, *path):
        """:return: the path, outside, of a path inside the root."""
        return os.path.join(self.path, *(part.lstrip("/") for part in path))

    def run(self, command, check=True):
        """
        Run a command in the root.

        :param command: a command line, or a list.
        :return: its standard output; without ``check``, also its standard error and its exit code.
        :raises CommandFailed: with all its output.
        """
        words = shlex.split(command) if isinstance(command, str) else command
        spaces = f"/proc/{self._keeper.pid}/ns"
        enter = ["nsenter", "--mount=" + spaces + "/mnt", "--net=" + spaces + "/net"]
        enter += ["--pid=" + spaces + "/pid_for_children", "chroot", self.path]
        done = subprocess.run(
            [*enter, "/usr/bin/env", "-i", *SURROUNDINGS, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
        )
        if not check:
            return done.returncode, done.stdout + done.stderr
        if done.returncode:
            said = "{}: exit code {}\n{}{}"
            raise CommandFailed(said.format(words, done.returncode, done.stdout, done.stderr))
        return done.stdout

    def txstorage(self, arguments):
        """:return: the JSON document that the installed command prints."""
        return json.loads(self.run(f"txstorage --config {CONFIGURATION} --json {arguments}"))

    def install_systemctl(self):
        """Stand in for systemd and the journal; see ``systemctl.py``."""
        [python] = glob.glob(self.within("usr/bin/python3.*[0-9]"))
        place = self.within("usr/bin/systemctl")
        with open(os.path.join(HERE, "systemctl.py"), encoding="utf-8") as source:
            script = source.read()
        with open(place, "w", encoding="utf-8") as target:
            target.write(f"#!/usr/bin/{os.path.basename(python)}\n{script}")
        os.chmod(place, 0o755)
        with open(self.within("usr/bin/journalctl"), "w", encoding="utf-8") as target:
            target.write("#!/bin/sh\nexec cat /run/txstorage.output\n")
        os.chmod(target.name, 0o755)
        os.makedirs(self.within("run/systemd/system"))

    def systemctl_calls(self):
        """:return: the calls of systemctl since the last time."""
        try:
            with open(self.within("run/systemctl.log"), encoding="utf-8") as opened:
                calls = opened.read().splitlines()
        except FileNotFoundError:
            return []
        os.unlink(self.within("run/systemctl.log"))
        return calls

    def close(self):
        """End the root's processes, and remove it."""
        self._keeper.stdin.close()
        self._keeper.wait()
        self._keeper.stdout.close()
        sweep(self.path)


def sweep(directory):
    """Remove a directory, and detach the loop devices whose files are in it."""
    detach_below(directory)
    shutil.rmtree(directory, ignore_errors=True)
