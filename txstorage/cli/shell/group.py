# -*- test-case-name: tests.cli.shell.test_group -*-
"""Groups of commands that import a command's module when the command is used."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click
from click.shell_completion import CompletionItem

from .imports import many_imports
from .options import with_global_options


class LazyCommand(NamedTuple):
    """
    A command whose module is not imported yet.

    :ivar module: the module's full name; the command has the name of the entry there.
    :ivar short_help: the command's line in the help of its group.
    """

    module: str
    short_help: str


class Commands(click.Group):
    """
    A group of commands.

    :param lazy: the commands to import when they are used, by their names.
    :param aliases: short names of commands.
    :ivar is_program: whether the group is this process's program, not a part of a test.
    """

    is_program = False

    def __init__(
        self,
        *args: Any,
        lazy: Mapping[str, LazyCommand] | None = None,
        aliases: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = dict(lazy or {})
        self._aliases = dict(aliases or {})
        self._imported: dict[str, click.Command] = {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """See ``click.Group``."""
        return sorted({*self.commands, *self._lazy})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """See ``click.Group``."""
        name = self._aliases.get(cmd_name, cmd_name)
        command = self._import(ctx, name) if name in self._lazy else super().get_command(ctx, name)
        return None if command is None else with_global_options(command)

    def _import(self, ctx: click.Context, name: str) -> click.Command:
        if name not in self._imported:
            with many_imports(ctx):
                module = import_module(self._lazy[name].module)
            self._imported[name] = getattr(module, name.replace("-", "_"))
        return self._imported[name]

    def line_of(self, ctx: click.Context, name: str, limit: int = 200) -> str:
        """
        Return a command's line in the help, without an import.

        :param limit: characters.
        """
        if name in self._lazy:
            return self._lazy[name].short_help
        command = self.get_command(ctx, name)
        return "" if command is None else command.get_short_help_str(limit)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """See ``click.Group``; aliases stand beside the names."""
        shown = {
            name: ", ".join(
                [name, *(short for short in self._aliases if self._aliases[short] == name)]
            )
            for name in self.list_commands(ctx)
        }
        limit = formatter.width - 6 - max(map(len, shown.values()))
        with formatter.section("Commands"):
            formatter.write_dl(
                [(title, self.line_of(ctx, name, limit)) for name, title in shown.items()]
            )

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """See ``click.Group``."""
        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        items = [CompletionItem(name, help=self.line_of(ctx, name)) for name in names]
        return items + click.Command.shell_complete(self, ctx, incomplete)


__all__ = ["Commands", "LazyCommand"]
