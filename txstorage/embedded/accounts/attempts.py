# -*- test-case-name: tests.embedded.accounts.test_attempts -*-
"""The wrong passwords of each client, which has to wait after a few of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network

#: Wrong passwords of a client in a period, at most.
MOST = 10
#: Seconds.
PERIOD = 60.0
#: Clients that are remembered; more of them, and the first ones are forgotten.
CLIENTS = 1000
#: Bits of an address of version 6 that one client has in common with nobody else.
_NETWORK = 64


class Attempts:
    """
    Counts wrong passwords.

    :param seconds: returns the time.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        # The beginning of the period and the number of wrong passwords in it, the oldest first.
        self._wrong: dict[str, tuple[float, int]] = {}

    def wait(self, address: str) -> int:
        """
        :param address: of a client.
        :return: the seconds in which no password of the client is checked; 0: it is.
        """
        begun, count = self._wrong.get(_client(address), (0.0, 0))
        left = begun + PERIOD - self._seconds()
        return math.ceil(left) if count >= MOST and left > 0 else 0

    def failed(self, address: str) -> None:
        """Count a wrong password of a client."""
        now, client = self._seconds(), _client(address)
        begun, count = self._wrong.get(client, (now, 0))
        if now - begun >= PERIOD:
            begun, count = now, 0
            del self._wrong[client]
        if client not in self._wrong and len(self._wrong) >= CLIENTS:
            del self._wrong[next(iter(self._wrong))]
        self._wrong[client] = (begun, count + 1)


def _client(address: str) -> str:
    """A client's own address, or its network, in which it has every address."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ip_network((found, _NETWORK), strict=False))


__all__ = ["Attempts", "MOST", "PERIOD"]
