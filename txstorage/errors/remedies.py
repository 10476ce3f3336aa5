# -*- test-case-name: tests.errors.test_remedies -*-
"""
The remedies of causes that a message reveals.

An error's class has a remedy for what usually causes it.  These tables name the causes that need
another one; the first entry that matches counts.
"""

from __future__ import absolute_import, division, print_function

import re

import attr

MYPY = False
if MYPY:
    from typing import Any, Iterable, Mapping, Optional, Text, Tuple  # noqa: F401


def _pattern(text):
    # type: (Text) -> Any
    return re.compile(text, re.I)


@attr.s(frozen=True)
class Cause(object):
    """
    A cause, recognised by a message.

    :ivar pattern: a regular expression that is searched for in the message, ignoring case.
    :ivar text remedy: the steps that an operator can take.
    :ivar statuses: the HTTP statuses (int) of the message; empty for any.
    """

    pattern = attr.ib()  # type: Any
    remedy = attr.ib()  # type: Text
    statuses = attr.ib(default=())  # type: Tuple[int, ...]


def _cause(pattern, remedy, *statuses):
    # type: (Text, Text, *int) -> Cause
    return Cause(_pattern(pattern), remedy, statuses)


#: Messages of the services' error responses.  The sources are the exceptions of Keystone
#: (``keystone/exception.py``), Cinder and Nova (``exception.py`` of each).
OF_SERVICES = (
    # Nova's TooManyDiskDevices.
    _cause(
        u"maximum allowed number of disk devices",
        u"detach a volume that the instance no longer needs, attach this one to another instance, "
        u"or have Nova's 'max_disk_devices_to_attach' raised",
        403,
    ),
    # Keystone's authentication receipt: see clouds/openstack/tokens.py.
    _cause(
        u"requires (one of )?the methods",
        u"use an application credential of the user, which needs no second factor, or a user "
        u"without such rules",
        401,
    ),
    # Keystone's PasswordExpired, UserDisabled and AccountLocked.
    _cause(u"password is expired", u"change the user's password, then the configuration", 401),
    _cause(u"account is (disabled|(temporarily )?locked)", u"have the user's account enabled", 401),
    # Cinder's VolumeSizeExceedsLimit; VolumeSizeExceedsAvailableQuota is about the whole project.
    _cause(
        u"VolumeSizeExceedsLimit|larger than maximum allowed limit",
        u"request a smaller volume, or have the limit of a single volume's size raised",
    ),
    # Cinder's SnapshotLimitExceeded.
    _cause(
        u"SnapshotLimitExceeded|maximum number of snapshots",
        u"destroy unused snapshots, or have the project's quota of snapshots raised",
    ),
    # Cinder's VolumeTypeNotFound and VolumeTypeNotFoundByName.
    _cause(
        u"volume type .*could not be found",
        u"correct the volume type under 'profiles', or have it made accessible to the project",
        400,
        404,
    ),
    # Cinder's InvalidAvailabilityZone and the API's own check.
    _cause(
        u"availability zone .*(invalid|not available|not found)",
        u"correct 'availability_zone'; 'openstack availability zone list --volume' lists them",
    ),
    # Cinder's InvalidVolume, of a volume in maintenance or being uploaded to an image.
    _cause(
        u"volume metadata is not allowed",
        u"retry when the volume's status has changed; only an administrator can end 'maintenance'",
        400,
    ),
    # Nova's InstanceIsLocked.
    _cause(u"instance .* is locked", u"unlock the instance with 'openstack server unlock'", 409),
    # Nova's CannotDetachRootVolume and its API's older message.
    _cause(
        u"detach a root|root device volume",
        u"leave the volume attached: the instance boots from it",
    ),
    _cause(
        u"no space left|disk full|disk is full",
        u"make room on the service's disk: destroy volumes, or remove other files",
    ),
    # A load balancer's own pages, such as HAProxy's.
    _cause(
        u"no server is available|bad gateway|gateway time-?out|upstream",
        u"check that the service behind the load balancer runs; the load balancer itself answered",
        502,
        503,
        504,
    ),
)

