"""
Processes that outlive the program that started them.

A process is identified by its id and its start time, so that a later process with the same id is
never taken for it.
"""

from __future__ import absolute_import, division, print_function


def status(pid):
    """:return: the fields of a process's status from its state on; ``None`` without a process."""
    try:
        with open("/proc/{}/stat".format(pid)) as opened:
            fields = opened.read().rpartition(")")[2].split()
    except EnvironmentError:
        return None
    # An ended process that nobody has waited for does not count.
    return None if fields[0] in "ZX" else fields


def began(pid):
    """:return: a process's start time, in the kernel's ticks; ``None`` without a process."""
    fields = status(pid)
    return None if fields is None else int(fields[19])
