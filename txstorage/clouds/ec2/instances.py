# -*- test-case-name: tests.clouds.ec2.test_instances -*-
"""
Instances of EC2.
"""

from __future__ import absolute_import, division, print_function

from itertools import chain

from twisted.internet.defer import fail

from ...errors import Conflict, UnknownServer
from .answers import check_is, has_code, understood
from .session import NO_INSTANCE, all_entries
from .wire import instances_in, is_id, names_by_volume, server_from_wire

MYPY = False
if MYPY:
    from typing import Any, Dict, List, Text, Tuple  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from ..values import Server  # noqa: F401
    from .session import EC2Session  # noqa: F401

_READ = "DescribeInstances"
_RUNS = frozenset([u"ACTIVE", u"BUILD"])


class Instances(object):
    """
    The instances of a region.

    :param session: an :class:`~txstorage.clouds.ec2.session.EC2Session`.
    """

    def __init__(self, session):
        # type: (EC2Session) -> None
        self._session = session

    def get(self, server_id):
        # type: (Text) -> Deferred[Server]
        """See :meth:`txstorage.clouds.IVolumeService.get_server`."""
        return self._described(server_id).addCallback(server_from_wire)

    def device_names(self, server_id):
        # type: (Text) -> Deferred[Dict[Text, Text]]
        """See :meth:`txstorage.clouds.IVolumeService.list_device_names`."""
        return self._described(server_id).addCallback(names_by_volume)

    def _described(self, server_id):
        # type: (Text) -> Deferred[Any]
        def only(answer):
            # type: (Any) -> Any
            found = instances_in(answer.get(u"Reservations"))
            if not found:
                raise UnknownServer(server_id)
            server = understood(self._session, _READ, server_from_wire, found[0])
            understood(self._session, _READ, check_is, u"instance", server_id, server.server_id)
            return found[0]

        return self._of_instance(_READ, server_id).addCallback(only)

    def list(self):
        # type: () -> Deferred[Tuple[Server, ...]]
        """See :meth:`txstorage.clouds.IVolumeService.list_servers`."""

        def read(reservation):
            # type: (Any) -> List[Server]
            return [
                understood(self._session, _READ, server_from_wire, each)
                for each in instances_in([reservation])
            ]

        listed = all_entries(self._session, _READ, {}, u"Reservations", read)
        return listed.addCallback(lambda result: tuple(chain.from_iterable(result[0])))

    def start(self, server_id):
        # type: (Text) -> Deferred[None]
        """See :meth:`txstorage.clouds.IVolumeService.start_server`."""

        def refused(failure):
            # type: (Failure) -> Any
            if not failure.check(Conflict):
                return failure
            # It runs already, or stops: its status distinguishes them.
            return self.get(server_id).addCallback(
                lambda server: None if server.status in _RUNS else failure
            )

        asked = self._of_instance("StartInstances", server_id)
        return asked.addCallbacks(lambda _: None, refused)

    def _of_instance(self, operation, server_id):
        # type: (str, Text) -> Deferred[Any]
        if not is_id(u"i", server_id):
            return fail(UnknownServer(server_id))
        asked = self._session.call(operation, {"InstanceIds": [server_id]})  # type: Deferred[Any]
        return asked.addErrback(_no_such_server, server_id)


def _no_such_server(failure, server_id):
    # type: (Failure, Text) -> Failure
    if has_code(failure, NO_INSTANCE):
        raise UnknownServer(server_id)
    return failure


__all__ = ["Instances"]
