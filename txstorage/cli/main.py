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

_JSON = "txstorage.cli.main"


@contextmanager
def _usage_error_as_json(context: click.Context, as_json: bool) -> Iterator[None]:
    """With ``--json``, print usage errors as JSON, too."""
    try:
        yield
    except click.ClickException as error:
        if not as_json:
            raise
        from .errors import Explanation

        kind, message = type(error).__name__, error.format_message()
        where = getattr(error, "ctx", None) or context
        remedy = f"see '{where.command_path} --help'"
        Explanation(kind, message, remedy).report(as_json)
        context.exit(error.exit_code)


#: The commands, whose modules take a while to import.
COMMANDS = {
    "demo": LazyCommand(
        "txstorage.cli.demo", "Create, fill, move and destroy a volume on this machine."
    ),
    "doctor": LazyCommand(
        "txstorage.cli.doctor", "Check the configuration step by step, and print the remedies."
    ),
    "serve": LazyCommand(
        "txstorage.cli.serve", "Serve volumes of this machine over OpenStack's HTTP APIs."
    ),
    "volumes": LazyCommand(
        "txstorage.cli.volumes", "List, create, attach, detach and destroy the cluster's volumes."
    ),
}


class _Commands(Commands):
    """The commands.  With ``--json``, every outcome is one JSON document."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See ``click.Command``."""
        ctx.meta[_JSON] = wants_json(args)
        with _usage_error_as_json(ctx, ctx.meta[_JSON]):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """See ``click.Command``."""
        with _usage_error_as_json(ctx, ctx.meta[_JSON]):
            return super().invoke(ctx)


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
