"""
The loop devices on the files in a directory.

Programs that run before txstorage's requirements are installed use this module, too.
"""

from __future__ import absolute_import, division, print_function

import glob
import importlib
import os
import sys

from .imports import PACKAGE


def _support(name):
    """Import a module of ``txstorage._support`` alone: ``txstorage`` itself has requirements."""
    sys.path.append(PACKAGE)
    try:
        return importlib.import_module("_support." + name)
    finally:
        sys.path.remove(PACKAGE)


linux, loop_devices = _support("linux"), _support("loop_devices")


def loops_below(directory):
    """:return: dict of the loop devices with a file below a directory, to these files."""
    found = {}
    for block_device in sorted(glob.glob("/sys/block/loop*")):
        backing = linux.backing_file(block_device)
        if backing is not None:
            path = backing[0] if str is bytes else os.fsdecode(backing[0])
            if path.startswith(os.path.join(os.path.realpath(directory), "")):
                found["/dev/" + os.path.basename(block_device)] = path
    return found


def detach_below(directory):
    """Detach the loop devices with a file below a directory, and no others."""
    for device, path in loops_below(directory).items():
        loop_devices.detach(device, path)
