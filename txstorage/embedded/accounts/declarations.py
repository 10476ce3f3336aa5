# -*- test-case-name: tests.embedded.accounts.test_declarations -*-
"""Users as the operator declares them: by an option, or in a file."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, Optional

import attr
import yaml
from jsonschema import Draft4Validator, ValidationError

from .roles import IMPLIED

#: Names of users and projects; a user's is a part of a file's.
NAME = r"[A-Za-z0-9][A-Za-z0-9._@-]{0,62}"
_ROLES = {
    "type": ["string", "array"],
    "items": {"type": "string", "enum": list(IMPLIED)},
    "minItems": 1,
}
_USER = {
    "type": "object",
    "properties": {
        "password_file": {"type": "string", "minLength": 1},
        "projects": {
            "type": "object",
            "minProperties": 1,
            "patternProperties": {rf"\A{NAME}\Z": _ROLES},
            "additionalProperties": False,
        },
    },
    "required": ["projects"],
    "additionalProperties": False,
}
_SCHEMA = {
    "type": "object",
    "properties": {
        "users": {
            "type": "object",
            "patternProperties": {rf"\A{NAME}\Z": _USER},
            "additionalProperties": False,
        }
    },
    "required": ["users"],
    "additionalProperties": False,
}


class InvalidAccounts(Exception):
    """Users are declared in a way that can't be used; the text gives the reason."""


@attr.s(frozen=True, auto_attribs=True)
class Account:
    """
    A user.

    :ivar roles: the names of the roles that were given, by the project's name; the first project is
        the user's default.
    """

    name: str
    password: str = attr.ib(repr=False)
    roles: Mapping[str, tuple[str, ...]]


@attr.s(frozen=True, auto_attribs=True)
class Declaration:
    """
    A user without the password.

    :ivar roles: as an account's.
    :ivar password_file: its path; ``None`` for one in the state directory.
    """

    name: str
    roles: Mapping[str, tuple[str, ...]]
    password_file: Optional[str] = None


def parse_option(text: str) -> Declaration:
    """
    Parse ``NAME:PROJECT:ROLES``, with commas between the roles.

    :raises InvalidAccounts: it has another form.
    """
    parts = text.split(":")
    if len(parts) != 3:
        raise InvalidAccounts(f"{text!r} is not of the form NAME:PROJECT:ROLES")
    name, project, roles = parts
    for what, value in (("user", name), ("project", project)):
        if not re.fullmatch(NAME, value):
            raise InvalidAccounts(f"{value!r} can't be a {what}'s name")
    return Declaration(name, {project: _roles(roles.split(","))})


def _roles(names: Iterable[str]) -> tuple[str, ...]:
    found = tuple(names)
    for role in found:
        if role not in IMPLIED:
            raise InvalidAccounts(f"there is no role {role!r}{_nearest(role, IMPLIED)}")
    return found


def _nearest(name: object, known: Iterable[str]) -> str:
    """:return: the end of a message, which names the nearest name, or all."""
    names = sorted(known)
    near = difflib.get_close_matches(str(name), names, 1)
    return f"; did you mean {near[0]!r}?" if near else f"; use one of: {', '.join(names)}"


def read_file(path: str) -> list[Declaration]:
    """
    Read the users of a YAML file.

    :raises InvalidAccounts: the file can't be read, or its content is wrong.
    """
    try:
        with open(path, encoding="utf-8") as opened:
            found = yaml.safe_load(opened)
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise InvalidAccounts(f"can't read {path}: {reason}") from error
    wrong = sorted(Draft4Validator(_SCHEMA).iter_errors(found), key=_importance)
    if wrong:
        raise InvalidAccounts(f"{path}: {_explained(wrong[0])}")
    try:
        return [_declared(path, name, user) for name, user in found["users"].items()]
    except InvalidAccounts as problem:
        raise InvalidAccounts(f"{path}: {problem}") from problem


def _importance(error: ValidationError) -> bool:
    # A wrong name explains why the right one is missing.
    return error.validator != "additionalProperties"


def _explained(error: ValidationError) -> str:
    where = ".".join(str(each) for each in error.absolute_path)
    place = f"{where}: " if where else ""
    schema: Any = error.schema
    instance: Any = error.instance
    if error.validator == "additionalProperties":
        known = schema.get("properties", {})
        patterns = schema.get("patternProperties", {})
        unknown = next(
            name
            for name in instance
            if name not in known and not any(re.search(each, str(name)) for each in patterns)
        )
        if not known:
            return f"{place}{unknown!r} can't be a name"
        return f"{place}there is no key {unknown!r}{_nearest(unknown, known)}"
    if error.validator == "enum":
        return f"{place}there is no role {instance!r}{_nearest(instance, IMPLIED)}"
    return f"{place}{error.message}"


def _declared(path: str, name: str, user: Mapping[str, Any]) -> Declaration:
    roles = {
        project: _roles([given] if isinstance(given, str) else given)
        for project, given in user["projects"].items()
    }
    file = user.get("password_file")
    if file is not None:
        # As from the file's own directory.
        file = os.path.join(os.path.dirname(os.path.abspath(path)), file)
    return Declaration(name, roles, file)


def merged(declarations: Iterable[Declaration]) -> list[Declaration]:
    """
    Make one declaration of all that a user has.

    :raises InvalidAccounts: a user has two files for the password.
    """
    users: dict[str, Declaration] = {}
    for each in declarations:
        before = users.get(each.name, Declaration(each.name, {}))
        files = {before.password_file, each.password_file} - {None}
        if len(files) > 1:
            raise InvalidAccounts(f"the user {each.name} has two files for the password")
        roles = dict(before.roles)
        for project, given in each.roles.items():
            roles[project] = tuple(dict.fromkeys([*roles.get(project, ()), *given]))
        users[each.name] = Declaration(each.name, roles, next(iter(files), None))
    return list(users.values())


__all__ = [
    "Account",
    "Declaration",
    "InvalidAccounts",
    "merged",
    "parse_option",
    "read_file",
]
