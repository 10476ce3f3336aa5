# -*- test-case-name: tests.driver.test_lifecycle -*-
"""
The next step of each operation, for each state of a volume.

The cloud owns the state; the driver converges on it.  Every operation polls the volume, finds its
row and column here, and acts on the cell: request, wait, be done, or raise.  The module does no
I/O: a reader can check the tables, and the tests check every cell.

The statuses are Cinder's: https://docs.openstack.org/api-ref/block-storage/v3/ ("Volume status").
The driver never acts on a status that is not listed.
"""

from __future__ import absolute_import, division, print_function

import attr
from constantly import NamedConstant, Names

MYPY = False
if MYPY:
    from typing import Any, Dict, FrozenSet, Iterable, Mapping, Text, Tuple  # noqa: F401

    from ..clouds.values import Volume  # noqa: F401

    Cells = Tuple[NamedConstant, ...]

#: The number of requests that one operation sends before it gives up.  A guest can refuse to
#: release a device, and the cloud then silently restores the status.
MAXIMUM_REQUESTS = 3


class Decision(Names):  # type: ignore[misc]
    """The next step."""

    REQUEST = NamedConstant()  # send the request
    AGAIN = NamedConstant()  # the status was restored: request again, up to MAXIMUM_REQUESTS
    WAIT = NamedConstant()  # poll again later
    DONE = NamedConstant()
    # the errors to raise:
    UNKNOWN = NamedConstant()  # UnknownVolume
    ATTACHED = NamedConstant()  # AlreadyAttachedVolume
    UNATTACHED = NamedConstant()  # UnattachedVolume
    STILL_ATTACHED = NamedConstant()  # StillAttached
    UNUSABLE = NamedConstant()  # UnusableStatus
    FAILED = NamedConstant()  # OperationFailed


class Phase(Names):  # type: ignore[misc]
    """The progress of an operation."""

    FRESH = NamedConstant()  # the first poll
    JOINED = NamedConstant()  # waiting for another caller's request
    REQUESTED = NamedConstant()  # a request was, or may have been, accepted


class Where(Names):  # type: ignore[misc]
    """The servers that a volume is attached to, relative to the operation's."""

    NOWHERE = NamedConstant()
    HERE = NamedConstant()  # the server to attach to, or to detach from
    ELSEWHERE = NamedConstant()  # other servers only


#: The status of a volume that a direct GET does not find.  Absence from a list never means it.
GONE = u"(gone)"

_COLUMNS = tuple(
    (phase, where)
    for phase in (Phase.FRESH, Phase.JOINED, Phase.REQUESTED)
    for where in (Where.NOWHERE, Where.HERE, Where.ELSEWHERE)
)

_REQUEST, _AGAIN, _WAIT, _DONE = (
    Decision.REQUEST,
    Decision.AGAIN,
    Decision.WAIT,
    Decision.DONE,
)
_UNKNOWN, _TAKEN, _LOOSE, _STILL, _BAD, _FAIL = (
    Decision.UNKNOWN,
    Decision.ATTACHED,
    Decision.UNATTACHED,
    Decision.STILL_ATTACHED,
    Decision.UNUSABLE,
    Decision.FAILED,
)


def _always(decision):
    # type: (NamedConstant) -> Cells
    return (decision,) * len(_COLUMNS)


# Transient statuses, in which the cloud accepts no request for the volume, and after which the
# volume is usable again.
_BUSY = {
    status: _always(_WAIT)
    for status in (
        u"creating",
        u"downloading",
        u"backing-up",
        u"restoring-backup",
        u"uploading",
        u"extending",
        u"retyping",
        u"reverting",
        u"managing",
    )
}

# Statuses that only an operator ends.
_STUCK = {
    status: _always(_BAD)
    for status in (
        u"error",
        u"error_deleting",
        u"error_backing-up",
        u"error_restoring",
        u"error_extending",
        u"error_managing",
        u"maintenance",
        u"awaiting-transfer",
        u"unmanaging",
    )
}


