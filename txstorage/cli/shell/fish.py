# -*- test-case-name: tests.packages.check_shells -*-
"""The completion for fish."""

from __future__ import annotations

from click.shell_completion import FishComplete, add_completion_class


@add_completion_class
class Fish(FishComplete):
    """
    Click's completion for fish, with whole descriptions.

    Click's script takes a description up to the first comma only; still so in click 8.5.
    """

    source_template = FishComplete.source_template.replace(
        'string split ","', 'string split --max 1 ","'
    )


__all__ = ["Fish"]
