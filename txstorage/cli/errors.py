# -*- test-case-name: tests.cli.test_errors -*-
"""Errors for the user: the failure, its reason and its remedy."""

from __future__ import annotations

import errno
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import attr
import click
from twisted.internet.error import CannotListenError

from .._support.compat import as_text
from ..errors import InvalidConfiguration, StorageError
from ..interfaces import (
    AlreadyAttachedVolume,
    UnattachedVolume,
    UnknownInstanceID,
    UnknownVolume,
    VolumeException,
)
from .running import CommandInterrupted
from .terminal import as_json, echo, one_line

if TYPE_CHECKING:
    from typing_extensions import TypeGuard

    from ..embedded.state_directory import ServeError


def say(text: str) -> None:
    """
    Print a failure on standard error.
    """
    try:
        sys.stdout.flush()
    except OSError:
        # Otherwise Python flushes again when it exits, and prints its own error.
        with suppress(OSError):
            sys.stdout.close()
    echo(text, err=True)


@attr.s(frozen=True, auto_attribs=True)
class Explanation:
    """
    An error for the user.

    :ivar kind: the error's class name, which the JSON document contains.
    :ivar message: the failure and its reason.
    :ivar remedy: the remedy; may be empty.
    :ivar exit_code: the process's.
    :ivar details: more members of the JSON document.
    """

    kind: str
    message: str
    remedy: str = ""
    exit_code: int = 1
    details: Mapping[str, Any] = attr.ib(factory=dict)

    def as_text(self) -> str:
        """Return the text for a terminal."""
        remedy = f"\nWhat to do: {one_line(self.remedy)}" if self.remedy else ""
        return f"Error: {one_line(self.message)}{remedy}"

    def to_wire(self) -> dict[str, Any]:
        """Return the document for ``--json``."""
        error = {"kind": self.kind, "message": self.message, "remedy": self.remedy}
        return {"error": error, **self.details}

    def as_json(self) -> str:
        """Return the document as text."""
        return as_json(self.to_wire())

    def report(self, as_json: bool) -> None:
        """Print the document if it is expected and can be written, and the text otherwise."""
        if as_json:
            with suppress(OSError):
                click.echo(self.as_json())
                return
        say(self.as_text())


_VOLUME_PROBLEMS: dict[type[VolumeException], tuple[str, str]] = {
    UnknownVolume: (
        "There is no volume {} in this cluster",
        "see 'txstorage volumes list', and check the cluster id",
    ),
    AlreadyAttachedVolume: (
        "Volume {} is attached already",
        "detach it first; 'txstorage volumes show' says where it is attached",
    ),
    UnattachedVolume: (
        "Volume {} is not attached to this node",
        "'txstorage volumes show' says where it is attached, if it is",
    ),
}


#: The remedies of a file, a directory or a socket that can't be used.
_SYSTEM_PROBLEMS = {
    errno.EACCES: "run as root, or as a user who may use it",
    errno.EPERM: "run as root, or as a user who may use it",
    errno.ENOENT: "correct the path",
    errno.EEXIST: "give a path at which nothing else stands",
    errno.ENOTDIR: "give a path at which nothing else stands",
    errno.EISDIR: "give the path of a file",
    errno.EROFS: "give a path on a file system that can be written",
    errno.ENOSPC: "make room on the disk",
    errno.EADDRINUSE: "stop the program that uses it, or give another",
}


def _of_the_system(error: OSError) -> Explanation:
    kind = type(error).__name__
    if not isinstance(error.filename, (str, bytes)):
        return Explanation(kind, as_text(error))
    message = f"{as_text(error.filename)} can't be used: {error.strerror}"
    return Explanation(kind, message, _SYSTEM_PROBLEMS.get(error.errno or 0, ""))


def _of_a_port(error: CannotListenError) -> Explanation:
    # A socket's path stands in place of the port.
    path = isinstance(error.port, (str, bytes))
    place = as_text(error.port) if path else f"{error.interface} port {error.port}"
    cause = error.socketError
    reason = getattr(cause, "strerror", None) or cause
    remedy = _SYSTEM_PROBLEMS.get(getattr(cause, "errno", 0), "give an address of this machine")
    return Explanation(type(error).__name__, f"Can't listen on {place}: {reason}", remedy)


def _is_of_the_service(error: BaseException) -> TypeGuard[ServeError]:
    """Check for the embedded service's error, whose class only the service's commands import."""
    module = sys.modules.get("txstorage.embedded.state_directory")
    return module is not None and isinstance(error, module.ServeError)


def _interrupted(error: CommandInterrupted, sent: str) -> Explanation:
    name, kind = signal.Signals(error.number).name, type(error).__name__
    message, remedy = f"Interrupted by {name}", "the command can be repeated"
    if sent:
        message += f"; the cloud was already asked to: {sent}"
        remedy += "; it resumes from the cloud's current state"
    return Explanation(kind, message, remedy, error.exit_code)


def explain(error: BaseException, sent: str = "") -> Explanation:
    """
    :param error: the error that a command failed with.
    :param sent: the command's requests for changes.
    """
    kind = type(error).__name__
    if isinstance(error, CommandInterrupted):
        return _interrupted(error, sent)
    if isinstance(error, VolumeException):
        message, remedy = _VOLUME_PROBLEMS.get(type(error), (f"{kind} on volume {{}}", ""))
        return Explanation(kind, message.format(error.blockdevice_id), remedy)
    if isinstance(error, (StorageError, InvalidConfiguration)) or _is_of_the_service(error):
        return Explanation(kind, error.message, error.remedy)
    if isinstance(error, UnknownInstanceID):
        return Explanation(
            kind, as_text(error), "set 'instance_id' in the configuration to this node's server id"
        )
    if isinstance(error, CannotListenError):
        return _of_a_port(error)
    if isinstance(error, OSError):
        return _of_the_system(error)
    return Explanation(kind, f"{kind}: {error}", "this is a bug in txstorage: please report it")
