# -*- test-case-name: tests.embedded.test_private_path -*-
"""
The check that no other user can change a path or the content of its directory.

Root writes and reads there.  A user who can replace a directory on the way, or a file inside, could
choose the file that root overwrites, or the password that root accepts.
"""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterator

import attr

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_MAX_LINKS = 40


@attr.s(frozen=True, auto_attribs=True)
class Weakness:
    """
    A place that another user can change.

    :ivar path: of the place.
    :ivar reason: the user, and the change that the user can make.
    :ivar remedy: a command, or a change of configuration.
    """

    path: str
    reason: str
    remedy: str


def owner_name(uid: int) -> str:
    """Return a user's name and id."""
    try:
        return f"{pwd.getpwuid(uid).pw_name} (user {uid})"
    except KeyError:
        return f"user {uid}"


def on_the_way(path: str, uid: int) -> Weakness | None:
    """
    Find a directory or symbolic link on the way to a directory that another user can change.

    :param path: absolute; its last parts need not exist.
    :param uid: the user of the service; root counts as the same.
    """
    for each in _steps(path):
        found = os.lstat(each)
        trusted = found.st_uid in (0, uid)
        if stat.S_ISLNK(found.st_mode):
            if not trusted:
                return _owned(each, found.st_uid, "replace this link")
            continue
        if not trusted:
            return _owned(each, found.st_uid, "change all of it")
        # In a sticky directory, such as /tmp, a user replaces only that user's own entries.
        shared = found.st_mode & stat.S_ISVTX and each != os.path.realpath(path)
        if found.st_mode & _OTHERS_WRITE and not shared:
            owner = owner_name(found.st_uid)
            reason = f"belongs to {owner}, and other users can write to it"
            return Weakness(each, reason, _closing(each, found.st_mode))
    return None


def _closing(path: str, mode: int) -> str:
    """Return the remedy of a directory in which other users can write."""
    if mode & stat.S_ISVTX:
        # Everyone needs it as it is: /tmp, for example.
        return f"give a directory inside it: --state-dir {os.path.join(path, 'txstorage')}"
    others = "g" if not mode & stat.S_IWOTH else "go"
    return f"run chmod {others}-w {path}, or give another --state-dir"


def _owned(path: str, uid: int, change: str) -> Weakness:
    return Weakness(
        path,
        f"belongs to {owner_name(uid)}, who can {change}",
        f"run chown -h root {path} if its content is trusted, or give another --state-dir",
    )


def _steps(path: str) -> Iterator[str]:
    """The existing directories and links from the root to a path, through the links' targets."""
    todo, done, links = path.split("/")[1:], "/", 0
    yield done
    while todo:
        name = todo.pop(0)
        if name in ("", "."):
            continue
        done = os.path.dirname(done) if name == ".." else os.path.join(done, name)
        if not os.path.lexists(done):
            return
        yield done
        if os.path.islink(done) and links < _MAX_LINKS:
            links += 1
            target = os.readlink(done)
            todo = target.split("/") + todo
            done = "/" if target.startswith("/") else os.path.dirname(done)


def inside(directory: str, uid: int) -> Weakness | None:
    """
    Find an entry of a directory that is a symbolic link, or another user's.

    :param uid: the user of the service; root counts as the same.
    """
    with os.scandir(directory) as entries:
        for entry in entries:
            found = entry.stat(follow_symlinks=False)
            if stat.S_ISLNK(found.st_mode):
                return Weakness(
                    entry.path,
                    f"is a symbolic link, made by {owner_name(found.st_uid)}, and is not followed",
                    "remove it, and give the target with --state-dir or mount it there",
                )
            if found.st_uid not in (0, uid):
                return Weakness(
                    entry.path,
                    f"belongs to {owner_name(found.st_uid)}, who may have planted it",
                    f"remove it, or run chown root {entry.path} if its content is trusted",
                )
    return None
