"""
Schedules: random operations of several drivers, as values.

A schedule is drawn from an object like ``random.Random``: a seed repeats it, and Hypothesis can
shrink it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import attr

#: Nodes of the service, clusters, and datasets of each cluster.
NODES = ("node-1", "node-2")
CLUSTERS = 2
DATASETS = 3

#: The operations, as often as they are drawn.
OPERATIONS = (
    *("create",) * 3,
    *("attach",) * 5,
    *("path",) * 4,
    *("detach",) * 3,
    *("destroy",) * 2,
    *("list",) * 2,
)

#: The probabilities of a fault of each request; one is drawn for each schedule.
RATES = (0.05, 0.1, 0.2, 0.4)

#: The wishes for a dataset at the end of a schedule.
WISHES = ("absent", "detached", *NODES)


@attr.s(frozen=True, auto_attribs=True)
class Dataset:
    """A dataset of one of the clusters."""

    cluster: int
    number: int


@attr.s(frozen=True, auto_attribs=True)
class Step:
    """
    One operation.

    :ivar node: the node whose driver runs the operation.
    :ivar cluster: the cluster of that driver.
    :ivar dataset: the dataset; sometimes of the other cluster.
    :ivar target: the node to attach to.
    :ivar cancelled: seconds until the operation is cancelled, or ``None``.
    :ivar pause: seconds until the next step begins; ``None`` to wait until this one ends.
    """

    operation: str
    node: str
    cluster: int
    dataset: Dataset
    target: str
    cancelled: float | None
    pause: float | None


@attr.s(frozen=True, auto_attribs=True)
class Schedule:
    """
    A sequence of steps, under faults.

    :ivar seed: of the faults.
    :ivar rate: the probability of a fault of each request.
    :ivar kinds: the names of the kinds of fault to choose from.
    :ivar wishes: a wish for each dataset.
    """

    seed: int
    rate: float
    kinds: tuple[str, ...]
    steps: tuple[Step, ...]
    wishes: tuple[str, ...]


def step_from(source: random.Random) -> Step:
    """
    Draw a step.

    :param source: like ``random.Random``.
    :return: a random :class:`Step`.
    """
    operation = source.choice(OPERATIONS)
    node = source.choice(NODES)
    cluster = source.randint(0, CLUSTERS - 1)
    owner = cluster if source.randint(0, 9) else 1 - cluster
    return Step(
        operation=operation,
        node=node,
        cluster=cluster,
        # A create of another cluster's dataset makes a volume of its own.
        dataset=Dataset(cluster if operation == "create" else owner, source.randint(0, 2)),
        target=node if source.randint(0, 4) else source.choice(NODES),
        cancelled=source.choice((0.0, 0.01, 0.03, 0.1, 0.2)) if not source.randint(0, 4) else None,
        pause=source.choice((None, None, 0.0, 0.01, 0.05)),
    )


def wishes_from(source: random.Random) -> tuple[str, ...]:
    """Draw a wish for each dataset."""
    return tuple(source.choice(WISHES) for _ in range(CLUSTERS * DATASETS))


def schedule_from(seed: int, kinds: Sequence[str], steps: int = 24) -> Schedule:
    """
    Draw a schedule.

    :param seed: the same seed draws the same schedule.
    :param kinds: the kinds of fault; empty for none.
    :param steps: the largest number of steps.
    """
    source = random.Random(seed)
    drawn = tuple(step_from(source) for _ in range(source.randint(8, steps)))
    rate = source.choice(RATES) if kinds else 0.0
    if kinds and source.randint(0, 2):
        # Few kinds at a time find more than all at once, which end most operations early.
        kinds = source.sample(list(kinds), min(len(kinds), source.randint(1, 4)))
    return Schedule(seed, rate, tuple(kinds), beginning(source) + drawn, wishes_from(source))


def beginning(source: random.Random) -> tuple[Step, ...]:
    """Draw the steps that create most datasets, so that the other steps have volumes."""
    datasets = [Dataset(cluster, number) for cluster in range(CLUSTERS) for number in range(2)]
    return tuple(
        Step("create", source.choice(NODES), each.cluster, each, NODES[0], None, 0.0)
        for each in datasets
    )
