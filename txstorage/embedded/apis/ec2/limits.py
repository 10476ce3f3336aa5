# -*- test-case-name: tests.embedded.ec2.test_face -*-
"""The rates of requests, by a token bucket for each action, as EC2 has them."""

from __future__ import annotations

from collections.abc import Callable


class TokenBuckets:
    """
    Buckets of tokens, one for each action.  A request takes a token, and time brings new ones.

    :param rate: tokens per second; 0: no limit.
    :param burst: the tokens of a full bucket.
    :param now: returns the time in seconds.
    """

    def __init__(self, rate: float, burst: int, now: Callable[[], float]) -> None:
        self._rate = rate
        self._burst = burst
        self._now = now
        self._buckets: dict[str, tuple[float, float]] = {}

    def forget(self) -> None:
        """Fill all buckets."""
        self._buckets.clear()

    def take(self, action: str) -> bool:
        """
        Take a token.

        :return: whether there was one.
        """
        if not self._rate:
            return True
        now = self._now()
        tokens, since = self._buckets.get(action, (float(self._burst), now))
        tokens = min(float(self._burst), tokens + (now - since) * self._rate)
        self._buckets[action] = (max(tokens - 1, 0.0) if tokens >= 1 else tokens), now
        return tokens >= 1
