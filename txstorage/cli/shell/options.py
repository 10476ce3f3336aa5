# -*- test-case-name: tests.cli.shell.test_options -*-
"""The global options, which may stand before and after the command."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Callable, TypeVar, cast

import click
from click.core import ParameterSource

from .imports import many_imports
from .texts import guard_log

if TYPE_CHECKING:
    from ..app import App

F = TypeVar("F", bound=Callable[..., Any])

_GIVEN = "txstorage.cli.shell.options"
#: Of the contexts' ``meta``: whether ``--json`` is among the arguments.
JSON = "txstorage.cli.shell.options.json"


def _keep(context: click.Context, param: click.Parameter, value: Any) -> None:
    """Keep the value of an option, in place of one that stands further to the left."""
    name = str(param.name)
    if context.get_parameter_source(name) is not ParameterSource.DEFAULT:
        context.meta.setdefault(_GIVEN, {})[name] = value


class GlobalOption(click.Option):
    """An option of ``txstorage`` itself."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, expose_value=False, callback=_keep, **kwargs)

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """See ``click.Option``; the help of a command has one line for all of them."""
        if ctx.parent is None:
            return super().get_help_record(ctx)
        first, *others = (each for each in ctx.command.params if isinstance(each, GlobalOption))
        if self is not first:
            return None
        names = ", ".join(each.opts[-1] for each in (first, *others))
        return names, "As before the command; see 'txstorage --help'."


def global_options() -> list[click.Option]:
    """Make the options, for one command."""
    return [
        GlobalOption(
            ["--config"],
            metavar="PATH",
            type=click.Path(),
            help="An agent.yml, whose 'dataset' section is used.  By default $TXSTORAGE_CONFIG, "
            "else /etc/flocker/agent.yml or /etc/txstorage/agent.yml if there is one, else the "
            "TXSTORAGE_* and OS_* variables, else the first agent-NODE.yml in the default state "
            "directory of 'serve'.",
        ),
        GlobalOption(
            ["--cluster-id"], type=click.UUID, help="The cluster, instead of the configured one."
        ),
        GlobalOption(["--json"], is_flag=True, help="Print one JSON document, for machines."),
        GlobalOption(
            ["--log"], metavar="PATH", type=click.Path(), help="Append an Eliot log to this file."
        ),
        GlobalOption(
            ["-v", "--verbose"],
            is_flag=True,
            help="Print each HTTP request on standard error, when it is answered.",
        ),
    ]


def with_global_options(command: click.Command) -> click.Command:
    """
    Add the global options to a command, except those that it has itself.

    :return: the same command.
    """
    if not any(isinstance(each, GlobalOption) for each in command.params):
        own = {name for each in command.params for name in each.opts}
        command.params.extend(each for each in global_options() if not own.intersection(each.opts))
    return command


def wants_json(arguments: Iterable[str]) -> bool:
    """Look for ``--json`` in arguments that may be wrong."""
    for each in arguments:
        if each in ("--json", "--"):
            return each == "--json"
    return False


def is_for_machines(context: click.Context) -> bool:
    """Check for ``--json`` while options are still being read."""
    return bool(context.meta.get(JSON))


def log_to(path: str) -> None:
    """
    Write the Eliot log to a file that only its owner can read.

    :raises OSError: when it can't be opened.
    """
    from eliot import to_file

    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    # Other users may be able to read an existing file.
    os.fchmod(descriptor, 0o600)
    to_file(os.fdopen(descriptor, "ab", buffering=0))


def app_of(context: click.Context, for_completion: bool = False) -> App:
    """
    Apply the global options.  The first call imports Twisted, which takes longer than all that a
    help page needs.

    :param for_completion: whether the command does not run, so nothing is logged.
    :raises click.FileError: the log can't be written.
    """
    with many_imports(context):
        import attr

        from ..app import App

    if getattr(context.find_root().command, "is_program", False):
        guard_log()
    given = dict(context.meta.get(_GIVEN, {}))
    if for_completion:
        given = {name: given[name] for name in ("config", "cluster_id") if name in given}
    log = given.pop("log", None)
    if log is not None:
        try:
            log_to(log)
        except OSError as error:
            raise click.FileError(log, hint=error.strerror)
    if given.get("verbose"):
        from ..tracing import trace_requests

        trace_requests()
    return attr.evolve(context.obj or App(), **given)


def pass_app(function: F) -> F:
    """Pass the :class:`~txstorage.cli.app.App` to a command, as its first argument."""

    def command(*args: Any, **kwargs: Any) -> Any:
        context = click.get_current_context()
        return context.invoke(function, app_of(context), *args, **kwargs)

    return cast(F, update_wrapper(command, function))


__all__ = [
    "GlobalOption",
    "app_of",
    "is_for_machines",
    "log_to",
    "pass_app",
    "wants_json",
    "with_global_options",
]
