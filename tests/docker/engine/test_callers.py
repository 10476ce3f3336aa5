"""Tests for :mod:`txstorage.docker.engine.callers`."""

from __future__ import annotations

import os
import socket
import subprocess

import attr
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from txstorage.docker.engine.callers import Caller, caller_of, sees
from txstorage.filesystem import Mount, mounts_of


class CallerTests(SynchronousTestCase):
    """The process at the other end of a connection."""

    def test_itself(self) -> None:
        """The kernel names the process that made the connection."""
        ours, theirs = socket.socketpair(socket.AF_UNIX)
        self.addCleanup(ours.close)
        self.addCleanup(theirs.close)
        caller = caller_of(ours)
        self.assertEqual(os.getpid(), caller.pid)
        self.assertIn(str(os.getpid()), str(caller))


class SeesTests(SynchronousTestCase):
    """The mounts that processes see."""

    def setUp(self) -> None:
        self.mount = mounts_of()[-1]

    def test_own_namespace(self) -> None:
        """A process sees what is in its table, and nothing else."""
        caller = Caller(os.getpid())
        self.assertTrue(sees(caller, self.mount))
        for change in ({"number": "9:9"}, {"mounted_at": "/x"}, {"root": "/x"}):
            self.assertFalse(sees(caller, attr.evolve(self.mount, **change)))

    def test_other_namespace(self) -> None:
        """A mount made after a namespace was split off privately is not visible in it."""
        if os.getuid() != 0:
            raise SkipTest("mount namespaces need root")
        directory = os.path.abspath(self.mktemp())
        os.mkdir(directory)
        command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", "echo; cat"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(process.communicate)
        assert process.stdout is not None
        process.stdout.readline()
        subprocess.run(["mount", "-t", "tmpfs", "none", directory], check=True)
        self.addCleanup(subprocess.run, ["umount", directory], check=True)
        made = [each for each in mounts_of() if each.mounted_at == directory][0]
        self.assertTrue(sees(Caller(os.getpid()), made))
        self.assertFalse(sees(Caller(process.pid), made))

    def test_managed(self) -> None:
        """An engine sees the mounts of a managed plugin in a directory of its own."""
        place = "/var/lib/docker/plugins/x/propagated-mount/pg"
        proc = self.mktemp()
        os.makedirs(os.path.join(proc, "7"))
        with open(os.path.join(proc, "7", "mountinfo"), "w") as opened:
            opened.write(f"1 2 7:0 / {place} rw - ext4 /dev/loop0 rw\n")
        for path, seen in (
            ("/propagated-mount/pg", True),
            ("/propagated-mount/other", False),
            ("/m/propagated-mount/pg", False),
            ("/pg", False),
        ):
            mount = Mount("7:0", "/", path, "ext4", "/dev/loop0", True)
            self.assertEqual(seen, sees(Caller(7), mount, proc), path)

    def test_other_pids(self) -> None:
        """An engine outside a managed plugin sees shared mounts only."""
        mount = Mount("7:0", "/", "/m/pg", "ext4", "/dev/loop0")
        self.assertFalse(sees(Caller(0), mount))
        self.assertTrue(sees(Caller(0), attr.evolve(mount, shared=True)))

    def test_gone(self) -> None:
        """A process that has ended starts no container."""
        process = subprocess.Popen(["true"])
        process.wait()
        self.assertTrue(sees(Caller(process.pid), attr.evolve(self.mount, mounted_at="/x")))
