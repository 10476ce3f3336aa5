# -*- test-case-name: tests.embedded.ec2.test_attachments -*-
"""The actions that attach and detach volumes."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ....store.servers.records import ServerRecord
from ....store.store import Store
from ..call import Action, Content, EC2Call, EC2Context
from ..ids import INSTANCE
from ..power import STATES
from ..protocol import errors
from ..reader import SeenVolume
from .instances import INSTANCE_TYPE
from .volume_types import kind_of
from .volume_views import attachment_to_node, attachment_view, volume_state
from .volumes import existing, wait_for_growth

#: The names that EC2 accepts.  Source: "Device names" in the EC2 user guide.
_DEVICE = re.compile(r"/dev/(sd[a-z](?:1[0-5]|[1-9])?|xvd[a-d]?[a-z])\Z")
#: The beginning of a name, which the guest's driver chooses.
_BUS = re.compile("^/dev/(?:sd|xvd|vd)")


def _point(device: str) -> str:
    """:return: the part of a device's name that only one device of an instance can have."""
    return _BUS.sub("", device)


async def attach_volume(call: EC2Call) -> Content:
    """Begin to attach a volume."""
    context, parameters = call.context, call.parameters
    names = [parameters.required(name) for name in ("VolumeId", "InstanceId", "Device")]
    await wait_for_growth(call)
    seen = await context.store.write(lambda store: _attach(store, context, *names))
    attachment = attachment_to_node(seen)
    assert attachment is not None and attachment.server_id is not None
    # A name that is used again too soon leaves the attachment as it is.
    if not context.names.is_recent(attachment.server_id, _point(names[2])):
        context.engine.begin(seen.record.volume_id)
    return attachment_view(seen, "attaching")


def _attach(
    store: Store, context: EC2Context, ec2_id: str, instance_id: str, device: str
) -> SeenVolume:
    seen = existing(store, ec2_id)
    if seen.record.attachment is not None:
        raise errors.ATTACHED(ec2_id)
    if seen.record.status != "available":
        raise errors.NOT_AVAILABLE(ec2_id)
    server = store.servers.node(INSTANCE.get(store, instance_id))
    assert server is not None
    if STATES.get(server.status) == "terminated":
        raise errors.INSTANCE_GONE(instance_id)
    if kind_of(seen.record, seen.kind, context.zone).zone != context.zone:
        raise errors.WRONG_ZONE(ec2_id, instance_id)
    _check_device(store, context, server, device)
    # A status that lasts no time would take a commit of its own.
    status = "reserved" if context.settings.transition_delay else "attaching"
    store.attachments.reserve(seen.record.volume_id, server.server_id, device, status)
    return existing(store, ec2_id)


def _check_device(store: Store, context: EC2Context, server: ServerRecord, device: str) -> None:
    if _DEVICE.match(device) is None:
        raise errors.BAD_DEVICE(device)
    taken = {_point(each) for each in store.attachments.devices_of_server(server.server_id)}
    if _point(device) in taken:
        raise errors.DEVICE_IN_USE(device)
    # The root volume does not count.
    present, most = len(taken) - 1, context.ec2.attachments
    if present >= most:
        raise errors.TOO_MANY_ATTACHED(INSTANCE_TYPE, present, most)


async def detach_volume(call: EC2Call) -> Content:
    """Begin to detach a volume; one that is being detached already stays so."""
    context, parameters = call.context, call.parameters
    ec2_id = parameters.required("VolumeId")
    instance_id, device = parameters.text("InstanceId"), parameters.text("Device")
    await wait_for_growth(call)
    seen, begun = await context.store.write(
        lambda store: _detach(store, ec2_id, instance_id, device)
    )
    attachment = attachment_to_node(seen)
    assert attachment is not None and attachment.server_id is not None
    context.names.detached(attachment.server_id, _point(attachment.device or ""))
    if begun:
        context.engine.begin(seen.record.volume_id)
    context.detaches.follow(seen.record.volume_id)
    return attachment_view(seen)


def _detach(
    store: Store, ec2_id: str, instance_id: str | None, device: str | None
) -> tuple[SeenVolume, bool]:
    """:return: the volume, and whether a transition begins."""
    seen = existing(store, ec2_id)
    attachment, volume_id = attachment_to_node(seen), seen.record.volume_id
    if instance_id is not None:
        INSTANCE.get(store, instance_id)
    if attachment is None:
        raise errors.NOT_NOW(ec2_id, volume_state(seen))
    assert attachment.server_id is not None
    attached_to = INSTANCE.of(attachment.server_id)
    if instance_id not in (None, attached_to) or device not in (None, attachment.device):
        raise errors.NOT_ATTACHED(ec2_id, instance_id or attached_to, device or "")
    if seen.record.root:
        raise errors.ROOT_VOLUME(ec2_id, attached_to)
    if seen.detach is not None:
        return seen, False
    if seen.record.status not in ("reserved", "attaching", "in-use", "detaching"):
        raise errors.NOT_NOW(ec2_id, seen.record.status)
    store.ec2.set_detach(volume_id, attachment.attachment_id, busy=False)
    store.set_status(volume_id, "detaching")
    return existing(store, ec2_id), True


ACTIONS: Mapping[str, Action] = {"AttachVolume": attach_volume, "DetachVolume": detach_volume}
