"""
The embedded service with a report: ``python -m benchmarks.clients.service REPORT [OPTION]...``.

SIGUSR1 begins the measurement anew, and SIGUSR2 ends it.  After both, the file REPORT has the
figures.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

from twisted.internet import reactor

from txstorage.cli.main import main

from .measuring import Stalls, cpu, rss


class Report:
    """
    The figures of this process.

    :param path: the file that the figures are written to.
    """

    def __init__(self, path: str) -> None:
        self._path, self._stalls, self._cpu = path, Stalls(reactor), cpu()

    def reset(self, *_: Any) -> None:
        """Begin anew."""
        self._stalls.reset()
        self._cpu = cpu()
        self.write()

    def figures(self) -> dict[str, Any]:
        """The figures since the last reset."""
        return {"cpu": cpu() - self._cpu, "stall": self._stalls.longest, "rss": rss()}

    def write(self, *_: Any) -> None:
        """Write the figures."""
        # A process that waits for the file finds it complete.
        with open(self._path + ".part", "w", encoding="utf-8") as opened:
            json.dump(self.figures(), opened)
        os.rename(self._path + ".part", self._path)


if __name__ == "__main__":
    report = Report(sys.argv[1])
    signal.signal(signal.SIGUSR1, report.reset)
    signal.signal(signal.SIGUSR2, report.write)
    main(["serve", *sys.argv[2:]], prog_name="txstorage")
