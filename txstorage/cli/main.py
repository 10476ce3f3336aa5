# -*- test-case-name: tests.cli.test_app -*-
"""
The command ``txstorage``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from .._version import VERSION
from .shell import Commands, LazyCommand, wants_json, with_global_options
from .shell.options import JSON
from .shell.texts import guard_standard_error, one_line

#: The help of a group without a command, as an exception; since click 8.2.0.
_HELP: Any = getattr(click.exceptions, "NoArgsIsHelpError", ())


def _usage_error(error: click.ClickException) -> str:
    """Return the text that click prints for an error, whose message is one line."""
    message = error.format_message()
    if isinstance(error, _HELP):
        return message
    shown = f"Error: {one_line(message)}"
    if isinstance(error, click.UsageError) and error.ctx is not None:
        remedy = f"Try '{error.ctx.command_path} --help' for help."
        return f"{error.ctx.get_usage()}\n{remedy}\n\n{shown}"
    return shown


@contextmanager
def _safe_usage_errors(context: click.Context, as_json: bool) -> Iterator[None]:
    """Print click's errors without foreign control characters; with ``--json``, as JSON."""
    try:
        yield
    except click.ClickException as error:
        from .errors import Explanation, say

        where = getattr(error, "ctx", None) or context
        if as_json:
            remedy = f"see '{where.command_path} --help'"
            Explanation(type(error).__name__, error.format_message(), remedy).report(as_json)
        else:
            say(_usage_error(error))
        context.exit(error.exit_code)


#: The commands, whose modules take a while to import.
COMMANDS = {
    "demo": LazyCommand(
        "txstorage.cli.demo", "Create, fill, move and destroy a volume on this machine."
    ),
    "docker-plugin": LazyCommand(
        "txstorage.cli.docker_plugin",
        "Give Docker, Compose, Swarm and Podman persistent volumes of the configured cloud.",
    ),
    "doctor": LazyCommand(
        "txstorage.cli.doctor", "Check the configuration step by step, and print the remedies."
    ),
    "serve": LazyCommand(
        "txstorage.cli.serve",
        "Serve volumes of this machine over the HTTP APIs of OpenStack and EC2.",
    ),
    "snapshots": LazyCommand(
        "txstorage.cli.snapshots", "List, create and destroy snapshots of the cluster's volumes."
    ),
    "volumes": LazyCommand(
        "txstorage.cli.volumes",
        "List, create, grow, attach, detach and destroy the cluster's volumes.",
    ),
}


class _Commands(Commands):
    """The commands.  With ``--json``, every outcome is one JSON document."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run as this process's program."""
        self.is_program = True
        guard_standard_error()
        kwargs.setdefault("prog_name", "txstorage")
        return super().__call__(*args, **kwargs)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See ``click.Command``."""
        ctx.meta[JSON] = wants_json(args)
        with _safe_usage_errors(ctx, ctx.meta[JSON]):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """See ``click.Command``."""
        try:
            with _safe_usage_errors(ctx, ctx.meta[JSON]):
                return super().invoke(ctx)
        except (KeyboardInterrupt, click.Abort) as error:
            # Before and after the reactor runs, and at a prompt, where click replaces it.
            if not any(isinstance(each, KeyboardInterrupt) for each in (error, error.__context__)):
                raise
            from .errors import explain
            from .running import CommandInterrupted

            interrupted = CommandInterrupted()
            explain(interrupted).report(ctx.meta[JSON])
            ctx.exit(interrupted.exit_code)


@click.group(
    cls=_Commands,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(VERSION, package_name="txstorage", message="%(prog)s %(version)s")
def main() -> None:
    """
    Block storage over HTTP: volumes, attached as devices of this node.

    The options below may also stand after the command.
    """


with_global_options(main)
