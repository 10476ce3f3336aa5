"""
A process that has imported ``txstorage serve``, and forks it.

``python -m tests.helpers.warm_service`` starts the process.  A start of the service costs a fork
instead of a second of imports.  The process reads one line of JSON, the arguments, for each start.
It prints the process id of the fork, then passes the fork's output on, and prints a line when the
fork has ended.  One fork runs at a time, because all have the reactor that was imported before.
"""

from __future__ import annotations

import json
import os
import signal
import sys

from txstorage.cli.main import main

#: The beginning of the first line of a start, and the whole last one.
STARTED, ENDED = "txstorage started: ", "txstorage ended"


def serve(arguments: list[str], log: str) -> None:
    """
    Run ``txstorage serve`` in a fork, and wait for its end.

    :param list arguments: the arguments after ``serve``.
    :param str log: the path of the file that standard error is appended to.
    """
    child = os.fork()
    if not child:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.dup2(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        print(f"{STARTED}{os.getpid()}", flush=True)
        main(["serve", *arguments], prog_name="txstorage")
    os.waitpid(child, 0)
    print(ENDED, flush=True)


if __name__ == "__main__":
    # The end of its input ends it, after the fork.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for line in sys.stdin:
        order = json.loads(line)
        serve(order["arguments"], order["log"])
