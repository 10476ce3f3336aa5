# -*- test-case-name: tests.docker.diagnosis.test_sockets -*-
"""
The places in which engines look for plugins, and the sockets there at which nothing listens.
"""

from __future__ import annotations

import glob
import json
import socket
from collections.abc import Iterator, Sequence
from typing import Any

from .results import CheckResult, together

_WAITING = "engines wait for minutes there whenever they look for a volume"


def listens(path: str) -> bool:
    """
    :param path: of a Unix socket.
    :return: whether a process listens there.
    :raises OSError: the socket can't be tried, for lack of permission for instance.
    """
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except BlockingIOError:
            # So many connections wait that there is no room for one more.
            return True
        except (ConnectionRefusedError, FileNotFoundError):
            return False
    return True


def address_in(path: str) -> str:
    """
    :param path: of a file that describes a plugin: ``NAME.spec`` or ``NAME.json``.
    :return: the plugin's address.
    :raises ValueError: the file has none.
    :raises OSError: the file can't be read.
    """
    with open(path, encoding="utf-8") as opened:
        text = opened.read()
    found: Any = text.strip()
    if path.endswith(".json"):
        description = json.loads(text)
        found = description.get("Addr") if isinstance(description, dict) else None
    if not isinstance(found, str) or "://" not in found:
        raise ValueError("it has no address")
    return found


def _dead_sockets(directory: str) -> Iterator[CheckResult]:
    # Those of managed plugins have a directory each.
    place = glob.escape(directory)
    for path in sorted(glob.glob(place + "/*.sock") + glob.glob(place + "/*/*.sock")):
        try:
            if listens(path):
                continue
        except OSError as error:
            yield CheckResult("warning", f"{path} can't be tried: {error.strerror}", "try as root")
            continue
        yield CheckResult(
            "fail", f"nothing listens at {path}; {_WAITING}", f"start its plugin, or remove {path}"
        )


def _dead_specs(directory: str) -> Iterator[CheckResult]:
    place = glob.escape(directory)
    for path in sorted(glob.glob(place + "/*.spec") + glob.glob(place + "/*.json")):
        try:
            address = address_in(path)
            # A plugin on another machine is not this machine's concern.
            if not address.startswith("unix://") or listens(address[len("unix://") :]):
                continue
        except (ValueError, OSError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            yield CheckResult(
                "warning", f"{path} can't be used: {reason}", f"correct or remove {path}"
            )
            continue
        yield CheckResult(
            "fail",
            f"{path} names {address}, where nothing listens; {_WAITING}",
            f"start its plugin, or remove {path}",
        )


def check_sockets(sockets: str, specs: Sequence[str]) -> CheckResult:
    """
    Look for plugins that engines find and can't reach.

    :param sockets: the directory of the sockets.
    :param specs: the directories of the files that describe plugins.
    """
    problems = [*_dead_sockets(sockets)]
    for directory in specs:
        problems += _dead_specs(directory)
    return together(problems, "each plugin that engines find can be reached")


__all__ = ["address_in", "check_sockets", "listens"]
