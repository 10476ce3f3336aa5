# -*- test-case-name: tests.testing.volume_plugins.test_suite -*-
"""
The base of the suite's tests: a plugin for each test, and shortcuts for the calls.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Awaitable, Mapping
from functools import partial
from importlib import import_module
from typing import Any, Callable, TypeVar
from uuid import uuid4

from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.task import deferLater

from .client import PluginAnswer, encoded, exchange
from .containers import Container, mount_point_of
from .interface import VolumeInCloud

# The factory of the suite adds the TestCase and the author's attributes.
_Mixin: Any = object
T = TypeVar("T")

#: Seconds in which work in the background must have ended.
PATIENCE = 20.0
# Seconds between two looks at it.
_LOOK = 0.05


async def settled(result: Any) -> Any:
    """:return: a coroutine of a result, or of what a ``Deferred`` or a coroutine brings."""
    return await result if inspect.isawaitable(result) else result


def clock() -> Any:
    """:return: the reactor; importing a suite must not install one."""
    return import_module("twisted.internet.reactor")


class PluginSuite(_Mixin):  # type: ignore[misc]
    """
    A base class beside ``TestCase``.

    :ivar plugin: provides :class:`~txstorage.testing.volume_plugins.interface.IPluginUnderTest`.
    :ivar name: the name of the test's volume, which does not exist yet.
    """

    async def setUp(self) -> None:
        """Make a plugin, or take the class's."""
        self.plugin = await settled(self.plugin_factory())
        self.name = self.new_name()
        self._used: dict[str, set[str]] = {}
        self._containers: list[Container] = []
        self._killed = False
        self._broken = False
        self.addCleanup(self._clean_up)

    def new_name(self) -> str:
        """:return: a name that no volume has."""
        return f"suite-{uuid4().hex[:12]}"

    async def _clean_up(self) -> None:
        """Give back and remove all that the test used."""
        for container in list(self._containers):
            self.end(container)
        await self.mend()
        await self.restart()
        for name, claims in self._used.items():
            for claim in claims:
                await self.ask("Unmount", name, claim)
            await self.eventually(partial(self._gone, name), "it can't be removed")

    async def _gone(self, name: str) -> bool:
        answer = await self.ask("Remove", name)
        return answer.status == 200 and answer.fields.get("Err") == ""

    # -- calls -----------------------------------------------------------------------

    def send(self, call: str, body: bytes) -> Awaitable[PluginAnswer]:
        """:return: an awaitable of the answer to a request's bytes."""
        return exchange(self.plugin.socket, call, body)

    async def ask(
        self,
        call: str,
        name: str | None = None,
        claim: str | None = None,
        options: Mapping[str, str] | None = None,
    ) -> PluginAnswer:
        """
        Send a call of the volume driver, for the test's volume by default.

        :return: a coroutine of the :class:`PluginAnswer`, which is empty when there is none.
        """
        name = self.name if name is None else name
        fields: dict[str, Any] = {} if call == "List" else {"Name": name}
        if call != "List":
            self._used.setdefault(name, set())
        if claim is not None:
            fields["ID"] = claim
            self._used[name].add(claim)
        if call == "Create":
            fields["Opts"] = None if options is None else dict(options)
        return await self.send("VolumeDriver." + call, encoded(fields))

    async def done(self, call: str, *arguments: Any, **named: Any) -> dict[str, Any]:
        """:return: a coroutine of the answer's fields, after a call that must succeed."""
        answer = await self.ask(call, *arguments, **named)
        self.assertEqual(200, answer.status, f"the status of {call}: {answer}")
        self.assertEqual("", answer.fields.get("Err"), f"the error of {call}")
        return answer.fields

    async def refused(self, call: str, *arguments: Any, **named: Any) -> str:
        """:return: a coroutine of the error, after a call that must be answered with one."""
        answer = await self.ask(call, *arguments, **named)
        self.assertTrue(answer.fields.get("Err"), f"{call} has no error: {answer}")
        return str(answer.fields["Err"])

    async def create(self, name: str | None = None) -> None:
        """Create a volume."""
        await self.done("Create", name, options=self.plugin.options)

    async def mount(self, claim: str = "c1", name: str | None = None) -> str:
        """:return: a coroutine of the path of a mounted volume, which is checked."""
        path = (await self.done("Mount", name, claim)).get("Mountpoint")
        self.assertTrue(path, "Mount's answer has no Mountpoint")
        self.assertTrue(os.path.isdir(str(path)), f"{path} is not a directory")
        self.assert_mounted(str(path))
        return str(path)

    async def unmount(self, claim: str = "c1", name: str | None = None) -> None:
        """Give a use back."""
        await self.done("Unmount", name, claim)

    async def all(self, calls: Any) -> list[Any]:
        """:return: a coroutine of the results of coroutines that run at the same time."""
        found: list[Any] = await gatherResults([Deferred.fromCoroutine(each) for each in calls])
        return found

    # -- what is true ------------------------------------------------------------------

    def assert_mounted(self, path: str) -> None:
        """A path is on a mount of its own, and not on the host's disk."""
        self.assertTrue(is_mounted(path), f"{path} is not mounted")

    async def state(self, name: str | None = None) -> bool | None:
        """:return: a coroutine of whether a volume is attached; ``None`` when there is none."""
        listed: list[VolumeInCloud] = await settled(self.plugin.volumes())
        found = [each.attached for each in listed if each.name == (name or self.name)]
        self.assertLess(len(found), 2, "there are two volumes of one name")
        return found[0] if found else None

    async def assert_given_back(self, path: str, name: str | None = None) -> None:
        """A volume is neither mounted nor attached, or is not soon."""

        async def free() -> bool:
            return not is_mounted(path) and await self.state(name) is not True

        await self.eventually(free, f"{path} is not given back")

    async def assert_kept(self, path: str, name: str | None = None) -> None:
        """A volume is mounted and attached."""
        self.assert_mounted(path)
        self.assertIs(True, await self.state(name), "the volume is not attached")

    async def eventually(self, true: Callable[[], Any], message: str) -> None:
        """Wait until something is true, and fail when it does not become so."""
        end = clock().seconds() + PATIENCE
        while not await settled(true()):
            self.assertLess(clock().seconds(), end, message)
            await deferLater(clock(), _LOOK)

    async def within_deadline(self, asked: Awaitable[T], what: str) -> T:
        """:return: a coroutine of a result, which must come before the plugin's deadline."""

        async def wait() -> T:
            return await asked

        d = Deferred.fromCoroutine(wait())
        timer = clock().callLater(self.plugin.deadline, d.cancel)
        try:
            return await d
        except CancelledError:
            raise self.failureException(f"{what} is not answered in time") from None
        finally:
            if timer.active():
                timer.cancel()

    # -- troubles ------------------------------------------------------------------------

    def container(self, path: str) -> Container:
        """:return: a running container with a folder."""
        container = Container(path)
        self._containers.append(container)
        return container

    def end(self, container: Container) -> None:
        """Stop a container."""
        self._containers.remove(container)
        container.stop()

    async def kill(self) -> None:
        """Kill the plugin."""
        self._killed = True
        await settled(self.plugin.kill())

    async def restart(self) -> None:
        """Start the plugin again, if it was killed, and activate it as an engine does."""
        if self._killed:
            await settled(self.plugin.start())
            self._killed = False
            await self.activate()

    async def activate(self) -> None:
        """Begin as an engine does."""
        await self.send("Plugin.Activate", b"")

    async def break_cloud(self, trouble: Any) -> None:
        """Break the cloud."""
        self._broken = True
        await settled(self.plugin.break_cloud(trouble))

    async def mend(self) -> None:
        """Mend the cloud, if it is broken."""
        if self._broken:
            await settled(self.plugin.mend_cloud())
            self._broken = False


def is_mounted(path: str) -> bool:
    """:return: whether a path exists, on another mount than the directories of the host."""
    if not os.path.exists(path):
        return False
    point = mount_point_of(path)
    return point != "/" and os.stat(path).st_dev != os.stat(os.path.dirname(point)).st_dev


def write(path: str, content: str = "data") -> None:
    """Write a file into a folder, durably."""
    with open(os.path.join(path, "file"), "w") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())


def read(path: str) -> str:
    """:return: the content of the file in a folder."""
    with open(os.path.join(path, "file")) as opened:
        return opened.read()


__all__ = ["PATIENCE", "PluginSuite", "clock", "is_mounted", "read", "settled", "write"]
