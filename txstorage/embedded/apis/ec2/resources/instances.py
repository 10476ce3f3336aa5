# -*- test-case-name: tests.embedded.ec2.test_instances -*-
"""
The actions on instances, which are the declared nodes.

Their numbers of a page are their sequence numbers in the store.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....store.servers.records import ServerRecord
from ....store.store import Store
from ..call import Action, Content, EC2Call, EC2Context
from ..filters import ResourceFilters, ResultPage, Values
from ..ids import INSTANCE, VOLUME
from ..power import CODES, STATES
from ..protocol import errors
from ..protocol.credentials import ACCOUNT
from ..protocol.documents import ec2_time, tag_set
from .volume_views import attachment_state, attachment_to_node

#: A type with NVMe devices.
INSTANCE_TYPE = "m5.large"
IMAGE = "ami-00000000000000000"
_ROOT_DEVICE = "/dev/vda"
#: The status that each request leads to, and the transient state.
_STOP = ("SHUTOFF", "stopping")
_START = ("ACTIVE", "pending")


def tags_of(server: ServerRecord) -> dict[str, str]:
    """:return: the tags of an instance, which never change."""
    return {"Name": server.name}


def _state(context: EC2Context, server: ServerRecord) -> dict[str, Any]:
    name = context.power.state(server)
    return {"code": CODES[name], "name": name}


def _devices(context: EC2Context, server: ServerRecord) -> list[dict[str, Any]]:
    found = []
    for seen in context.reader.attached(server.server_id):
        attachment = attachment_to_node(seen)
        if attachment is not None:
            ebs = {
                "volumeId": VOLUME.of(seen.record.volume_id),
                # An instance's view has no state of its own for a device in use.
                "status": attachment_state(seen).replace("busy", "detaching"),
                "attachTime": ec2_time(attachment.attached_at or 0),
                "deleteOnTermination": seen.record.root,
            }
            found.append({"deviceName": attachment.device, "ebs": ebs})
    return found


def _view(context: EC2Context, server: ServerRecord) -> dict[str, Any]:
    return {
        "instanceId": INSTANCE.of(server.server_id),
        "imageId": IMAGE,
        "instanceState": _state(context, server),
        "privateDnsName": server.name,
        "dnsName": "",
        "instanceType": INSTANCE_TYPE,
        "launchTime": ec2_time(server.created_at),
        "placement": {
            "availabilityZone": context.zone,
            "groupName": "",
            "tenancy": "default",
        },
        "architecture": "x86_64",
        "rootDeviceType": "ebs",
        "rootDeviceName": _ROOT_DEVICE,
        "blockDeviceMapping": _devices(context, server),
        "virtualizationType": "hvm",
        # EC2 has this for its own hypervisor, too.
        "hypervisor": "xen",
        "ebsOptimized": True,
        "tagSet": tag_set(tags_of(server)),
    }


def _filters(context: EC2Context) -> Mapping[str, Values[ServerRecord]]:
    return {
        "instance-id": lambda server: [INSTANCE.of(server.server_id)],
        "instance-state-name": lambda server: [context.power.state(server)],
        "instance-state-code": lambda server: [str(CODES[context.power.state(server)])],
        "instance-type": lambda server: [INSTANCE_TYPE],
        "availability-zone": lambda server: [context.zone],
        "private-dns-name": lambda server: [server.name],
        "block-device-mapping.volume-id": lambda server: [
            each["ebs"]["volumeId"] for each in _devices(context, server)
        ],
        "block-device-mapping.device-name": lambda server: [
            each["deviceName"] for each in _devices(context, server)
        ],
    }


def _chosen(call: EC2Call) -> tuple[list[ServerRecord], str | None]:
    context, parameters = call.context, call.parameters
    ids = parameters.list("InstanceId")
    filters, known = ResourceFilters(parameters.filters()), _filters(context)
    filters.check(known)
    page = ResultPage.of(parameters, ids, context.settings.page_size)
    servers = context.store.servers.every()
    if ids:
        wanted = {INSTANCE.get(context.store, ec2_id) for ec2_id in ids}
        servers = [server for server in servers if server.server_id in wanted]
    return page.cut(filters.match(servers, known, tags_of), lambda server: server.sequence)


def describe_instances(call: EC2Call) -> Content:
    """List instances, each in a reservation of its own."""
    servers, token = _chosen(call)
    reservations = [
        {
            "reservationId": "r-" + INSTANCE.of(server.server_id)[2:],
            "ownerId": ACCOUNT,
            "groupSet": [],
            "instancesSet": [_view(call.context, server)],
        }
        for server in servers
    ]
    return {"reservationSet": reservations, "nextToken": token}


def describe_instance_status(call: EC2Call) -> Content:
    """List the states of instances: by default only of those that run."""
    servers, token = _chosen(call)
    everything = call.parameters.truth("IncludeAllInstances")
    found = []
    for server in servers:
        state = _state(call.context, server)
        runs = state["name"] == "running"
        if runs or everything:
            status = {"status": "ok" if runs else "not-applicable"}
            found.append(
                {
                    "instanceId": INSTANCE.of(server.server_id),
                    "availabilityZone": call.context.zone,
                    "instanceState": state,
                    "systemStatus": status,
                    "instanceStatus": status,
                }
            )
    return {"instanceStatusSet": found, "nextToken": token}


def describe_instance_types(call: EC2Call) -> Content:
    """List the one type of all instances."""
    for wanted in call.parameters.list("InstanceType"):
        if wanted != INSTANCE_TYPE:
            raise errors.NO_TYPE(wanted)
    known: Mapping[str, Values[str]] = {"instance-type": lambda name: [name]}
    filters = ResourceFilters(call.parameters.filters())
    filters.check(known, tagged=False)
    # The root volume counts, too.
    volumes = call.context.ec2.attachments + 1
    types = [
        {
            "instanceType": name,
            "hypervisor": "nitro",
            "ebsInfo": {
                "nvmeSupport": "required",
                "maximumEbsAttachments": volumes,
                "attachmentLimitType": "dedicated",
            },
            "instanceStorageSupported": False,
        }
        for name in filters.match([INSTANCE_TYPE], known)
    ]
    return {"instanceTypeSet": types}


async def _set_power(call: EC2Call, status: str, transient: str) -> Content:
    context = call.context
    ids = call.parameters.list("InstanceId")
    if not ids:
        raise errors.MISSING("InstanceId")

    def change(store: Store) -> list[tuple[ServerRecord, bool]]:
        changed = []
        for ec2_id in ids:
            server = store.servers.node(INSTANCE.get(store, ec2_id))
            assert server is not None
            if STATES.get(server.status) == "terminated":
                raise errors.INSTANCE_GONE(ec2_id)
            differs = (server.status == "SHUTOFF") != (status == "SHUTOFF")
            if differs:
                store.servers.set_status(server.server_id, status)
            changed.append((server, differs))
        return changed

    views = []
    for server, differs in await context.store.write(change):
        before = _state(context, server)
        after = {"code": CODES[transient], "name": transient} if differs else before
        if differs:
            context.power.change(server.server_id, transient)
        views.append(
            {
                "instanceId": INSTANCE.of(server.server_id),
                "currentState": after,
                "previousState": before,
            }
        )
    return {"instancesSet": views}


async def start_instances(call: EC2Call) -> Content:
    """Turn instances on."""
    return await _set_power(call, *_START)


async def stop_instances(call: EC2Call) -> Content:
    """Turn instances off."""
    return await _set_power(call, *_STOP)


ACTIONS: Mapping[str, Action] = {
    "DescribeInstances": describe_instances,
    "DescribeInstanceStatus": describe_instance_status,
    "DescribeInstanceTypes": describe_instance_types,
    "StartInstances": start_instances,
    "StopInstances": stop_instances,
}
