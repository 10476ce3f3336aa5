# -*- test-case-name: tests.embedded.test_state_directory -*-
"""
The state directory: its lock and its files.

Everything is made for its owner only: directories 0700, files 0600.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
import time

from . import private_path
from .disk import write_private

_OPEN = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW

#: The time in seconds that a start waits for the lock, and the time between two attempts.
_PATIENCE, _INTERVAL = 2.0, 0.02


class ServeError(Exception):
    """
    The service can't start.

    :ivar message: the problem.
    :ivar remedy: the remedy.
    """

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(f"{message} ({remedy})")
        self.message = message
        self.remedy = remedy


def _refuse(weakness: private_path.Weakness | None) -> None:
    if weakness is not None:
        raise ServeError(f"{weakness.path} {weakness.reason}", weakness.remedy)


def _make_directory(path: str, mode: int) -> None:
    """Make a directory, unless it exists, and those above it, whatever the umask is."""
    if not os.path.isdir(path):
        _make_directory(os.path.dirname(path), 0o755)
        os.mkdir(path, mode)


def _acquire(lock: int) -> None:
    """
    Lock a file, and wait a moment for it: a child of a killed instance shares its lock from its
    fork to its exec.

    :raises BlockingIOError: another process has the lock.
    """
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise
        time.sleep(_INTERVAL)


class StateDirectory:
    """
    A state directory that one service uses exclusively until it is closed.

    :param path: made when it does not exist.
    :raises ServeError: it can't be used, or another instance uses it.
    """

    def __init__(self, path: str) -> None:
        if not path:
            # An empty path would be the working directory.
            raise ServeError("the state directory's name is empty", "give a name with --state-dir")
        self.path = os.path.abspath(path)
        self._lock: int | None = None
        try:
            if os.geteuid() == 0:
                _refuse(private_path.on_the_way(self.path, 0))
            for directory in (self.path, self.volumes, self.devices):
                _make_directory(directory, 0o700)
                self._refuse_content(directory)
            self._lock = os.open(os.path.join(self.path, "lock"), _OPEN, 0o600)
            _acquire(self._lock)
        except BlockingIOError:
            self.close()
            raise ServeError(
                f"the state directory {self.path} is used by another instance",
                "stop the other one, or give another --state-dir",
            ) from None
        except OSError as error:
            self.close()
            in_the_way = isinstance(error, FileExistsError)
            reason = f"{error.filename} is not a directory" if in_the_way else error.strerror
            raise ServeError(
                f"can't use the state directory {self.path}: {reason}",
                "give a directory in which this user can write, with --state-dir",
            ) from error

    def _refuse_content(self, directory: str) -> None:
        """
        :raises ServeError: the directory is not private, or an entry is a link or another user's.
        """
        uid = os.geteuid()
        found = private_path.on_the_way(directory, uid) if uid == 0 else None
        _refuse(found or private_path.inside(directory, uid))

    def exposure(self) -> str:
        """A warning when other users can change the directory's content."""
        found = os.stat(self.path)
        if found.st_uid not in (0, os.geteuid()):
            return f"{self.path} belongs to user {found.st_uid}, who can change all of it"
        if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return f"{self.path} can be changed by other users (chmod 700 {self.path})"
        return ""

    @property
    def volumes(self) -> str:
        """The directory of the volumes' files."""
        return os.path.join(self.path, "volumes")

    @property
    def devices(self) -> str:
        """The directory of the links that stand for devices."""
        return os.path.join(self.path, "devices")

    @property
    def database(self) -> str:
        """The database."""
        return os.path.join(self.path, "txstorage.sqlite")

    def make_database(self) -> None:
        """Make an empty file for the database, unless there is one."""
        # It gets the mode that SQLite then uses for its log.
        os.close(os.open(self.database, _OPEN, 0o600))

    @property
    def reserve(self) -> str:
        """The file that takes room for when the disk is full."""
        return os.path.join(self.path, "reserve")

    @property
    def memory(self) -> str:
        """The file of what the service remembers outside its database."""
        return os.path.join(self.path, "service.json")

    def file(self, name: str) -> str:
        """Another file of the directory."""
        return os.path.join(self.path, name)

    def agent(self, node: str) -> str:
        """A node's ``agent.yml``."""
        return os.path.join(self.path, f"agent-{node}.yml")

    def agents(self) -> dict[str, str]:
        """The paths of the existing ``agent.yml`` files, by node."""
        cut = slice(len("agent-"), -len(".yml"))
        names = sorted(os.listdir(self.path))
        return {
            name[cut]: os.path.join(self.path, name)
            for name in names
            if name.startswith("agent-") and name.endswith(".yml")
        }

    @property
    def password_file(self) -> str:
        """The file that holds the first user's password."""
        return os.path.join(self.path, "password")

    def password(self) -> str:
        """The first user's password, generated the first time."""
        return self._secret(self.password_file)

    def password_file_of(self, user: str) -> str:
        """The file that holds the password of another user."""
        return os.path.join(self.path, f"password-{user}")

    def users(self) -> list[str]:
        """The names of the users whose passwords were generated here."""
        prefix = "password-"
        names = sorted(os.listdir(self.path))
        return [name[len(prefix) :] for name in names if name.startswith(prefix)]

    def password_of(self, user: str) -> str:
        """The password of another user, generated the first time."""
        return self._secret(self.password_file_of(user))

    def application_secret(self) -> str:
        """The application credential's secret, generated the first time."""
        return self._secret(os.path.join(self.path, "application-credential-secret"))

    @property
    def ec2_credentials(self) -> str:
        """The access key of EC2's clients, in the form of a shared credentials file."""
        return os.path.join(self.path, "ec2-credentials")

    def ec2_secret(self) -> str:
        """The secret access key, generated the first time."""
        return self._secret(os.path.join(self.path, "ec2-secret-access-key"))

    def _secret(self, path: str) -> str:
        if not os.path.exists(path):
            write_private(path, secrets.token_urlsafe(24).encode("ascii") + b"\n")
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), encoding="utf-8") as opened:
            secret = opened.read().rstrip("\r\n")
        if not secret:
            raise ServeError(
                f"{path} is empty", "write a secret into it, or remove it to get a new one"
            )
        return secret

    def close(self) -> None:
        """Let another instance use it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
