# -*- test-case-name: tests.errors.test_errors -*-
"""
The base of all errors, and the errors of configurations, arguments and callers.
"""

from __future__ import absolute_import, division, print_function

from .._support.compat import as_text, native
from ..interfaces import StorageInitializationError

MYPY = False
if MYPY:
    from typing import Mapping, Optional, Text, Union  # noqa: F401


#: The maximum number of characters of a message; what a cloud sends may be endless.
MAX_MESSAGE = 2000


def bounded(text):
    # type: (Union[Text, bytes]) -> Text
    """
    :param text: of any length.
    :return: one line of at most :data:`MAX_MESSAGE` characters: the beginning and the end of a
        longer text, since the reason often stands at the end.
    """
    text = u" ".join(as_text(text).splitlines())
    if len(text) <= MAX_MESSAGE:
        return text
    half = (MAX_MESSAGE - 5) // 2
    return u"{} ... {}".format(text[:half], text[-half:])


class _Explained(object):
    """
    An exception's text and remedy.

    :ivar text message: the problem.
    :ivar text remedy: the solution; may be empty.
    """

    message = u""  # type: Text
    remedy = u""  # type: Text

    def __str__(self):
        # type: () -> str
        return native(self.__unicode__())

    def __unicode__(self):
        # type: () -> Text
        if not self.remedy:
            return self.message
        return u"{} ({})".format(self.message, self.remedy)

    def use(self, remedies):
        # type: (Mapping[Text, Text]) -> None
        """
        Replace the remedy by the one that fits the cloud.

        :param dict remedies: text to text: by the remedies to replace.
        """
        self.remedy = remedies.get(self.remedy, self.remedy)


class InvalidConfiguration(_Explained, StorageInitializationError):
    """
    The configuration is invalid. Raised before any network traffic.

    :ivar text key: the invalid configuration key.
    :ivar text problem: the reason why the key or its value is invalid.
    """

    def __init__(self, key, problem, remedy=u""):
        # type: (Text, Union[Text, bytes], Text) -> None
        self.key = key
        self.problem = as_text(problem)
        self.message = bounded(
            u"Configuration key {!s}: {!s}".format(as_text(key), as_text(problem))
        )
        self.remedy = remedy
        # Flocker's agent shows the arguments only, so they hold the whole text.
        StorageInitializationError.__init__(
            self, StorageInitializationError.CONFIGURATION_ERROR, str(self)
        )


class UnusableFile(InvalidConfiguration):
    """
    A file of the configuration can't be read, or its content can't.

    :ivar text path: the file, and the line where known.
    """

    def __init__(self, key, path, problem, remedy=u""):
        # type: (Text, Text, Text, Text) -> None
        InvalidConfiguration.__init__(self, key, u"{} {}".format(path, problem), remedy)
        self.path = path
        self.message = bounded(u"The file " + self.problem)
        self.args = (str(self),)


class StorageError(_Explained, Exception):
    """
    The base of all errors at run time.

    :param text message: the operation that failed, its object, and the reason.
    """

    def __init__(self, message):
        # type: (Union[Text, bytes]) -> None
        message = bounded(message)
        Exception.__init__(self, message)
        self.message = message


class InvalidSize(StorageError, ValueError):
    """The size is not a positive whole number of bytes."""

    remedy = u"pass the size in bytes as a positive whole number"

    def __init__(self, message, remedy=u""):
        # type: (Union[Text, bytes], Text) -> None
        """:param text remedy: the remedy of the cause; empty for the class's."""
        StorageError.__init__(self, message)
        self.remedy = remedy or self.remedy


class InvalidDatasetID(StorageError, TypeError):
    """The dataset id is not a ``UUID``."""

    remedy = u"pass a uuid.UUID"


class UnknownProfile(StorageError, ValueError):
    """No volume type is configured for the profile."""

    remedy = u"map the profile to a volume type under 'profiles' in the configuration"


class UnknownServer(StorageError):
    """
    The instance does not exist in the cloud.

    :ivar text server_id: the instance id.
    """

    remedy = (
        u"check that the instance id is correct, and belongs to this project or account, and to "
        u"this region"
    )

    def __init__(self, server_id):
        # type: (Text) -> None
        StorageError.__init__(self, u"The cloud has no instance {}".format(as_text(server_id)))
        self.server_id = server_id


class NoCompute(StorageError):
    """The operation requires Compute, and the driver is configured to work without Compute."""

    remedy = u"perform the operation by hand, or, with Compute, set attach_through to 'compute'"

    def __init__(self, message, remedy=None):
        # type: (Text, Optional[Text]) -> None
        StorageError.__init__(
            self, u"{}: this requires Compute (attach_through: storage)".format(message)
        )
        if remedy is not None:
            self.remedy = remedy


class DriverStopped(StorageError):
    """A blocking operation was refused or interrupted; the message gives the reason."""

    remedy = u"retry an interrupted operation; it resumes from the cloud's current state"


class WouldWaitForItself(StorageError):
    """A blocking operation was called in the thread that runs the operations."""

    remedy = u"this would wait forever; call from another thread, or use the asynchronous driver"
