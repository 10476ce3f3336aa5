# -*- test-case-name: tests._node.test_machine_id -*-
"""
This host's id, where there is no Compute that would know it.
"""

from __future__ import absolute_import, division, print_function

from uuid import UUID, uuid5

from twisted.internet.defer import maybeDeferred
from twisted.python.filepath import FilePath

from .._log import INSTANCE_ID_SOURCE
from .._support.compat import as_text
from ..errors import UnidentifiedNode

#: What makes the ids of hosts out of ``/etc/machine-id``, which is not to be
#: told to others as it is: see machine-id(5).
NAMESPACE = UUID("cd8806a0-4746-40d0-ba30-7e8d912933ed")

_MACHINE_ID = FilePath("/etc/machine-id")


def host_id(machine_id):
    """
    :param text machine_id: what ``/etc/machine-id`` holds.
    :return: text: a UUID that is always the same for it.
    :raises ValueError: when it is none, as in an image that never ran.
    """
    return as_text(str(uuid5(NAMESPACE, UUID(machine_id.strip()).hex)))


class HostIdentity(object):
    """
    A :class:`~txstorage._node.instance_id.NodeIdentity` that asks nobody.

    :param configured: text: the id; ``None`` to make it of the machine's own.
    :param FilePath machine_id: where that is.

    :ivar text source: what told the id; ``None`` until it is found.
    """

    source = None

    def __init__(self, configured=None, machine_id=_MACHINE_ID):
        self._configured = configured
        self._machine_id = machine_id

    def __str__(self):
        return "this host"

    def instance_id(self):
        """
        :return: a ``Deferred`` that fires with text, a UUID; fails with
            ``UnknownInstanceID``.
        """
        return maybeDeferred(self._find)

    def _find(self):
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
        if self.source is None:
            self.source = source
            INSTANCE_ID_SOURCE(source=source, outcome=found).write()
        return found


__all__ = ["HostIdentity", "host_id"]
