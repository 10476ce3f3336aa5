# -*- test-case-name: tests.embedded.ec2.test_attachments -*-
"""
Names of devices that were used a short time ago.

On EC2, a volume that gets such a name may stay ``attaching`` until it is detached.
"""

from __future__ import annotations

from collections.abc import Callable

#: The names that are remembered; the oldest ones are forgotten.
_MANY = 1000


class RecentNames:
    """
    The names of detached devices.  A restart of the service forgets them.

    :param patience: seconds in which a name must not be used again; 0: every name can.
    :param now: returns the time in seconds.
    """

    def __init__(self, patience: float, now: Callable[[], float]) -> None:
        self._patience = patience
        self._now = now
        self._detached: dict[tuple[str, str], float] = {}

    def detached(self, server_id: str, device: str) -> None:
        """Record that a device of a server is detached."""
        if self._patience:
            self._detached.pop((server_id, device), None)
            self._detached[server_id, device] = self._now()
            if len(self._detached) > _MANY:
                del self._detached[next(iter(self._detached))]

    def forget(self) -> None:
        """Let every name be used again."""
        self._detached.clear()

    def is_recent(self, server_id: str, device: str) -> bool:
        """Check whether a name must not be used again yet."""
        since = self._detached.get((server_id, device))
        return since is not None and self._now() - since < self._patience
