# -*- test-case-name: tests.docker.diagnosis.test_local_volumes -*-
"""
Local volumes of an engine that stand in the place of the plugin's.

The engine is asked here, so nothing here may run while the plugin serves an engine.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Collection
from http.client import HTTPConnection, HTTPException
from urllib.parse import quote

from .results import CheckResult, together

#: Seconds that an engine may take; it waits for each plugin that it can't reach.
PATIENCE = 60.0
_LOCAL = quote(json.dumps({"driver": ["local"]}))


class _UnixConnection(HTTPConnection):
    """A connection to an engine's socket."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """See ``HTTPConnection``."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def local_volumes(path: str, timeout: float = PATIENCE) -> list[str]:
    """
    :param path: the engine's socket.
    :param timeout: seconds.
    :return: the names of the engine's local volumes.
    :raises OSError: the engine can't be reached, or takes too long.
    :raises ValueError: its answer is not understood.
    """
    connection = _UnixConnection(path, timeout)
    try:
        connection.request("GET", "/volumes?filters=" + _LOCAL)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise ValueError(f"it answers with status {answer.status}")
        # No volume is null.
        return [each["Name"] for each in json.loads(body)["Volumes"] or []]
    except (HTTPException, LookupError, TypeError) as error:
        raise ValueError(f"its answer is not understood: {error!r}") from error
    finally:
        connection.close()


def check_local_volumes(
    path: str, names: Collection[str], timeout: float = PATIENCE
) -> CheckResult:
    """
    Look for local volumes that have the name of one of the plugin's.

    :param path: the engine's socket.
    :param names: those of the plugin's volumes.
    """
    try:
        found = local_volumes(path, timeout)
    except (FileNotFoundError, ConnectionRefusedError):
        return CheckResult("skipped", f"no engine listens at {path}")
    except (OSError, ValueError) as error:
        reason = "it takes too long" if isinstance(error, TimeoutError) else error
        return CheckResult(
            "warning",
            f"the engine at {path} can't be asked: {reason}",
            "see the log of the engine, and repeat the check as root",
        )
    return together(
        (
            CheckResult(
                "fail",
                f"{name} is a local volume of the engine; containers use it instead of the "
                "plugin's volume of that name",
                f"remove the containers that use {name}, save what they have written, and remove "
                f"it: docker volume rm {name}",
            )
            for name in sorted(set(found) & set(names))
        ),
        f"none of {len(found)} local volumes has the name of one of the plugin's",
    )


__all__ = ["PATIENCE", "check_local_volumes", "local_volumes"]
