# -*- test-case-name: tests.clouds.openstack.cinder.test_messages -*-
"""
Cinder's messages, which give the reasons of what failed after it was accepted.

Microversion: 3.3, the first with messages, or better 3.5, where the service filters them by
resource.  Without them there is no reason.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import CancelledError

from ...._support.json_values import objects_in, text_member
from .wire import SERVICE_TYPES

MYPY = False
if MYPY:
    from typing import Any, List, Text  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401

    from ...._http.messages import Response  # noqa: F401
    from ..session import Session  # noqa: F401

_MICROVERSIONS = (u"3.5", u"3.3")

# The number of the most recent messages about a resource that are read.
_READ = 100


def failure_reason(session, resource_id):
    # type: (Session, Text) -> Deferred[Text]
    """
    See :meth:`txstorage.clouds.IVolumeService.failure_reason`.

    :param session: a :class:`~txstorage.clouds.openstack.session.Session`.
    """
    asked = session.request(
        SERVICE_TYPES,
        u"GET",
        u"/messages",
        microversions=_MICROVERSIONS,
        params=[(u"resource_uuid", resource_id)],
    )
    return asked.addCallback(_failure_messages, resource_id).addErrback(_quiet)


def _quiet(failure):
    # type: (Failure) -> Any
    if failure.check(CancelledError):
        return failure
    return u""


def _failure_messages(response, resource_id):
    # type: (Response, Text) -> Text
    """Return the error messages of the most recent failed request, oldest first, joined."""
    messages = [
        message
        for message in objects_in(response.field(u"messages", list))
        if message.get(u"resource_uuid") == resource_id
    ]
    if not messages:
        return u""
    messages.sort(key=lambda message: text_member(message, u"created_at"))
    del messages[:-_READ]
    last = messages[-1]
    request = last.get(u"request_id")
    texts = []  # type: List[Text]
    for message in messages:
        text = text_member(message, u"user_message")
        same = message is last or request is not None and message.get(u"request_id") == request
        if same and text and text not in texts:
            texts.append(text)
    return u"; ".join(texts)


__all__ = ["failure_reason"]
