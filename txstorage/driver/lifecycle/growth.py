# -*- test-case-name: tests.driver.lifecycle.test_growth -*-
"""
The next step of an operation that grows a volume, for each state of the volume.

The statuses are those of :mod:`txstorage.driver.lifecycle.volumes`.
"""

from __future__ import absolute_import, division, print_function

from constantly import NamedConstant, Names

from .decisions import GONE, PHASES, Decision, Phase, table
from .volumes import BUSY, DEVICE_IN_USE, ON_HOST, STUCK

MYPY = False
if MYPY:
    from typing import Text  # noqa: F401

    from .decisions import Cells, Progress  # noqa: F401


class Extent(Names):  # type: ignore[misc]
    """A volume's size, relative to the requested one."""

    SMALLER = NamedConstant()
    REACHED = NamedConstant()  # as large as requested, or larger


_COLUMNS = tuple((phase, extent) for phase in PHASES for extent in (Extent.SMALLER, Extent.REACHED))

_REQUEST, _AGAIN, _WAIT, _DONE = (
    Decision.REQUEST,
    Decision.AGAIN,
    Decision.WAIT,
    Decision.DONE,
)


def _always(decision):
    # type: (NamedConstant) -> Cells
    return (decision,) * len(_COLUMNS)


_GROWS = (_REQUEST, _DONE, _REQUEST, _DONE, _AGAIN, _DONE)

#: Columns, left to right: FRESH, JOINED, REQUESTED; in each: smaller, reached.
GROW = table(
    {status: _always(_WAIT) for status in BUSY},
    {status: _always(Decision.UNUSABLE) for status in STUCK},
    {
        u"available": _GROWS,
        u"in-use": _GROWS,
        ON_HOST: _GROWS,
        # The cloud refuses to grow a volume whose attachment begins or ends.
        u"reserved": (_WAIT, _DONE) * 3,
        u"attaching": (_WAIT, _DONE) * 3,
        u"detaching": (_WAIT, _DONE) * 3,
        DEVICE_IN_USE: (_WAIT, _DONE) * 3,
        u"deleting": _always(_WAIT),
        GONE: _always(Decision.UNKNOWN),
    },
)


def decide(progress, status, size, requested):
    # type: (Progress, Text, int, int) -> NamedConstant
    """
    Decide the next step.

    :param Progress progress: the operation.
    :param text status: the volume's, or :data:`~.decisions.GONE`, or :data:`~.volumes.ON_HOST`.
    :param int size: bytes: the volume's.
    :param int requested: bytes: the size to reach.
    :return: a :class:`Decision`, never ``AGAIN``.
    """
    row = GROW.get(status, _always(Decision.UNUSABLE))
    extent = Extent.REACHED if size >= requested else Extent.SMALLER
    return progress.resolved(row[_COLUMNS.index((progress.phase, extent))])


def is_proved(progress, decision):
    # type: (Progress, NamedConstant) -> bool
    """
    Decide whether a list, which may be out of date, is enough for the next step.  Volumes never
    shrink, so a list that shows the size is right; the cloud checks a first request itself.

    :param Progress progress: the operation.
    :param Decision decision: the next step, if the list is right.
    :return: ``bool``.
    """
    first = decision is Decision.REQUEST and progress.phase is Phase.FRESH
    return first or decision in (Decision.WAIT, Decision.DONE)


__all__ = ["Extent", "GROW", "decide", "is_proved"]
