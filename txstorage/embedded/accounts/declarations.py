# -*- test-case-name: tests.embedded.accounts.test_declarations -*-
"""Users as the operator declares them: by an option, or in a file; see :mod:`.files`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Optional

import attr

from .roles import IMPLIED

#: Names of users and projects; a user's is a part of a file's.
NAME = r"[A-Za-z0-9][A-Za-z0-9._@-]{0,62}"
NAME_RULE = (
    "names begin with a letter or a digit, and have at most 63 letters, digits, and characters of "
    "._@-"
)


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
            raise InvalidAccounts(f"{value!r} can't be a {what}'s name: {NAME_RULE}")
    return Declaration(name, {project: roles_of(roles.split(","))})


def roles_of(names: Iterable[str]) -> tuple[str, ...]:
    """
    :return: the roles with these names.
    :raises InvalidAccounts: there is no role with one of them.
    """
    found = tuple(names)
    for role in found:
        if role not in IMPLIED:
            raise InvalidAccounts(f"there is no role {role!r}{nearest_name(role, IMPLIED)}")
    return found


def nearest_name(name: object, known: Iterable[str]) -> str:
    """:return: the end of a message, which names the nearest name, or all."""
    names = sorted(known)
    near = difflib.get_close_matches(str(name), names, 1)
    return f"; did you mean {near[0]!r}?" if near else f"; use one of: {', '.join(names)}"


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
    "NAME_RULE",
    "Account",
    "Declaration",
    "InvalidAccounts",
    "merged",
    "nearest_name",
    "parse_option",
    "roles_of",
]
