# -*- test-case-name: tests.clouds.ec2 -*-
"""
Parts of EC2's answers, and the errors of those that are not as the API describes them.
"""

from __future__ import absolute_import, division, print_function

from ..._support.compat import as_text
from ..._support.json_values import Malformed, same_id
from ...errors import NotTheService, ResponseLost, ServiceError

MYPY = False
if MYPY:
    from typing import Any, Callable, Container, Text, TypeVar  # noqa: F401

    from twisted.python.failure import Failure  # noqa: F401

    from .session import EC2Session  # noqa: F401

    T = TypeVar("T")


def understood(session, operation, read, *arguments):
    # type: (EC2Session, str, Callable[..., T], *Any) -> T
    """
    Read a part of an answer.

    :param session: the :class:`~txstorage.clouds.ec2.session.EC2Session` of the answer.
    :param str operation: the request's.
    :param read: called with the arguments; raises :class:`Malformed`.
    :return: the result of ``read``.
    :raises NotTheService: the part of a read's answer is malformed.
    :raises ResponseLost: likewise, of any other operation's: something was done.
    """
    try:
        return read(*arguments)
    except Malformed as error:
        kind = NotTheService if operation.startswith("Describe") else ResponseLost
        raise kind(
            u"POST", session.endpoint, u"{}: {}".format(as_text(operation), error.problem)
        )


def check_is(thing, expected, found):
    # type: (Text, Text, Text) -> None
    """
    Check that an answer concerns the object of the request.

    :param text thing: the kind of object, e.g. ``u"volume"``.
    :raises Malformed: it concerns another object.
    """
    if not same_id(expected, found):
        raise Malformed(
            u"the answer is about {thing} {}, not about {thing} {}".format(
                found, expected, thing=thing
            )
        )


def has_code(failure, codes):
    # type: (Failure, Container[Text]) -> bool
    """:return: whether a failure is an error of EC2's with one of some codes."""
    error = failure.value  # type: Any
    return isinstance(error, ServiceError) and error.kind in codes


__all__ = ["check_is", "has_code", "understood"]
