"""
A stand-in for the kernel's device-mapper, which the machines of these tests do not have.

The headers are cryptsetup's own.  Behind a header, a loop device stands for the opened one, without
encryption.
"""

from __future__ import annotations

import os
from typing import Any

from twisted.trial.unittest import TestCase

from txstorage._support.loop_devices import detach
from txstorage.errors import ProgramFailed
from txstorage.filesystem import encryption
from txstorage.filesystem.holders import holders_of, number_of
from txstorage.filesystem.programs import Finished, run

from .support import MIB, shell

#: Bytes of a header: cryptsetup(8), LUKS2's default.
HEADER = 16 * MIB
#: The arguments that keep the derivation of keys short.
QUICK = ("--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000")


class StandIn:
    """
    The opened devices of a test.

    :ivar commands: the arguments of each ``cryptsetup`` that ran.
    :ivar fail: called with the arguments before each; may raise an error.
    """

    def __init__(self, case: TestCase) -> None:
        self.commands: list[tuple[str, ...]] = []
        self.fail: Any = lambda *arguments: None
        self._on: dict[str, str] = {}
        self._directory = os.path.abspath(case.mktemp())
        os.mkdir(self._directory)
        control = os.path.join(self._directory, "control")
        with open(control, "w"):
            pass
        case.patch(encryption, "_DIRECTORY", self._directory)
        case.patch(encryption, "_CONTROL", control)
        case.patch(encryption, "run", self.run)
        case.patch(encryption, "stands_on", lambda path, device: self._on.get(path) == device)
        case.addCleanup(self.close_all)

    def path(self, name: str) -> str:
        """:return: the path of an opened device."""
        return os.path.join(self._directory, name)

    def opened(self) -> list[str]:
        """:return: the names of the opened devices."""
        return sorted(set(os.listdir(self._directory)) - {"control"})

    def close_all(self) -> None:
        """Close all devices; those that are in use end with their use."""
        for name in self.opened():
            self._end(name)

    async def run(self, reactor: Any, *command: str, accept: Any = (0,)) -> Finished:
        """Stand for :func:`txstorage.filesystem.programs.run`."""
        action, *arguments = command[1:]
        self.fail(*command)
        self.commands.append(command[1:])
        if action == "open":
            await run(reactor, "cryptsetup", "open", "--test-passphrase", *arguments[:-1])
            self.open(*arguments[-2:])
        elif action == "close":
            self.close(arguments[-1])
        elif action == "resize":
            shell("losetup", "--set-capacity", os.path.realpath(self.path(arguments[-1])))
        else:
            quick = QUICK if action == "luksFormat" else ()
            return await run(reactor, *command, *quick, accept=accept)
        return Finished(0, "")

    def open(self, device: str, name: str) -> None:
        """Open a device."""
        made = shell("losetup", "--find", "--show", "--offset", str(HEADER), device).strip()
        os.symlink(made, self.path(name))
        self._on[self.path(name)] = device

    def close(self, name: str) -> None:
        """Close a device that is not in use."""
        path = self.path(name)
        if holders_of(number_of(path)):
            raise ProgramFailed(["cryptsetup", "close", name], 5, f"Device {name} is still in use.")
        self._end(name)

    def _end(self, name: str) -> None:
        path = self.path(name)
        detach(os.path.realpath(path), self._on[path])
        os.unlink(path)


__all__ = ["HEADER", "StandIn"]
