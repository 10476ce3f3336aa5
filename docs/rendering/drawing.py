"""
The wings of txstorage as a graph, in Graphviz's language, and as a picture in a page.

The graph's parts have classes, and ``static/pages.css`` gives them the colours of the page's theme.
"""

from __future__ import annotations

import subprocess
import textwrap
from collections.abc import Iterator
from html import escape

from tests.helpers.imports import LAYERS

from .parts import GROUND, WINGS, Edge, handed, imports, purpose

_HEAD = """\
digraph wings {
    graph [bgcolor="transparent", nodesep=0.2, ranksep=0.45, splines=true]
    node [shape=box, style=rounded, fontname="sans-serif", fontsize=11, margin="0.12,0.08"]
    edge [arrowsize=0.6]
"""
_STYLES = {"imports": "", "handed": ' [class="handed", penwidth=1.8]'}
_ALTERNATIVE = "The wings of txstorage and the imports between them"
#: Characters in a line of a box.
_WIDTH = 20


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


def picture() -> str:
    """
    :return: the drawing, as the HTML of a page.
    :raises OSError: Graphviz's ``dot`` is missing.
    :raises subprocess.CalledProcessError: ``dot`` failed.
    """
    drawn = subprocess.run(
        ["dot", "-Tsvg"], input=drawing(), stdout=subprocess.PIPE, encoding="utf-8", check=True
    ).stdout
    # a page has no place for the head of an XML document
    image = drawn[drawn.index("<svg") :]
    image = image.replace("<svg", f'<svg role="img" aria-label="{_ALTERNATIVE}"', 1)
    return f'<div class="drawing">{image}</div>'


def _quoted(text: str) -> str:
    return '"{}"'.format(text.replace('"', r"\""))


def _plain(wing: str) -> str:
    """:return: the purpose of a wing, without the marks of literal text."""
    return purpose(wing).replace("``", "")


def _label(name: str, lines: list[str]) -> str:
    shown = "<br/>".join(escape(line) for line in lines)
    return f"<<b>{escape(name)}</b><br/>{shown}>"


def _box(wing: str) -> str:
    label = _label(wing, textwrap.wrap(_plain(wing), _WIDTH))
    return f"    {_quoted(wing)} [label={label}]"


def _ground() -> str:
    lines = [f"{wing}: {_plain(wing)}" for wing in GROUND]
    label = _label("the ground that all wings stand on", lines)
    return f'    "ground" [label={label}, class="ground", style=dashed]'


def _below() -> Iterator[str]:
    """Yield invisible arrows that keep the ground below the wings without arrows of their own."""
    above = {one for (one, _), _ in arrows()}
    for wing in WINGS:
        if wing not in above:
            yield f'    {_quoted(wing)} -> "ground" [style=invis]'


__all__ = ["arrows", "drawing", "picture"]
