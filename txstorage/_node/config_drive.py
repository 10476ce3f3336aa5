# -*- test-case-name: tests._node.test_config_drive -*-
"""
OpenStack's config drive: its device, and its metadata.

A mounted drive is read at its mount point.  Any other is read directly from the device, by the file
system's own structures: so nothing is mounted that would have to be unmounted again, and no
directory is exposed to others.
"""

from __future__ import absolute_import, division, print_function

import os

from twisted.python.filepath import FilePath

from .._support import linux
from .._support.compat import as_text, native
from .image_reader import MAX_READ, UnreadableImage
from .iso9660 import Iso9660
from .vfat import VFat

MYPY = False
if MYPY:
    from typing import Any, Callable, Iterator, List, Text, Tuple  # noqa: F401

_LABEL = u"config-2"
# As udev names the links: vfat has capitals only.
_LINKS = ("config-2", "CONFIG-2")
_METADATA = (u"openstack", u"latest", u"meta_data.json")
_FORMATS = (Iso9660, VFat)


class NoMetadata(Exception):
    """There is no config drive, or it can't be read; the text gives the reason."""


def mounted_at(mounts, device):
    # type: (Text, Text) -> List[Text]
    """
    Find the mount points of a device.

    :param text mounts: the content of ``/proc/self/mounts``.
    :param text device: the device's path.
    :return: a list of paths, text.
    """
    return [point for source, point in linux.mounts(mounts) if source == device]


class _Device(object):
    """
    An open block device or image, as a context manager.

    :param text path: the device's path.
    """

    def __init__(self, path):
        # type: (Text) -> None
        # Opened without blocking, a drive without a disc fails at once and loads none.
        self._descriptor = os.open(native(path), os.O_RDONLY | os.O_NONBLOCK)

    def __enter__(self):
        # type: () -> _Device
        return self

    def __exit__(self, *_):
        # type: (*Any) -> None
        os.close(self._descriptor)

    def read(self, offset, size):
        # type: (int, int) -> bytes
        """:return: ``bytes``, fewer than requested only at the end."""
        os.lseek(self._descriptor, offset, os.SEEK_SET)
        pieces = []
        while size > 0:
            piece = os.read(self._descriptor, size)
            if not piece:
                break
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def file_system(self):
        # type: () -> Any
        """:return: a reader of the device's file system, or ``None``."""
        for kind in _FORMATS:
            found = kind.of(self.read)
            if found is not None:
                return found
        return None


class ConfigDrive(object):
    """
    Finds the config drive and reads its metadata.

    :param FilePath mounts: the table of mounted file systems.
    :param FilePath labels: udev's directory of block devices by file system label; without udev,
        each device's label is read.
    :param FilePath sysfs: the mount point of sysfs.
    :param FilePath dev: the directory of the device nodes.
    """

    def __init__(self, mounts, labels, sysfs, dev=FilePath("/dev")):
        # type: (FilePath[str], FilePath[str], FilePath[str], FilePath[str]) -> None
        self._mounts = mounts
        self._labels = labels
        self._sysfs = sysfs
        self._dev = dev

    def metadata(self):
        # type: () -> Any
        """
        :return: ``bytes``, the drive's ``meta_data.json``.
        :raises NoMetadata: listing the attempts.
        """
        problems = []
        for device in self._devices():
            for read, where in self._ways(device):
                try:
                    return read(where)
                except (EnvironmentError, UnreadableImage) as error:
                    problem = getattr(error, "strerror", None) or error.args[0]
                    problems.append(u"{}: {}".format(where, as_text(problem)))
        raise NoMetadata(u", ".join(problems) or u"there is none")

    def _ways(self, device):
        # type: (Text) -> List[Tuple[Callable[[Text], Any], Text]]
        mounts = as_text(self._mounts.getContent())
        ways = [(_read_mounted, place) for place in mounted_at(mounts, device)]
        return ways + [(_read_device, device)]

    def _devices(self):
        # type: () -> List[Text]
        if self._labels.isdir():
            links = [self._labels.child(link) for link in _LINKS]
            paths = [os.path.realpath(link.path) for link in links if link.exists()]
        else:
            paths = [path.path for path in self._nodes() if _is_labelled(path.path)]
        return [as_text(path) for path in paths]

    def _nodes(self):
        # type: () -> Iterator[FilePath[str]]
        devices = self._sysfs.descendant(("class", "block"))
        names = sorted(child.basename() for child in devices.children()) if devices.isdir() else ()
        for name in names:
            try:
                size = devices.descendant((name, "size")).getContent().strip()
            except EnvironmentError:
                continue
            # A floppy drive without a disc is slow to say so.
            if size != b"0" and not name.startswith("fd"):
                yield self._dev.descendant(name.split("!"))


def _is_labelled(path):
    # type: (Text) -> bool
    try:
        with _Device(path) as device:
            found = device.file_system()
            return found is not None and found.label.lower() == _LABEL
    except EnvironmentError:
        return False


def _read_mounted(place):
    # type: (Text) -> bytes
    with FilePath(native(place)).descendant([native(name) for name in _METADATA]).open() as file:
        return file.read(MAX_READ)


def _read_device(path):
    # type: (Text) -> Any
    with _Device(path) as device:
        found = device.file_system()
        if found is None:
            raise UnreadableImage(u"it is neither mounted nor ISO 9660 or vfat")
        return found.file(_METADATA)


__all__ = ["ConfigDrive", "NoMetadata", "mounted_at"]
