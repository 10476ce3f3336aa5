# -*- test-case-name: tests.clouds.ec2.test_sources -*-
"""
Access keys in variables of the environment.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import succeed

from ...._support.json_values import Malformed
from ....errors import CredentialsUnavailable
from .keys import AccessKeys

MYPY = False
if MYPY:
    from typing import Mapping, Optional, Text  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401

_KEY, _SECRET, _TOKEN = u"AWS_ACCESS_KEY_ID", u"AWS_SECRET_ACCESS_KEY", u"AWS_SESSION_TOKEN"


class EnvironmentKeys(object):
    """
    The variables ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY`` and ``AWS_SESSION_TOKEN``.

    :param dict environ: the environment, text to text.

    :cvar text absent: the reason why there are no keys.
    """

    absent = u"AWS_ACCESS_KEY_ID is not set"

    def __init__(self, environ):
        # type: (Mapping[Text, Text]) -> None
        self._environ = environ

    def keys(self):
        # type: () -> Deferred[Optional[AccessKeys]]
        """
        :return: a ``Deferred`` that fires with the :class:`AccessKeys`, or ``None`` when the
            variables are not set.
        :raises CredentialsUnavailable: one of them is missing or invalid.
        """
        key = self._environ.get(_KEY)
        if not key:
            return succeed(None)
        try:
            keys = AccessKeys.checked(
                key,
                self._environ.get(_SECRET),
                self._environ.get(_TOKEN),
                origin=u"the environment's {}".format(_KEY),
            )
        except Malformed as error:
            raise CredentialsUnavailable(
                u"{} is set, but {}".format(_KEY, error.problem),
                u"set {}, {} and, of temporary keys, {} together".format(_KEY, _SECRET, _TOKEN),
            )
        return succeed(keys)


__all__ = ["EnvironmentKeys"]
