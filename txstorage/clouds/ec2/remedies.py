# -*- test-case-name: tests.clouds.ec2.test_remedies -*-
"""
The remedies of errors on EC2, where the usual ones are of no use.

The usual remedies are those of OpenStack, and name its services, roles, logs and administrators.
"""

from __future__ import absolute_import, division, print_function

from ... import errors
from ...errors import remedies

MYPY = False
if MYPY:
    from typing import Dict, Text  # noqa: F401

# Nitro instances show a volume as an NVMe device, whose serial number is the volume's id.  Source:
# "Amazon EBS volumes and NVMe" of the EBS user guide.
_LOOK = (
    u"look for the volume's id without its hyphen with 'lsblk -o NAME,SIZE,SERIAL' or 'nvme list', "
    u"and for errors with 'dmesg'"
)

# See coreos/bugs#2371: a disk that EC2 has attached, and that the kernel does not have.
_NOT_IN_THE_KERNEL = (
    _LOOK + u"; if EC2 has attached the volume and the kernel has no disk, let the kernel look "
    u"again with 'echo 1 > /sys/bus/pci/rescan', then reboot the instance, or stop and start it"
)

_SUPPORT = u"; if it remains, ask Amazon's support, with the id of the request"

#: By the usual remedies: the remedies on EC2.
REMEDIES = {
    # Devices.
    errors.DeviceNotFound.remedy: (
        u"check that 'instance_id' is the id of this node; " + _NOT_IN_THE_KERNEL
    ),
    errors.DeviceUnidentified.remedy: (
        u"do not use such a disk by its size; check that 'instance_id' is the id of this node; "
        + _LOOK
        + u"; the kernel needs the driver 'nvme' on Nitro instances, and 'xen-blkfront' on Xen's"
    ),
    errors.DeviceMismatch.remedy: (
        u"do not use the device; compare its size with the volume's in 'aws ec2 describe-volumes', "
        u"and detach and attach a volume that has grown while it was attached"
    ),
    errors.DeviceNameDoubtful.remedy: (
        u"do not use the device; compare the instance's device names in 'aws ec2 "
        u"describe-instances' with the disks in 'lsblk'; give each volume the name of a whole "
        u"disk, such as /dev/xvdba; a kernel that begins with xvde for /dev/sda needs the "
        u"parameter xen_blkfront.sda_is_xvda=1, or use a Nitro instance"
    ),
    remedies.OF_WAITS[remedies.DEVICE_APPEARS]: (
        u"EC2 has attached the volume, so do not detach it: check that 'instance_id' is this "
        u"node's id; " + _NOT_IN_THE_KERNEL + u"; then ask for the device path again"
    ),
    remedies.OF_WAITS[remedies.DEVICE_DISAPPEARS]: (
        u"EC2 has detached the volume: find the device's users with 'lsof' and 'findmnt', end "
        u"them, then detach again; a device that nothing uses goes with a reboot"
    ),
    remedies.OF_WAITS[remedies.DEVICE_GROWS]: (
        u"EC2 has grown the volume: look at the disk with 'lsblk' and 'dmesg'; an old kernel shows "
        u"the new size after the volume was detached and attached again"
    ),
    # Volumes and instances.
    remedies.OF_WAITS[remedies.COMPUTE_RELEASES]: (
        u"look at the attachment with 'aws ec2 describe-volumes', and at the instance; then retry, "
        u"which resumes from EC2's current state"
    ),
    errors.AttachedToHost.remedy: (
        u"detach the volume with the service of Amazon's that attached it; 'aws ec2 "
        u"describe-volumes' shows the service under AssociatedResource"
    ),
    errors.MalformedLabels.remedy: (
        u"set the volume's tag flocker-dataset-id to the dataset's UUID, with 'aws ec2 create-tags'"
    ),
    remedies.SECOND_VOLUME: remedies.SECOND_VOLUME.replace(
        u"'openstack volume unset --property'", u"'aws ec2 delete-tags'"
    ),
    errors.UnknownServer.remedy: (
        u"check that the instance id is correct, and belongs to the account and the region of the "
        u"configuration"
    ),
    errors.UnusableStatus.remedy: (
        u"inspect it with 'txstorage volumes show' and 'aws ec2 describe-volume-status'"
    ),
    errors.UnusableSnapshot.remedy: (
        u"inspect it with 'txstorage snapshots show' and 'aws ec2 describe-snapshots'"
    ),
    # Operations.
    errors.OperationFailed.remedy: (
        u"search CloudTrail's events for the volume id, then retry the operation"
    ),
    errors.SnapshotFailed.remedy: (
        u"search CloudTrail's events for the snapshot id, then retry the operation"
    ),
    errors.OperationTimedOut.remedy: (
        u"retry the operation, which resumes from EC2's current state, or raise 'timeout'; if "
        u"retries always end with the same status, look at the volume with 'aws ec2 "
        u"describe-volume-status', and at the Health Dashboard" + _SUPPORT
    ),
    # Answers.
    errors.AuthenticationFailed.remedy: (
        u"check the access key, its secret and, of temporary keys, the session token"
    ),
    errors.PermissionDenied.remedy: (
        u"allow the action in the IAM policy of the user or the role"
    ),
    errors.QuotaExceeded.remedy: (
        u"destroy unused volumes or snapshots, or have the account's quota in this region raised"
    ),
    errors.ServiceBroken.remedy: u"retry" + _SUPPORT,
    errors.StorageFull.remedy: (
        u"request the volume in another zone or of another type, or retry later"
    ),
}  # type: Dict[Text, Text]


__all__ = ["REMEDIES"]
