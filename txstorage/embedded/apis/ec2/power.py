# -*- test-case-name: tests.embedded.ec2.test_instances -*-
"""
The states of instances, which take a time to start and to stop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ...store.servers.records import ServerRecord

#: EC2's states by Compute's statuses; in any other status, a server has its resources.
STATES: Mapping[str, str] = {"SHUTOFF": "stopped", "DELETED": "terminated"}
CODES: Mapping[str, int] = {
    "pending": 0,
    "running": 16,
    "shutting-down": 32,
    "terminated": 48,
    "stopping": 64,
    "stopped": 80,
}


class PowerStates:
    """
    The states of instances.  A restart of the service ends the transient ones.

    :param delay: seconds of a transient state.
    :param now: returns the time in seconds.
    """

    def __init__(self, delay: float, now: Callable[[], float]) -> None:
        self._delay = delay
        self._now = now
        self._transient: dict[str, tuple[str, float]] = {}

    def change(self, server_id: str, state: str) -> None:
        """Show a transient state of a server, for a time."""
        self._transient[server_id] = state, self._now() + self._delay

    def forget(self) -> None:
        """End the transient states."""
        self._transient.clear()

    def state(self, server: ServerRecord) -> str:
        """:return: EC2's state of a server."""
        state, until = self._transient.get(server.server_id, ("", 0.0))
        if self._now() < until:
            return state
        self._transient.pop(server.server_id, None)
        return STATES.get(server.status, "running")
