# -*- test-case-name: tests.cli.test_terminal -*-
"""Texts for people, in which foreign control characters are visible and harmless."""

from __future__ import annotations

import io
import sys
import threading
import unicodedata
import warnings
from contextlib import redirect_stderr
from typing import IO, Any, Callable, cast

import click

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


def guard_standard_error() -> None:
    """
    Make the tracebacks and warnings of this process safe.

    They contain foreign texts, and Python prints them without this module.
    """
    sys.excepthook = _visibly(sys.excepthook)
    threading.excepthook = _visibly(threading.excepthook)
    sys.unraisablehook = _visibly(sys.unraisablehook)
    warnings.showwarning = _visibly(warnings.showwarning)
    if "twisted" in sys.modules:
        guard_log()


def guard_log() -> None:
    """Make the critical messages of Twisted's log safe, which is imported with the operations."""
    from twisted import logger

    def text_of(event: Any) -> str:
        return logger.eventAsText(event, includeTimestamp=False, includeSystem=False) + "\n"

    show_warning = warnings.showwarning
    # As Twisted does before it begins to log.
    critical = logger.LogLevelFilterPredicate(defaultLogLevel=logger.LogLevel.critical)
    observer = logger.FileLogObserver(cast("IO[str]", _SafeErrors()), text_of)
    logger.globalLogBeginner.beginLoggingTo(
        [logger.FilteringLogObserver(observer, [critical])], redirectStandardIO=False
    )
    warnings.showwarning = show_warning


__all__ = ["echo", "guard_log", "guard_standard_error", "one_line", "visible"]
