"""
The parts of txstorage as an SVG.
"""

from __future__ import annotations

from typing import Dict, List, Tuple
from xml.sax.saxutils import escape

from .layout import BETWEEN, HEIGHT, WIDTH, Arrow, Lane, Layout, Step, laid_out
from .parts import GROUND, PARTS, Part, handed, imports

_MARGIN = 12
_STYLE = """
.parts rect { fill: #f4f6f8; stroke: #5b6770; stroke-width: 1.2 }
.parts rect.ground { fill: #eceff1; stroke-dasharray: 4 3 }
.parts text { font-family: sans-serif; text-anchor: middle; fill: #1c2429; font-size: 11.5px }
.parts text.name { font-weight: bold; font-size: 14px }
.parts path { fill: none; stroke-width: 1.3 }
.parts path.imports { stroke: #a0aab1 }
.parts path.handed { stroke: #1769aa; stroke-width: 2 }
.parts marker path.imports { fill: #a0aab1; stroke: none }
.parts marker path.handed { fill: #1769aa; stroke: none }
"""
_MARKER = (
    '<marker id="parts-{0}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9"'
    ' markerUnits="userSpaceOnUse" orient="auto"><path class="{0}" d="M0 0.8 L8 4 L0 7.2 z"/>'
    "</marker>"
)


def arrows() -> List[Arrow]:
    """What is drawn: all but that each part uses the ground that all stand on."""
    told = [(edge, "imports") for edge in imports()] + [(edge, "handed") for edge in handed()]
    return [Arrow(*edge, kind) for edge, kind in sorted(told) if GROUND.name not in edge]


def drawing() -> str:
    """:return: the SVG, to be put into a page."""
    layout = laid_out([part.name for part in PARTS], arrows())
    places = _places(layout)
    right = max(x for x, _ in places.values()) + WIDTH / 2 + _MARGIN
    bottom = max(y for _, y in places.values()) + HEIGHT + BETWEEN / 2
    drawn = [_step(step, *ends) for step, ends in zip(layout.steps, _ends(layout, places))]
    drawn += [_box(part, *places[part.name], WIDTH) for part in PARTS]
    drawn.append(_box(GROUND, right / 2, bottom, right - 2 * _MARGIN, "ground"))
    size = "0 0 {:.0f} {:.0f}".format(right, bottom + HEIGHT + _MARGIN)
    markers = "".join(_MARKER.format(kind) for kind in ("imports", "handed"))
    head = '<svg class="parts" xmlns="http://www.w3.org/2000/svg" viewBox="{}" role="img">'
    title = "<title>The parts of txstorage, and which uses which</title>"
    start = [head.format(size), title, "<style>{}</style>".format(_STYLE)]
    return "\n".join([*start, "<defs>{}</defs>".format(markers), *drawn, "</svg>"])


def _places(layout: Layout) -> Dict[object, Tuple[float, float]]:
    """The middle of the upper edge of each box and lane."""
    return {
        thing: (_MARGIN + layout.centres[thing], _MARGIN + number * (HEIGHT + BETWEEN))
        for number, row in enumerate(layout.rows)
        for thing in row
    }


Place = Tuple[float, float]


def _ends(layout: Layout, places: Dict[object, Place]) -> List[Tuple[Place, Place]]:
    """Where each step begins and ends: side by side at the edges of a box."""
    below: Dict[object, List[Step]] = {}
    above: Dict[object, List[Step]] = {}
    for step in layout.steps:
        below.setdefault(step.source, []).append(step)
        above.setdefault(step.target, []).append(step)
    for at, other in [(below, "target"), (above, "source")]:
        for steps in at.values():
            steps.sort(key=lambda step, other=other: (places[getattr(step, other)], step.kind))
    return [
        (
            _port(step.source, below[step.source], step, places, HEIGHT),
            _port(step.target, above[step.target], step, places, 0),
        )
        for step in layout.steps
    ]


def _port(
    thing: object, steps: List[Step], step: Step, places: Dict[object, Place], down: float
) -> Place:
    x, y = places[thing]
    if not isinstance(thing, Lane):
        x += WIDTH * 0.86 * ((steps.index(step) + 1) / (len(steps) + 1) - 0.5)
    return x, y + down


def _step(step: Step, start: Place, end: Place) -> str:
    (x0, y0), (x1, y1) = start, end
    bend = (y1 - y0) * 0.5
    path = "M{:.1f} {:.1f} C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}".format(
        x0, y0, x0, y0 + bend, x1, y1 - bend, x1, y1
    )
    marker = ""
    if isinstance(step.target, Lane):
        path += " V{:.1f}".format(y1 + HEIGHT)
    else:
        marker = ' marker-end="url(#parts-{})"'.format(step.kind)
    return '<path class="{}" d="{}"{}/>'.format(step.kind, path, marker)


def _box(part: Part, x: float, y: float, width: float, kind: str = "part") -> str:
    rect = '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{}" rx="5"/>'
    text = '<text{} x="{:.1f}" y="{:.1f}">{}</text>'
    return "\n".join(
        [
            rect.format(kind, x - width / 2, y, width, HEIGHT),
            text.format(' class="name"', x, y + HEIGHT * 0.42, escape(part.name)),
            text.format("", x, y + HEIGHT * 0.77, escape(part.purpose)),
        ]
    )


__all__ = ["arrows", "drawing"]
