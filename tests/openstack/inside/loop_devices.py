"""
Nova's driver of the rig: servers exist by name only, but a volume attached to one becomes a loop
device
of this machine, as real as a guest's disk.

The device of an encrypted volume is smaller than the volume, as a guest's disk is, which lacks the
header of LUKS.  Nothing is encrypted, and the header's place is the end of the file: a device that
begins inside the file would not show the volume's data from their beginning.
"""

import importlib
import os
import subprocess
import sys

from nova.virt import fake

#: Bytes: the header of LUKS2.
HEADER = 16 * 2**20


def _loaded():
    """Import txstorage's module of loop devices, without txstorage, which is not installed here."""
    package = os.path.abspath(os.path.join(__file__, *[os.pardir] * 4, "txstorage"))
    sys.path.append(package)
    try:
        return importlib.import_module("_support.loop_devices")
    finally:
        sys.path.remove(package)


_support = _loaded()


def _said(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _file(connection_info):
    """:return: the path of a volume's file; ``None`` if the volume has none."""
    if connection_info and connection_info.get("driver_volume_type") == "local":
        return connection_info["data"]["device_path"]
    return None


def _devices(path):
    return _said("losetup", "--noheadings", "--output", "NAME", "--associated", path).split()


def _attach(connection_info):
    path = _file(connection_info)
    # RabbitMQ delivers an unacknowledged message again
    if path is not None and not _devices(path):
        _said("losetup", "--find", *_limit(connection_info, path), path)


def _limit(connection_info, path):
    if not connection_info["data"].get("encrypted"):
        return []
    return ["--sizelimit", str(os.path.getsize(path) - HEADER)]


def _detach(connection_info):
    path = _file(connection_info)
    for device in _devices(path) if path is not None else ():
        _support.detach(device, path)


class LoopDevices(fake.FakeDriverWithoutFakeNodes):
    """Nova's fake driver, with devices."""

    def attach_volume(self, context, connection_info, *args, **kwargs):
        _attach(connection_info)
        return super().attach_volume(context, connection_info, *args, **kwargs)

    def detach_volume(self, context, connection_info, *args, **kwargs):
        _detach(connection_info)
        return super().detach_volume(context, connection_info, *args, **kwargs)

    def extend_volume(self, context, connection_info, instance, requested_size):
        # Nova calls it on Cinder's event, and a hypervisor announces the new size to the guest.
        for device in _devices(_file(connection_info)):
            _said("losetup", "--set-capacity", device)

    def destroy(self, context, instance, network_info, block_device_info=None, *args, **kwargs):
        for mapping in (block_device_info or {}).get("block_device_mapping", []):
            _detach(mapping["connection_info"])
        return super().destroy(
            context, instance, network_info, block_device_info, *args, **kwargs
        )
