# -*- test-case-name: tests.driver.lifecycle.test_snapshots -*-
"""
The next step of each operation on a snapshot, for each status of the snapshot.

The statuses are Cinder's: ``cinder.objects.fields.SnapshotStatus``.  The driver never acts on a
status that is not listed.
"""

from __future__ import absolute_import, division, print_function

from .decisions import GONE, PHASES, Decision, Phase, table

MYPY = False
if MYPY:
    from typing import Iterable, Text  # noqa: F401

    from constantly import NamedConstant  # noqa: F401

    from ...clouds.values import Snapshot  # noqa: F401
    from .decisions import Cells, Progress  # noqa: F401

_REQUEST, _AGAIN, _WAIT, _DONE, _BAD = (
    Decision.REQUEST,
    Decision.AGAIN,
    Decision.WAIT,
    Decision.DONE,
    Decision.UNUSABLE,
)


def _always(decision):
    # type: (NamedConstant) -> Cells
    return (decision,) * len(PHASES)


# Statuses in which the cloud accepts no request for the snapshot, and after which the snapshot is
# available again, or gone.
_BUSY = {
    status: _always(_WAIT)
    for status in (u"creating", u"backing-up", u"restoring", u"deleting")
}

# Statuses that only an operator ends.
_STUCK = {status: _always(_BAD) for status in (u"error", u"error_deleting", u"unmanaging")}

#: A snapshot in any of these statuses has been created.  Columns: FRESH, JOINED, REQUESTED.
CREATE = table(
    _BUSY,
    _STUCK,
    {
        u"available": _always(_DONE),
        u"backing-up": _always(_DONE),
        u"restoring": _always(_DONE),
        u"deleting": _always(_BAD),
        GONE: _always(Decision.FAILED),
    },
)

# The statuses that Cinder lists when it refuses to delete; a snapshot whose data is still needed
# becomes available again.
DESTROY = table(
    _BUSY,
    _STUCK,
    {
        # fmt: off
        u"available": (_REQUEST, _REQUEST, _AGAIN),
        u"error":     (_REQUEST, _REQUEST, _AGAIN),
        GONE:        (Decision.UNKNOWN, _DONE, _DONE),
        # fmt: on
    },
)

#: The snapshot can be copied into a volume.
COPY = table(
    _BUSY,
    _STUCK,
    {
        u"available": _always(_DONE),
        GONE: _always(Decision.UNKNOWN),
    },
)

TABLES = {u"create": CREATE, u"destroy": DESTROY, u"copy": COPY}

#: The event that each operation waits for, for messages.
AWAITED = {
    u"create": u"the snapshot to be created",
    u"destroy": u"the snapshot to be deleted",
    u"copy": u"the snapshot to be ready for copying",
}


def decide(progress, status):
    # type: (Progress, Text) -> NamedConstant
    """
    Decide the next step of an operation.

    :param Progress progress: the operation.
    :param text status: the snapshot's, or :data:`~.decisions.GONE`.
    :return: a :class:`Decision`, never ``AGAIN``.
    """
    row = TABLES[progress.operation].get(status, _always(_BAD))
    return progress.resolved(row[PHASES.index(progress.phase)])


def is_proved(progress, decision):
    # type: (Progress, NamedConstant) -> bool
    """
    Decide whether a list, which may be out of date, is enough for the next step.  A snapshot that
    was being created never is again, so a list that shows it created is right; the cloud checks a
    first request itself.

    :param Progress progress: the operation.
    :param Decision decision: the next step, if the list is right.
    :return: ``bool``.
    """
    first = decision is _REQUEST and progress.phase is Phase.FRESH
    return first or decision in (_WAIT, _DONE)


def chosen(snapshots):
    # type: (Iterable[Snapshot]) -> Snapshot
    """
    Choose one of several snapshots of a volume with the same name: the oldest, then the smallest
    id, so that all nodes choose the same.

    :param snapshots: at least one :class:`txstorage.clouds.Snapshot`.
    :return: the one to use.
    """
    return min(snapshots, key=lambda s: (s.status == u"deleting", s.created_at, s.snapshot_id))


__all__ = ["AWAITED", "TABLES", "chosen", "decide", "is_proved"]
