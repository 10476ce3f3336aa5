# -*- test-case-name: tests.clouds.ec2.test_states -*-
"""
EC2's states, in the words of the seam.

The driver's tables act on the statuses of Cinder and Nova.  EC2's ``in-use`` also covers a volume
whose attachment begins or ends, so the attachments' own states decide.  A state without an entry
keeps EC2's name, which the driver does not act on.

Sources: ``VolumeState``, ``VolumeAttachmentState``, ``SnapshotState`` and ``InstanceStateName`` of
the API reference.
"""

from __future__ import absolute_import, division, print_function

MYPY = False
if MYPY:
    from typing import Container, Text  # noqa: F401

#: The states of attachments, and the volume's status while one is in that state; the first that
#: matches counts.  ``busy`` is a detach that waits for the instance to release the device.
ATTACHMENTS = (
    (u"attaching", u"attaching"),
    (u"detaching", u"detaching"),
    (u"busy", u"busy"),
    (u"attached", u"in-use"),
)

#: The states of volumes in which the attachments' states decide.  A list may show an attachment
#: before it shows the volume in use.
DECIDED_BY_ATTACHMENTS = frozenset([u"available", u"in-use"])

#: The state of a volume that no longer exists, which EC2 shows for a while.
DELETED = u"deleted"
#: The state of an attachment that no longer exists, likewise.
DETACHED = u"detached"

#: The states of snapshots.
SNAPSHOTS = {u"pending": u"creating", u"completed": u"available"}

#: The states of instances.  An instance that shuts down or stops still writes to its volumes.
INSTANCES = {
    u"pending": u"BUILD",
    u"running": u"ACTIVE",
    u"shutting-down": u"SHUTTING_DOWN",
    u"stopping": u"STOPPING",
    u"stopped": u"SHUTOFF",
    u"terminated": u"DELETED",
}


def volume_status(state, attachments):
    # type: (Text, Container[Text]) -> Text
    """
    :param text state: a volume's state in EC2.
    :param attachments: the states of its attachments, without :data:`DETACHED`.
    :return: text: the volume's status.
    """
    if state in DECIDED_BY_ATTACHMENTS:
        for found, status in ATTACHMENTS:
            if found in attachments:
                return status
    return state


def snapshot_status(state):
    # type: (Text) -> Text
    """
    :param text state: a snapshot's state in EC2.
    :return: text: the snapshot's status.
    """
    return SNAPSHOTS.get(state, state)


def server_status(state):
    # type: (Text) -> Text
    """
    :param text state: an instance's state in EC2.
    :return: text: the server's status.
    """
    return INSTANCES.get(state, state.upper() or u"UNKNOWN")


__all__ = [
    "ATTACHMENTS",
    "DECIDED_BY_ATTACHMENTS",
    "DELETED",
    "DETACHED",
    "INSTANCES",
    "SNAPSHOTS",
    "server_status",
    "snapshot_status",
    "volume_status",
]
