# -*- test-case-name: tests._devices.test_waiting -*-
"""
The search for an attached volume's device node on this host.

A device is identified by its own serial numbers, WWN or backing file in sysfs, never by the cloud's
name for it, by its age or by its size.  No match, two matches, a truncated identity with an
impossible size, or a node of another device is an error, not a path.  Only the disks of a Xen
hypervisor, which have no identity, are found by name: see :mod:`txstorage._devices.xen`.
"""

from __future__ import absolute_import, division, print_function

from functools import partial

import attr
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.python.filepath import FilePath

from .._log import DEVICE_SEARCH, DEVICE_SIZE
from .._support.compat import as_text
from .._support.eliot_context import in_current_context
from ..errors import (
    DeviceError,
    DeviceMismatch,
    DeviceNotFound,
    DeviceNotGrown,
    DeviceStillPresent,
)
from .block_devices import BlockDevices
from .matching import check_grown
from .regular_files import RegularFiles
from .uevents import listen

MYPY = False
if MYPY:
    from typing import Any, Callable, List, Mapping, Optional, Text, Tuple, Type  # noqa: F401

    from twisted.internet.interfaces import IDelayedCall, IReactorTime  # noqa: F401

    from .block_devices import SizedPath  # noqa: F401

#: The names of a cloud whose names for devices can't be relied on.
NO_NAMES = {}  # type: Mapping[Text, Text]


@attr.s(frozen=True, hash=False)
class _Wait(object):
    """
    A wait for a volume's device.

    :ivar evaluate: called with the host's block devices; returns the result of the wait.
    :ivar not_yet: the exception class of ``evaluate`` that continues the wait.
    :ivar report: called with the ``Failure`` of each look that continues the wait.
    """

    volume_id = attr.ib()  # type: Text
    evaluate = attr.ib()  # type: Callable[[Any], Any]
    not_yet = attr.ib()  # type: Type[Exception]
    deferred = attr.ib()  # type: Deferred[Any]
    report = attr.ib()  # type: Callable[[Failure], object]


@attr.s(frozen=True, hash=False)
class _Inventory(object):
    """
    The result of one look at the host's block devices.

    :ivar devices: see :meth:`.block_devices.BlockDevices.read`.
    :ivar problem: text: the reason why the devices can't be read, or ``None``.
    """

    devices = attr.ib(default=None)  # type: Any
    problem = attr.ib(default=None)  # type: Optional[Text]

    def for_volume(self, volume_id):
        # type: (Text) -> Any
        """
        :param text volume_id: the volume, for the error.
        :return: the devices.
        :raises DeviceError: the devices can't be read.
        """
        if self.problem is not None:
            raise DeviceError(
                volume_id, u"Can't read this host's block devices: {}".format(self.problem)
            )
        return self.devices


