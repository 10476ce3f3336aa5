"""
Where the boxes and arrows of a drawing go: rows, with every arrow downwards.

Arrows that lead further than to the next row pass the rows between in lanes
of their own, one for each box that they lead to, so that none crosses a box.
"""

from __future__ import annotations

from typing import Dict, Iterable, List, Mapping, Sequence, Set, Tuple

import attr

#: Of boxes, in pixels; and how far boxes and lanes are apart.
WIDTH, HEIGHT, GAP, LANE, BETWEEN = 178, 50, 16, 14, 58
_SWEEPS = 60


@attr.s(frozen=True, auto_attribs=True)
class Arrow:
    """
    :ivar kind: of what it tells.
    """

    source: str
    target: str
    kind: str


@attr.s(frozen=True, auto_attribs=True)
class Lane:
    """Where the arrows of a kind to a box pass a row."""

    target: str
    kind: str
    row: int


@attr.s(frozen=True, auto_attribs=True)
class Step:
    """
    The part of an arrow from one row to the next.

    :ivar source: a box's name, or a :class:`Lane`.
    :ivar target: likewise.
    """

    source: object
    target: object
    kind: str


@attr.s(frozen=True, auto_attribs=True)
class Layout:
    """
    :ivar rows: boxes and lanes from left to right, from the top.
    :ivar steps: what leads from row to row.
    :ivar centres: of boxes and lanes, in pixels from the left.
    """

    rows: Sequence[Sequence[object]]
    steps: Sequence[Step]
    centres: Mapping[object, float]


def ranks(names: Sequence[str], arrows: Iterable[Arrow]) -> Dict[str, int]:
    """
    The row of each box: below all that lead to it.

    :raises ValueError: when arrows lead in a circle.
    """
    found = dict.fromkeys(names, 0)
    arrows = list(arrows)
    for _ in range(len(names) + 1):
        lower = [arrow for arrow in arrows if found[arrow.target] <= found[arrow.source]]
        if not lower:
            return found
        for arrow in lower:
            found[arrow.target] = max(found[arrow.target], found[arrow.source] + 1)
    raise ValueError("in a circle: {}".format(lower))


def steps_of(arrows: Iterable[Arrow], row: Mapping[str, int]) -> List[Step]:
    """Each arrow, row by row; arrows of a kind share the lanes to a box."""
    found: Dict[Step, None] = {}
    for arrow in arrows:
        here: object = arrow.source
        for below in range(row[arrow.source] + 1, row[arrow.target]):
            lane = Lane(arrow.target, arrow.kind, below)
            found[Step(here, lane, arrow.kind)] = None
            here = lane
        found[Step(here, arrow.target, arrow.kind)] = None
    return list(found)


def _half(thing: object) -> float:
    return (LANE if isinstance(thing, Lane) else WIDTH + GAP) / 2


def _placed(row: Sequence[object], wanted: Mapping[object, float]) -> Dict[object, float]:
    """
    Boxes and lanes of a row in their order, as near to where they want to be
    as leaves room for all (least squares).
    """
    offsets, offset = [], 0.0
    for thing in row:
        offsets.append(offset + _half(thing))
        offset += 2 * _half(thing)
    # Those that push each other move as one, to the mean of what they want.
    blocks: List[Tuple[float, int]] = []
    for thing, offset in zip(row, offsets):
        total, count = wanted[thing] - offset, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / count:
            before = blocks.pop()
            total, count = total + before[0], count + before[1]
        blocks.append((total, count))
    starts = [total / count for total, count in blocks for _ in range(count)]
    return {thing: start + offset for thing, start, offset in zip(row, starts, offsets)}


def laid_out(names: Sequence[str], arrows: Sequence[Arrow]) -> Layout:
    """
    :param names: of the boxes; in this order from the left, to begin with.
    """
    row_of = ranks(names, arrows)
    steps = steps_of(arrows, row_of)
    lanes: Set[object] = {end for step in steps for end in (step.source, step.target)} - set(names)
    things: List[object] = [*names, *sorted(lanes, key=repr)]
    rows: List[List[object]] = [[] for _ in range(max(row_of.values()) + 1)]
    for thing in things:
        rows[thing.row if isinstance(thing, Lane) else row_of[str(thing)]].append(thing)
    beside: Dict[object, List[object]] = {thing: [] for thing in things}
    for step in steps:
        beside[step.source].append(step.target)
        beside[step.target].append(step.source)
    centres = {thing: 0.0 for thing in things}
    for row in rows:
        centres.update(_placed(row, centres))
    for _ in range(_SWEEPS):
        for index in [*range(len(rows)), *reversed(range(len(rows)))]:
            wanted = {thing: _mean(thing, beside, centres) for thing in rows[index]}
            rows[index].sort(key=lambda thing: (wanted[thing], repr(thing)))
            centres.update(_placed(rows[index], wanted))
    left = min(centres[thing] - _half(thing) for thing in things)
    return Layout(rows, steps, {thing: centres[thing] - left for thing in things})


def _mean(
    thing: object, beside: Mapping[object, Sequence[object]], centres: Mapping[object, float]
) -> float:
    others = [centres[other] for other in beside[thing]]
    # What no arrow leads to stands in the middle.
    others = others or list(centres.values())
    return sum(others) / len(others)


__all__ = [
    "BETWEEN",
    "GAP",
    "HEIGHT",
    "WIDTH",
    "Arrow",
    "Lane",
    "Layout",
    "Step",
    "laid_out",
    "ranks",
    "steps_of",
]
