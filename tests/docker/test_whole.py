"""
Tests of the plugin as a whole: its socket, the embedded service, real devices and mounts.
"""

from __future__ import annotations

import os

import attr
from twisted.internet import reactor
from twisted.internet.task import deferLater

from txstorage.docker.catalog import chosen, record_of
from txstorage.docker.options import REMOVING
from txstorage.filesystem.holders import mounts_of

from .support import PluginTestCase, both, read, write

GIB = 2**30


class LifeTests(PluginTestCase):
    """The life of a volume."""

    async def test_life(self) -> None:
        """A volume is created, mounted, given back, mounted on the other node, and removed."""
        self.assertEqual({"Err": ""}, await self.first.ask("Create", size="1"))
        got = (await self.first.ask("Get"))["Volume"]
        self.assertEqual(
            ("pg", "", "1 GiB"), (got["Name"], got["Mountpoint"], got["Status"]["size"])
        )
        path = await self.first.mount()
        self.assertEqual([], os.listdir(path))
        write(path)
        self.assertEqual(self.first.server_id, await self.attached_to())
        self.assertEqual(path, (await self.first.ask("Path"))["Mountpoint"])
        self.assertEqual({"Err": ""}, await self.first.ask("Unmount", claim="c1"))
        self.assertIsNone(await self.attached_to())
        self.assertFalse(os.path.exists(path))
        self.assertEqual("data", read(await self.second.mount()))
        self.assertEqual({"Err": ""}, await self.second.ask("Unmount", claim="c1"))
        self.assertEqual({"Err": ""}, await self.second.ask("Remove"))
        self.assertEqual([], await self.volumes())
        self.assertEqual({"Volumes": [], "Err": ""}, await self.second.ask("List"))

    async def test_options(self) -> None:
        """The options reach the volume and its file system."""
        answer = await self.first.ask(
            "Create", size="2GiB", fs="ext4", uid="999", gid="70", mode="0700",
            **{"mount-options": "noatime"},
        )  # fmt: skip
        self.assertEqual({"Err": ""}, answer)
        path = await self.first.mount()
        status = os.stat(path)
        self.assertEqual((999, 70, 0o40700), (status.st_uid, status.st_gid, status.st_mode))
        [volume] = await self.volumes()
        self.assertEqual(2 * GIB, volume.size)
        with open("/proc/self/mounts") as opened:
            [line] = [line for line in opened if os.path.dirname(path) in line]
        self.assertIn("noatime", line)

    async def test_created_everywhere(self) -> None:
        """Both nodes create one name at once: there is one volume."""
        created = await both(
            self.first.ask("Create", size="1"), self.second.ask("Create", size="1")
        )
        self.assertEqual([{"Err": ""}] * 2, created)
        self.assertEqual(1, len(await self.volumes()))

    async def test_other_options(self) -> None:
        """A name that exists with other options is an error; the same options are none."""
        await self.first.ask("Create", size="1")
        self.assertEqual({"Err": ""}, await self.second.ask("Create", size="1"))
        self.assertEqual({"Err": ""}, await self.second.ask("Create"))
        answer = await self.second.ask("Create", size="2", fs="xfs")
        self.assertIn("size is 1 GiB, not 2 GiB", answer["Err"])
        self.assertIn("fs is ext4, not xfs", answer["Err"])

    async def test_unknown(self) -> None:
        """A volume that the cloud does not have is one that there is not, for each call."""
        for call in ("Get", "Mount"):
            self.assertIn("no such volume", (await self.first.ask(call, claim="c1"))["Err"])
        self.assertEqual({"Err": ""}, await self.first.ask("Remove"))
        self.assertEqual({"Err": ""}, await self.first.ask("Unmount", claim="c1"))

    async def test_found(self) -> None:
        """A volume that another node has made is found when it is asked for."""
        await self.first.ask("Create", size="1")
        self.assertEqual("pg", (await self.second.ask("Get"))["Volume"]["Name"])

    async def test_grown(self) -> None:
        """A volume that has grown has a larger file system at the next mount."""
        await self.first.ask("Create", size="1")
        path = await self.first.mount()
        before = os.statvfs(path).f_blocks
        await self.first.ask("Unmount", claim="c1")
        [volume] = await self.volumes()
        await self.first.driver.grow_volume(volume.blockdevice_id, 2 * GIB)
        self.assertGreater(os.statvfs(await self.first.mount()).f_blocks, 1.9 * before)

    async def test_copies(self) -> None:
        """A volume begins with a snapshot's data, or another volume's, and is never formatted."""
        await self.first.ask("Create", size="1")
        write(await self.first.mount(), "before")
        await self.first.ask("Unmount", claim="c1")
        [volume] = await self.volumes()
        await self.first.driver.create_snapshot(volume.blockdevice_id, "nightly", {})
        write(await self.first.mount(), "after")
        await self.first.ask("Unmount", claim="c1")
        for name, options in (("old", {"snapshot": "nightly"}), ("copy", {"clone": "pg"})):
            self.assertEqual({"Err": ""}, await self.first.ask("Create", name, **options))
            self.assertEqual({"Err": ""}, await self.second.ask("Create", name, **options))
        self.assertEqual("before", read(await self.first.mount(name="old")))
        self.assertEqual("after", read(await self.first.mount(name="copy")))
        for snapshot in await self.first.driver.list_snapshots():
            await self.first.driver.destroy_snapshot(snapshot.snapshot_id)


