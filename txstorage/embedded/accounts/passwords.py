# -*- test-case-name: tests.embedded.accounts.test_declarations -*-
"""The passwords of declared users: in files of the state directory, or of operators."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable

from ..settings import USER
from ..state_directory import ServeError, StateDirectory
from .declarations import Account, Declaration


def with_passwords(
    users: Iterable[Declaration], state: StateDirectory
) -> tuple[tuple[Account, ...], list[str]]:
    """
    Complete declared users.

    :return: the users with their passwords, which are generated the first time; and remarks about
        them, and about users of earlier starts, for people.
    :raises ServeError: a password can't be read.
    """
    accounts, remarks = [], []
    for user in users:
        roles = "; ".join(f"{name} ({', '.join(each)})" for name, each in user.roles.items())
        if user.name == USER:
            # The first user has a file of its own.
            accounts.append(Account(user.name, "", user.roles))
            remarks.append(f"user {user.name}: also {roles}")
            continue
        path = user.password_file or state.password_file_of(user.name)
        password = (
            state.password_of(user.name) if user.password_file is None else read_password(path)
        )
        remarks.append(f"user {user.name}: {roles}; password in {path}")
        accounts.append(Account(user.name, password, user.roles))
    declared = {each.name for each in accounts}
    remarks += [
        f"user {name} of an earlier start can't sign in: repeat its --user or --accounts, or "
        f"remove {state.password_file_of(name)}"
        for name in state.users()
        if name not in declared
    ]
    return tuple(accounts), remarks


def read_password(path: str) -> str:
    """
    Read a password's file, without the line feed at its end.

    :raises ServeError: it can't be read, other users can read it, or it is empty.
    """
    try:
        with open(path, encoding="utf-8") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            password = opened.read().rstrip("\r\n")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ServeError(
            f"can't read the password file {path}: {reason}",
            "write the password into it, readable for this user only, or leave password_file out "
            "to have a password generated",
        ) from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ServeError(f"other users can use the password file {path}", f"run 'chmod 600 {path}'")
    if not password:
        raise ServeError(f"the password file {path} is empty", "write a password into it")
    return password


__all__ = ["read_password", "with_passwords"]
