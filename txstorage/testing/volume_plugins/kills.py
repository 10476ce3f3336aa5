# -*- test-case-name: tests.testing.volume_plugins.test_suite -*-
"""
Tests with a plugin that is killed, before and during each call.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from .base import PluginSuite, clock, read, write
from .client import PluginAnswer

#: The moments of the kills, as fractions of the usual duration of the call.
MOMENTS = (0.0, 0.25, 0.5, 0.75)


class Kills(PluginSuite):
    """The tests, as a base class beside ``TestCase``."""

    async def kill_and_restart(self) -> None:
        """Kill the plugin, and start it again."""
        await self.kill()
        await self.restart()

    async def kill_after(self, seconds: float, call: str, **named: object) -> None:
        """Kill the plugin some seconds after a call began, and start it again."""

        async def asked() -> PluginAnswer:
            return await self.ask(call, **named)  # type: ignore[arg-type]

        d = Deferred.fromCoroutine(asked())
        await deferLater(clock(), seconds)
        await self.kill()
        await d
        await self.restart()

    async def duration(self, call: str, **named: object) -> float:
        """:return: a coroutine of the duration of a call that succeeds, in seconds."""
        began: float = clock().seconds()
        await self.done(call, **named)
        ended: float = clock().seconds()
        return ended - began

    async def test_unmount_after(self) -> None:
        """The uses of a volume survive a kill, and are given back after it."""
        await self.create()
        path = await self.mount("c1")
        await self.mount("c2")
        write(path)
        await self.kill_and_restart()
        self.assertEqual("data", read(path))
        self.assertEqual(path, (await self.done("Get"))["Volume"]["Mountpoint"])
        await self.unmount("c1")
        await self.assert_kept(path)
        await self.kill_and_restart()
        await self.unmount("c2")
        await self.assert_given_back(path)

    async def test_container(self) -> None:
        """A container uses its volume throughout, and keeps it when its claim is given back."""
        await self.create()
        path = await self.mount("c1")
        container = self.container(path)
        await self.kill()
        write(container.folder)
        await self.restart()
        await self.ask("Unmount", claim="c1")
        await self.assert_kept(path)
        self.assertEqual("data", read(container.folder))
        self.end(container)
        await self.ask("Unmount", claim="c1")
        await self.assert_given_back(path)

    async def test_create(self) -> None:
        """A creation can be interrupted at any moment, and repeated: it makes one volume."""
        seconds = await self.duration("Create", options=self.plugin.options)
        for moment in MOMENTS:
            self.name = self.new_name()
            await self.kill_after(moment * seconds, "Create", options=self.plugin.options)
            await self.create()
            self.assertIs(False, await self.state())
            await self.mount("c1")

    async def test_mount(self) -> None:
        """A mount can be interrupted at any moment, and repeated; nothing is lost or left."""
        await self.create()
        seconds = await self.duration("Mount", claim="c1")
        for moment in MOMENTS:
            self.name = self.new_name()
            await self.create()
            await self.kill_after(moment * seconds, "Mount", claim="c1")
            path = await self.mount("c1")
            write(path)
            await self.unmount("c1")
            await self.kill_after(moment * seconds, "Mount", claim="c2")
            self.assertEqual("data", read(await self.mount("c2")))
            await self.unmount("c2")
            await self.assert_given_back(path)

    async def test_unmount(self) -> None:
        """An unmount can be interrupted at any moment, and is resumed."""
        await self.create()
        path = await self.mount("c1")
        write(path)
        seconds = await self.duration("Unmount", claim="c1")
        for moment in MOMENTS:
            self.assertEqual(path, await self.mount("c1"))
            self.assertEqual("data", read(path))
            await self.kill_after(moment * seconds, "Unmount", claim="c1")
            await self.ask("Unmount", claim="c1")
            await self.assert_given_back(path)

    async def test_remove(self) -> None:
        """A removal can be interrupted at any moment, and repeated."""
        await self.create()
        seconds = await self.duration("Remove")
        for moment in MOMENTS:
            await self.create()
            await self.kill_after(moment * seconds, "Remove")
            await self.done("Remove")
            self.assertIs(None, await self.state())