def _table(*parts):
    # type: (*Mapping[Text, Cells]) -> Dict[Text, Cells]
    rows = {}  # type: Dict[Text, Cells]
    for part in parts:
        rows.update(part)
    return rows


#: Columns, left to right: FRESH, JOINED, REQUESTED; in each: nowhere, here,
#: elsewhere.
ATTACH = _table(
    _BUSY,
    _STUCK,
    {
        # fmt: off
        u"available": (_REQUEST, _WAIT, _WAIT,   _REQUEST, _WAIT, _WAIT,   _AGAIN, _WAIT, _WAIT),
        # A second attach to the same server joins the one in progress; its target shows when
        # it ends.
        u"reserved":  _always(_WAIT),
        u"attaching": _always(_WAIT),
        u"in-use":    (_WAIT, _TAKEN, _TAKEN,    _WAIT, _DONE, _TAKEN,     _WAIT, _DONE, _TAKEN),
        u"detaching": _always(_WAIT),
        u"deleting":  _always(_WAIT),
        GONE:         _always(_UNKNOWN),
        # fmt: on
    },
)

DETACH = _table(
    # A volume that is being created or copied, or is in error, is unattached unless it has an
    # attachment; with one, wait for the status to end, or raise.
    {
        status: tuple(_LOOSE if where is Where.NOWHERE else cells[0] for _, where in _COLUMNS)
        for status, cells in _table(_BUSY, _STUCK).items()
    },
    {
        # fmt: off
        u"available": (_LOOSE, _WAIT, _WAIT,     _DONE, _WAIT, _WAIT,      _DONE, _WAIT, _DONE),
        u"reserved":  (_WAIT, _WAIT, _WAIT,      _WAIT, _WAIT, _WAIT,      _DONE, _WAIT, _DONE),
        u"attaching": (_WAIT, _WAIT, _WAIT,      _WAIT, _WAIT, _WAIT,      _DONE, _WAIT, _DONE),
        u"in-use":    (_WAIT, _REQUEST, _WAIT,   _WAIT, _REQUEST, _DONE,   _WAIT, _AGAIN, _DONE),
        u"detaching": _always(_WAIT),
        u"deleting":  _always(_WAIT),
        GONE:         _always(_UNKNOWN),
        # fmt: on
    },
)

DESTROY = _table(
    _BUSY,
    _STUCK,
    {
        status: (_REQUEST, _STILL, _STILL, _REQUEST, _STILL, _STILL, _AGAIN, _STILL, _STILL)
        # The statuses that Cinder lists when it refuses to delete.
        for status in (
            u"available",
            u"error",
            u"error_restoring",
            u"error_extending",
            u"error_managing",
        )
    },
    {
        # fmt: off
        u"reserved":  _always(_WAIT),
        u"attaching": _always(_WAIT),
        u"in-use":    (_WAIT, _STILL, _STILL,    _WAIT, _STILL, _STILL,    _WAIT, _STILL, _STILL),
        u"detaching": _always(_WAIT),
        u"deleting":  _always(_WAIT),
        GONE:         (_UNKNOWN,) * 3 + (_DONE,) * 6,
        # fmt: on
    },
)

#: A volume in any of these statuses has been created.
CREATE = _table(
    {status: _always(_DONE) for status in _BUSY},
    _STUCK,
    {
        u"creating": _always(_WAIT),
        u"downloading": _always(_WAIT),
        u"available": _always(_DONE),
        u"reserved": _always(_DONE),
        u"attaching": _always(_DONE),
        u"in-use": _always(_DONE),
        u"detaching": _always(_DONE),
        u"deleting": _always(_BAD),
        GONE: _always(_FAIL),
    },
)

TABLES = {u"attach": ATTACH, u"detach": DETACH, u"destroy": DESTROY, u"create": CREATE}


