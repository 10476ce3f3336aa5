# -*- test-case-name: tests.filesystem -*-
"""
Errors of file systems on volumes.
"""

from __future__ import absolute_import, division, print_function

from .base import StorageError

MYPY = False
if MYPY:
    from typing import Iterable, Optional, Sequence, Text  # noqa: F401


class FilesystemError(StorageError):
    """
    The base of the errors of a file system.

    :ivar text device: the path of the volume's device.
    """

    def __init__(self, device, message):
        # type: (Text, Text) -> None
        StorageError.__init__(self, message)
        self.device = device


class NotFormatted(FilesystemError):
    """
    The device has no file system that can be mounted, and is not certainly empty, so none is made.

    :ivar text found: the reason.
    """

    remedy = (
        u"nothing was written: look at the device with 'blkid -p' and 'hexdump -C | head'; if its "
        u"data are of no use, destroy the volume and create another"
    )

    def __init__(self, device, found, remedy=None):
        # type: (Text, Text, Optional[Text]) -> None
        self.found = found
        self.remedy = remedy or self.remedy
        FilesystemError.__init__(
            self, device, u"Can't mount {}, and don't format it: {}".format(device, found)
        )


class InvalidFilesystem(StorageError, ValueError):
    """The kind of file system is not supported, or one of its options is invalid."""

    remedy = u"use ext4, xfs or btrfs, and options that its mkfs and mount(8) know"


class ProgramMissing(StorageError):
    """
    A program is not installed on this node.

    :ivar text program: its name.
    """

    remedy = u"install the package that contains it"

    def __init__(self, program, package):
        # type: (Text, Text) -> None
        StorageError.__init__(self, u"The program {} is not installed".format(program))
        self.program = program
        if package:
            self.remedy = u"install the package {}".format(package)


class ProgramFailed(StorageError):
    """
    A program failed.

    :ivar tuple command: texts: the program and its arguments.
    :ivar int code: its exit code; minus the signal that ended it.
    :ivar text output: the end of its output.
    """

    remedy = u"the program's own message names the cause"

    def __init__(self, command, code, output):
        # type: (Sequence[Text], int, Text) -> None
        self.command = tuple(command)
        self.code = code
        self.output = output
        ended = u"exit code {}".format(code) if code >= 0 else u"signal {}".format(-code)
        StorageError.__init__(
            self, u"'{}' failed with {}: {}".format(u" ".join(self.command), ended, output)
        )


class FilesystemDamaged(FilesystemError):
    """The file system has errors that only a person may repair."""

    remedy = (
        u"make a snapshot of the volume, then run e2fsck on the device, which asks before each "
        u"repair"
    )

    def __init__(self, device, output):
        # type: (Text, Text) -> None
        FilesystemError.__init__(
            self, device, u"The file system on {} has errors: {}".format(device, output)
        )
        self.remedy = self.remedy.replace(u"e2fsck on the device", u"'e2fsck {}'".format(device))


class MountedElsewhere(FilesystemError):
    """
    The device is in use on this node otherwise.

    :ivar tuple holders: texts for people: its users.
    """

    remedy = u"end the processes, or unmount the mount points; nothing was changed"

    def __init__(self, device, holders):
        # type: (Text, Iterable[Text]) -> None
        self.holders = tuple(holders)
        FilesystemError.__init__(
            self, device, u"{} is in use by {}".format(device, u"; ".join(self.holders))
        )


class EncryptionUnavailable(FilesystemError):
    """This node can't open encrypted devices."""

    remedy = u"run 'txstorage docker-plugin --check', which names what the node lacks"

    def __init__(self, device, problem, remedy):
        # type: (Text, Text, Text) -> None
        FilesystemError.__init__(
            self, device, u"Can't open the encrypted device {}: {}".format(device, problem)
        )
        self.remedy = remedy


class KeyRefused(FilesystemError):
    """The key of this node does not open an encrypted device."""

    remedy = (
        u"copy the key file from the node that created the volume; the data can't be read without "
        u"that key"
    )

    def __init__(self, device, key_file):
        # type: (Text, Text) -> None
        FilesystemError.__init__(
            self, device, u"The key in {} does not open {}".format(key_file, device)
        )


class MountPointUnusable(StorageError):
    """The directory to mount on is another mount point, or is not a directory."""

    remedy = u"unmount or remove what is at that path"


__all__ = [
    "EncryptionUnavailable",
    "FilesystemDamaged",
    "FilesystemError",
    "InvalidFilesystem",
    "KeyRefused",
    "MountPointUnusable",
    "MountedElsewhere",
    "NotFormatted",
    "ProgramFailed",
    "ProgramMissing",
]
