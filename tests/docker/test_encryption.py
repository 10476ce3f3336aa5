"""Tests of encrypted volumes, with a stand-in for the kernel's device-mapper."""

from __future__ import annotations

import os
import tempfile
from typing import Any

from ..filesystem.stand_in import StandIn
from ..filesystem.support import needs
from .support import Node, PluginTestCase, read, write


class EncryptedTests(PluginTestCase):
    """Volumes that are created with ``encryption=luks``."""

    async def setUp(self) -> None:
        needs("cryptsetup")
        self.mapper = StandIn(self)
        with tempfile.NamedTemporaryFile(prefix="txstorage-test-", delete=False) as key:
            key.write(os.urandom(64))
        self.addCleanup(os.unlink, key.name)
        self.key = key.name
        await super().setUp()

    async def node(self, name: str) -> Node:
        """See :class:`PluginTestCase`; the second node has no key."""
        if name == "node-1":
            self.settings: dict[str, Any] = {"luks_key_file": self.key}
        else:
            self.settings = {}
        return await super().node(name)

    async def test_life(self) -> None:
        """
        Data survive an unmount, after which nothing is open and attached; a node without the key
        refuses the volume, and leaves it unattached.
        """
        self.assertEqual({"Err": ""}, await self.first.ask("Create", size="1", encryption="luks"))
        write(await self.first.mount())
        self.assertEqual(1, len(self.mapper.opened()))
        self.assertEqual({"Err": ""}, await self.first.ask("Unmount", claim="c1"))
        self.assertEqual([], self.mapper.opened())
        self.assertIsNone(await self.attached_to())
        answer = await self.second.ask("Mount", claim="c2")
        self.assertIn("this node has no key", answer["Err"])
        self.assertIsNone(await self.attached_to())
        self.assertEqual("data", read(await self.first.mount("c3")))
        await self.first.ask("Unmount", claim="c3")

    async def test_clone(self) -> None:
        """A clone is opened with the same key, without the option."""
        await self.first.ask("Create", size="1", encryption="luks")
        write(await self.first.mount())
        await self.first.ask("Unmount", claim="c1")
        self.assertEqual({"Err": ""}, await self.first.ask("Create", "copy", clone="pg"))
        self.assertEqual("data", read(await self.first.mount("c2", "copy")))
        await self.first.ask("Unmount", "copy", claim="c2")
