"""
The badges of recorded runs, with words that need no Buildbot to be understood.

Buildbot's own badge names neither the tests nor the day.  Knows nothing of Buildbot.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

#: The statement of a builder of which no run was recorded.
NOT_RUN = "not run\n"
#: The colours of Buildbot's own badges.
_PASSED, _FAILED, _UNKNOWN = "#4c1", "#e05d44", "#9f9f9f"
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
_DAY_AND_COMMIT = re.compile(r"(\d{4}-\d\d-\d\d): (?:\S+ \S+ \(([0-9a-f]+)\))?")
_COUNTS = re.compile(r"  ([1-9]\d*) passed, 0 failed(, \d+ skipped)?")


def text_name(builder: str) -> str:
    """:return: the name of the file of a builder's recorded statement."""
    return f"status-{builder}.txt"


def image_name(builder: str) -> str:
    """:return: the name of the file of a builder's recorded badge."""
    return f"status-{builder}.svg"


def recorded(day: str, certified: str, counts: Mapping[str, int]) -> str:
    """
    :param day: such as ``2026-11-23``, in UTC.
    :param certified: the lines of the statement of a build.
    :param counts: the numbers of tests that "passed", "failed", and were "skipped".
    :return: the statement to record.
    """
    numbers = "{passed} passed, {failed} failed, {skipped} skipped".format_map(counts)
    return f"{day}: {certified.rstrip()}\n  {numbers}\n"


def result_of(statement: str) -> str:
    """
    Summarise a statement.

    :param statement: a recorded one, or :data:`NOT_RUN`.
    :return: such as ``passed, 2026-11-23, 3d400b2``; only counts of tests that passed, and of none
        that failed, are a success.
    """
    if statement == NOT_RUN:
        return NOT_RUN.strip()
    result = "passed" if _COUNTS.fullmatch(statement.splitlines()[-1]) else "failed"
    found = _DAY_AND_COMMIT.match(statement)
    return ", ".join([result, *filter(None, found.groups() if found else ())])


def words_of(label: str, statement: str) -> str:
    """:return: the words of a badge, which stand in for it where images are not shown."""
    return f"{label}: {result_of(statement)}"


def _length(text: str) -> int:
    return round(len(text) * _CHARACTER)


def _colour(result: str) -> str:
    colours = {"passed": _PASSED, NOT_RUN.strip(): _UNKNOWN}
    return colours.get(result.partition(",")[0], _FAILED)


def badge(label: str, statement: str) -> str:
    """
    :param label: the words to the left of the result.
    :return: the badge of the run that a statement is about, as SVG.
    """
    result = result_of(statement)
    middle, right = (_length(text) + 2 * _MARGIN for text in (label, result))
    texts = [(_MARGIN, label), (middle + _MARGIN, result)]
    return _IMAGE.format(
        width=middle + right,
        words=words_of(label, statement),
        middle=middle,
        right=right,
        colour=_colour(result),
        texts="\n".join(_TEXT.format(x=x, length=_length(text), text=text) for x, text in texts),
    )


def with_words(page: str, image: str, words: str) -> str:
    """
    :param page: the source of a page.
    :param image: the name of a badge's file.
    :return: the page with these words for the badge.
    """
    shown = re.compile(rf"(\.\. image:: (?:docs/)?{re.escape(image)}\n   :alt: ).*")
    return shown.sub(lambda found: found[1] + words, page)
