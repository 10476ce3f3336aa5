# -*- test-case-name: tests.cli.test_terminal -*-
"""The output for people, in which control characters from the cloud are visible and harmless."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from typing import Any

import click
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

# Control and format characters, lone surrogates, and the separators of lines and paragraphs.
_UNSAFE = frozenset(["Cc", "Cf", "Cs", "Zl", "Zp"])
# The joiners are parts of words and emoji.
_SAFE = frozenset("\n\u200c\u200d")


def visible(text: str) -> str:
    """Replace each control character, except the newline, with its escape sequence in Python."""
    return "".join(
        each.encode("unicode_escape").decode("ascii")
        if unicodedata.category(each) in _UNSAFE and each not in _SAFE
        else each
        for each in text
    )


def one_line(text: str) -> str:
    """Return a text of the cloud as :func:`visible` does, with visible newlines: it forges none."""
    return visible(text).replace("\n", "\\n")


def echo(text: str, err: bool = False, nl: bool = True) -> None:
    """
    Print a text.

    :param err: whether to print on standard error.
    :param nl: whether a newline follows.
    """
    click.echo(visible(text), err=err, nl=nl)


def as_json(document: Any) -> str:
    """Return a document as JSON without control characters except newlines."""
    # The encoder escapes all others.
    return json.dumps(document, indent=2).replace("\x7f", "\\u007f")


class SafeConsole(Console):
    """A console that styles text, but prints none of the text's own control characters."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """See ``Console``."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else visible(text), style, control)


__all__ = ["SafeConsole", "as_json", "echo", "one_line", "visible"]
