"""
The plots of life cycles: small SVG files, light and dark, with logarithmic axes.

The colours follow the reader's preference, and so does the background, because the page around a
plot may have only one of the two.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

_WIDTH, _HEIGHT = 640, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 150, 40, 50
#: The clients' colours, light and dark.
COLOURS = {
    "txstorage": ("#1769aa", "#6cb6ff"),
    "openstacksdk": ("#b3401f", "#f0906a"),
    "cinder+nova": ("#7a5ba8", "#c4a4f0"),
    "treq": ("#3b7d3b", "#7fc97f"),
    "limit": ("#5b6770", "#a0aab1"),
}
#: The figure of each plot, by the end of the file's name, and its title.
PLOTS = {
    "requests": ("requests", "Requests of N life cycles"),
    "cpu": ("cpu", "CPU seconds of the client"),
    "wall": ("wall", "Seconds of N life cycles"),
}

Points = list[tuple[float, float]]


@dataclass(frozen=True)
class Scale:
    """A logarithmic scale from values to coordinates."""

    low: float
    high: float
    begin: float
    end: float

    def at(self, value: float) -> float:
        """The coordinate of a value."""
        part = math.log10(value / self.low) / math.log10(self.high / self.low)
        return self.begin + part * (self.end - self.begin)

    def ticks(self) -> Iterator[float]:
        """Yield the powers of ten on the scale."""
        for power in range(math.ceil(math.log10(self.low) - 1e-9), 99):
            if 10.0**power > self.high * 1.001:
                return
            yield 10.0**power


def series(document: dict[str, Any], figure: str) -> dict[str, Points]:
    """
    The points of each client: the number of volumes, and a figure.  The transitions take the same
    time for all: the longest that was measured.
    """
    rows = [row for row in document["rows"] if row["question"] == "life_cycles"]
    delay = max((row["case"]["T"] for row in rows), default=0)
    found: dict[str, Points] = {name: [] for name in COLOURS}
    for row in rows:
        value = row["figures"].get(figure)
        if row["case"]["T"] == delay and value and not row["figures"].get("failed"):
            found[row["client"]].append((row["case"]["N"], value))
    return {name: sorted(points) for name, points in found.items() if points}


def _scale(values: list[float], begin: float, end: float) -> Scale:
    low, high = min(values), max(values)
    low, high = 10.0 ** math.floor(math.log10(low)), 10.0 ** math.ceil(math.log10(high))
    return Scale(low, high if high > low else low * 10, begin, end)


def _style() -> Iterator[str]:
    for index, (page, ink, grid) in enumerate(
        (("#ffffff", "#24292f", "#d5dade"), ("#14181c", "#d8dee3", "#39424a"))
    ):
        yield "@media (prefers-color-scheme: dark) {" if index else ""
        yield f".page {{ fill: {page} }} text {{ fill: {ink} }} .grid {{ stroke: {grid} }}"
        for number, colours in enumerate(COLOURS.values()):
            colour = colours[index]
            yield f".s{number} {{ stroke: {colour} }} .d{number} {{ fill: {colour} }}"
        yield "}" if index else ""


def _grid(across: Scale, up: Scale) -> Iterator[str]:
    for tick in across.ticks():
        x = across.at(tick)
        yield f'<path class="grid" d="M{x:.1f} {up.begin}V{up.end}"/>'
        yield f'<text x="{x:.1f}" y="{up.begin + 18}" text-anchor="middle">{tick:g}</text>'
    for tick in up.ticks():
        y = up.at(tick)
        yield f'<path class="grid" d="M{across.begin} {y:.1f}H{across.end}"/>'
        yield f'<text x="{across.begin - 8}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>'


def _line(number: int, points: Points, across: Scale, up: Scale) -> Iterator[str]:
    places = [(across.at(x), up.at(y)) for x, y in points]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    limit = list(COLOURS)[number] == "limit"
    dashed = ' stroke-dasharray="6 4"' if limit else ""
    yield f'<path class="line s{number}" d="M{path}"{dashed}/>'
    for x, y in () if limit else places:
        yield f'<circle class="d{number}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>'


def _names(ends: dict[str, float], x: float) -> Iterator[str]:
    """Yield the clients' names beside the ends of their lines, moved apart."""
    below = -math.inf
    for name, y in sorted(ends.items(), key=lambda end: end[1]):
        below = max(y + 4, below + 15)
        number = list(COLOURS).index(name)
        yield f'<circle class="d{number}" cx="{x + 14}" cy="{below - 4:.1f}" r="3.5"/>'
        yield f'<text x="{x + 22}" y="{below:.1f}">{escape(name)}</text>'


def drawing(title: str, lines: dict[str, Points]) -> str:
    """:return: an SVG document."""
    numbers = [x for points in lines.values() for x, _ in points]
    values = [y for points in lines.values() for _, y in points]
    across = _scale(numbers, _LEFT, _WIDTH - _RIGHT)
    up = _scale(values, _HEIGHT - _BOTTOM, _TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
        f"<title>{escape(title)}</title>",
        "<style>",
        "text { font: 13px sans-serif } .line { fill: none; stroke-width: 2 }",
        *filter(None, _style()),
        "</style>",
        f'<rect class="page" width="{_WIDTH}" height="{_HEIGHT}"/>',
        f'<text x="{_LEFT}" y="24" style="font-weight: bold">{escape(title)}</text>',
        *_grid(across, up),
    ]
    for name, points in lines.items():
        parts += _line(list(COLOURS).index(name), points, across, up)
    ends = {name: up.at(points[-1][1]) for name, points in lines.items()}
    parts += _names(ends, across.end)
    middle = (across.begin + across.end) / 2
    parts.append(
        f'<text x="{middle:g}" y="{_HEIGHT - 10}" text-anchor="middle">volumes at once, N</text>'
    )
    return "\n".join([*parts, "</svg>"]) + "\n"


def drawings(document: dict[str, Any]) -> dict[str, str]:
    """
    The plots of a recorded run.

    :return: SVG documents by the names of their files.
    """
    found = {}
    for name, (figure, title) in PLOTS.items():
        lines = series(document, figure)
        if lines:
            found[f"performance-{name}.svg"] = drawing(title, lines)
    return found
