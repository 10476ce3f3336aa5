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

from ..errors import Conflict, RequestRefused, ResourceNotFound, UnknownServer
from ..interfaces import UnknownVolume

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
    ATTACHED_TO_HOST = NamedConstant()  # AttachedToHost


class Phase(Names):  # type: ignore[misc]
    """The progress of an operation."""

    FRESH = NamedConstant()  # the first poll
    JOINED = NamedConstant()  # waiting for another caller's request
    REQUESTED = NamedConstant()  # a request was, or may have been, accepted


class Where(Names):  # type: ignore[misc]
    """The places that a volume is attached to, relative to the operation's servers."""

    NOWHERE = NamedConstant()
    HERE = NamedConstant()  # the server to attach to, or to detach from
    ELSEWHERE = NamedConstant()  # other servers, or hosts, only


#: The status of a volume that a direct GET does not find.  Absence from a list never means it.
GONE = u"(gone)"

#: The status of a volume in use that has attachments, none of them to a server: another program
#: attached it to a host.  Compute can't detach it, so there is nothing to wait for.
ON_HOST = u"in-use (host)"

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
_UNKNOWN, _TAKEN, _LOOSE, _STILL, _BAD, _FAIL, _HOST = (
    Decision.UNKNOWN,
    Decision.ATTACHED,
    Decision.UNATTACHED,
    Decision.STILL_ATTACHED,
    Decision.UNUSABLE,
    Decision.FAILED,
    Decision.ATTACHED_TO_HOST,
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
        ON_HOST:      _always(_TAKEN),
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
        # Fresh or joined: an attach is in progress, and the detach waits for its server.
        # Requested: the detach ends here, without "available".  The volume is attached nowhere,
        # and the reservation is another caller's attach, which may end up on any server, or the
        # remains of one.  To wait for its end could last forever.  Whether the servers of the
        # detach have let go is Compute's answer, which the detach awaits next.
        u"reserved":  (_WAIT, _WAIT, _WAIT,      _WAIT, _WAIT, _WAIT,      _DONE, _WAIT, _DONE),
        u"attaching": (_WAIT, _WAIT, _WAIT,      _WAIT, _WAIT, _WAIT,      _DONE, _WAIT, _DONE),
        u"in-use":    (_WAIT, _REQUEST, _WAIT,   _WAIT, _REQUEST, _DONE,   _WAIT, _AGAIN, _DONE),
        ON_HOST:      _always(_HOST),
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
        ON_HOST:      _always(_STILL),
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
        ON_HOST: _always(_DONE),
        u"detaching": _always(_DONE),
        u"deleting": _always(_BAD),
        GONE: _always(_FAIL),
    },
)

#: The number of times that a refused request is sent, by the error; ``None``: until the
#: operation's deadline, at growing intervals.  A 409 reports a state of the server or the volume
#: that passes, such as a reboot or a snapshot, and the request was certainly not carried out, so
#: the operation uses all of its time.  The other refusals rarely pass: the volume's status has
#: changed since the last poll, or the request will never be accepted.
REFUSALS = (
    (Conflict, None),
    (RequestRefused, MAXIMUM_REQUESTS),
    (ResourceNotFound, MAXIMUM_REQUESTS),
    (UnknownVolume, MAXIMUM_REQUESTS),
    (UnknownServer, MAXIMUM_REQUESTS),  # of a detach: a deleted server releases its volumes
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
        """:return: the ``Progress`` after a request whose refusal counts."""
        return self._but(phase=self.waiting().phase, requests=self.requests + 1)

    def about(self, servers):
        # type: (Iterable[Text]) -> Progress
        """:return: the ``Progress`` with other servers."""
        return self._but(servers=frozenset(servers))

    def _but(self, **changes):
        # type: (**Any) -> Progress
        return Progress(**dict(attr.asdict(self, recurse=False), **changes))


def whereabouts(places, servers):
    # type: (Iterable[Text], Iterable[Text]) -> NamedConstant
    """
    :param places: the places that the volume is attached to: instance ids, and names of hosts.
    :param servers: instance ids that the operation is about.
    :return: a :class:`Where`.
    """
    if not places:
        return Where.NOWHERE
    return Where.HERE if set(places) & set(servers) else Where.ELSEWHERE


def decide(progress, status, places):
    # type: (Progress, Text, Iterable[Text]) -> NamedConstant
    """
    Decide the next step of an operation.

    :param Progress progress: the operation.
    :param text status: the volume's, or :data:`GONE` or :data:`ON_HOST`.
    :param places: the places that the volume is attached to: instance ids, and names of hosts.
    :return: a :class:`Decision`, never ``AGAIN``.
    """
    row = TABLES[progress.operation].get(status, _always(_BAD))
    where = whereabouts(places, progress.servers)
    decision = row[_COLUMNS.index((progress.phase, where))]
    if decision is _AGAIN:
        return _REQUEST if progress.requests < MAXIMUM_REQUESTS else _FAIL
    return decision


def is_proved(progress, decision, updated_at, known_at):
    # type: (Progress, NamedConstant, Text, Text) -> bool
    """
    Decide whether a list, which may be out of date, is enough for the next step.  If not, the
    volume itself is looked at first.

    - The cloud checks a request itself, so an operation may begin with what a list shows.
    - A volume that was being created never is again, so a list that shows it created is right.
    - Any other result of a request shows in a change of the volume that is later than the last one
      before the request.
    - An error, and a further request, always need a look.

    :param Progress progress: the operation.
    :param Decision decision: the next step, if the list is right.
    :param text updated_at: the time of the volume's last change in the list.
    :param text known_at: the time of its last change as seen before the request; empty if unknown.
    :return: ``bool``.
    """
    if decision is Decision.DONE:
        return progress.operation == u"create" or u"" < known_at < updated_at
    return decision is _WAIT or (decision is _REQUEST and progress.phase is Phase.FRESH)


#: The event that each operation waits for, for messages.
AWAITED = {
    u"create": u"the volume to be created",
    u"attach": u"the volume to be attached",
    u"detach": u"the volume to be detached",
    u"destroy": u"the volume to be deleted",
}


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
