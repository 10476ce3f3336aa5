"""The base of the tests in guests.  All tests on one Python share a guest."""

from __future__ import annotations

import atexit
import json
import os
import tempfile
import uuid

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from .machines.guest import Guest
from .machines.hypervisor import VARIABLE, Image, ide
from .machines.volumes import GIB, Volume


def image(python):
    """
    :param python: ``"3"`` or ``"2.7"``.
    :return: the :class:`~tests.guests.machines.hypervisor.Image`.
    :raises SkipTest: ``make test-guests`` did not make it.
    """
    path = os.environ.get(VARIABLE)
    if path is None:
        raise SkipTest("make test-guests makes what this tests")
    with open(path, encoding="utf-8") as opened:
        made = json.load(opened)
    if python not in made:
        raise SkipTest(f"there is no Python {python} here")
    return Image(**made[python])


def volume_id():
    """:return: a new volume's id in OpenStack."""
    return str(uuid.uuid4())


def ebs_id():
    """:return: a new volume's id in EC2."""
    return f"vol-0{uuid.uuid4().hex[:16]}"


def make_directory():
    """:return: the path of a new directory in trial's, where a console stays until the next run."""
    return os.path.abspath(tempfile.mkdtemp(prefix="guest-", dir=os.curdir))


def make_volume(directory, name, size):
    """
    :param name: the volume's id.
    :param size: GiB.
    :return: a new :class:`~tests.guests.machines.volumes.Volume`.
    """
    volume = Volume(name, os.path.join(directory, name), size * GIB)
    volume.write()
    return volume


class _Shared:
    """A guest with an IDE disk, and the files of its volumes."""

    def __init__(self, python):
        found = image(python)
        self.directory = make_directory()
        self.ide = make_volume(self.directory, volume_id(), 5)
        self.guest = Guest(found, self.directory, ide(self.ide))

    def close(self):
        self.guest.close()
        os.remove(self.ide.path)


_guests = {}


class GuestTestCase(SynchronousTestCase):
    """
    Base: has a guest that is up, with no volume but one of 5 GiB on an IDE disk.

    :cvar python: the guest's Python, ``"3"`` or ``"2.7"``.
    """

    python = "3"

    def setUp(self):
        if self.python not in _guests:
            _guests[self.python] = _Shared(self.python)
            atexit.register(_guests[self.python].close)
        self._shared = _guests[self.python]
        self.guest, self.ide = self._shared.guest, self._shared.ide

    def volume(self, name=None, size=1):
        """
        :param name: the volume's id; that of a new one in OpenStack when ``None``.
        :param size: GiB.
        :return: a new :class:`~tests.guests.machines.volumes.Volume`, which is not plugged in, and
            is removed after the test.
        """
        made = make_volume(self._shared.directory, name or volume_id(), size)
        self.addCleanup(os.remove, made.path)
        self.addCleanup(self.guest.hardware.unplug, made)
        return made

    def begin(self, call, volume, **options):
        """:return: the number of a new search for a volume, in the guest."""
        return self.guest.begin(call, volume=volume.id, size=volume.size, **options)

    def found(self, volume, call="wait_until_present"):
        """
        Search for a volume, and fail unless the found device has the volume's size and texts.

        :return: the device's path.
        """
        return self.assert_found(volume, self.guest.result(self.begin(call, volume)))

    def assert_found(self, volume, outcome):
        """
        Fail unless a search has found a device that has the volume's size and texts.

        :return: the device's path.
        """
        self.assertIn("path", outcome)
        texts = (outcome["size"], outcome["first"], outcome["last"])
        self.assertEqual((volume.size, volume.first, volume.last), texts)
        return outcome["path"]
