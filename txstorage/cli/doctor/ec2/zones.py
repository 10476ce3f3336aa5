# -*- test-case-name: tests.cli.doctor.ec2.test_places -*-
"""The zone of new volumes."""

from __future__ import annotations

from ....errors import PermissionDenied
from ..state import CheckFailed, CheckWarning, DoctorRun, Skipped


async def check_zone(state: DoctorRun) -> str:
    """Check that the zone of new volumes exists, and is available."""
    wanted, region = state.configuration.availability_zone, state.configuration.region
    try:
        answer = await state.session.call("DescribeAvailabilityZones", {})
    except PermissionDenied as error:
        raise Skipped(f"these credentials may not ask for it: {error.detail}") from error
    states = {
        str(zone.get("ZoneName")): str(zone.get("State"))
        for zone in answer.get("AvailabilityZones") or []
    }
    shown = ", ".join(sorted(states)) or "none"
    if wanted not in states:
        raise CheckFailed(
            f"the region {region} has no zone {wanted} for this account; it has: {shown}",
            "correct 'zone' or 'region'; a local zone must be enabled for the account",
        )
    if states[wanted] != "available":
        raise CheckWarning(
            f"the zone {wanted} is {states[wanted]} at the moment",
            "wait, or use another zone; until then creating volumes may fail",
        )
    return f"{wanted}, of: {shown}"


__all__ = ["check_zone"]
