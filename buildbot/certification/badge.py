"""
The badge of a recorded build, with words that need no Buildbot to be understood.

Buildbot's own badge names neither the tests nor the day.  Knows nothing of Buildbot.
"""

from __future__ import annotations

import re

LABEL = "functional tests on loop devices"
#: The colours of Buildbot's own badges.
_PASSED, _FAILED = "#4c1", "#e05d44"
#: Pixels for a character, which a browser's font is fitted to, and beside a text.
_CHARACTER, _MARGIN = 6.3, 6

_IMAGE = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{words}">
  <title>{words}</title>
  <rect rx="3" width="{width}" height="20" fill="#555"/>
  <rect rx="3" x="{middle}" width="{right}" height="20" fill="{colour}"/>
  <rect x="{middle}" width="4" height="20" fill="{colour}"/>
  <g fill="#fff" font-family="DejaVu Sans,Verdana,Geneva,sans-serif" font-size="11">
{texts}
  </g>
</svg>
"""
_TEXT = (
    '    <text x="{x}" y="14" textLength="{length}" lengthAdjust="spacingAndGlyphs">{text}</text>'
)


def result_of(statement: str) -> str:
    """
    Summarise a statement.

    :param statement: a recorded one: the day first, the counts of tests last.
    :return: such as ``passed, 2026-11-23``.
    """
    day, counts = statement[: len("2026-11-23")], statement.splitlines()[-1]
    failed = re.fullmatch(r"  \d+ passed, (\d+) failed", counts)
    return f"{'passed' if failed and failed[1] == '0' else 'failed'}, {day}"


def _length(text: str) -> int:
    return round(len(text) * _CHARACTER)


def badge(statement: str) -> str:
    """:return: the badge of the build that a statement is about, as SVG."""
    result = result_of(statement)
    middle, right = (_length(text) + 2 * _MARGIN for text in (LABEL, result))
    texts = [(_MARGIN, LABEL), (middle + _MARGIN, result)]
    return _IMAGE.format(
        width=middle + right,
        words=f"{LABEL}: {result}",
        middle=middle,
        right=right,
        colour=_PASSED if result.startswith("passed") else _FAILED,
        texts="\n".join(_TEXT.format(x=x, length=_length(text), text=text) for x, text in texts),
    )
