# -*- test-case-name: tests.driver.test_last_problem -*-
"""
The failures that an operation survives, and that its last error must show.
"""

from __future__ import absolute_import, division, print_function

from .._support.compat import as_text, native
from ..errors.remedies import use_remedies

MYPY = False
if MYPY:
    from typing import Mapping, Optional, Text  # noqa: F401

    from twisted.python.failure import Failure  # noqa: F401


class LastProblem(object):
    """
    The most recent failure of an operation that does not end by it, for people.

    :param dict remedies: the cloud's own, see :class:`~txstorage.clouds.IVolumeService`.
    """

    def __init__(self, remedies=None):
        # type: (Optional[Mapping[Text, Text]]) -> None
        self._remedies = remedies or {}
        self._failure = None  # type: Optional[Failure]
        self._retries = 0

    def __str__(self):
        # type: () -> str
        return native(self.__unicode__())

    def __unicode__(self):
        # type: () -> Text
        if self._failure is None:
            return u""
        use_remedies(self._failure.value, self._remedies)
        return as_text(self._failure.getErrorMessage())

    def record(self, failure):
        # type: (Failure) -> None
        """
        Record the failure of a request that is not simply repeated.

        :param failure: a ``Failure``.
        """
        self._failure = failure

    def retry(self, failure):
        # type: (Failure) -> None
        """
        Record the failure of a request that is repeated.

        :param failure: a ``Failure``.
        """
        self._failure = failure
        self._retries += 1

    def ended(self):
        # type: () -> None
        """Record that a request succeeded: the retries have ended."""
        self._retries = 0

    def after(self, status):
        # type: (Text) -> Text
        """
        :param text status: the last status seen.
        :return: text: the status and the problem, with the number of retries that it has caused.
        """
        if self._failure is None:
            return status
        text = u"{}; last problem: {}".format(status, self.__unicode__())
        if self._retries:
            unit = u"retry" if self._retries == 1 else u"retries"
            text += u" ({} {})".format(self._retries, unit)
        return text


__all__ = ["LastProblem"]
