"""Tests for :mod:`txstorage.filesystem.mounter`, with real file systems on loop devices."""

from __future__ import annotations

import os
import stat
import subprocess
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, gatherResults

from txstorage.errors import (
    FilesystemDamaged,
    MountedElsewhere,
    MountPointUnusable,
    NotFormatted,
)
from txstorage.filesystem import KINDS, Mounter, Options
from txstorage.filesystem.holders import mounts_of

from .support import MIB, SIZE, DeviceTestCase, needs, shell

SMALL = 32 * MIB


def _has_sys_resource() -> bool:
    """:return: whether this process may grow a mounted ext4: capabilities(7)."""
    with open("/proc/self/status") as opened:
        [line] = [line for line in opened if line.startswith("CapEff:")]
    return bool(int(line.split()[1], 16) & 1 << 24)


class MounterTestCase(DeviceTestCase):
    """Mounts and unmounts."""

    def mount(self, device: str, name: str = "a", **options: Any) -> Deferred[str]:
        return Deferred.fromCoroutine(self.mounter.mount(name, device, **options))

    def unmount(self, name: str = "a") -> Deferred[None]:
        return Deferred.fromCoroutine(self.mounter.unmount(name))

    def mounted(self) -> list[str]:
        """:return: the mount points below the directory."""
        points = [each.mounted_at for each in mounts_of()]
        return [point for point in points if point.startswith(self.directory)]


class MountTests(MounterTestCase):
    """Devices become directories."""

    async def test_new(self) -> None:
        """A new device gets a file system, and a folder with its owner; data survive."""
        for kind in KINDS:
            needs(f"mkfs.{kind}")
            device = self.device()
            options = Options(kind, uid=12, gid=34, mode=0o2770)
            folder = await self.mount(device, kind, options=options, new=True)
            self.assertEqual([], os.listdir(folder))
            status = os.stat(folder)
            self.assertEqual(
                (12, 34, 0o2770), (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode))
            )
            with open(os.path.join(folder, "file"), "w") as opened:
                opened.write(kind)
            await self.unmount(kind)
            # The options are those of a new file system only.
            self.assertEqual(folder, await self.mount(device, kind, options=Options(uid=5)))
            with open(os.path.join(folder, "file")) as opened:
                self.assertEqual(kind, opened.read())
            self.assertEqual(12, os.stat(folder).st_uid)
            await self.unmount(kind)
            self.assertEqual([], self.mounted())

    async def test_formatted(self) -> None:
        """The end of the formatting is reported once, before the mount."""
        reports = []

        async def formatted() -> None:
            reports.append(self.mounted())

        device = self.device(SMALL)
        await self.mount(device, new=True, formatted=formatted)
        await self.mount(device, formatted=formatted)
        self.assertEqual([[]], reports)

    async def test_formatted_fails(self) -> None:
        """
        When the report fails, nothing is mounted; a retry reports again, and does not format again.
        """

        async def fails() -> None:
            raise RuntimeError("no cloud")

        async def works() -> None:
            reports.append(shell("blkid", "-o", "value", "-s", "UUID", device))

        reports: list[str] = []
        device = self.device(SMALL)
        await self.assertFailure(self.mount(device, new=True, formatted=fails), RuntimeError)
        self.assertEqual([], self.mounted())
        before = shell("blkid", "-p", "-o", "value", "-s", "UUID", device)
        await self.mount(device, new=True, formatted=works)
        self.assertEqual([before], reports)

    async def test_not_new(self) -> None:
        """A blank device of a volume that is not new is not formatted, and nothing is mounted."""
        await self.assertFailure(self.mount(self.device(SMALL)), NotFormatted)
        self.assertEqual([], self.mounted())

    async def test_options(self) -> None:
        """Mount options and arguments of mkfs are used."""
        device = self.device(SMALL)
        options = Options(make=("-L", "mine"), mount=("noatime", "ro"))
        await self.assertFailure(self.mount(device, options=options, new=True), OSError)
        self.assertEqual("mine\n", shell("blkid", "-o", "value", "-s", "LABEL", device))
        lines = shell("cat", "/proc/self/mounts").splitlines()
        [line] = [each for each in lines if each.startswith(device + " ")]
        self.assertIn("ro,noatime", line)

    async def test_again(self) -> None:
        """A mount that exists is used, also by two callers at once."""
        device = self.device(SMALL)
        first = await self.mount(device, new=True)
        self.assertEqual([first] * 2, await gatherResults([self.mount(device) for _ in range(2)]))
        self.assertEqual(1, len(self.mounted()))

    async def test_another_device(self) -> None:
        """A mount point that has another device is not covered."""
        await self.mount(self.device(SMALL), new=True)
        other = self.device(SMALL)
        await self.assertFailure(self.mount(other, new=True), MountPointUnusable)
        self.assertEqual(1, len(self.mounted()))
        self.assertEqual(2, subprocess.call(["blkid", "-p", other]), "it was formatted")

    async def test_mounted_elsewhere(self) -> None:
        """A device that is mounted somewhere else is not mounted a second time."""
        device = self.device(SMALL)
        await self.mount(device, "a", new=True)
        error = await self.assertFailure(self.mount(device, "b"), MountedElsewhere)
        self.assertIn(os.path.join(self.directory, "a"), error.message)
        self.assertEqual(1, len(self.mounted()))

    async def test_names(self) -> None:
        """A name that would leave the directory is refused."""
        device = self.device(SMALL)
        for name in ("", ".", "..", "a/b"):
            await self.assertFailure(self.mount(device, name, new=True), MountPointUnusable)

    async def test_grows(self) -> None:
        """The file system has the size of a device that has grown, when it is mounted again."""
        for kind in KINDS:
            needs(f"mkfs.{kind}")
            device = self.device()
            folder = await self.mount(device, kind, options=Options(kind), new=True)
            before = os.statvfs(folder)
            await self.unmount(kind)
            self.enlarge(device)
            await self.mount(device, kind)
            self.assertGreater(os.statvfs(folder).f_blocks, 1.7 * before.f_blocks, kind)
            await self.unmount(kind)

    def enlarge(self, device: str) -> None:
        with open(self.image, "r+b") as opened:
            opened.truncate(2 * SIZE)
        shell("losetup", "--set-capacity", device)

    async def test_grows_online(self) -> None:
        """A mounted file system grows when its volume is mounted once more."""
        for kind in KINDS:
            if kind == "ext4" and not _has_sys_resource():
                continue
            needs(f"mkfs.{kind}")
            device = self.device()
            folder = await self.mount(device, kind, options=Options(kind), new=True)
            before = os.statvfs(folder)
            self.enlarge(device)
            self.assertEqual(before.f_blocks, os.statvfs(folder).f_blocks)
            await self.mount(device, kind)
            self.assertGreater(os.statvfs(folder).f_blocks, 1.7 * before.f_blocks, kind)
            await self.unmount(kind)

    async def test_not_grown(self) -> None:
        """A mounted file system that can't grow stays usable; growing ext4 needs a capability."""
        device = self.device(SMALL)
        folder = await self.mount(device, new=True)
        self.enlarge(device)
        self.assertEqual(folder, await self.mount(device))
        with open(os.path.join(folder, "file"), "w") as opened:
            opened.write("x")

    async def test_copy_beside(self) -> None:
        """A copy of an xfs, which has the same UUID, can be mounted beside it."""
        needs("mkfs.xfs")
        device = self.device()
        await self.mount(device, "original", options=Options("xfs"), new=True)
        await self.unmount("original")
        copied = self.device()
        shell("dd", f"if={device}", f"of={copied}", "bs=1M", "status=none", "conv=sparse,fsync")
        for each, name in ((device, "original"), (copied, "copy")):
            await self.mount(each, name)
        self.assertEqual(2, len(self.mounted()))

    async def test_repaired(self) -> None:
        """An ext4 that was not unmounted is repaired where that is certain, and mounted."""
        device = self.device(SMALL)
        folder = await self.mount(device, new=True)
        with open(os.path.join(folder, "file"), "w") as opened:
            opened.write("x" * 5000)
            opened.flush()
            os.fsync(opened.fileno())
        shell("sync", "--file-system", folder)
        copied = self.device(SMALL)
        shell("dd", f"if={device}", f"of={copied}", "bs=1M", "status=none", "conv=fsync")
        folder = await self.mount(copied, "copy")
        self.assertEqual(5000, os.path.getsize(os.path.join(folder, "file")))

    async def test_damaged(self) -> None:
        """A damaged ext4 is not mounted; the error says how to repair it."""
        device = self.device(SMALL)
        await self.mount(device, new=True)
        await self.unmount()
        shell("debugfs", "-w", "-R", "clri <2>", device)
        shell("debugfs", "-w", "-R", "ssv state 2", device)
        error = await self.assertFailure(self.mount(device), FilesystemDamaged)
        self.assertIn(f"e2fsck {device}", error.remedy)
        self.assertEqual([], self.mounted())

    async def test_cancelled(self) -> None:
        """A cancelled mount can be repeated."""
        device = self.device(SMALL)
        d = self.mount(device, new=True)
        d.cancel()
        await self.assertFailure(d, CancelledError)
        await self.mount(device, new=True)


