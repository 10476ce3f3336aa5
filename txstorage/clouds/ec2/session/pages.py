# -*- test-case-name: tests.clouds.ec2.test_session -*-
"""
Lists of EC2, which come in pages.
"""

from __future__ import absolute_import, division, print_function

from ....errors import NotTheService

MYPY = False
if MYPY:
    from typing import Any, Callable, Dict, List, Mapping, Set, Text  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401

    from .session import EC2Session  # noqa: F401

#: The entries of a page: 100 volumes take about 20 ms to parse, in which the reactor does nothing
#: else.
PAGE_SIZE = 100

#: The maximum number of a list's pages.
MAX_PAGES = 1000


class TokenPages(object):
    """
    A list that is being read, page by page.

    :param session: an :class:`~.session.EC2Session`.
    :param str operation: such as ``DescribeVolumes``.
    :param dict parameters: the operation's.
    :param text key: the list's name in the answer.
    :param read: called with each entry; returns the value to collect.
    """

    def __init__(self, session, operation, parameters, key, read):
        # type: (EC2Session, str, Mapping[str, Any], Text, Callable[[Any], Any]) -> None
        self._session = session
        self._operation = operation
        self._parameters = dict(parameters, MaxResults=PAGE_SIZE)
        self._key = key
        self._read_entry = read
        self._entries = []  # type: List[Any]
        self._tokens = set()  # type: Set[Text]
        self._requests = 0

    def read(self, token=None):
        # type: (Any) -> Deferred[Any]
        """
        :param token: of the page to begin with (text); ``None`` for the first.
        :return: a ``Deferred`` that fires with ``(entries, requests)``, where requests is their
            number.
        """
        self._requests += 1
        parameters = self._parameters if token is None else dict(self._parameters, NextToken=token)
        asked = self._session.call(self._operation, parameters)  # type: Deferred[Any]
        return asked.addCallback(self._arrived)

    def _arrived(self, answer):
        # type: (Dict[Text, Any]) -> Any
        # Page by page, so that a long list never stalls the reactor.
        self._entries.extend(self._read_entry(each) for each in answer.get(self._key) or [])
        token = answer.get(u"NextToken")
        if not token:
            return self._entries, self._requests
        if token in self._tokens or self._requests >= MAX_PAGES:
            raise NotTheService(
                u"POST",
                self._session.endpoint,
                u"{}: the list never ends after {} pages".format(
                    self._operation, self._requests
                ),
            )
        self._tokens.add(token)
        return self.read(token)


def all_entries(session, operation, parameters, key, read):
    # type: (EC2Session, str, Mapping[str, Any], Text, Callable[[Any], Any]) -> Deferred[Any]
    """
    Read all pages of a list.

    :param session: an :class:`~.session.EC2Session`.
    :param str operation: such as ``DescribeVolumes``.
    :param dict parameters: the operation's.
    :param text key: the list's name in the answer.
    :param read: called with each entry; returns the value to collect.
    :return: a ``Deferred`` that fires with ``(values, requests)``, where requests is their number;
        fails with :class:`~txstorage.errors.NotTheService` when the list has no end.
    """
    return TokenPages(session, operation, parameters, key, read).read()


__all__ = ["MAX_PAGES", "PAGE_SIZE", "all_entries"]