class DeviceFinder(object):
    """
    Finds the devices of attached volumes, and waits for them.

    Not thread-safe: use a finder in the reactor's thread only.

    :param reactor: provides ``IReactorTime``; if it also provides ``IReactorFDSet``, kernel events
        report changes, and polling is only a fallback.
    :param FilePath sysfs: the mount point of sysfs.
    :param FilePath dev: the directory of the device nodes.
    :param directory: ``FilePath`` or ``None``.  When given, a volume's device is the regular file
        in that directory whose name is the volume's id, and sysfs is not read.
    :param events: called with a function to call at each change; returns a function that stops the
        calls.  See :func:`txstorage._devices.uevents.listen`.
    :param tuple intervals: the first and the longest interval between polls, in seconds.
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
        # type: (IReactorTime, FilePath[str], FilePath[str], Optional[FilePath[str]], Optional[Callable[[Callable[[], None]], Callable[[], None]]], Tuple[float, float]) -> None
        self._reactor = reactor
        self._first, self._longest = intervals
        self._waits = []  # type: List[_Wait]
        self._poll = None  # type: Optional[IDelayedCall]
        self._stop_events = None  # type: Optional[Callable[[], None]]
        self._source = None  # type: Any
        self._events = None  # type: Any
        if directory is None:
            self._source = BlockDevices(sysfs, dev)
            self._events = partial(listen, reactor) if events is None else events
        else:
            self._source = RegularFiles(directory)

    def set_expected_path(self, volume_id, path):
        # type: (Text, Optional[Text]) -> None
        """
        Set the path at which a volume's device is expected.  The device at that path is used and
        verified, because not all storage gives its devices an identity to search for.

        :param text volume_id: the volume.
        :param path: text, or ``None`` to search by identity.
        """
        self._source.set_expected_path(volume_id, path)

    def needs_names(self):
        # type: () -> bool
        """
        :return: whether this host's devices may have no identity but the names that the cloud gives
            them, so that the searches need these.
        """
        devices = self._read().devices
        return devices is not None and bool(self._source.needs_names(devices))

    def find(self, volume_id, size, encrypted=False, names=NO_NAMES):
        # type: (Text, int, bool, Mapping[Text, Text]) -> SizedPath
        """
        Find the device of an attached volume, without waiting.

        :param text volume_id: the volume.
        :param int size: bytes: the volume's.  A device with an exact identity may have another,
            which is logged.
        :param bool encrypted: whether the cloud describes the volume as encrypted.
        :param dict names: the names (text) that the cloud gives the devices of this server, by
            volume id (text), where they can be relied on.
        :return: :class:`~txstorage._devices.block_devices.SizedPath` of the verified device.
        :raises DeviceNotFound: no device has the volume's identity.
        :raises DeviceAmbiguous: several devices have the volume's identity.
        :raises DeviceMismatch: the device has a truncated identity and an impossible size, or its
            node is another device's.
        :raises DeviceNameDoubtful: only the device's name identifies it, and something contradicts
            the name.
        :raises DeviceError: this host's devices can't be read.
        """
        try:
            path = self._source.path_of(  # type: SizedPath
                volume_id, size, encrypted, names, self._read().for_volume(volume_id)
            )
        except DeviceError as error:
            _log(volume_id, error.message)
            raise
        _log_found(volume_id, size, path)
        return path

    def wait_until_present(
        self, volume_id, size, encrypted=False, report=lambda failure: None, names=NO_NAMES
    ):
        # type: (Text, int, bool, Callable[[Failure], object], Mapping[Text, Text]) -> Deferred[SizedPath]
        """
        Wait for the device of a volume, without a deadline: cancel the wait instead.

        :param text volume_id: the volume.
        :param int size: bytes: the volume's.
        :param bool encrypted: whether the cloud describes the volume as encrypted.
        :param report: called with the ``Failure`` of each look that does not find the device.
        :param dict names: see :meth:`find`.
        :return: a ``Deferred`` that fires as :meth:`find` returns; fails as :meth:`find` does, but
            never with :class:`~txstorage.errors.DeviceNotFound`.
        """
        d = self._wait(
            volume_id,
            partial(self._source.path_of, volume_id, size, encrypted, names),
            DeviceNotFound,
            partial(_log_found, volume_id, size),
            report,
        )  # type: Deferred[SizedPath]
        return d

    def wait_until_grown(
        self, volume_id, size, encrypted=False, report=lambda failure: None, names=NO_NAMES
    ):
        # type: (Text, int, bool, Callable[[Failure], object], Mapping[Text, Text]) -> Deferred[SizedPath]
        """
        Wait until the device of a volume shows the size to which the volume has grown, without a
        deadline: cancel the wait instead.

        :param text volume_id: the volume.
        :param int size: bytes: the volume's new size.
        :param bool encrypted: whether the cloud describes the volume as encrypted.
        :param report: called with the ``Failure`` of each look at a device of another size.
        :param dict names: see :meth:`find`.
        :return: a ``Deferred`` that fires as :meth:`find` returns; fails as :meth:`find` does, but
            never with :class:`~txstorage.errors.DeviceMismatch`.
        """
        d = self._wait(
            volume_id,
            partial(self._grown, volume_id, size, encrypted, names),
            DeviceNotGrown,
            partial(_log_found, volume_id, size),
            report,
        )  # type: Deferred[SizedPath]
        return d

    def _grown(self, volume_id, size, encrypted, names, devices):
        # type: (Text, int, bool, Mapping[Text, Text], Any) -> SizedPath
        try:
            path = self._source.path_of(  # type: SizedPath
                volume_id, size, encrypted, names, devices
            )
        except DeviceMismatch as error:
            # Neither a truncated identity nor a name counts at the old size.
            raise DeviceNotGrown(volume_id, error.message)
        check_grown(volume_id, size, path.size, as_text(path.path))
        return path

    def wait_until_gone(self, volume_id, names=NO_NAMES):
        # type: (Text, Mapping[Text, Text]) -> Deferred[None]
        """
        Wait until a volume has no device on this host, without a deadline: cancel the wait instead.

        :param text volume_id: the volume.
        :param dict names: see :meth:`find`.
        :return: a ``Deferred`` that fires with ``None``; fails with
            :class:`~txstorage.errors.DeviceError` when this host's devices can't be read.
        """
        return self._wait(
            volume_id,
            partial(self._source.ensure_gone, volume_id, names),
            DeviceStillPresent,
            lambda _: _log(volume_id, u"gone"),
        )

    def refuse_if_busy(self, volume_id, names=NO_NAMES):
        # type: (Text, Mapping[Text, Text]) -> None
        """
        Check that a volume's device is not in use on this host, e.g. mounted.  A device that is
        missing or can't be opened counts as unused.

        :param text volume_id: the volume.
        :param dict names: see :meth:`find`.
        :raises DeviceBusy: the device is in use.
        :raises DeviceError: this host's devices can't be read.
        """
        self._source.refuse_if_busy(volume_id, names, self._read().for_volume(volume_id))

    def _read(self):
        # type: () -> _Inventory
        """Read the host's block devices."""
        try:
            return _Inventory(self._source.read())
        except EnvironmentError as error:
            return _Inventory(problem=as_text(error))

    def _wait(self, volume_id, evaluate, not_yet, log, report=lambda failure: None):
        # type: (Text, Callable[[Any], Any], Type[Exception], Callable[[Any], None], Callable[[Failure], object]) -> Deferred[Any]
        deferred = Deferred(lambda _: self._forget(wait))  # type: Deferred[Any]
        wait = _Wait(volume_id, evaluate, not_yet, deferred, report)
        deferred.addBoth(in_current_context(partial(_logged, volume_id, log)))
        self._waits.append(wait)
        # Listen first and poll then, so that no change in between is missed.
        if self._stop_events is None and self._events is not None:
            self._stop_events = self._events(self._changed)
        self._changed()
        return wait.deferred

    def _changed(self):
        # type: () -> None
        """Poll now, and again soon: sysfs may not show the change yet."""
        if self._waits:
            self._poll_for_all(self._first)

    def _polled(self, delay):
        # type: (float) -> None
        self._poll_for_all(min(delay * 2, self._longest))

    def _poll_for_all(self, next_delay):
        # type: (float) -> None
        self._stop_poll()
        self._poll = self._reactor.callLater(next_delay, self._polled, next_delay)
        inventory = self._read()
        for wait in list(self._waits):
            if wait in self._waits:  # the callbacks of an earlier wait may have cancelled this one
                self._evaluate(wait, inventory)

    def _evaluate(self, wait, inventory):
        # type: (_Wait, _Inventory) -> None
        try:
            result = wait.evaluate(inventory.for_volume(wait.volume_id))
        except wait.not_yet:
            wait.report(Failure())
            return
        except Exception:
            result = Failure()
        self._forget(wait)
        wait.deferred.callback(result)

    def _forget(self, wait):
        # type: (_Wait) -> None
        self._waits.remove(wait)
        if self._waits:
            return
        self._stop_poll()
        if self._stop_events is not None:
            self._stop_events()
            self._stop_events = None

    def _stop_poll(self):
        # type: () -> None
        if self._poll is not None and self._poll.active():
            self._poll.cancel()


def _log(volume_id, outcome):
    # type: (Text, Text) -> None
    DEVICE_SEARCH(volume_id=volume_id, outcome=outcome).write()


def _log_found(volume_id, size, path):
    # type: (Text, int, SizedPath) -> None
    _log(volume_id, as_text(path.path))
    if path.size != size:
        DEVICE_SIZE(
            volume_id=volume_id,
            device=as_text(path.path),
            device_size=path.size,
            volume_size=size,
        ).write()


def _logged(volume_id, log, result):
    # type: (Text, Callable[[Any], None], Any) -> Any
    if isinstance(result, Failure):
        error, name = result.value, as_text(getattr(result.type, "__name__", result.type))
        # A remedy depends on the cloud, and comes with the operation's own error.
        message = error.message if isinstance(error, DeviceError) else as_text(error)
        _log(volume_id, message or name)
    else:
        log(result)
    return result


__all__ = ["DeviceFinder"]
