# -*- test-case-name: tests._node.test_machine_id -*-
"""This host's id, where there is no Compute to know one."""

from __future__ import absolute_import, division, print_function

from uuid import UUID, uuid5

from twisted.internet.defer import maybeDeferred
from twisted.python.filepath import FilePath

from .._log import INSTANCE_ID_SOURCE
from .._support.compat import as_text
from ..errors import UnidentifiedNode

MYPY = False
if MYPY:
    from typing import Optional, Text  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401

#: The namespace of hosts' ids, which are derived from ``/etc/machine-id`` because that itself must
#: stay secret: see machine-id(5).
NAMESPACE = UUID("cd8806a0-4746-40d0-ba30-7e8d912933ed")

_MACHINE_ID = FilePath("/etc/machine-id")


def host_id(machine_id):
    # type: (Text) -> Text
    """
    :param text machine_id: the content of ``/etc/machine-id``.
    :return: text: a UUID, always the same for the same content.
    :raises ValueError: the content is not an id, as in an image that never ran.
    """
    return as_text(str(uuid5(NAMESPACE, UUID(machine_id.strip()).hex)))


class HostIdentity(object):
    """
    A :class:`~txstorage._node.instance_id.NodeIdentity` that needs no service.

    :param configured: text: the id; ``None`` to derive it from the machine's own.
    :param FilePath machine_id: the file of the machine's id.

    :ivar text source: the source of the id; ``None`` until it is found.
    """

    source = None  # type: Optional[Text]

    def __init__(self, configured=None, machine_id=_MACHINE_ID):
        # type: (Optional[Text], FilePath[str]) -> None
        self._configured = configured
        self._machine_id = machine_id

    def __str__(self):
        # type: () -> str
        return "this host"

    def instance_id(self):
        # type: () -> Deferred[Text]
        """
        :return: a ``Deferred`` that fires with text, a UUID; fails with ``UnknownInstanceID``.
        """
        return maybeDeferred(self._find)

    def _find(self):
        # type: () -> Text
        if self._configured is not None:
            return self._found(u"configuration", self._configured)
        path = as_text(self._machine_id.path)
        try:
            found = host_id(as_text(self._machine_id.getContent()))
        except EnvironmentError as error:
            problem = as_text(error.strerror)
        except ValueError:
            problem = u"it holds no machine id"
        else:
            return self._found(path, found)
        raise UnidentifiedNode(self, [(path, problem)])

    def _found(self, source, found):
        # type: (Text, Text) -> Text
        if self.source is None:
            self.source = source
            INSTANCE_ID_SOURCE(source=source, outcome=found).write()
        return found


__all__ = ["HostIdentity", "host_id"]
