# -*- test-case-name: tests.embedded.testing.test_process -*-
"""
The child process of :class:`~txstorage.embedded.testing.OpenStackProcess`.

It reads its order from its standard input, one line of JSON, prints what its clients need, and
ends when its input ends.
"""

from __future__ import annotations

import gc
import json
import signal
import sys
from threading import Thread
from typing import Any

import attr


def main() -> None:
    """Serve until standard input ends."""
    # An interrupt from the keyboard goes to the parent, too, which ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The start is little else than imports, whose objects stay until the end.
    gc.disable()
    # It serves without TLS, whose libraries take a quarter of the imports; without them, Twisted
    # has none.
    sys.modules["OpenSSL"] = None  # type: ignore[assignment]
    from twisted.internet import reactor

    from .server import DoubleServer

    gc.freeze()
    gc.enable()
    any_reactor: Any = reactor
    order = json.loads(sys.stdin.buffer.readline())
    server = DoubleServer(any_reactor, order["directory"], order["options"])

    def wait_for_end() -> None:
        sys.stdin.buffer.read()
        any_reactor.callFromThread(any_reactor.stop)

    any_reactor.addSystemEventTrigger("before", "shutdown", server.stopped)
    served = server.start()
    any_reactor.callWhenRunning(lambda: print(json.dumps(attr.asdict(served)), flush=True))
    Thread(target=wait_for_end, daemon=True).start()
    any_reactor.run(installSignalHandlers=False)


if __name__ == "__main__":
    main()
