# -*- test-case-name: tests.embedded.ec2.test_instances -*-
"""The actions on zones and regions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..call import Action, Content, EC2Call
from ..filters import ResourceFilters, Values
from ..protocol import errors
from .volume_requests import zone_id

_Zone = dict[str, Any]
_FILTERS: Mapping[str, Values[_Zone]] = {
    "zone-name": lambda zone: [zone["zoneName"]],
    "zone-id": lambda zone: [zone["zoneId"]],
    "zone-type": lambda zone: [zone["zoneType"]],
    "region-name": lambda zone: [zone["regionName"]],
    "group-name": lambda zone: [zone["groupName"]],
    "opt-in-status": lambda zone: [zone["optInStatus"]],
    "state": lambda zone: [zone["zoneState"]],
}
_REGION_FILTERS: Mapping[str, Values[_Zone]] = {
    "region-name": lambda region: [region["regionName"]],
    "endpoint": lambda region: [region["regionEndpoint"]],
    "opt-in-status": lambda region: [region["optInStatus"]],
}


def describe_zones(call: EC2Call) -> Content:
    """List the availability zones."""
    settings = call.context.ec2
    zones = [
        {
            "zoneName": zone,
            "zoneId": zone_id(settings.region, zone),
            "zoneState": "available",
            "zoneType": "availability-zone",
            "regionName": settings.region,
            "groupName": settings.region,
            "networkBorderGroup": settings.region,
            "optInStatus": "opt-in-not-required",
            "messageSet": [],
        }
        for zone in settings.zones
    ]
    for parameter, member in (("ZoneName", "zoneName"), ("ZoneId", "zoneId")):
        wanted = call.parameters.list(parameter)
        known = {zone[member] for zone in zones}
        for name in wanted:
            if name not in known:
                raise errors.NO_ZONE(name)
        zones = [zone for zone in zones if not wanted or zone[member] in wanted]
    filters = ResourceFilters(call.parameters.filters())
    filters.check(_FILTERS, tagged=False)
    return {"availabilityZoneInfo": filters.match(zones, _FILTERS)}


def describe_regions(call: EC2Call) -> Content:
    """List the one region."""
    name = call.context.ec2.region
    for wanted in call.parameters.list("RegionName"):
        if wanted != name:
            raise errors.NO_REGION(wanted)
    region = {
        "regionName": name,
        "regionEndpoint": call.address.partition("://")[2],
        "optInStatus": "opt-in-not-required",
    }
    filters = ResourceFilters(call.parameters.filters())
    filters.check(_REGION_FILTERS, tagged=False)
    return {"regionInfo": filters.match([region], _REGION_FILTERS)}


ACTIONS: Mapping[str, Action] = {
    "DescribeAvailabilityZones": describe_zones,
    "DescribeRegions": describe_regions,
}
