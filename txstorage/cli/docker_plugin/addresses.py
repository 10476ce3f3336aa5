# -*- test-case-name: tests.cli.docker_plugin.test_addresses -*-
"""The address of a port on the command line."""

from __future__ import annotations

import re
from typing import Any

import click

from ..._support.notations.addresses import is_loopback

_ADDRESS = re.compile(r"(?:(?P<host>[^\[\]:\s]+|\[[0-9a-fA-F:.]+\]):)?(?P<port>[0-9]{1,5})")


class MetricsAddress(click.ParamType):  # type: ignore[type-arg]
    """A command line argument: a host and the number of a port, or the number alone."""

    name = "address"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """See ``click.ParamType``."""
        if isinstance(value, tuple):
            return value
        found = _ADDRESS.fullmatch(str(value))
        if found is None or not 0 < int(found["port"]) < 2**16:
            self.fail(f"{value!r} is not an address such as 127.0.0.1:9108, or a port")
        return (found["host"] or "127.0.0.1").strip("[]"), int(found["port"])


def exposure(address: tuple[str, int] | None) -> str:
    """Return a warning when other machines can reach an address; else an empty text."""
    if address is None or is_loopback(address[0]):
        return ""
    return f"--metrics {address[0]} shows the metrics to other machines"


__all__ = ["MetricsAddress", "exposure"]
