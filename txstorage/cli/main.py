# -*- test-case-name: tests.cli.test_app -*-
"""
The command ``txstorage``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import attr
import click
from eliot import to_file

from .._version import VERSION
from .app import App
from .demo import demo
from .doctor import doctor
from .errors import Explanation, explain, say
from .running import CommandInterrupted
from .serve import serve
from .terminal import guard_standard_error, one_line
from .volumes import volumes


def log_to(path: str) -> None:
    """
    Write the Eliot log to a file that only its owner can read.

    :raises OSError: when it can't be opened.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    # Other users may be able to read an existing file.
    os.fchmod(descriptor, 0o600)
    to_file(os.fdopen(descriptor, "ab", buffering=0))


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
        where = getattr(error, "ctx", None) or context
        if as_json:
            remedy = f"see '{where.command_path} --help'"
            Explanation(type(error).__name__, error.format_message(), remedy).report(as_json)
        else:
            say(_usage_error(error))
        context.exit(error.exit_code)


class _Commands(click.Group):
    """The commands.  With ``--json``, every outcome is one JSON document."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run as this process's program."""
        guard_standard_error()
        kwargs.setdefault("prog_name", "txstorage")
        return super().__call__(*args, **kwargs)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See ``click.Command``."""
        with _safe_usage_errors(ctx, "--json" in args):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """See ``click.Command``."""
        try:
            with _safe_usage_errors(ctx, ctx.params["as_json"]):
                return super().invoke(ctx)
        except (KeyboardInterrupt, click.Abort) as error:
            # Before and after the reactor runs, and at a prompt, where click replaces it.
            if not any(isinstance(each, KeyboardInterrupt) for each in (error, error.__context__)):
                raise
            interrupted = CommandInterrupted()
            explain(interrupted).report(ctx.params["as_json"])
            ctx.exit(interrupted.exit_code)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    metavar="PATH",
    help="An agent.yml, whose 'dataset' section is used.  By default $TXSTORAGE_CONFIG, else "
    "/etc/flocker/agent.yml or /etc/txstorage/agent.yml if there is one, else the TXSTORAGE_* and "
    "OS_* variables, else the first agent-NODE.yml in the default state directory of 'serve'.",
)
@click.option("--cluster-id", type=click.UUID, help="The cluster, instead of the configured one.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, for machines.")
@click.option("--log", metavar="PATH", help="Append an Eliot log to this file.")
@click.version_option(VERSION, package_name="txstorage", message="%(prog)s %(version)s")
@click.pass_context
def main(
    context: click.Context,
    config: str | None,
    cluster_id: UUID | None,
    as_json: bool,
    log: str | None,
) -> Any:
    """Block storage over HTTP: volumes, attached as devices of this node."""
    if log is not None:
        try:
            log_to(log)
        except OSError as error:
            raise click.FileError(log, hint=error.strerror)
    context.obj = attr.evolve(
        context.obj or App(), config=config, cluster_id=cluster_id, json=as_json
    )


for command in (demo, doctor, serve, volumes):
    main.add_command(command)
