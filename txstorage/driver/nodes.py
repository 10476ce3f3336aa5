# -*- test-case-name: tests.driver.test_list -*-
"""
The cluster's nodes, as the cloud reports them.
"""

from __future__ import absolute_import, division, print_function

from .._support.compat import as_text
from ..errors import UnknownServer
from .convergence import PlainSubject
from .lifecycle import DEAD_SERVER

MYPY = False
if MYPY:
    from typing import Any, List, Text  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from ..clouds.interface import IVolumeService  # noqa: F401
    from ..clouds.values import Server  # noqa: F401
    from .deadlines import TimedOperations  # noqa: F401


def _may_run(server):
    # type: (Server) -> bool
    return server.status not in DEAD_SERVER


class Nodes(object):
    """
    The nodes: a node is dead only when the cloud reports it as off or gone.

    :param service: an :class:`~txstorage.clouds.IVolumeService`.
    :param operations: the :class:`~txstorage.driver.deadlines.TimedOperations`.
    """

    def __init__(self, service, operations):
        # type: (IVolumeService, TimedOperations) -> None
        self._service = service
        self._operations = operations

    def live(self):
        # type: () -> Deferred[List[Text]]
        """:return: a ``Deferred`` that fires with a list of text: the nodes that may be running."""
        d = self._operations.run(u"list", PlainSubject(u"nodes"), self._service.list_servers)
        return d.addCallback(lambda servers: [each.server_id for each in servers if _may_run(each)])

    def is_live(self, node_id):
        # type: (Text) -> Deferred[bool]
        """
        :param text node_id: an instance id.
        :return: a ``Deferred`` that fires with ``bool``: whether the node may be running.
        """
        subject = PlainSubject(u"node " + as_text(node_id))
        d = self._operations.run(
            u"look at", subject, self._service.get_server, as_text(node_id)
        )  # type: Deferred[Any]
        return d.addCallbacks(_may_run, _gone)

    def start(self, node_id):
        # type: (Text) -> Deferred[None]
        """
        :param text node_id: an instance id.
        :return: a ``Deferred`` that fires with ``None`` when the cloud has accepted the request.
        """
        subject = PlainSubject(u"node " + as_text(node_id))
        start = self._service.start_server
        d = self._operations.run(u"start", subject, start, as_text(node_id))  # type: Deferred[None]
        return d


def _gone(failure):
    # type: (Failure) -> bool
    failure.trap(UnknownServer)
    return False


__all__ = ["Nodes"]
