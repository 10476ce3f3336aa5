"""
The common parts of all tables: decisions, phases, and the progress of an operation.
"""

from __future__ import absolute_import, division, print_function

import attr
from constantly import NamedConstant, Names

from ...errors import Conflict, RequestRefused, ResourceNotFound, UnknownServer
from ...interfaces import UnknownVolume

MYPY = False
if MYPY:
    from typing import Any, Dict, FrozenSet, Iterable, Mapping, Text, Tuple  # noqa: F401

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
    UNKNOWN = NamedConstant()  # UnknownVolume, UnknownSnapshot
    ATTACHED = NamedConstant()  # AlreadyAttachedVolume
    UNATTACHED = NamedConstant()  # UnattachedVolume
    STILL_ATTACHED = NamedConstant()  # StillAttached
    UNUSABLE = NamedConstant()  # UnusableStatus, UnusableSnapshot
    FAILED = NamedConstant()  # OperationFailed, SnapshotFailed
    ATTACHED_TO_HOST = NamedConstant()  # AttachedToHost


class Phase(Names):  # type: ignore[misc]
    """The progress of an operation."""

    FRESH = NamedConstant()  # the first poll
    JOINED = NamedConstant()  # waiting for another caller's request
    REQUESTED = NamedConstant()  # a request was, or may have been, accepted


#: The phases, in the order of the columns.
PHASES = (Phase.FRESH, Phase.JOINED, Phase.REQUESTED)

#: The status of a volume or a snapshot that a direct GET does not find.  Absence from a list never
#: means it.
GONE = u"(gone)"

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


def table(*parts):
    # type: (*Mapping[Text, Cells]) -> Dict[Text, Cells]
    """
    :param parts: dicts of statuses to rows; a later one replaces the rows of an earlier one.
    :return: dict of them all.
    """
    rows = {}  # type: Dict[Text, Cells]
    for part in parts:
        rows.update(part)
    return rows


@attr.s(frozen=True, slots=True)
class Progress(object):
    """
    The progress of one operation.

    :ivar text operation: the operation, a key of its tables.
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
            return Progress(self.operation, self.servers, Phase.JOINED, self.requests)
        return self

    def requested(self):
        # type: () -> Progress
        """:return: the ``Progress`` after a request that was, or may have been, accepted."""
        return Progress(self.operation, self.servers, Phase.REQUESTED, self.requests + 1)

    def refused(self):
        # type: () -> Progress
        """:return: the ``Progress`` after a request whose refusal counts."""
        phase = self.waiting().phase
        return Progress(self.operation, self.servers, phase, self.requests + 1)

    def about(self, servers):
        # type: (Iterable[Text]) -> Progress
        """:return: the ``Progress`` with other servers."""
        found = frozenset(servers)
        if found == self.servers:
            return self
        return Progress(self.operation, found, self.phase, self.requests)

    def resolved(self, decision):
        # type: (NamedConstant) -> NamedConstant
        """
        :param decision: a cell of a table.
        :return: the :class:`Decision`; instead of ``AGAIN``, ``REQUEST`` or, when all requests have
            been sent, ``FAILED``.
        """
        if decision is not Decision.AGAIN:
            return decision
        return Decision.REQUEST if self.requests < MAXIMUM_REQUESTS else Decision.FAILED


__all__ = [
    "GONE",
    "MAXIMUM_REQUESTS",
    "PHASES",
    "REFUSALS",
    "Decision",
    "Phase",
    "Progress",
    "table",
]