class RemovalTests(PluginTestCase):
    """Removals, which other nodes do not hear of."""

    async def setUp(self) -> None:
        await super().setUp()
        await self.first.ask("Create", size="1")
        await self.second.ask("Get")

    async def test_made_again(self) -> None:
        """A node works with the volume that another one has made in place of a former one."""
        for call in ("Mount", "Remove"):
            await self.first.ask("Remove")
            await self.first.ask("Create", size="1")
            self.assertEqual("", (await self.second.ask(call, claim="c1"))["Err"], call)
            await self.second.ask("Unmount", claim="c1")
        self.assertEqual([], await self.volumes())

    async def test_created_after(self) -> None:
        """A volume that another node has removed is created, and not taken for the former one."""
        await self.first.ask("Remove")
        self.assertEqual({"Err": ""}, await self.second.ask("Create", size="2"))
        self.assertEqual([2 * GIB], [each.size for each in await self.volumes()])

    async def test_resumed(self) -> None:
        """A removal that was interrupted is resumed; until then, no node uses the volume."""
        [volume] = await self.volumes()
        labels = {REMOVING: self.first.server_id}
        await self.first.driver.set_labels(volume.blockdevice_id, labels)
        for node in self.nodes:
            for call in ("Mount", "Create"):
                answer = await node.ask(call, claim="c1")
                self.assertIn("is being removed", answer["Err"])
        await self.second.running._upkeep.round()
        self.assertEqual(1, len(await self.volumes()))
        await self.first.running._upkeep.round()
        self.assertEqual([], await self.volumes())

    async def test_second_volume(self) -> None:
        """A name's second, unused volume never comes back after the removal of the name."""
        [volume] = await self.volumes()
        service = self.first.driver._service
        found = await service.get_volume(volume.blockdevice_id)
        second = await service.create_volume("second", found.size, found.labels)
        self.addCleanup(service.delete_volume, second.volume_id)
        while (await service.get_volume(second.volume_id)).status != "available":
            await deferLater(reactor, 0.05)
        await self.first.running.catalog.refresh()
        self.assertEqual({"Err": ""}, await self.first.ask("Remove"))
        for node in self.nodes:
            await node.running.catalog.refresh()
            self.assertIn("no such volume", (await node.ask("Get"))["Err"])
            self.assertEqual([], (await node.ask("List"))["Volumes"])
        self.assertEqual("available", (await service.get_volume(second.volume_id)).status)

    async def test_two_of_a_name(self) -> None:
        """Of two volumes of one name, all nodes use the older one, however they are listed."""
        [older] = await self.volumes()
        found = await self.first.driver.get_labelled_volume(older.blockdevice_id)
        younger = attr.evolve(
            found,
            volume=older.set(blockdevice_id="0"),
            created_at=found.created_at.replace("20", "21", 1),
        )
        for listed in ([found, younger], [younger, found]):
            self.assertEqual([record_of(found)], chosen(listed))
            doomed = attr.evolve(found, status="deleting")
            self.assertEqual([record_of(younger)], chosen([doomed, younger]))

    async def test_refused(self) -> None:
        """A removal that is refused, also at its last step, leaves no trace."""
        path = await self.first.mount()
        container = self.container(path)
        self.assertIn("in use", (await self.first.ask("Remove"))["Err"])
        self.end(container)
        here = os.getcwd()
        os.chdir(path)
        try:
            self.assertIn("in use", (await self.first.ask("Remove"))["Err"])
        finally:
            os.chdir(here)
        await self.first.mount("c2")
        for claim in ("c1", "c2"):
            await self.first.ask("Unmount", claim=claim)
        await self.second.mount("c3")


