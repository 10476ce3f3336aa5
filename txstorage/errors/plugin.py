# -*- test-case-name: tests.docker -*-
"""
Errors of the Docker volume plugin.
"""

from __future__ import absolute_import, division, print_function

from .base import StorageError

MYPY = False
if MYPY:
    from typing import Iterable, Text  # noqa: F401


class PluginError(StorageError):
    """
    The base of the errors of the Docker volume plugin.

    :ivar text name: the volume's name.
    """

    def __init__(self, name, message):
        # type: (Text, Text) -> None
        StorageError.__init__(self, u"Volume {}: {}".format(name, message))
        self.name = name


class MalformedRequest(StorageError, ValueError):
    """The body of a request can't be read."""

    remedy = u"nothing was changed; engines retry an interrupted request with an empty body"


class InvalidName(PluginError, ValueError):
    """The volume's name is invalid."""

    remedy = (
        u"use 2 to 200 letters, digits, underscores, periods and hyphens, beginning with a letter "
        u"or a digit"
    )

    def __init__(self, name):
        # type: (Text) -> None
        PluginError.__init__(self, name, u"not a name for a volume")


class InvalidOption(PluginError, ValueError):
    """
    An option of a new volume is unknown, or has an invalid value.

    :ivar text option: its name.
    """

    remedy = u"docs/docker.rst lists the options and their values"

    def __init__(self, name, option, problem, remedy):
        # type: (Text, Text, Text, Text) -> None
        PluginError.__init__(self, name, u"option {}: {}".format(option, problem))
        self.option = option
        self.remedy = remedy


class OptionConflict(PluginError):
    """The volume exists with other options."""

    remedy = u"omit these options to use the volume as it is, or choose another name"

    def __init__(self, name, differences):
        # type: (Text, Iterable[Text]) -> None
        PluginError.__init__(
            self, name, u"it exists with other options: {}".format(u"; ".join(differences))
        )


class NoSuchVolume(PluginError):
    """The cluster certainly has no volume of the name."""

    remedy = u"check the name with 'docker volume ls'"

    def __init__(self, name):
        # type: (Text) -> None
        PluginError.__init__(self, name, u"no such volume")


class BeingRemoved(PluginError):
    """The volume is being removed."""

    remedy = u"wait until the removal has ended, then create it again"

    def __init__(self, name):
        # type: (Text) -> None
        PluginError.__init__(self, name, u"it is being removed")


class HeldByNode(PluginError):
    """
    Another node has the volume.

    :ivar text node: the node's instance id.
    """

    remedy = u"stop the containers that use it there"

    def __init__(self, name, node, reason, remedy):
        # type: (Text, Text, Text, Text) -> None
        PluginError.__init__(self, name, u"it is attached to node {}, {}".format(node, reason))
        self.node = node
        self.remedy = remedy


class InUse(PluginError):
    """Processes of this node use the volume."""

    remedy = u"stop the containers that use it"

    def __init__(self, name, users):
        # type: (Text, Iterable[Text]) -> None
        PluginError.__init__(self, name, u"it is in use by {}".format(u"; ".join(users)))


class MountInvisible(PluginError):
    """The caller does not see the mount, and its containers would write to the root disk."""

    remedy = (
        u"run the plugin in the engine's mount namespace: without PrivateTmp=, PrivateMounts=, "
        u"ProtectSystem= and the like in its unit; nothing was started"
    )

    def __init__(self, name, path, caller):
        # type: (Text, Text, Text) -> None
        PluginError.__init__(
            self, name, u"it is mounted at {}, where {} does not see it".format(path, caller)
        )


class SocketUnusable(StorageError):
    """The plugin can't listen at its socket."""

    remedy = u"use another address"

    def __init__(self, message, remedy):
        # type: (Text, Text) -> None
        StorageError.__init__(self, message)
        self.remedy = remedy


class StillRunning(PluginError):
    """The caller's time is over; the operation continues."""

    remedy = u"repeat the command, which joins the operation"

    def __init__(self, name, operation, seconds):
        # type: (Text, Text, float) -> None
        PluginError.__init__(
            self, name, u"{} has not ended within {:g} s, and continues".format(operation, seconds)
        )


__all__ = [
    "BeingRemoved",
    "HeldByNode",
    "InUse",
    "InvalidName",
    "InvalidOption",
    "MalformedRequest",
    "MountInvisible",
    "NoSuchVolume",
    "OptionConflict",
    "PluginError",
    "SocketUnusable",
    "StillRunning",
]
