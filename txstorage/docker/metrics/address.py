# -*- test-case-name: tests.docker.metrics.test_address -*-
"""
The address of the metrics.
"""

from __future__ import annotations

import attr

from ..._support.notations.addresses import as_ip_address, in_brackets, is_loopback

_LOOPBACK = "127.0.0.1"


@attr.s(auto_attribs=True, frozen=True)
class MetricsAddress:
    """
    An address to listen at.

    :ivar host: an IP address, without brackets.
    :ivar port: from 0 to 65535; 0 for one that the kernel chooses.
    """

    host: str
    port: int

    def __str__(self) -> str:
        return f"{in_brackets(self.host)}:{self.port}"


def read_metrics_address(text: str) -> MetricsAddress:
    """
    Read an address, such as ``127.0.0.1:9108``, ``[::1]:9108``, or ``9108`` for loopback.

    :raises ValueError: it is not one; the message says why.
    """
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and int(port) < 65536):
        raise ValueError(f"{port!r} is not a port from 0 to 65535")
    if host in ("", "localhost") and not text.startswith(":"):
        return MetricsAddress(_LOOPBACK, int(port))
    bracketed = host.startswith("[") and host.endswith("]")
    bare = host[1:-1] if bracketed else host
    address = as_ip_address(bare)
    if address is None or "%" in bare or bracketed != (address.version == 6):
        raise ValueError(f"{host!r} is not an IP address; an IPv6 address stands in brackets")
    return MetricsAddress(bare, int(port))


def exposure(address: MetricsAddress) -> str:
    """:return: a warning when other machines can read the metrics; else empty."""
    if is_loopback(address.host):
        return ""
    return f"--metrics {address} lets other machines read the metrics, without a password"


__all__ = ["MetricsAddress", "exposure", "read_metrics_address"]
