# -*- test-case-name: tests._support.test_linux -*-
"""
Facts from the Linux kernel that several wings read: mounts, loop devices, claimed block devices.
"""

from __future__ import absolute_import, division, print_function

import errno
import os
import re

MYPY = False
if MYPY:
    from typing import List, Optional, Text, Tuple  # noqa: F401

#: The directories of root's programs, which are not in every user's PATH.
SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"

_DELETED = b" (deleted)"


def mounts(table):
    # type: (Text) -> List[Tuple[Text, Text]]
    """
    Parse the mount table.  Source: proc_pid_mounts(5).

    :param text table: the content of ``/proc/self/mounts``.
    :return: a list of ``(source, mount point)``, text, in the order of mounting.
    """
    rows = [line.split(u" ") for line in table.splitlines()]
    return [(unescape(row[0]), unescape(row[1])) for row in rows if len(row) > 1]


def unescape(field):
    # type: (Text) -> Text
    """
    :param text field: a field of the mount table, or of a table like it.
    :return: text: the field without its escapes.
    """
    # Space, tab, newline, backslash and "#" are octal in the table.
    return re.sub(u"\\\\([0-7]{3})", lambda found: chr(int(found.group(1), 8)), field)


def backing_file(directory):
    # type: (Text) -> Optional[Tuple[bytes, bool]]
    """
    Read the file behind a loop device.

    :param text directory: the device's directory in sysfs.
    :return: ``(absolute path, whether the file has been deleted)``, or ``None`` when the device
        is not a loop device or has no file.
    """
    try:
        with open(os.path.join(directory, u"loop", u"backing_file"), "rb") as opened:
            return parse_backing_file(opened.read())
    except (IOError, OSError):
        return None  # It has no file, or no longer.


def parse_backing_file(content):
    # type: (bytes) -> Tuple[bytes, bool]
    """
    Parse the file that names the file behind a loop device.

    :param bytes content: the content of ``loop/backing_file`` in the device's directory.
    :return: ``(absolute path, whether the file has been deleted)``.
    """
    path = content.rstrip(b"\n")
    if path.endswith(_DELETED):
        return path[: -len(_DELETED)], True
    return path, False


def is_claimed(path):
    # type: (str) -> bool
    """
    Check whether a file system, swap, device-mapper or the like has claimed a block device or a
    partition of it, in any mount namespace.  Source: ``O_EXCL`` in open(2).

    :param str path: the device node.
    :raises OSError: the device can't be opened for another reason.
    """
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_EXCL | os.O_NONBLOCK))
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        return True
    return False


__all__ = ["SYSTEM_PATH", "backing_file", "is_claimed", "mounts", "parse_backing_file", "unescape"]
