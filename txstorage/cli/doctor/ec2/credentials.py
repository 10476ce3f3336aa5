# -*- test-case-name: tests.cli.doctor.ec2.test_credentials -*-
"""The credentials, their owner, and the clock that signatures depend on."""

from __future__ import annotations

from typing import Any

from ...._assembly import sts_session
from ....errors import AuthenticationFailed, CredentialsUnavailable, StorageError
from ...errors import explain
from ..state import CheckFailed, CheckWarning, DoctorRun

#: Seconds: the difference of the clocks from which on the doctor warns.
TOLERATED = 60.0
_NOT_KNOWN = "whose they are is not known: "


async def check_credentials(state: DoctorRun) -> str:
    """Check that there are credentials, and that they are accepted."""
    keys = await state.session.keys()
    life = "" if keys.lifetime is None else f", for {keys.lifetime / 60:.0f} minutes"
    found = f"{keys.origin}{life}: access key {keys.access_key}"
    try:
        caller = await _caller(state)
    except (AuthenticationFailed, CredentialsUnavailable) as error:
        explanation = explain(error)
        raise CheckFailed(f"{found}: {explanation.message}", explanation.remedy) from error
    except StorageError as error:
        # The driver needs only EC2, which the following steps ask.
        return f"{found}; {_NOT_KNOWN}{explain(error).message}"
    state.caller = str(caller.get("Arn", "?"))
    return f"{found}; {state.caller}, account {caller.get('Account', '?')}"


async def _caller(state: DoctorRun) -> dict[str, Any]:
    """Ask the Security Token Service for the owner of the keys; this needs no permission."""
    session = sts_session(state.configuration, state.session)
    # Superfluous questions are harmless.
    answer: dict[str, Any] = await session.call("GetCallerIdentity", {}, repeatable=True)
    return answer


async def check_clock(state: DoctorRun) -> str:
    """Check this machine's clock against the time of EC2's answers."""
    # The steps before have had answers, each with the time.
    return clock_finding(-state.session.ahead)


def clock_finding(ahead: float) -> str:
    """
    Judge a difference between the clocks.

    :param ahead: seconds by which this machine's clock is ahead of EC2's.
    :raises CheckWarning: they differ.
    """
    if abs(ahead) <= TOLERATED:
        return f"within {TOLERATED:.0f} seconds of EC2's"
    direction = "ahead of" if ahead > 0 else "behind"
    raise CheckWarning(
        f"this machine's clock is {abs(ahead):.0f} seconds {direction} EC2's; txstorage signs with "
        "EC2's time, other programs do not",
        "synchronise the clock, for example with chrony",
    )


__all__ = ["check_clock", "check_credentials", "clock_finding"]
