"""
A clean root, and the namespaces it is used in.

The mounts, the network and the processes of a root are in namespaces that end with the process
that uses the root, however that ends.  Loop devices outlive them: :func:`sweep` finds them by the
place of their files.
"""

import os
import shlex
import shutil
import subprocess

from ..helpers.loops import detach_below

#: Keeps the namespaces until its input ends.  As their first process it also
#: reaps the processes whose parents ended first.  The root is a mount of its own, as a machine's
#: is: programs change how mounts below "/" propagate.
KEEPER = """\
set -e
mount --bind "$1" "$1"
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
            universal_newlines=True,
        )
        if self._keeper.stdout.readline() != "ready\n":
            self.close()
            raise CommandFailed("no namespaces for a root can be made here")

    def within(self, *path):
        """:return: the path, outside, of a path inside the root."""
        return os.path.join(self.path, *(part.lstrip("/") for part in path))

    def _entering(self, *spaces):
        """:return: the words of a command that enters some of the namespaces, by their names."""
        keeper = f"/proc/{self._keeper.pid}/ns/"
        files = {"mount": "mnt", "net": "net", "pid": "pid_for_children"}
        return ["nsenter", *(f"--{space}={keeper}{files[space]}" for space in spaces)]

    def bind(self, directory, path):
        """Let a directory of this machine appear at a path of the root, to be read."""
        os.makedirs(self.within(path), exist_ok=True)
        mount = ["mount", "--bind", "--options", "ro", directory, self.within(path)]
        subprocess.run([*self._entering("mount"), *mount], check=True)

    def command(self, words, networked=False):
        """
        :param words: list, a command for the root.
        :param networked: whether the command has this machine's network, instead of the root's own
            loopback interface.
        :return: list, the command that runs it there from outside.
        """
        spaces = ("mount", "pid") if networked else ("mount", "net", "pid")
        inside = ["chroot", self.path, "/usr/bin/env", "-i", *SURROUNDINGS, *words]
        return [*self._entering(*spaces), *inside]

    def run(self, command, check=True):
        """
        Run a command in the root, without a network.

        :param command: a command line, or a list.
        :return: its standard output; without ``check``, also its standard error and its exit code.
        :raises CommandFailed: with all its output.
        """
        words = shlex.split(command) if isinstance(command, str) else command
        done = subprocess.run(
            self.command(words),
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

    def terminate(self):
        """End the root's processes, without waiting for it."""
        self._keeper.stdin.close()

    def close(self):
        """End the root's processes, and remove it."""
        self.terminate()
        self._keeper.wait()
        self._keeper.stdout.close()
        sweep(self.path)


def sweep(directory):
    """Remove a directory, and detach the loop devices whose files are in it."""
    detach_below(directory)
    shutil.rmtree(directory, ignore_errors=True)
