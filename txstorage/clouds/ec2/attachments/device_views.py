# -*- test-case-name: tests.clouds.ec2.test_attachments -*-
"""
The names of instances' devices, as EC2 describes them.

Many volumes are attached to an instance one after the other, and need one description together: the
names that this process has used since are known here, and EC2 refuses one that another process has
taken meanwhile.  Instances that are described at the same time share a request.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import succeed

from ...._support.json_values import text_member
from ....errors import UnknownServer
from ..tags import one_of
from ..volumes import Descriptions
from ..wire import device_names_in, instances_in

MYPY = False
if MYPY:
    from typing import Any, Dict, List, Text, Tuple  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.internet.interfaces import IReactorTime  # noqa: F401

    from ..session import EC2Session  # noqa: F401

#: Seconds for which a description is used.
LIFETIME = 30.0


class DeviceViews(object):
    """
    The names of all instances' devices.

    :param reactor: provides ``IReactorTime``.
    :param session: an :class:`~txstorage.clouds.ec2.session.EC2Session`.
    """

    def __init__(self, reactor, session):
        # type: (IReactorTime, EC2Session) -> None
        self._seconds = reactor.seconds
        self._session = session
        self._descriptions = Descriptions(reactor, self._describe)
        # By instance: the end of the description's use, and its names.
        self._described = {}  # type: Dict[Text, Tuple[float, List[Text]]]

    def names(self, server_id):
        # type: (Text) -> Deferred[List[Text]]
        """
        :param text server_id: the instance.
        :return: a ``Deferred`` that fires with the names of its devices, a list of texts; fails
            with :class:`~txstorage.errors.UnknownServer` or EC2's own refusal when there is no
            such instance.
        """
        until, names = self._described.get(server_id, (0.0, []))
        if self._seconds() < until:
            return succeed(names)
        asked = self._descriptions.get(server_id)  # type: Deferred[Any]
        return asked.addCallback(self._answered, server_id)

    def _describe(self, ids):
        # type: (List[Text]) -> Deferred[Dict[Text, Any]]
        if len(ids) == 1:
            parameters = {"InstanceIds": ids}  # type: Dict[str, Any]
        else:
            parameters = {"Filters": [one_of(u"instance-id", ids)]}
        asked = self._session.call("DescribeInstances", parameters)  # type: Deferred[Any]
        return asked.addCallback(
            lambda answer: {
                text_member(each, u"InstanceId"): each
                for each in instances_in(answer.get(u"Reservations"))
            }
        )

    def _answered(self, wire, server_id):
        # type: (Any, Text) -> List[Text]
        if wire is None:
            raise UnknownServer(server_id)
        names = list(device_names_in(wire))
        self._described[server_id] = self._seconds() + LIFETIME, names
        return names

    def forget(self, server_id):
        # type: (Text) -> None
        """Forget the description of an instance, which has proved wrong."""
        self._described.pop(server_id, None)


__all__ = ["LIFETIME", "DeviceViews"]
