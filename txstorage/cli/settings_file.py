# -*- test-case-name: tests.cli.test_settings_file -*-
"""The configuration files of the services, whose keys are the names of the options."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence
from typing import Any, Callable, TypeVar

import click
import yaml

from .._support.notations.yaml_keys import load_unique
from ..errors import InvalidConfiguration
from .errors import explain
from .shell.options import GlobalOption, is_for_machines

F = TypeVar("F", bound=Callable[..., Any])

#: The directory of the files, each of which is named after its command.
DIRECTORY = "/etc/txstorage"
_NOT_IN_A_FILE = frozenset(["settings", "recover", "yes", "check"])


def options_by_key(command: click.Command) -> dict[str, click.Option]:
    """The options that a file can give, by their names without hyphens in front."""
    return {
        max(option.opts, key=len).lstrip("-"): option
        for option in command.params
        if isinstance(option, click.Option)
        and not isinstance(option, GlobalOption)
        and not option.hidden
        and option.name not in _NOT_IN_A_FILE
    }


def read_settings(path: str) -> Mapping[str, Any]:
    """
    :return: the file's keys and values.
    :raises InvalidConfiguration: the file can't be read, or is not a mapping.
    """
    try:
        with open(path, encoding="utf-8") as opened:
            found = load_unique(opened)
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise InvalidConfiguration("settings", f"can't read {path}: {reason}") from error
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise InvalidConfiguration("settings", f"{path} must be a mapping of options to values")
    return found


def defaults(context: click.Context, path: str) -> dict[str, Any]:
    """
    Read a file as defaults of a command's parameters.

    :raises InvalidConfiguration: the error names the key and the file.
    """
    known = options_by_key(context.command)
    found = {}
    for key, value in read_settings(path).items():
        option = known.get(str(key).replace("_", "-"))
        if option is None or option.name is None:
            raise InvalidConfiguration(
                key, f"{path}: there is no such option", _nearest(str(key), sorted(known))
            )
        if option.multiple and not isinstance(value, list):
            value = [value]
        reason = _reason(context, option, value)
        if reason:
            raise InvalidConfiguration(key, f"{path}: {reason}")
        found[option.name] = value
    return found


def _nearest(key: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(key.replace("_", "-"), known, 1)
    return f"did you mean {near[0]}?" if near else "use one of: " + ", ".join(known)


def _reason(context: click.Context, option: click.Option, value: Any) -> str:
    """Return the reason why an option can't have a value; empty when it can."""
    for each in value if option.multiple else [value]:
        if not isinstance(each, (str, int, float)):
            return f"{each!r} is neither a text nor a number"
    try:
        option.type_cast_value(context, value)
    except click.BadParameter as error:
        return error.message
    return ""


def _load(context: click.Context, parameter: click.Parameter, path: str | None) -> None:
    """
    Make the file's values the defaults of the options.

    :raises SystemExit: the file is wrong; the error is printed.
    """
    usual = _usual(context.command.name or "")
    if path is None and not os.path.exists(usual):
        return
    try:
        context.default_map = defaults(context, path or usual)
    except InvalidConfiguration as error:
        explain(error).report(is_for_machines(context))
        raise SystemExit(1) from error


def _usual(command: str) -> str:
    return os.path.join(DIRECTORY, command + ".yml")


def settings_option(command: str, example: str) -> Callable[[F], F]:
    """
    Make the option ``--settings``.

    :param command: the command's name.
    :param example: a line of its file, for the help.
    """
    return click.option(
        "--settings",
        metavar="PATH",
        type=click.Path(),
        is_eager=True,
        expose_value=False,
        callback=_load,
        help=f"A YAML file with options by their names, such as '{example}'; options of the "
        f"command line take precedence.  [default: {_usual(command)}, if there is one]",
    )


__all__ = ["DIRECTORY", "defaults", "options_by_key", "read_settings", "settings_option"]
