"""
The time that the command takes to start: seconds and CPU seconds of several runs, the best of each.

    python benchmarks/start.py [runs]

An import of the libraries that every request needs is measured beside it.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TXSTORAGE = ["-m", "txstorage.cli"]
MEASURED = {
    "python": ["-c", "pass"],
    "txstorage --version": [*TXSTORAGE, "--version"],
    "txstorage --help": [*TXSTORAGE, "--help"],
    "txstorage volumes --help": [*TXSTORAGE, "volumes", "--help"],
    "volumes list, its imports": ["-c", "import txstorage.cli.app, txstorage.cli.volumes.listing"],
    "Twisted, treq, TLS and Eliot": [
        "-c",
        "import eliot, OpenSSL, service_identity, treq, twisted.internet.reactor",
    ],
}


def spent():
    """:return: the seconds on a clock, and the CPU seconds of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic(), used.ru_utime + used.ru_stime


def measure(arguments):
    before = spent()
    command = [sys.executable, "-W", "ignore", *arguments]
    environment = dict(os.environ, PYTHONPATH=ROOT)
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    return [after - start for start, after in zip(before, spent())]


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    for name, arguments in MEASURED.items():
        measured = [measure(arguments) for _ in range(runs)]
        seconds, cpu = (min(column) for column in zip(*measured))
        print(f"{name:30} {seconds:.2f} s, {cpu:.2f} s of CPU")


if __name__ == "__main__":
    main()
