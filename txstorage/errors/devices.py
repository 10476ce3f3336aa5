# -*- test-case-name: tests.errors.test_errors -*-
"""
Errors of volumes' devices on this node.
"""

from __future__ import absolute_import, division, print_function

from .volumes import VolumeError


class DeviceError(VolumeError):
    """The volume's device on this node is wrong or can't be examined."""

    remedy = u"check that this process has permission to read /sys and /dev"


class DeviceNotFound(DeviceError):
    """No block device of this node has the volume's identity."""

    remedy = u"check that 'instance_id' is the id of this node"


class DeviceUnidentified(DeviceNotFound):
    """
    No block device of this node has the volume's identity, and disks that could be the volume's
    have no identity, as on Xen and Hyper-V.
    """

    remedy = (
        u"do not use such a disk by its size; check that 'instance_id' is the id of this node; Xen "
        u"and Hyper-V give disks no identity: use servers on KVM or VMware, or connect the volumes "
        u"from this host with 'attach_through: storage'"
    )


class DeviceNameDoubtful(DeviceError):
    """
    Nothing but its name identifies the device, as on Xen, and something contradicts the name, so no
    device is used.
    """

    remedy = u"do not use the device; the message names the contradiction"


class DeviceAmbiguous(DeviceError):
    """Several block devices have the volume's identity, so none is used."""

    remedy = u"identify the devices before you use either of them"


class DeviceMismatch(DeviceError):
    """
    The device may be another volume's: its node, its file or, when its identity is not exact, its
    size is another's.
    """

    remedy = (
        u"do not use the device; compare its size with the volume's size in the cloud, and detach "
        u"and attach a volume that was extended or encrypted while it was attached"
    )


class DeviceBusy(DeviceError):
    """The device is in use on this node, so the volume is not detached."""

    remedy = u"unmount the device; 'findmnt' and 'lsof' show its users"


class DeviceStillPresent(DeviceError):
    """The volume's device is still on this node."""

    remedy = u"find the device's users with 'lsof' and 'findmnt', then detach again"
