"""The base of the tests in guests.  All tests of one class share a guest."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import tempfile
import uuid

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from .machines.guest import Guest
from .machines.volumes import GIB, Volume

#: The environment variable with the path of the description of what ``make test-guests`` made.
VARIABLE = "TXSTORAGE_GUESTS"

_guests = {}


def image(python):
    """
    :param python: ``"3"`` or ``"2.7"``.
    :return: the paths that a :class:`~tests.guests.machines.guest.Guest` is made of, a dict.
    :raises SkipTest: ``make test-guests`` did not make them.
    """
    path = os.environ.get(VARIABLE)
    if path is None:
        raise SkipTest("make test-guests makes what this tests")
    with open(path, encoding="utf-8") as opened:
        made = json.load(opened)
    if python not in made:
        raise SkipTest(f"there is no Python {python} here")
    return made[python]


def volume_id():
    """:return: a new volume's id in OpenStack."""
    return str(uuid.uuid4())


def ebs_id():
    """:return: a new volume's id in EC2."""
    return f"vol-0{uuid.uuid4().hex[:16]}"


class _Shared:
    """A guest, and the files of its volumes."""

    def __init__(self, python):
        found = image(python)
        self.directory = tempfile.mkdtemp(prefix="txstorage-guests-")
        try:
            self.ide = make_volume(self.directory, volume_id(), 5)
            self.guest = Guest(found, self.directory, self.ide)
        except BaseException:
            shutil.rmtree(self.directory)
            raise

    def close(self):
        self.guest.close()
        shutil.rmtree(self.directory)


def make_volume(directory, name, size):
    """
    :param size: GiB.
    :return: a new :class:`~tests.guests.machines.volumes.Volume`.
    """
    volume = Volume(name, os.path.join(directory, name), size * GIB)
    volume.write()
    return volume


class GuestTestCase(SynchronousTestCase):
    """
    Base: has a guest that is up, with no volume but one of 5 GiB on an IDE disk.

    :cvar python: the guest's Python, ``"3"`` or ``"2.7"``.
    """

    python = "3"

    def setUp(self):
        if self.python not in _guests:
            _guests[self.python] = shared = _Shared(self.python)
            atexit.register(shared.close)
        self.directory = _guests[self.python].directory
        self.guest = _guests[self.python].guest
        self.ide = _guests[self.python].ide
        self.addCleanup(self.guest.unplug_all)

    def volume(self, name=None, size=1):
        """
        :param name: the volume's id; that of a new one in OpenStack when ``None``.
        :param size: GiB.
        :return: a new :class:`~tests.guests.machines.volumes.Volume`, which is not plugged in.
        """
        made = make_volume(self.directory, name or volume_id(), size)
        self.addCleanup(os.remove, made.path)
        return made

    def present(self, volume):
        """:return: what the guest's search for a volume finds, once it finds a device."""
        return self.guest.call("wait_until_present", volume=volume.id, size=volume.size)

    def assert_found(self, volume, found):
        """A search has found a device that has the volume's size and texts."""
        texts = (found["size"], found["first"], found["last"])
        self.assertEqual((volume.size, volume.first, volume.last), texts)
