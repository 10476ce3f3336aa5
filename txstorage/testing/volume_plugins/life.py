# -*- test-case-name: tests.testing.volume_plugins.test_suite -*-
"""
Tests of the life of volumes: created, described and removed.
"""

from __future__ import annotations

import os

from .base import PluginSuite, read, write


class Life(PluginSuite):
    """The tests, as a base class beside ``TestCase``."""

    async def test_life(self) -> None:
        """A volume is created, filled, given back, mounted again with its data, and removed."""
        await self.create()
        self.assertIs(False, await self.state())
        path = await self.mount()
        write(path)
        await self.unmount()
        await self.assert_given_back(path)
        self.assertEqual("data", read(await self.mount("c2")))
        await self.unmount("c2")
        await self.done("Remove")
        self.assertIs(None, await self.state())
        await self.refused("Get")

    async def test_no_such_volume(self) -> None:
        """A volume that certainly does not exist is denied, and nothing is made of it."""
        for call in ("Get", "Mount"):
            await self.refused(call, claim="c1")
        self.assertIs(None, await self.state())

    async def test_created_twice(self) -> None:
        """A volume that is created again is the same one, with or without its options."""
        await self.create()
        write(await self.mount())
        await self.unmount()
        await self.create()
        await self.done("Create", options=None)
        await self.done("Create", options={})
        self.assertEqual("data", read(await self.mount()))

    async def test_created_at_once(self) -> None:
        """A volume that is created several times at once is one volume."""
        await self.all(self.create() for _ in range(4))
        self.assertIs(False, await self.state())

    async def test_other_options(self) -> None:
        """A volume that exists with other options is an error, which changes nothing."""
        await self.create()
        await self.refused("Create", options=self.plugin.other_options)
        await self.create()

    async def test_unknown_option(self) -> None:
        """An option that does not exist is an error, and makes no volume."""
        await self.refused("Create", options={**self.plugin.options, "no-such-option": "1"})
        self.assertIs(None, await self.state())
        await self.refused("Get")

    async def test_described(self) -> None:
        """Get and List have each volume, with its path exactly while it is mounted."""
        other = self.new_name()
        await self.create()
        await self.create(other)
        path = await self.mount()
        for name, expected in ((self.name, path), (other, "")):
            got = (await self.done("Get", name))["Volume"]
            self.assertEqual((name, expected), (got["Name"], got.get("Mountpoint", "")))
            self.assertEqual(expected, (await self.listed())[name])
            self.assertEqual(expected, (await self.ask("Path", name)).fields.get("Mountpoint", ""))

    async def listed(self) -> dict[str, str]:
        """:return: a coroutine of the paths of the listed volumes, by name."""
        volumes = (await self.done("List"))["Volumes"]
        found = {each["Name"]: each.get("Mountpoint", "") for each in volumes}
        self.assertEqual(len(volumes), len(found), "a volume is listed twice")
        return found

    async def test_removed_twice(self) -> None:
        """A removal can be repeated, as after a lost answer."""
        await self.create()
        for _ in range(2):
            await self.done("Remove")
            self.assertIs(None, await self.state())
            self.assertNotIn(self.name, await self.listed())

    async def test_made_again(self) -> None:
        """A new volume of a former name has nothing of the former data."""
        await self.create()
        write(await self.mount())
        await self.unmount()
        await self.done("Remove")
        await self.create()
        self.assertEqual([], os.listdir(await self.mount()))
