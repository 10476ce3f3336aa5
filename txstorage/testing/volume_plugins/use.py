# -*- test-case-name: tests.testing.volume_plugins.test_suite -*-
"""
Tests of mounts: the engines' claims, and the containers that the kernel knows.
"""

from __future__ import annotations

import os

from .base import PluginSuite, read, write
from .containers import takes_writes_without_mount


class Mounting(PluginSuite):
    """The tests, as a base class beside ``TestCase``."""

    async def test_empty(self) -> None:
        """A new volume is empty: ``lost+found`` would keep images from filling it."""
        await self.create()
        self.assertEqual([], os.listdir(await self.mount()))

    async def test_no_writes_without_mount(self) -> None:
        """The mount point takes no writes when nothing is mounted, and neither does the path."""
        await self.create()
        path = await self.mount()
        self.assertFalse(takes_writes_without_mount(path), f"{path} takes writes")
        await self.unmount()
        await self.assert_given_back(path)
        self.assertRaises(OSError, write, path)

    async def test_two_claims(self) -> None:
        """A volume is mounted once, and stays until its last use is given back."""
        await self.create()
        path = await self.mount("c1")
        self.assertEqual(path, await self.mount("c2"))
        await self.unmount("c1")
        await self.assert_kept(path)
        await self.unmount("c2")
        await self.assert_given_back(path)

    async def test_at_once(self) -> None:
        """Mounts at the same time share one mount, and are given back at the same time."""
        await self.create()
        claims = [f"c{number}" for number in range(5)]
        paths = await self.all(self.mount(claim) for claim in claims)
        self.assertEqual({paths[0]}, set(paths))
        write(paths[0])
        await self.all(self.unmount(claim) for claim in claims[:-1])
        await self.assert_kept(paths[0])
        self.assertEqual("data", read(paths[0]))
        await self.unmount(claims[-1])
        await self.assert_given_back(paths[0])

    async def test_same_claim_again(self) -> None:
        """
        A claim counts once.  A killed engine sends no Unmount, and mounts again with the same ID
        for a container that it restarts; one Unmount follows.
        """
        await self.create()
        path = await self.mount("c1")
        self.assertEqual(path, await self.mount("c1"))
        await self.unmount("c1")
        await self.assert_given_back(path)

    async def test_unknown_claim(self) -> None:
        """An ID that was never given takes the volume from nobody."""
        await self.create()
        path = await self.mount("c1")
        await self.ask("Unmount", claim="never")
        await self.assert_kept(path)
        await self.unmount("c1")
        await self.assert_given_back(path)

    async def test_unmounted_twice(self) -> None:
        """A volume that is not mounted can be given back."""
        await self.create()
        await self.done("Unmount", claim="c1")
        path = await self.mount("c1")
        for _ in range(2):
            await self.unmount("c1")
        await self.assert_given_back(path)

    async def test_copied_into(self) -> None:
        """
        A container keeps its volume whatever the engine says: ``docker cp`` mounts and unmounts
        with the container's own ID.
        """
        await self.create()
        path = await self.mount("c1")
        container = self.container(path)
        for _ in range(2):
            self.assertEqual(path, await self.mount("c1"))
            await self.ask("Unmount", claim="c1")
            await self.assert_kept(path)
        write(container.folder)
        self.assertEqual("data", read(path))
        self.end(container)
        await self.ask("Unmount", claim="c1")
        await self.assert_given_back(path)

    async def test_removed_in_use(self) -> None:
        """A volume that a container uses is not removed, whatever the engine has given back."""
        await self.create()
        path = await self.mount("c1")
        container = self.container(path)
        await self.ask("Unmount", claim="c1")
        await self.refused("Remove")
        await self.assert_kept(path)
        write(container.folder)
        self.end(container)
        await self.ask("Unmount", claim="c1")
        await self.assert_given_back(path)
        await self.done("Remove")
        self.assertIs(None, await self.state())

    async def test_two_volumes(self) -> None:
        """Two volumes have two paths, and the data of each is its own."""
        await self.create()
        other = self.new_name()
        await self.create(other)
        paths = await self.all([self.mount("c1"), self.mount("c1", other)])
        self.assertEqual(2, len(set(paths)))
        write(paths[0], "one")
        self.assertEqual([], os.listdir(paths[1]))
        await self.unmount("c1", other)
        await self.assert_given_back(paths[1], other)
        await self.assert_kept(paths[0])
