"""
The figures of a client's own process.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from typing import Any

#: The longest texts of errors that a client reports, and their number.
_ERROR, _ERRORS = 300, 3


def spec() -> dict[str, Any]:
    """
    The description of the work, the first line of the program's input: thousands of servers are too
    long for an argument.  Its ``files`` is the number of files that the program may have open.
    """
    described: dict[str, Any] = json.loads(sys.stdin.readline())
    if "files" in described:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (described["files"], hard))
    return described


def cpu() -> float:
    """The CPU seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def rss() -> float:
    """The maximum of this process's memory, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Stalls:
    """
    The longest iteration of a reactor: the time between the end of a wait for events and the
    beginning of the next one.

    :param reactor: Twisted's epoll reactor; the wait of another one is not seen.
    """

    def __init__(self, reactor: Any) -> None:
        self.longest = 0.0
        self._woken: float | None = None
        self._poller = getattr(reactor, "_poller", None)
        if self._poller is not None:
            reactor._poller = self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._poller, name)

    def poll(self, *arguments: Any) -> Any:
        """Wait for events."""
        if self._woken is not None:
            self.longest = max(self.longest, time.monotonic() - self._woken)
        events = self._poller.poll(*arguments)
        self._woken = time.monotonic()
        return events

    def reset(self) -> None:
        """Forget the longest one, and the one in progress."""
        self.longest, self._woken = 0.0, None


class Measurement:
    """
    One measurement: from :meth:`begin` to :meth:`end`.

    :param reactor: the reactor whose stalls are measured, or ``None``.
    """

    def __init__(self, reactor: Any = None) -> None:
        self._stalls = None if reactor is None else Stalls(reactor)
        self._wall = self._cpu = 0.0

    def begin(self) -> None:
        """Report that the work can begin, and wait for the start."""
        print("ready", flush=True)
        sys.stdin.readline()
        if self._stalls is not None:
            self._stalls.reset()
        self._wall, self._cpu = time.monotonic(), cpu()

    def end(self, failures: list[Any], count: int, **figures: Any) -> None:
        """
        Print the figures.

        :param failures: the exceptions of the work that failed.
        :param count: the number of pieces of work.
        """
        found = {
            "wall": time.monotonic() - self._wall,
            "cpu": cpu() - self._cpu,
            "rss": rss(),
            "ended": count - len(failures),
            "failed": len(failures),
            "errors": [_shown(failure) for failure in failures[:_ERRORS]],
            **figures,
        }
        if self._stalls is not None:
            found["stall"] = self._stalls.longest
        print(json.dumps(found), flush=True)


def _shown(failure: Any) -> str:
    return f"{type(failure).__name__}: {failure}"[:_ERROR]