@attr.s(frozen=True)
class Progress(object):
    """
    The progress of one operation.

    :ivar text operation: a key of :data:`TABLES`.
    :ivar frozenset servers: instance ids that the operation is about: the server to attach to, or
        the servers to detach from.
    :ivar Phase phase: the phase.
    :ivar int requests: the number of requests sent.
    """

    operation = attr.ib()  # type: Text
    servers = attr.ib(default=frozenset())  # type: FrozenSet[Text]
    phase = attr.ib(default=Phase.FRESH)  # type: NamedConstant
    requests = attr.ib(default=0)  # type: int

    def waiting(self):
        # type: () -> Progress
        """:return: the ``Progress`` after a poll that led to waiting."""
        if self.phase is Phase.FRESH:
            return self._but(phase=Phase.JOINED)
        return self

    def requested(self):
        # type: () -> Progress
        """:return: the ``Progress`` after a request that was, or may have been, accepted."""
        return self._but(phase=Phase.REQUESTED, requests=self.requests + 1)

    def refused(self):
        # type: () -> Progress
        """:return: the ``Progress`` after a request that was certainly not accepted."""
        return self._but(phase=self.waiting().phase, requests=self.requests + 1)

    def about(self, servers):
        # type: (Iterable[Text]) -> Progress
        """:return: the ``Progress`` with other servers."""
        return self._but(servers=frozenset(servers))

    def _but(self, **changes):
        # type: (**Any) -> Progress
        return Progress(**dict(attr.asdict(self, recurse=False), **changes))


def whereabouts(attached_servers, servers):
    # type: (Iterable[Text], Iterable[Text]) -> NamedConstant
    """
    :param attached_servers: instance ids that the volume is attached to.
    :param servers: instance ids that the operation is about.
    :return: a :class:`Where`.
    """
    if not attached_servers:
        return Where.NOWHERE
    return Where.HERE if set(attached_servers) & set(servers) else Where.ELSEWHERE


def decide(progress, status, attached_servers):
    # type: (Progress, Text, Iterable[Text]) -> NamedConstant
    """
    Decide the next step of an operation.

    :param Progress progress: the operation.
    :param text status: the volume's, or :data:`GONE`.
    :param attached_servers: instance ids that the volume is attached to.
    :return: a :class:`Decision`, never ``AGAIN``.
    """
    row = TABLES[progress.operation].get(status, _always(_BAD))
    where = whereabouts(attached_servers, progress.servers)
    decision = row[_COLUMNS.index((progress.phase, where))]
    if decision is _AGAIN:
        return _REQUEST if progress.requests < MAXIMUM_REQUESTS else _FAIL
    return decision


#: The event that each operation waits for, for messages.
AWAITED = {
    u"create": u"the volume to be created",
    u"attach": u"the volume to be attached",
    u"detach": u"the volume to be detached",
    u"destroy": u"the volume to be deleted",
}


def attached_servers(volume):
    # type: (Volume) -> Tuple[Text, ...]
    """
    Return the servers that a volume is attached to.

    A volume in the middle of attaching counts as unattached, so that the caller attaches again and
    joins the attach in progress.

    :param txstorage.clouds.Volume volume: as the cloud describes it.
    :return: a tuple of instance ids, in a stable order.
    """
    if volume.status in (u"reserved", u"attaching"):
        return ()
    return tuple(sorted(a.server_id for a in volume.attachments if a.server_id))


def chosen(volumes):
    # type: (Iterable[Volume]) -> Volume
    """
    Choose the dataset's volume among several: the oldest, then the smallest id, so that all nodes
    choose the same.  A volume that is being deleted comes last, because its deletion can't be
    undone.

    :param volumes: at least one :class:`txstorage.clouds.Volume`.
    :return: the one to use.
    """
    return min(volumes, key=lambda v: (v.status == u"deleting", v.created_at, v.volume_id))


#: The statuses of a server that certainly does not run.  All others, including unknown ones, count
#: as live: taking a volume from a live server loses data.
#: https://docs.openstack.org/api-guide/compute/server_concepts.html
DEAD_SERVER = frozenset(
    [u"SHUTOFF", u"DELETED", u"SOFT_DELETED", u"SHELVED", u"SHELVED_OFFLOADED"]
)
