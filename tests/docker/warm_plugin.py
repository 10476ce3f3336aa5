"""
A process that has imported ``txstorage docker-plugin``, and forks it.

``python -m tests.docker.warm_plugin`` starts the process; see :mod:`tests.helpers.warm_service`,
whose protocol it has.  Each line of its input also has changes of the plugin's settings that the
command has no options for, because only tests need them.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from functools import partial
from typing import Any

from tests.helpers.warm_service import ENDED, STARTED
from txstorage._http import client
from txstorage.cli.docker_plugin import command
from txstorage.cli.main import main
from txstorage.docker import Deadlines


def serve(order: dict[str, Any]) -> None:
    """Run the command in a fork, and wait for its end."""
    child = os.fork()
    if not child:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.dup2(os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        changes = dict(order["changes"], deadlines=Deadlines(**order["deadlines"]))
        command.PluginSettings = partial(command.PluginSettings, **changes)  # type: ignore[misc]
        client._FIRST_DELAY = 0.02
        print(f"{STARTED}{os.getpid()}", flush=True)
        main(order["arguments"], prog_name="txstorage")
    os.waitpid(child, 0)
    print(ENDED, flush=True)


if __name__ == "__main__":
    # The end of its input ends it, after the fork.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for line in sys.stdin:
        serve(json.loads(line))
