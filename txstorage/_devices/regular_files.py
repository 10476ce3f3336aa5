# -*- test-case-name: tests._devices.test_matching -*-
"""
The search for a volume's file in the directory that the embedded service serves without root.
"""

from __future__ import absolute_import, division, print_function

import os
import re
import stat

from .._support.compat import as_text, native
from .._support.notations.ec2_ids import is_ec2_id
from ..errors import (
    DeviceAmbiguous,
    DeviceError,
    DeviceMismatch,
    DeviceNotFound,
    DeviceStillPresent,
)
from .block_devices import SizedPath
from .matching import check_ready, is_file_of
from .nodes import lstat

MYPY = False
if MYPY:
    from typing import List, Mapping, Optional, Text  # noqa: F401

    from twisted.python.filepath import FilePath  # noqa: F401

_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")


class RegularFiles(object):
    """Finds volumes among the files that the embedded service serves without root."""

    def __init__(self, directory):
        # type: (FilePath[str]) -> None
        self._directory = directory

    def read(self):
        # type: () -> None
        """Read nothing: each method examines the one file."""

    def needs_names(self, _):
        # type: (None) -> bool
        """Return ``False``: a file's own name identifies it."""
        return False

    def set_expected_path(self, volume_id, path):
        # type: (Text, Optional[Text]) -> None
        """Do nothing: the path of a file follows from the volume's id."""

    def _file(self, volume_id):
        # type: (Text) -> FilePath[str]
        if not _SAFE_NAME.match(volume_id):
            raise DeviceError(volume_id, u"{!r} is not a valid file name".format(volume_id))
        # Only the files of EBS volumes have other names than the volumes.
        names = self._names() if is_ec2_id(u"vol", volume_id) else []
        found = [each for each in names if is_file_of(volume_id, as_text(each))]
        if len(found) > 1:
            raise DeviceAmbiguous(
                volume_id, u"{} all begin like volume {}".format(u", ".join(found), volume_id)
            )
        return self._directory.child(found[0] if found else native(volume_id))

    def _names(self):
        # type: () -> List[str]
        try:
            return os.listdir(self._directory.path)
        except EnvironmentError:
            # The look at the file itself reports the reason.
            return []

    def path_of(self, volume_id, size, encrypted, names, _):
        # type: (Text, int, bool, Mapping[Text, Text], None) -> SizedPath
        path = self._file(volume_id)
        status = lstat(volume_id, path)
        shown = as_text(path.path)
        if not stat.S_ISREG(status.st_mode):
            raise DeviceMismatch(volume_id, u"{} is not a regular file".format(shown))
        # The file's name is the volume's whole id, so the size may differ.
        check_ready(volume_id, status.st_size, shown)
        return SizedPath(path.path, status.st_size)

    def ensure_gone(self, volume_id, names, _):
        # type: (Text, Mapping[Text, Text], None) -> None
        path = self._file(volume_id)
        try:
            lstat(volume_id, path)
        except DeviceNotFound:
            return
        raise DeviceStillPresent(
            volume_id,
            u"Volume {} is still present on this host as {}".format(volume_id, as_text(path.path)),
        )

    def refuse_if_busy(self, volume_id, names, _):
        # type: (Text, Mapping[Text, Text], None) -> None
        """Do nothing: a regular file is never claimed."""


__all__ = ["RegularFiles"]
