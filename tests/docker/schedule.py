"""
Random schedules of what happens to two nodes with a plugin each: data, which a seed repeats.
"""

from __future__ import annotations

import random

import attr

#: The number of nodes, and of volumes.
NODES, VOLUMES = 2, 2
#: The actions of a schedule, and how often each is chosen.
ACTIONS = {
    "start": 8,
    "stop": 5,
    "write": 2,
    "copy": 1,
    "start-on-both": 2,
    "kill-plugin": 1,
    "kill-service": 1,
    "kill-engine": 1,
    "restart-engine": 1,
    "activate": 1,
    "reboot": 1,
    "power-off": 1,
    "power-on": 2,
    "cloud-off": 1,
    "cloud-on": 2,
    "remove": 1,
}
#: Those that need a container.
WITH_CONTAINER = frozenset(["stop", "write", "copy"])
#: Those during which something may be killed.
_STRUCK = frozenset(["start", "stop", "copy", "start-on-both", "remove"])


@attr.s(auto_attribs=True, frozen=True)
class Strike:
    """
    A kill in the middle of an action.

    :ivar victim: ``plugin`` or ``service``.
    :ivar request: the number, from 1, of the plugin's request to the cloud at which it happens.
    :ivar delay: seconds after this request.
    """

    victim: str
    request: int
    delay: float


@attr.s(auto_attribs=True, frozen=True)
class Step:
    """
    A step.

    :ivar action: one of :data:`ACTIONS`.
    :ivar node: the index of the node.
    :ivar volume: the index of the volume.
    :ivar choice: from 0 to 1, for a choice that depends on the state.
    """

    action: str
    node: int
    volume: int
    choice: float
    strike: Strike | None = None


def schedule_from(seed: int) -> tuple[Step, ...]:
    """:return: the steps of a seed."""
    source = random.Random(seed)
    return tuple(_step(source) for _ in range(source.randint(10, 40)))


def _step(source: random.Random) -> Step:
    [action] = source.choices(list(ACTIONS), list(ACTIONS.values()))
    strike = None
    if action in _STRUCK and source.random() < 0.35:
        strike = Strike(
            source.choice(["plugin", "plugin", "service"]),
            source.randint(1, 8),
            source.choice([0.0, 0.0, 0.01, 0.03, 0.1]),
        )
    place = source.randrange(NODES), source.randrange(VOLUMES)
    return Step(action, *place, source.random(), strike)


__all__ = ["ACTIONS", "NODES", "VOLUMES", "WITH_CONTAINER", "Step", "Strike", "schedule_from"]
