# -*- test-case-name: tests.clouds.ec2.test_session -*-
"""
The rates of requests, and the delays before a request is sent again.

EC2 has a token bucket for each operation of an account in a region, which all of its programs
share.  Source: "Request throttling for the Amazon EC2 API" of the developer guide.
"""

from __future__ import absolute_import, division, print_function

from ...._support.token_bucket import TokenBucket
from ....errors import RateLimited, ServiceBroken

MYPY = False
if MYPY:
    from typing import Any, Dict, Optional  # noqa: F401

    from twisted.internet.interfaces import IReactorTime  # noqa: F401

#: Requests per second, and the burst: of an operation that only reads, and of any other.
READS = (20.0, 100.0)
WRITES = (5.0, 50.0)

# The maximum number of attempts, by the error of the last one; the second number is that of a
# request of which a repetition is harmless.
_ATTEMPTS = ((RateLimited, 8, 8), (ServiceBroken, 1, 3))

_FIRST_DELAY = 0.5
_LONGEST_DELAY = 20.0


def is_read(operation):
    # type: (str) -> bool
    """:return: whether an operation only reads."""
    return operation.startswith("Describe")


class Buckets(object):
    """
    The token buckets of all operations.

    :param reactor: provides ``IReactorTime``.
    """

    def __init__(self, reactor):
        # type: (IReactorTime) -> None
        self._reactor = reactor
        self._buckets = {}  # type: Dict[str, TokenBucket]

    def of(self, operation):
        # type: (str) -> TokenBucket
        """:return: the :class:`TokenBucket` of an operation."""
        if operation not in self._buckets:
            rate, burst = READS if is_read(operation) else WRITES
            self._buckets[operation] = TokenBucket(self._reactor, rate, burst)
        return self._buckets[operation]


def delay_before_retry(error, repeatable, attempt, fraction):
    # type: (Any, bool, int, float) -> Optional[float]
    """
    Decide whether a request that EC2 answered is sent again, and when.

    The whole delay is random, so that clients that were throttled together come apart.

    :param error: the error of the last attempt.
    :param bool repeatable: whether sending the request twice is harmless.
    :param int attempt: the number of attempts so far, from 1.
    :param float fraction: from 0 to 1, for the jitter.
    :return: seconds to wait, or ``None`` to let the request fail.
    """
    for kind, once, repeated in _ATTEMPTS:
        if isinstance(error, kind):
            if attempt >= (repeated if repeatable else once):
                return None
            longest = min(_LONGEST_DELAY, _FIRST_DELAY * 2 ** attempt)  # type: float
            return fraction * longest
    return None


__all__ = ["READS", "WRITES", "Buckets", "delay_before_retry", "is_read"]
