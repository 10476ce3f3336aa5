# -*- test-case-name: tests.driver.lifecycle.test_volumes -*-
"""
The next step of each operation on a volume, for each state of the volume.

The cloud owns the state; the driver converges on it.  Every operation polls the volume, finds its
row and column here, and acts on the cell: request, wait, be done, or raise.  The module does no
I/O: a reader can check the tables, and the tests check every cell.

The statuses are Cinder's: https://docs.openstack.org/api-ref/block-storage/v3/ ("Volume status"),
and one of EC2's, to which Cinder has no equal.
The driver never acts on a status that is not listed.
"""

from __future__ import absolute_import, division, print_function

from constantly import NamedConstant, Names

from .decisions import GONE, PHASES, Decision, Phase, table

MYPY = False
if MYPY:
    from typing import Iterable, Text  # noqa: F401

    from ...clouds.values import Volume  # noqa: F401
    from .decisions import Cells, Progress  # noqa: F401


class Where(Names):  # type: ignore[misc]
    """The places that a volume is attached to, relative to the operation's servers."""

    NOWHERE = NamedConstant()
    HERE = NamedConstant()  # the server to attach to, or to detach from
    ELSEWHERE = NamedConstant()  # other servers, or hosts, only


#: The status of a volume in use that has attachments, none of them to a server: another program
#: attached it to a host.  Compute can't detach it, so there is nothing to wait for.
ON_HOST = u"in-use (host)"

#: EC2's status of a volume whose detach waits until the instance no longer uses the device.
DEVICE_IN_USE = u"busy"

_COLUMNS = tuple(
    (phase, where)
    for phase in PHASES
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


#: Transient statuses, in which the cloud accepts no request for the volume, and after which the
#: volume is usable again.
BUSY = {
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

#: Statuses that only an operator ends.
STUCK = {
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


#: Columns, left to right: FRESH, JOINED, REQUESTED; in each: nowhere, here,
#: elsewhere.
ATTACH = table(
    BUSY,
    STUCK,
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
        DEVICE_IN_USE: _always(_WAIT),
        u"deleting":  _always(_WAIT),
        GONE:         _always(_UNKNOWN),
        # fmt: on
    },
)

DETACH = table(
    # A volume that is being created or copied, or is in error, is unattached unless it has an
    # attachment; with one, wait for the status to end, or raise.
    {
        status: tuple(_LOOSE if where is Where.NOWHERE else cells[0] for _, where in _COLUMNS)
        for status, cells in table(BUSY, STUCK).items()
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
        DEVICE_IN_USE: _always(_WAIT),
        u"deleting":  _always(_WAIT),
        GONE:         _always(_UNKNOWN),
        # fmt: on
    },
)

DESTROY = table(
    BUSY,
    STUCK,
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
        DEVICE_IN_USE: _always(_WAIT),
        u"deleting":  _always(_WAIT),
        GONE:         (_UNKNOWN,) * 3 + (_DONE,) * 6,
        # fmt: on
    },
)

#: A volume in any of these statuses has been created.
CREATE = table(
    {status: _always(_DONE) for status in BUSY},
    STUCK,
    {
        u"creating": _always(_WAIT),
        u"downloading": _always(_WAIT),
        u"available": _always(_DONE),
        u"reserved": _always(_DONE),
        u"attaching": _always(_DONE),
        u"in-use": _always(_DONE),
        ON_HOST: _always(_DONE),
        u"detaching": _always(_DONE),
        DEVICE_IN_USE: _always(_DONE),
        u"deleting": _always(_BAD),
        GONE: _always(_FAIL),
    },
)

#: The volume can be copied, into a snapshot or into another volume: Cinder accepts a snapshot or a
#: clone of a volume that is available or in use.
COPY = table(
    BUSY,
    STUCK,
    {
        u"available": _always(_DONE),
        u"reserved": _always(_WAIT),
        u"attaching": _always(_WAIT),
        u"in-use": _always(_DONE),
        ON_HOST: _always(_DONE),
        u"detaching": _always(_WAIT),
        DEVICE_IN_USE: _always(_WAIT),
        u"deleting": _always(_WAIT),
        GONE: _always(_UNKNOWN),
    },
)

TABLES = {
    u"attach": ATTACH,
    u"detach": DETACH,
    u"destroy": DESTROY,
    u"create": CREATE,
    u"copy": COPY,
}


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
    return progress.resolved(row[_COLUMNS.index((progress.phase, where))])


# A volume that was being created never is again, and the cloud itself checks a request to copy one.
_PROVED_BY_LISTS = (u"create", u"copy")


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
        return progress.operation in _PROVED_BY_LISTS or u"" < known_at < updated_at
    return decision is _WAIT or (decision is _REQUEST and progress.phase is Phase.FRESH)


#: The event that each operation waits for, for messages.
AWAITED = {
    u"create": u"the volume to be created",
    u"attach": u"the volume to be attached",
    u"detach": u"the volume to be detached",
    u"destroy": u"the volume to be deleted",
    u"copy": u"the volume to be ready for copying",
    u"grow": u"the volume to grow",
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


__all__ = [
    "AWAITED",
    "BUSY",
    "DEAD_SERVER",
    "DEVICE_IN_USE",
    "ON_HOST",
    "STUCK",
    "TABLES",
    "Where",
    "chosen",
    "decide",
    "is_proved",
    "whereabouts",
]
