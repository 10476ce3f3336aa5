"""
The end of a program that has nodes: in order, also when a signal demands it.

Nodes are removed at the end of a context, which an exception reaches and a signal's default does
not.  A second signal would interrupt the removal and leave nodes and loop devices behind.
"""

from __future__ import annotations

import signal
import sys

#: The signals of Ctrl-C, and of ``kill``.
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def ignore_signals():
    """Let nothing interrupt the rest of this program."""
    for which in SIGNALS:
        signal.signal(which, signal.SIG_IGN)


def _end(number, _):
    ignore_signals()
    sys.exit(128 + number)


def end_in_order():
    """
    Have the first of these signals end this program by ``SystemExit``, with the exit code of a
    shell's command that the signal ended; ignore all further ones.
    """
    for which in SIGNALS:
        signal.signal(which, _end)