class UseTests(PluginTestCase):
    """Mounts that are in use."""

    async def setUp(self) -> None:
        await super().setUp()
        await self.first.ask("Create", size="1")

    async def test_two_claims(self) -> None:
        """A volume stays until its last use is given back."""
        await both(self.first.mount("c1"), self.first.mount("c2"))
        await self.first.ask("Unmount", claim="c1")
        self.assertEqual(self.first.server_id, await self.attached_to())
        await self.first.ask("Unmount", claim="c2")
        self.assertIsNone(await self.attached_to())

    async def test_held(self) -> None:
        """A container's mount is not taken from it, whatever the engine says."""
        path = await self.first.mount("c1")
        container = self.container(path)
        # docker cp, into a running container, uses the container's own id.
        await self.first.mount("c1")
        self.assertEqual({"Err": ""}, await self.first.ask("Unmount", claim="c1"))
        self.assertEqual(self.first.server_id, await self.attached_to())
        answer = await self.first.ask("Remove")
        self.assertIn(str(container.process.pid), answer["Err"])
        self.assertEqual(1, len(await self.volumes()))
        self.end(container)
        await self.first.ask("Unmount", claim="c1")
        self.assertIsNone(await self.attached_to())

    async def test_lost_claims(self) -> None:
        """After a kill of plugin and engine, only running containers keep their volumes."""
        await self.first.ask("Create", "other", size="1")
        container = self.container(await self.first.mount("c1"))
        await self.first.mount("c2", "other")
        await self.first.stop()
        self.first.settings = self.first.settings.__class__(
            **{**self.first.settings.__dict__, "grace": 0.0}
        )
        await self.first.start()
        await self.first.running._upkeep.round()
        attached = {each.size: each for each in await self.volumes()}
        self.assertEqual(1, len(attached))
        places = sorted(str(each.attached_to) for each in await self.volumes())
        self.assertEqual(sorted(["None", self.first.server_id]), places)
        self.end(container)
        await self.first.running._upkeep.round()
        self.assertEqual([None, None], [each.attached_to for each in await self.volumes()])

    async def test_shell_in_directory(self) -> None:
        """A program of the host that has its directory there keeps the mount."""
        path = await self.first.mount()
        here = os.getcwd()
        os.chdir(path)
        try:
            self.assertEqual({"Err": ""}, await self.first.ask("Unmount", claim="c1"))
            self.assertEqual(self.first.server_id, await self.attached_to())
        finally:
            os.chdir(here)
        await self.first.running._upkeep.round()
        self.assertIsNone(await self.attached_to())


class MovingTests(PluginTestCase):
    """Volumes that another node has."""

    async def setUp(self) -> None:
        await super().setUp()
        await self.first.ask("Create", size="1")

    async def test_alive(self) -> None:
        """A volume is never taken from a node that is alive; the error names it."""
        await self.first.mount()
        for call in ("Mount", "Remove"):
            answer = await self.second.ask(call, claim="c2")
            self.assertIn(self.first.server_id, answer["Err"])
            self.assertIn("which is alive", answer["Err"])
        self.assertEqual(self.first.server_id, await self.attached_to())

    async def test_dead(self) -> None:
        """A volume is taken from a node that is off, with its data."""
        write(await self.first.mount())
        await self.stop_server(self.first)
        self.assertEqual("data", read(await self.second.mount()))
        self.assertEqual(self.second.server_id, await self.attached_to())

    async def test_never(self) -> None:
        """A volume whose takeover is 'never' stays with its dead node."""
        await self.first.ask("Create", "other", size="1", takeover="never")
        await self.first.mount(name="other")
        await self.stop_server(self.first)
        for call in ("Mount", "Remove"):
            answer = await self.second.ask(call, "other", "c2")
            self.assertIn("takeover is 'never'", answer["Err"])


class TroubleTests(PluginTestCase):
    """A cloud that can't be reached."""

    async def test_known(self) -> None:
        """A known volume is described from the journal, and marked as stale."""
        await self.first.ask("Create", size="1")
        self.service.kill()
        got = await self.first.ask("Get")
        self.assertEqual(("pg", ""), (got["Volume"]["Name"], got["Err"]))
        self.assertEqual(
            ["pg"], [each["Name"] for each in (await self.first.ask("List"))["Volumes"]]
        )

    async def test_unknown(self) -> None:
        """An unknown volume is not denied: the connection is closed."""
        self.service.kill()
        self.assertEqual({}, await self.first.ask("Get"))

    async def test_removed_elsewhere(self) -> None:
        """A volume that another program has removed is forgotten, once that is certain."""
        await self.first.ask("Create", size="1")
        [volume] = await self.volumes()
        await self.second.driver.destroy_volume(volume.blockdevice_id)
        self.assertEqual("", (await self.first.ask("Get"))["Err"])
        await self.first.running._upkeep.round()
        self.assertIn("no such volume", (await self.first.ask("Get"))["Err"])

    async def test_replaced_elsewhere(self) -> None:
        """A volume that was removed and made again elsewhere is the one that is used."""
        await self.first.ask("Create", size="1")
        await self.second.ask("Get")
        await self.first.ask("Remove")
        await self.first.ask("Create", size="2")
        write(await self.first.mount(), "second")
        await self.first.ask("Unmount", claim="c1")
        self.assertIn("2 GiB, not 1 GiB", (await self.second.ask("Create", size="1"))["Err"])
        self.assertEqual("second", read(await self.second.mount()))

    async def test_no_mount_is_left(self) -> None:
        """A stopped plugin leaves the mounts of containers, and finds them again."""
        await self.first.ask("Create", size="1")
        path = await self.first.mount()
        write(path)
        await self.first.stop()
        self.assertIn(os.path.dirname(path), {each.mounted_at for each in mounts_of()})
        await self.first.start()
        self.assertEqual(path, (await self.first.ask("Get"))["Volume"]["Mountpoint"])
        self.assertEqual("data", read(path))
        await self.first.ask("Unmount", claim="c1")
        self.assertIsNone(await self.attached_to())
