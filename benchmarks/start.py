"""
The time that the command takes to start: seconds and CPU seconds of several runs, the best and the
median of each.

    python benchmarks/start.py [runs]

The libraries that every request needs are measured beside it.  The modules are compiled before,
as those of an installed package are.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from statistics import median

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TXSTORAGE = ["-m", "txstorage.cli"]
MEASURED = {
    "python": ["-c", "pass"],
    "txstorage --version": [*TXSTORAGE, "--version"],
    "txstorage --help": [*TXSTORAGE, "--help"],
    "txstorage volumes --help": [*TXSTORAGE, "volumes", "--help"],
    # ends where it would read its configuration
    "txstorage volumes list, its imports": [*TXSTORAGE, "volumes", "list"],
    "Twisted's HTTP client with TLS": [
        "-c", "import gc; gc.disable(); import twisted.web.client, twisted.internet.reactor"
    ],
    "and treq, Eliot, yaml, rich": [
        "-c",
        "import gc; gc.disable(); import eliot, rich.table, treq, twisted.internet.reactor, yaml",
    ],
}


def spent():
    """:return: the seconds on a clock, and the CPU seconds of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic(), used.ru_utime + used.ru_stime


def measure(arguments, compiled):
    """
    Run Python once.

    :param compiled: a directory for compiled modules.
    :return: the seconds on a clock, and the CPU seconds.
    """
    before = spent()
    command = [sys.executable, "-W", "ignore", *arguments]
    environment = dict(os.environ, PYTHONPATH=ROOT, PYTHONPYCACHEPREFIX=compiled)
    environment["TXSTORAGE_CONFIG"] = "/no/such/file"
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    if subprocess.run(command, env=environment, **quiet).returncode not in (0, 1):
        raise SystemExit(f"{command} failed")
    return [after - start for start, after in zip(before, spent())]


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    with tempfile.TemporaryDirectory() as compiled:
        for name, arguments in MEASURED.items():
            measure(arguments, compiled)
            columns = zip(*(measure(arguments, compiled) for _ in range(runs)))
            seconds, cpu = (f"{min(each):.2f} ({median(each):.2f})" for each in columns)
            print(f"{name:40} {seconds} s, {cpu} s of CPU", flush=True)
    print("load average: {:.1f}".format(os.getloadavg()[0]))


if __name__ == "__main__":
    main()