#: Reasons that a cloud gives for an operation that it accepted and then failed to complete.
OF_OPERATIONS = (
    # A file system's limit on the size of a file.
    _cause(u"file too large", u"request a smaller volume; this size never fits on the file system"),
    _cause(
        u"no space left|disk full|disk is full",
        u"make room on the service's disk: destroy volumes, or remove other files",
    ),
    # The embedded service's, of a copy on a file system that can't share data between files.
    _cause(
        u"written to during each attempt",
        u"stop the programs that write to the volume, freeze its file system with 'fsfreeze', or "
        u"detach it; then retry",
    ),
    # Cinder's message of the scheduler (SCHEDULE_ALLOCATE_VOLUME, NoValidBackend).
    _cause(
        u"no valid (backend|host)|could not find any available weighted backend",
        u"request a smaller volume or another volume type, or have storage added: no back end has "
        u"room for this volume, or none offers its type",
    ),
)

#: The events that an operation waits for, as its timeout names them.
DEVICE_APPEARS = u"its device to appear on this node"
DEVICE_DISAPPEARS = u"its device to disappear from this node"
DEVICE_GROWS = u"its device on this node to show the new size"
COMPUTE_RELEASES = u"its server to release it"
OWN_INSTANCE_ID = u"this node's own instance id"
RESPONSE = u"the cloud's response"

#: The remedy of an operation that waited in vain for one of these events.
OF_WAITS = {
    DEVICE_APPEARS: (
        u"the cloud has attached the volume, so leave its status alone: check that 'instance_id' "
        u"is this node's id, and look for the disk with 'lsblk' and 'dmesg'; a guest without "
        u"hotplug sees it after a reboot; then ask for the device path again"
    ),
    DEVICE_DISAPPEARS: (
        u"the cloud has detached the volume: find the device's users with 'lsof' and 'findmnt', "
        u"end them, then detach again"
    ),
    DEVICE_GROWS: (
        u"the cloud has grown the volume: look for the disk with 'lsblk' and 'dmesg'; a SCSI disk "
        u"shows the new size after 'echo 1 > /sys/block/NAME/device/rescan', any other after the "
        u"volume was detached and attached again"
    ),
    COMPUTE_RELEASES: (
        u"check the instance and its compute service, whose log names the volume; then retry, "
        u"which resumes from the cloud's current state"
    ),
    OWN_INSTANCE_ID: (
        u"set 'instance_id' in the configuration to this node's id in the cloud, which ends the "
        u"search for it"
    ),
    RESPONSE: u"check that the service answers, then retry; or raise 'timeout'",
}

#: The remedy of an operation that ended in one of these statuses, whatever it waited for.
OF_STATUSES = {
    u"busy": (
        u"unmount the volume in the instance that it is attached to, and end the device's users, "
        u"which 'findmnt' and 'lsof' show there: the detach waits for that, and completes then"
    ),
}

#: The remedy of a volume that is never used, because its dataset has another.
SECOND_VOLUME = (
    u"look at its data ('txstorage volumes attach'), then destroy it ('txstorage volumes "
    u"destroy'); to use it after all, once its dataset has no other volume, remove its label "
    u"flocker-superseded-by ('openstack volume unset --property')"
)

#: The remedies of a dataset that has another volume than the requested one, which may hold data.
OTHER_SIZE = u"request that volume's size; to make it larger, grow it"
OTHER_DATA = u"use another dataset for the copy; the existing volume has data of its own"
OTHER_DATASET = u"adopt the volume for the dataset that it belongs to, or adopt another volume"


def remedy_for(causes, message, status=None, default=u""):
    # type: (Iterable[Cause], Text, Optional[int], Text) -> Text
    """
    :param causes: the :class:`Cause` objects to choose from.
    :param text message: a service's message.
    :param status: the HTTP status (int) that came with it, or ``None``.
    :param text default: the remedy for a message that reveals none of the causes.
    :return: text: the remedy.
    """
    for cause in causes:
        if (not cause.statuses or status in cause.statuses) and cause.pattern.search(message):
            return cause.remedy
    return default


def use_remedies(error, remedies):
    # type: (Optional[BaseException], Mapping[Text, Text]) -> None
    """
    Replace an error's remedy by the one that fits the cloud.

    :param error: any exception; one that is not txstorage's own has no remedy.
    :param dict remedies: text to text: by the remedies to replace.
    """
    use = getattr(error, "use", None)
    if use is not None:
        use(remedies)
