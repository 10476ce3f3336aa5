"""
A user's program with boto3, which prints what it sees: run by :mod:`tests.aws.check_clients`.

The argument is a directory for a mount, or nothing where devices are regular files.
"""

import json
import subprocess
import sys
import time

import boto3

ec2, client = boto3.resource("ec2"), boto3.client("ec2")
QUICK = {"Delay": 1, "MaxAttempts": 60}


def first_node():
    """:return: the id of an instance."""
    filters = [{"Name": "tag:Name", "Values": ["node-1"]}]
    [found] = ec2.instances.filter(Filters=filters)
    return found.id


def reached(volume, state):
    """Wait for the state of the attachment; ``None`` for no attachment."""
    deadline = time.monotonic() + 60
    while [each["State"] for each in volume.attachments] != ([state] if state else []):
        assert time.monotonic() < deadline, (volume.attachments, state)
        time.sleep(0.1)
        volume.reload()


def device_of(volume):
    """:return: the path of the loop device on the volume's file."""
    listed = json.loads(subprocess.check_output(["losetup", "--json", "--list"]))
    digits = volume.id[len("vol-") :]
    begin = "volume-" + "-".join([digits[:8], digits[8:12], digits[12:16], digits[16:]])
    [found] = [each["name"] for each in listed["loopdevices"] if begin in each["back-file"]]
    return found


def main(mount):
    tags = [{"ResourceType": "volume", "Tags": [{"Key": "k", "Value": "v"}]}]
    volume = ec2.create_volume(
        AvailabilityZone="txstorage-1a", Size=1, VolumeType="gp3", TagSpecifications=tags
    )
    client.get_waiter("volume_available").wait(VolumeIds=[volume.id], WaiterConfig=QUICK)
    volume.attach_to_instance(InstanceId=first_node(), Device="/dev/xvdba")
    reached(volume, "attached")
    if mount:
        device = device_of(volume)
        subprocess.check_call(["mkfs.ext4", "-q", device])
        subprocess.check_call(["mount", device, mount])
        try:
            volume.detach_from_instance()
            reached(volume, "busy")
            print("busy while it is mounted")
        finally:
            subprocess.check_call(["umount", mount])
    else:
        volume.detach_from_instance()
    reached(volume, None)
    print("detached")
    snapshot = volume.create_snapshot(Description="d")
    snapshot.wait_until_completed(WaiterConfig=QUICK)
    copy = ec2.create_volume(AvailabilityZone="txstorage-1b", SnapshotId=snapshot.id)
    client.get_waiter("volume_available").wait(VolumeIds=[copy.id], WaiterConfig=QUICK)
    print("restored", copy.size, "GiB")
    pages = client.get_paginator("describe_volumes").paginate(PaginationConfig={"PageSize": 5})
    print("listed", sum(len(page["Volumes"]) for page in pages))
    for each in (copy, volume):
        each.delete()
        client.get_waiter("volume_deleted").wait(VolumeIds=[each.id], WaiterConfig=QUICK)
    snapshot.delete()
    print("deleted")


if __name__ == "__main__":
    main(*sys.argv[1:] or [None])
