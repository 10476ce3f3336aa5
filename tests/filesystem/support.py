"""
Loop devices for the tests of file systems, and what is written to them.
"""

from __future__ import annotations

import os
import subprocess
from typing import Any
from uuid import uuid4

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SkipTest, TestCase

from txstorage._support import linux
from txstorage.filesystem import Mounter
from txstorage.filesystem.holders import mounts_of

from ..helpers.sysfs import attach_loop, backing_file

MIB = 2**20
SIZE = 400 * MIB


def shell(*command: str) -> str:
    """:return: the output of a program."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def needs(*programs: str) -> None:
    """Skip the test where a program is not installed."""
    import shutil

    for program in programs:
        if shutil.which(program, path=linux.SYSTEM_PATH) is None:
            raise SkipTest(f"{program} is not installed")


class DeviceTestCase(TestCase):
    """A mounter, and loop devices that are removed after the test."""

    timeout = 60

    def setUp(self) -> None:
        if os.getuid() != 0:
            raise SkipTest("mounts need root")
        self.directory = os.path.abspath(self.mktemp())
        self.mounter = Mounter(reactor, self.directory)
        self.addCleanup(self.unmount_all)

    def unmount_all(self) -> None:
        for each in reversed(mounts_of()):
            if each.mounted_at.startswith(self.directory + os.sep):
                subprocess.run(["umount", "--lazy", each.mounted_at], check=True)
        if os.path.isdir(self.directory):
            for name in os.listdir(self.directory):
                subprocess.run(["chattr", "-i", os.path.join(self.directory, name)], check=True)

    def device(self, size: int = SIZE) -> str:
        """:return: the path of a blank loop device."""
        self.image = backing_file(self, uuid4(), size)
        made: str = attach_loop(self, self.image)
        return made

    def run_async(self, coroutine: Any) -> Any:
        """:return: a ``Deferred`` of a coroutine."""
        return Deferred.fromCoroutine(coroutine)
