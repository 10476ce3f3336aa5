"""
Tests of the whole repository: a loop device is detached only through its file.

A number that a listing has printed can be another file's device before the next command.
"""

from __future__ import absolute_import, division, print_function

import io
import os
import re

from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.imports import ROOT

#: Compares the file on an open descriptor before it detaches.
COMPARES = os.path.join("txstorage", "_support", "loop_devices.py")
#: A command line, or a command's arguments, with util-linux's abbreviations; and the ioctls.
DETACHES = re.compile(
    r"""losetup['"]?[\s,(\[][^$]{0,120}?(?<![\w-])(?:-[rv]*[dD]\b|--det)|LOOP_CLR_FD|0x4C01"""
)
#: In a document, the mounted file system keeps the device from being freed before the unmount.
KEPT_BY_MOUNT = re.compile(r"\$ losetup --detach \S+\n +\$ umount ")
#: Directories that are made, not written.
MADE = ("_build", "__pycache__", "build", "dist", "node_modules")


def written_files():
    """Yield ``(path below the root, text)`` of the repository's files."""
    for directory, directories, files in os.walk(ROOT):
        directories[:] = [
            name
            for name in directories
            if name not in MADE and (name == ".ci" or not name.startswith((".", "_trial")))
        ]
        for name in files:
            path = os.path.join(directory, name)
            if os.path.isfile(path) and not name.endswith((".pyc", ".png", ".svg", ".gz")):
                with io.open(path, encoding="utf-8", errors="replace") as opened:
                    yield os.path.relpath(path, ROOT), opened.read()


def detaches_by_name(text):
    """:return: the places of a text that detach a loop device by its name alone."""
    kept = [found.start() for found in KEPT_BY_MOUNT.finditer(text)]
    found = DETACHES.finditer(text)
    return [each.group() for each in found if not any(0 <= each.start() - at < 4 for at in kept)]


class DetachTests(SynchronousTestCase):
    """No program, test or document detaches a loop device by its name alone."""

    def test_nowhere(self):
        """Only the module that compares the file detaches, and all else uses that module."""
        allowed = {COMPARES, os.path.join("tests", "house", "test_loop_devices.py")}
        found = {path: detaches_by_name(text) for path, text in written_files()}
        self.assertIn(COMPARES, [path for path in found if found[path]])
        self.assertEqual({}, {path: found[path] for path in set(found) - allowed if found[path]})

    def test_recognized(self):
        """Each way to detach by name is recognized, and no other use of ``losetup``."""
        for text in (
            "subprocess.run(['losetup', '--detach', device])",
            'losetup("--detach", device)',
            'command = ("losetup", "-d", device)',
            'command = [\n    "losetup",\n    "--detach",\n    device,\n]',
            "losetup -d /dev/loop0",
            "losetup --verbose -D",
            "losetup --detach-all",
            "   $ umount /mnt\n   $ losetup --detach /dev/loop0\n",
            "fcntl.ioctl(opened, LOOP_CLR_FD)",
        ):
            self.assertEqual(1, len(detaches_by_name(text)), text)
        for text in (
            'losetup("--find", "--show", path)',
            "losetup --list --noheadings --raw --output NAME,BACK-FILE",
            "   $ losetup --detach /dev/loop0\n   $ umount /mnt\n",
            'git("checkout", "--detach")',
        ):
            self.assertEqual([], detaches_by_name(text), text)
