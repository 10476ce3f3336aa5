# -*- test-case-name: tests.cli.test_terminal -*-
"""The output for people, in which foreign control characters are visible and harmless."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from .shell.texts import echo, one_line, visible


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
