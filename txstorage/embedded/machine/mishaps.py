# -*- test-case-name: tests.embedded.machine.test_mishaps -*-
"""
The mishaps of transitions, which a test requests.
"""

from __future__ import annotations

from functools import partial
from typing import Callable, Protocol

import attr


@attr.s(frozen=True, auto_attribs=True, kw_only=True)
class Mishap:
    """
    The mishap of one transition.

    :ivar stuck: whether the status stays until the mishap is removed, or something else changes it.
    :ivar seconds: the transition's duration, instead of the usual one.
    :ivar error: the reason with which the transition fails; empty when it does not.
    """

    stuck: bool = False
    seconds: float | None = None
    error: str = ""


class Mishaps(Protocol):
    """Decides which transitions get a mishap."""

    def strike(
        self, noun: str, key: str, status: str, release: Callable[[], None]
    ) -> Mishap | None:
        """
        :param noun: ``volume``, ``snapshot``, ``backup`` or ``server``.
        :param key: the id of the resource, whose transition begins.
        :param status: its transient status.
        :param release: carries a stuck transition out.
        :return: the mishap, or ``None``.
        """


_NONE = Mishap()


class StuckTransitions:
    """
    The transitions of one engine that mishaps keep from being carried out.

    :ivar keys: the statuses that are kept, by the ids of the volumes or snapshots.
    :param release: called with an id when its transition is to be carried out after all.
    """

    def __init__(self, noun: str, mishaps: Mishaps | None, release: Callable[[str], None]) -> None:
        self.keys: dict[str, str] = {}
        self._noun = noun
        self._mishaps = mishaps
        self._carry_out = release

    def strike(self, key: str, find: Callable[[], object]) -> Mishap:
        """
        Decide about a transition that begins.

        :param find: returns the volume or snapshot, if there is one; another status than the kept
            one ends the mishap.
        :return: its mishap, which may be none at all.
        """
        if self._mishaps is None:
            return _NONE
        status: str = getattr(find(), "status", "")
        if self.keys.get(key) == status:
            return Mishap(stuck=True)
        self.keys.pop(key, None)
        mishap = self._mishaps.strike(self._noun, key, status, partial(self._release, key, status))
        if mishap is not None and mishap.stuck:
            self.keys[key] = status
        return mishap or _NONE

    def _release(self, key: str, status: str) -> None:
        if self.keys.get(key) == status:
            del self.keys[key]
            self._carry_out(key)

    def clear(self) -> None:
        """Forget the stuck transitions."""
        self.keys.clear()
