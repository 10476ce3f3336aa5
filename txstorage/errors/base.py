# -*- test-case-name: tests.errors.test_errors -*-
"""
What all errors have, and the errors of what was asked for.
"""

from __future__ import absolute_import, division, print_function

from .._support.compat import as_text, native
from ..interfaces import StorageInitializationError


class _Explained(object):
    """
    An exception's text and remedy.

    :ivar text message: what happened.
    :ivar text remedy: what to do about it; may be empty.
    """

    remedy = u""

    def __str__(self):
        return native(self.__unicode__())

    def __unicode__(self):
        if not self.remedy:
            return self.message
        return u"{} ({})".format(self.message, self.remedy)


class InvalidConfiguration(_Explained, StorageInitializationError):
    """
    The configuration can't be used.  Raised before any network traffic.

    :ivar text key: the configuration key at fault.
    :ivar text problem: what is wrong with it.
    """

    def __init__(self, key, problem, remedy=u""):
        self.key = key
        self.problem = as_text(problem)
        self.message = u"Configuration key {!s}: {!s}".format(as_text(key), as_text(problem))
        self.remedy = remedy
        # All of it, for the arguments are all that Flocker's agent shows.
        StorageInitializationError.__init__(
            self, StorageInitializationError.CONFIGURATION_ERROR, str(self)
        )


class StorageError(_Explained, Exception):
    """
    The root of what can go wrong at run time.

    :param text message: what failed, on what, and why.
    """

    def __init__(self, message):
        message = as_text(message)
        Exception.__init__(self, message)
        self.message = message


class InvalidSize(StorageError, ValueError):
    """The size is not a positive whole number of bytes."""

    remedy = u"give the size as a positive whole number of bytes"


class InvalidDatasetID(StorageError, TypeError):
    """The dataset id is not a ``UUID``."""

    remedy = u"pass a uuid.UUID"


class UnknownProfile(StorageError, ValueError):
    """No volume type is configured for the profile."""

    remedy = u"map the profile to a volume type under 'profiles' in the configuration"


class UnknownServer(StorageError):
    """
    Compute has no such instance.

    :ivar text server_id: the instance id.
    """

    remedy = u"check the instance id, and that it is in this project and region"

    def __init__(self, server_id):
        StorageError.__init__(self, u"Compute knows no instance {}".format(as_text(server_id)))
        self.server_id = server_id


class NoCompute(StorageError):
    """Only Compute can do it, and volumes are attached without one."""

    remedy = u"do it by hand, or set attach_through to 'compute' where there is one"

    def __init__(self, message):
        StorageError.__init__(
            self, u"{}: without Compute nobody can (attach_through: storage)".format(message)
        )


class DriverStopped(StorageError):
    """A blocking operation is not carried out, or not to its end; the message says why."""

    remedy = u"an operation that was under way can be repeated: it finds out what was done"


class WouldWaitForItself(StorageError):
    """A blocking operation was called in the thread that has to carry it out."""

    remedy = u"it would wait for ever: call in another thread, or use the asynchronous driver"
