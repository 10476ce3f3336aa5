# -*- test-case-name: tests.embedded.accounts.test_policy -*-
"""Keystone's default roles, and those that each of them implies."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping

#: Each role, with all that it implies.
IMPLIED: Mapping[str, tuple[str, ...]] = {
    "admin": ("manager", "member", "reader"),
    "manager": ("member", "reader"),
    "member": ("reader",),
    "reader": (),
    "service": (),
}


class Who(enum.Enum):
    """The users that may do something, by the role that one of theirs must be."""

    #: Users with any role, or with none.
    ANYBODY = None
    READER = "reader"
    MEMBER = "member"
    ADMIN = "admin"
    #: Depends on the resource, which the handler checks.
    DEPENDS = "depends"


def effective(roles: Iterable[str]) -> tuple[str, ...]:
    """:return: roles with those that they imply, in the order of :data:`IMPLIED`."""
    given = set(roles)
    implied = {each for role in given for each in IMPLIED[role]}
    return tuple(role for role in IMPLIED if role in given | implied)


__all__ = ["IMPLIED", "Who", "effective"]
