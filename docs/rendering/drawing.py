"""
The wings of txstorage as a graph, in Graphviz's language.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from html import escape

from tests.helpers.imports import LAYERS

from .parts import GROUND, WINGS, Edge, handed, imports, purpose

_HEAD = """\
digraph wings {
    graph [bgcolor="transparent", nodesep=0.25, ranksep=0.45, splines=true]
    node [shape=box, style="rounded,filled", fillcolor="#f4f6f8", color="#5b6770",
          fontname="sans-serif", fontsize=11, margin="0.12,0.08"]
    edge [color="#a0aab1", arrowsize=0.6]
"""
_STYLES = {"imports": "", "handed": ' [color="#1769aa", penwidth=1.8]'}
#: Characters in a line of a box.
_WIDTH = 30


def arrows() -> list[tuple[Edge, str]]:
    """The arrows of the drawing: pairs of wings, and ``imports`` or ``handed``."""
    kinds = [(edge, "imports") for edge in imports()] + [(edge, "handed") for edge in handed()]
    return sorted(each for each in kinds if set(each[0]) <= set(WINGS))


def drawing() -> str:
    """:return: the graph, for ``dot``."""
    rows = [[wing for wing in row if wing in WINGS] for row in LAYERS]
    ranks = ["    { rank=same; %s }" % "; ".join(map(_quoted, row)) for row in rows if len(row) > 1]
    edges = ["    {} -> {}{}".format(*map(_quoted, edge), _STYLES[kind]) for edge, kind in arrows()]
    return "\n".join([_HEAD.rstrip(), *map(_box, WINGS), _ground(), *ranks, *_below(), *edges, "}"])


def _quoted(text: str) -> str:
    return '"{}"'.format(text.replace('"', r"\""))


def _label(name: str, lines: list[str]) -> str:
    shown = "<br/>".join(escape(line) for line in lines)
    return f"<<b>{escape(name)}</b><br/>{shown}>"


def _box(wing: str) -> str:
    label = _label(wing, textwrap.wrap(purpose(wing), _WIDTH))
    return f"    {_quoted(wing)} [label={label}]"


def _ground() -> str:
    lines = [f"{wing}: {purpose(wing)}" for wing in GROUND]
    label = _label("the ground that all wings stand on", lines)
    return f'    "ground" [label={label}, style="filled,dashed", fillcolor="#eceff1"]'


def _below() -> Iterator[str]:
    """Yield invisible arrows that keep the ground below the wings without arrows of their own."""
    above = {one for (one, _), _ in arrows()}
    for wing in WINGS:
        if wing not in above:
            yield f'    {_quoted(wing)} -> "ground" [style=invis]'


__all__ = ["arrows", "drawing"]
