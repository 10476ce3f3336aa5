# -*- test-case-name: tests.docker.test_decisions -*-
"""
The decisions of the plugin: taking a volume from another node, and ending a mount.
"""

from __future__ import annotations

from enum import Enum

import attr


class VolumePlace(Enum):
    """The place of a volume, from a node's point of view."""

    #: Attached to no node.
    FREE = "free"
    #: Attached to this node.
    HERE = "here"
    #: Attached to another node, which the cloud does not report as off.
    LIVE = "live"
    #: Attached to another such node, which does not use it and will detach it soon.
    IDLE = "idle"
    #: Attached to a node that is off or gone, as the cloud reports.
    DEAD = "dead"


class MountStep(Enum):
    """The next step of a mount."""

    ATTACH = "attach"
    USE = "use"
    #: Detach it from a dead node.
    TAKE = "take"
    #: Wait until its node has detached it.
    WAIT = "wait"
    REFUSE = "refuse"


#: The next step, by the place of the volume and the volume's choice about dead nodes.
STEPS = {
    (VolumePlace.FREE, "dead"): MountStep.ATTACH,
    (VolumePlace.FREE, "never"): MountStep.ATTACH,
    (VolumePlace.HERE, "dead"): MountStep.USE,
    (VolumePlace.HERE, "never"): MountStep.USE,
    (VolumePlace.LIVE, "dead"): MountStep.REFUSE,
    (VolumePlace.LIVE, "never"): MountStep.REFUSE,
    (VolumePlace.IDLE, "dead"): MountStep.WAIT,
    (VolumePlace.IDLE, "never"): MountStep.WAIT,
    (VolumePlace.DEAD, "dead"): MountStep.TAKE,
    (VolumePlace.DEAD, "never"): MountStep.REFUSE,
}

#: The reason of a refusal, and its remedy, by the place.
REFUSALS = {
    VolumePlace.LIVE: (
        "which is alive",
        "stop the containers that use it there; if that node is broken, power it off in the cloud",
    ),
    VolumePlace.DEAD: (
        "which is off or gone, and the volume's takeover is 'never'",
        "detach it with 'txstorage volumes detach' once nothing on that node can write to it",
    ),
    VolumePlace.IDLE: (
        "which does not use it, but has not detached it in time",
        "repeat the command; if that node is broken, power it off in the cloud",
    ),
}


def place_of(attached_to: str | None, node: str, live: bool, idle: str | None) -> VolumePlace:
    """
    :param attached_to: the instance id of the volume's node, or ``None``.
    :param node: this node's.
    :param live: whether the volume's node may be running.
    :param idle: the volume's label :data:`~txstorage.docker.options.IDLE`.
    :return: the :class:`VolumePlace` of the volume.
    """
    if attached_to is None:
        return VolumePlace.FREE
    if attached_to == node:
        return VolumePlace.HERE
    if not live:
        return VolumePlace.DEAD
    return VolumePlace.IDLE if idle == attached_to else VolumePlace.LIVE


@attr.s(auto_attribs=True, frozen=True)
class Use:
    """
    The use of a volume on this node.

    :ivar held: whether the kernel knows a user of the mount, or of the device, besides the plugin.
    :ivar claims: the number of the engine's claims, which it may never give back.
    :ivar quiet: seconds since the engine last asked for, or gave back, the volume.
    """

    held: bool
    claims: int
    quiet: float


def is_over(use: Use, grace: float) -> bool:
    """
    Decide whether to end a mount.

    Neither source suffices alone.  The kernel does not yet know a container that is about to start,
    and engines lose claims when they are killed.  So a claim counts for a time after the engine's
    last request, and the kernel counts always.

    :param use: the :class:`Use` of the volume.
    :param grace: seconds that a claim counts without a user in the kernel.
    """
    return not use.held and (not use.claims or use.quiet >= grace)


__all__ = ["REFUSALS", "STEPS", "MountStep", "Use", "VolumePlace", "is_over", "place_of"]
