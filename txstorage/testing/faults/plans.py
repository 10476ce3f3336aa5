# -*- test-case-name: tests.testing.test_faults -*-
"""
Plans: the decisions about which exchange gets which fault.
"""

from __future__ import absolute_import, division, print_function

import random

from .kinds import FAULTS, fault_kind, fault_kinds

MYPY = False
if MYPY:
    from typing import Callable, Dict, Iterable, Mapping, Optional, Text, Union  # noqa: F401

    from .exchanges import Question  # noqa: F401
    from .kinds import FaultKind  # noqa: F401

    Plan = Callable[[Question], Optional[FaultKind]]


def NO_FAULTS(question):  # noqa: N802 (a constant plan)
    # type: (Question) -> Optional[FaultKind]
    """Inject nothing: the plan of no faults."""
    return None


class ScriptedFaults(object):
    """
    Faults at chosen requests.

    :param script: the number of a request, counted from 0, to a
        :class:`~txstorage.testing.FaultKind` or its name.
    :ivar int requests: the number of requests so far.
    """

    def __init__(self, script):
        # type: (Mapping[int, Union[FaultKind, Text]]) -> None
        self._script = {number: fault_kind(fault) for number, fault in script.items()}
        self.requests = 0

    def __call__(self, question):
        # type: (Question) -> Optional[FaultKind]
        """:return: the fault for the next request, or ``None``."""
        number, self.requests = self.requests, self.requests + 1
        return self._script.get(number)


class SeededFaults(object):
    """
    Random faults, which a seed repeats: the same seed gives the same faults to the same number of
    requests.

    :param seed: an int or text.
    :param float rate: the probability, from 0 to 1, that a request gets a fault.
    :param kinds: the :class:`~txstorage.testing.FaultKind` values or names to choose from; by
        default all but steps of the clock, which require a ``ClockSteps``.
    """

    def __init__(self, seed, rate=0.1, kinds=None):
        # type: (Union[int, Text], float, Optional[Iterable[Union[FaultKind, Text]]]) -> None
        self._random = random.Random(seed)
        self._rate = rate
        self._kinds = (
            tuple(kind for kind in FAULTS.values() if not kind.step)
            if kinds is None
            else fault_kinds(kinds)
        )

    def __call__(self, question):
        # type: (Question) -> Optional[FaultKind]
        """:return: the fault for the next request, or ``None``."""
        # Two numbers for each request, so that another rate chooses among the same faults.
        strikes, choice = self._random.random(), self._random.random()
        if strikes >= self._rate or not self._kinds:
            return None
        return self._kinds[int(choice * len(self._kinds))]


__all__ = ["NO_FAULTS", "ScriptedFaults", "SeededFaults"]
