# -*- test-case-name: tests.cli.test_terminal -*-
"""The output for people, in which foreign control characters are visible and harmless."""

from __future__ import annotations

import io
import json
import sys
import threading
import unicodedata
import warnings
from collections.abc import Iterable
from contextlib import redirect_stderr
from typing import IO, Any, Callable, cast

import click
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from twisted.logger import (
    FileLogObserver,
    FilteringLogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    eventAsText,
    globalLogBeginner,
)

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
    """Return a foreign text as :func:`visible` does, with visible newlines: it forges no line."""
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


class _SafeErrors(io.TextIOBase):
    """Standard error, as a stream that prints no control characters but newlines."""

    def write(self, text: str) -> int:
        """See ``io.TextIOBase``."""
        echo(text, err=True, nl=False)
        return len(text)


def _visibly(hook: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that prints on standard error, with safe output."""

    def shown(*args: Any) -> None:
        text = io.StringIO()
        with redirect_stderr(text):
            hook(*args)
        echo(text.getvalue(), err=True, nl=False)

    return shown


def _format(event: Any) -> str:
    return eventAsText(event, includeTimestamp=False, includeSystem=False) + "\n"


def guard_standard_error() -> None:
    """
    Make the tracebacks, warnings and critical log messages of this process safe.

    They contain foreign texts, and Python and Twisted print them without this module.
    """
    sys.excepthook = _visibly(sys.excepthook)
    threading.excepthook = _visibly(threading.excepthook)
    sys.unraisablehook = _visibly(sys.unraisablehook)
    show_warning = warnings.showwarning
    # As Twisted does before it begins to log.
    critical = LogLevelFilterPredicate(defaultLogLevel=LogLevel.critical)
    observer = FileLogObserver(cast("IO[str]", _SafeErrors()), _format)
    globalLogBeginner.beginLoggingTo(
        [FilteringLogObserver(observer, [critical])], redirectStandardIO=False
    )
    warnings.showwarning = _visibly(show_warning)


__all__ = ["SafeConsole", "as_json", "echo", "guard_standard_error", "one_line", "visible"]
