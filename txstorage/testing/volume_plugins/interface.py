# -*- test-case-name: tests.testing.volume_plugins.test_suite -*-
"""
The interface between the suite and a plugin's author.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

import attr
from zope.interface import Attribute, Interface


class CloudTrouble(Enum):
    """A trouble of the cloud, from a plugin's point of view."""

    #: No connection can be made.
    UNREACHABLE = "unreachable"
    #: Each request is answered with 500.
    ERRORS = "errors"
    #: No request is answered.
    HANGING = "hanging"


@attr.s(auto_attribs=True, frozen=True)
class VolumeInCloud:
    """
    A volume, as the cloud knows it.

    :ivar name: the name that engines know.
    :ivar attached: whether it is attached to a node.
    """

    name: str
    attached: bool


class IPluginUnderTest(Interface):
    """
    A plugin, and the ways to break it.  Each method may return a ``Deferred`` or a coroutine.
    """

    socket = Attribute("The path of the plugin's socket, text.")
    options = Attribute("The options of new volumes, a dict of texts.")
    other_options = Attribute("Options that contradict these, a dict of texts.")
    deadline = Attribute("Seconds within which each call is answered, whatever the cloud does.")

    def start() -> Any:
        """Start the plugin again after :meth:`kill`; done when it can be connected to."""

    def kill() -> Any:
        """End the plugin with SIGKILL; done when it has ended."""

    def break_cloud(trouble: CloudTrouble) -> Any:
        """
        Break the plugin's cloud, for this plugin only.

        :param trouble: a :class:`CloudTrouble`.
        """

    def mend_cloud() -> Any:
        """End the trouble."""

    def volumes() -> Any:
        """
        List the cloud's volumes that have a name, without the plugin's help.

        :return: a list of :class:`VolumeInCloud`.
        """


__all__ = ["CloudTrouble", "IPluginUnderTest", "VolumeInCloud"]