class UnmountTests(MounterTestCase):
    """Directories become devices."""

    async def test_twice(self) -> None:
        """Unmounting what is not mounted succeeds, and leaves no directory."""
        await self.mount(self.device(SMALL), new=True)
        for _ in range(2):
            await self.unmount()
            self.assertEqual([], os.listdir(self.directory))

    async def test_busy(self) -> None:
        """A file system in use stays mounted; the error names its users."""
        folder = await self.mount(self.device(SMALL), new=True)
        with open(os.path.join(folder, "file"), "w"):
            error = await self.assertFailure(self.unmount(), MountedElsewhere)
            self.assertIn(f"(process {os.getpid()})", error.message)
            self.assertEqual(1, len(self.mounted()))
        await self.unmount()

    async def test_no_writes(self) -> None:
        """A mount point without its mount takes no writes."""
        await self.mount(self.device(SMALL), new=True)
        point = self.mounter.mount_point("a")
        shell("umount", point)
        self.assertRaises(PermissionError, open, os.path.join(point, "lost"), "w")
        await self.unmount()

    async def test_side_by_side(self) -> None:
        """Operations on several names do not wait for one another, and those on one do."""
        devices = {name: self.device(SMALL) for name in "abc"}
        await gatherResults([self.mount(each, name, new=True) for name, each in devices.items()])
        self.assertEqual(3, len(self.mounted()))
        await gatherResults([self.unmount(name) for name in devices])
        self.assertEqual([], self.mounted())


class AnotherProcessTests(MounterTestCase):
    """A mounter that begins when mounts exist."""

    async def test_found(self) -> None:
        """Mounts of a mounter that died are found, and can be unmounted."""
        device = self.device(SMALL)
        folder = await self.mount(device, new=True)
        self.mounter = Mounter(reactor, self.directory)
        self.assertEqual(folder, await self.mount(device))
        await self.unmount()
        self.assertEqual([], self.mounted())
