# -*- test-case-name: tests._devices.test_waiting -*-
"""
From an attached volume to the verified device node on this host.

A device is a volume's because it says so itself, in sysfs: never because the
cloud named it, because it is new, or because its size fits.  No match, two
matches, another size or a node that leads elsewhere is an error, not a path.
"""

from __future__ import absolute_import, division, print_function

from functools import partial

import attr
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.python.filepath import FilePath

from .._log import DEVICE_SEARCH
from .._support.compat import as_text
from .._support.eliot_context import in_current_context
from ..errors import DeviceError, DeviceNotFound, DeviceStillPresent
from .block_devices import BlockDevices, check_node
from .matching import fits, match
from .regular_files import RegularFiles
from .sysfs import BlockDevice, read_block_devices
from .uevents import listen


@attr.s(frozen=True, hash=False)
class _Wait(object):
    """
    Somebody who waits.

    :ivar evaluate: called with what there is now; what it returns is the result.
    :ivar not_yet: the exception class of ``evaluate`` that means "go on waiting".
    """

    volume_id = attr.ib()
    evaluate = attr.ib()
    not_yet = attr.ib()
    deferred = attr.ib()


class DeviceFinder(object):
    """
    Finds the devices of attached volumes, and waits for them.

    To be used in the reactor's thread only.

    :param reactor: provides ``IReactorTime``; with ``IReactorFDSet`` as well,
        the kernel tells of changes, and polling is but a fallback.
    :param FilePath sysfs: where sysfs is mounted.
    :param FilePath dev: where the device nodes are.
    :param directory: ``FilePath`` or ``None``.  When given, a volume's device
        is the regular file of that name in there, and sysfs is not searched.
    :param events: called with a function that is to be called at each change;
        returns a function that stops it.  See :func:`txstorage._devices.uevents.listen`.
    :param tuple intervals: seconds between two polls, at first and at most.
    """

    def __init__(
        self,
        reactor,
        sysfs=FilePath("/sys"),
        dev=FilePath("/dev"),
        directory=None,
        events=None,
        intervals=(0.05, 1.0),
    ):
        self._reactor = reactor
        self._first, self._longest = intervals
        self._waits = []
        self._poll = None
        self._stop_events = None
        if directory is None:
            self._place = BlockDevices(sysfs, dev)
            self._events = partial(listen, reactor) if events is None else events
        else:
            self._place = RegularFiles(directory)
            self._events = None

    def set_expected_path(self, volume_id, path):
        """
        Say where a volume's device should be.  It is looked for there, and not
        by its own identity, which not all storage gives it; it is verified.

        :param text volume_id: the volume.
        :param path: text, or ``None`` when nobody knows (any more).
        """
        self._place.set_expected_path(volume_id, path)

    def find(self, volume_id, size):
        """
        Find the device of an attached volume, now.

        :param text volume_id: the volume.
        :param int size: bytes that it must have.
        :return: ``FilePath`` of the verified device.
        :raises DeviceNotFound: there is none.
        :raises DeviceAmbiguous: there are several.
        :raises DeviceMismatch: it has another size, or its node leads elsewhere.
        :raises DeviceError: this host's devices can't be looked at.
        """
        try:
            path = self._place.path_of(volume_id, size, _usable(volume_id, self._look()))
        except DeviceError as error:
            _log(volume_id, as_text(error))
            raise
        _log(volume_id, as_text(path.path))
        return path

    def wait_until_present(self, volume_id, size):
        """
        Wait for the device of a volume.  There is no deadline: cancel it.

        :param text volume_id: the volume.
        :param int size: bytes that it must have.
        :return: a ``Deferred`` that fires with the ``FilePath`` of the
            verified device; fails as :meth:`find` does, but never with
            :class:`~txstorage.errors.DeviceNotFound`.
        """
        return self._wait(
            volume_id, partial(self._place.path_of, volume_id, size), DeviceNotFound
        )

    def wait_until_gone(self, volume_id):
        """
        Wait until this host has no device of a volume.  There is no deadline:
        cancel it.

        :param text volume_id: the volume.
        :return: a ``Deferred`` that fires with ``None``; fails with
            :class:`~txstorage.errors.DeviceError` when this host's devices
            can't be looked at.
        """
        return self._wait(
            volume_id, partial(self._place.ensure_gone, volume_id), DeviceStillPresent
        )

    def refuse_if_busy(self, volume_id):
        """
        Make sure that nothing on this host uses a volume's device, such as a
        mounted file system.  No device, or one that can't be opened, is fine.

        :param text volume_id: the volume.
        :raises DeviceBusy: it is in use.
        :raises DeviceError: this host's devices can't be looked at.
        """
        self._place.refuse_if_busy(volume_id, _usable(volume_id, self._look()))

    def _look(self):
        """What there is now, or the ``EnvironmentError`` that hides it."""
        try:
            return self._place.look()
        except EnvironmentError as error:
            return error

    def _wait(self, volume_id, evaluate, not_yet):
        wait = _Wait(volume_id, evaluate, not_yet, Deferred(lambda _: self._forget(wait)))
        wait.deferred.addBoth(in_current_context(partial(_logged, volume_id)))
        self._waits.append(wait)
        # Listen first and look then, so that nothing is missed in between.
        if self._stop_events is None and self._events is not None:
            self._stop_events = self._events(self._changed)
        self._changed()
        return wait.deferred

    def _changed(self):
        """Something may be on its way: look now, and soon again."""
        if self._waits:
            self._look_for_all(self._first)

    def _polled(self, delay):
        self._look_for_all(min(delay * 2, self._longest))

    def _look_for_all(self, next_delay):
        self._stop_poll()
        self._poll = self._reactor.callLater(next_delay, self._polled, next_delay)
        seen = self._look()
        for wait in list(self._waits):
            if wait in self._waits:  # a callback of one before it may have cancelled it
                self.evaluate(wait, seen)

    def evaluate(self, wait, seen):
        try:
            result = wait.evaluate(_usable(wait.volume_id, seen))
        except wait.not_yet:
            return
        except Exception:
            result = Failure()
        self._forget(wait)
        wait.deferred.callback(result)

    def _forget(self, wait):
        self._waits.remove(wait)
        if self._waits:
            return
        self._stop_poll()
        if self._stop_events is not None:
            self._stop_events()
            self._stop_events = None

    def _stop_poll(self):
        if self._poll is not None and self._poll.active():
            self._poll.cancel()


def _usable(volume_id, seen):
    if isinstance(seen, EnvironmentError):
        raise DeviceError(
            volume_id, u"Can't read this host's block devices: {}".format(as_text(seen))
        )
    return seen


def _log(volume_id, outcome):
    DEVICE_SEARCH(volume_id=volume_id, outcome=outcome).write()


def _logged(volume_id, result):
    if isinstance(result, Failure):
        outcome = as_text(result.value) or as_text(result.type.__name__)
    else:
        outcome = u"gone" if result is None else as_text(result.path)
    _log(volume_id, outcome)
    return result


__all__ = [
    "BlockDevice",
    "DeviceFinder",
    "check_node",
    "fits",
    "match",
    "read_block_devices",
]
