"""Tests for :mod:`txstorage.filesystem.encryption`."""

from __future__ import annotations

import os
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from txstorage.errors import (
    EncryptionUnavailable,
    KeyRefused,
    MountedElsewhere,
    MountPointUnusable,
    NotFormatted,
    ProgramFailed,
)
from txstorage.filesystem import Mounter, Options, encryption
from txstorage.filesystem.contents import is_blank
from txstorage.filesystem.encryption import FRESH, MADE, Encryption, problem_of, stands_on
from txstorage.filesystem.holders import mounts_of, number_of

from .stand_in import HEADER, QUICK, StandIn
from .support import MIB, DeviceTestCase, needs, shell

ENCRYPTED = Options("xfs", encrypted=True)


def label_on(device: str) -> str:
    """:return: the label in a device's header."""
    return shell("blkid", "-p", "-o", "value", "-s", "LABEL", device).strip()


class EncryptedTestCase(DeviceTestCase):
    """Base: a mounter with a key."""

    def setUp(self) -> None:
        super().setUp()
        needs("cryptsetup", "mkfs.xfs")
        self.key = self.key_file()
        self.mounter = Mounter(reactor, self.directory, self.key)

    def key_file(self, mode: int = 0o600) -> str:
        """:return: the path of a new key."""
        path = os.path.abspath(self.mktemp())
        with open(path, "wb") as opened:
            opened.write(os.urandom(64))
        os.chmod(path, mode)
        return path

    def mount(self, device: str, name: str = "a", **options: Any) -> Deferred[str]:
        options = {"options": ENCRYPTED, **options}
        return Deferred.fromCoroutine(self.mounter.mount(name, device, **options))

    def unmount(self, name: str = "a") -> Deferred[None]:
        return Deferred.fromCoroutine(self.mounter.unmount(name))

    def mounted(self) -> list[str]:
        """:return: the mount points below the directory."""
        return [each for each in self.mounter.names()]

    async def life(self, device: str) -> None:
        """Write to a new encrypted device, and read it again without the option."""
        folder = await self.mount(device, new=True)
        with open(os.path.join(folder, "file"), "w") as opened:
            opened.write("hello")
        [mount] = [each for each in mounts_of() if each.mounted_at.startswith(self.directory)]
        self.assertNotEqual(number_of(device), number_of(mount.source))
        self.assertEqual("txstorage", label_on(device))
        await self.unmount()
        folder = await self.mount(device, options=Options())
        with open(os.path.join(folder, "file")) as opened:
            self.assertEqual("hello", opened.read())
        await self.unmount()


class RealTests(EncryptedTestCase):
    """The kernel's own device-mapper."""

    async def test_life(self) -> None:
        """Data survive, and do not stand on the device as they are."""
        problem = problem_of(self.key)
        if problem is not None:
            raise SkipTest(problem[0])
        device = self.device()
        await self.life(device)
        with open(device, "rb") as opened:
            self.assertNotIn(b"XFSB", opened.read(64 * MIB))


class EncryptedTests(EncryptedTestCase):
    """Mounts of encrypted devices, with a stand-in for device-mapper."""

    def setUp(self) -> None:
        # first, so that its devices are closed last
        self.mapper = StandIn(self)
        super().setUp()

    async def test_life(self) -> None:
        """Data survive; after an unmount, nothing is open; a copy needs no option."""
        await self.life(self.device())
        self.assertEqual([], self.mapper.opened())

    async def test_again(self) -> None:
        """A mount that exists is used."""
        device = self.device()
        first = await self.mount(device, new=True)
        self.assertEqual(first, await self.mount(device))
        self.assertEqual(1, len(self.mapper.opened()))

    async def test_unavailable(self) -> None:
        """Without a key that only its owner can read, nothing is written to a new device."""
        others, absent = self.key_file(0o640), os.path.abspath(self.mktemp())
        foreign = self.key_file()
        os.chown(foreign, 12345, 0)
        problems = {None: "no key", others: "other users can read", absent: "No such file"}
        problems[foreign] = "other users can read"
        for key, problem in problems.items():
            self.mounter = Mounter(reactor, self.directory, key)
            device = self.device(64 * MIB)
            error = await self.assertFailure(self.mount(device, new=True), EncryptionUnavailable)
            self.assertIn(problem, str(error))
            self.assertTrue(is_blank(device))

    async def test_other_key(self) -> None:
        """Another key is refused; nothing is open or mounted."""
        device = self.device()
        await self.mount(device, new=True)
        await self.unmount()
        self.mounter = Mounter(reactor, self.directory, self.key_file())
        await self.assertFailure(self.mount(device), KeyRefused)
        self.assertEqual(([], []), (self.mapper.opened(), self.mounted()))

    async def test_never_encrypted_over(self) -> None:
        """A device is encrypted only if it is new and blank."""

        def filesystem(device: str) -> None:
            shell("mkfs.ext4", "-q", device)

        def data(device: str) -> None:
            with open(device, "r+b") as opened:
                opened.seek(5000)
                opened.write(b"x")

        for write, new in [(filesystem, True), (data, True), (lambda device: None, False)]:
            device = self.device(64 * MIB)
            write(device)
            with open(device, "rb") as opened:
                before = opened.read()
            await self.assertFailure(self.mount(device, new=new), NotFormatted)
            with open(device, "rb") as opened:
                self.assertEqual(before, opened.read())
        self.assertEqual([], [each for each in self.mapper.commands if each[0] == "luksFormat"])

    async def test_interrupted_format(self) -> None:
        """A header that has no key yet is made again, while the volume is new."""
        device = self.device()
        made = ("--key-file", self.key, *QUICK, "--label", FRESH)
        shell("cryptsetup", "luksFormat", "--batch-mode", *made, device)
        shell("cryptsetup", "luksKillSlot", "--batch-mode", device, "0")
        for new, options in [(False, ENCRYPTED), (False, Options())]:
            await self.assertFailure(self.mount(device, new=new, options=options), ProgramFailed)
        self.assertEqual([], [each for each in self.mapper.commands if each[0] == "luksFormat"])
        await self.mount(device, new=True)
        self.assertEqual("txstorage", label_on(device))

    async def test_format_without_key_of_others(self) -> None:
        """A header without a key that has another label is never made again."""
        device = self.device()
        for label in ("", MADE):
            made = ("--key-file", self.key, *QUICK, "--label", label)
            shell("cryptsetup", "luksFormat", "--batch-mode", *made, device)
            shell("cryptsetup", "luksKillSlot", "--batch-mode", device, "0")
            await self.assertFailure(self.mount(device, new=True), ProgramFailed)
        self.assertEqual([], [each for each in self.mapper.commands if each[0] == "luksFormat"])

    async def test_memory(self) -> None:
        """Opening takes little memory, as small nodes have; the key is in no argument."""
        device = self.device()
        await self.mount(device, new=True)
        [made] = [each for each in self.mapper.commands if each[0] == "luksFormat"]
        self.assertEqual("65536", made[made.index("--pbkdf-memory") + 1])
        with open(self.key, "rb") as opened:
            key = opened.read()
        self.assertFalse([each for each in self.mapper.commands if key in os.fsencode(str(each))])

    async def test_interrupted_before_mkfs(self) -> None:
        """A device that was encrypted without getting a file system gets one, while it is new."""
        device = self.device()

        def fail(*command: str) -> None:
            if command[1] == "open":
                raise ProgramFailed(command, -9, "killed")

        self.mapper.fail = fail
        await self.assertFailure(self.mount(device, new=True), ProgramFailed)
        self.assertEqual("txstorage-new", label_on(device))
        self.mapper.fail = lambda *command: None
        # noise, as an encrypted device begins
        with open(device, "r+b") as opened:
            opened.seek(HEADER)
            opened.write(os.urandom(2 * MIB))
        await self.assertFailure(self.mount(device), NotFormatted)
        self.assertEqual(([], []), (self.mapper.opened(), self.mounted()))
        await self.mount(device, new=True)
        self.assertEqual("txstorage", label_on(device))

    async def test_interrupted_after_mkfs(self) -> None:
        """A complete file system is kept, though its completion was not noted."""
        device = self.device()

        def fail(*command: str) -> None:
            if command[1] == "config":
                raise ProgramFailed(command, -9, "killed")

        self.mapper.fail = fail
        await self.assertFailure(self.mount(device, new=True), ProgramFailed)
        self.assertEqual(([], "txstorage-new"), (self.mapper.opened(), label_on(device)))
        with open(device, "rb") as opened:
            opened.seek(HEADER)
            before = opened.read(512)
        self.mapper.fail = lambda *command: None
        await self.mount(device, new=True)
        with open(device, "rb") as opened:
            opened.seek(HEADER)
            self.assertEqual(before, opened.read(512))

    async def test_noise_is_not_formatted(self) -> None:
        """An opened device that had a file system once never gets another one."""
        device = self.device()
        await self.mount(device, new=True)
        await self.unmount()
        with open(device, "r+b") as opened:
            opened.seek(HEADER)
            opened.write(os.urandom(2 * MIB))
        await self.assertFailure(self.mount(device, new=True), NotFormatted)
        self.assertEqual([], self.mapper.opened())

    async def test_foreign(self) -> None:
        """A device that others have encrypted is opened only if that is asked for."""
        device = self.device()
        shell("cryptsetup", "luksFormat", "--batch-mode", "--key-file", self.key, *QUICK, device)
        self.mapper.open(device, "theirs")
        shell("mkfs.xfs", "-q", self.mapper.path("theirs"))
        self.mapper.close("theirs")
        error = await self.assertFailure(self.mount(device, options=Options()), NotFormatted)
        self.assertIn("encryption=luks", error.remedy)
        await self.mount(device)
        self.assertEqual(["a"], self.mounted())

    async def test_left_open(self) -> None:
        """A device that an interrupted mount left open is closed first; one in use is not."""
        device = self.device()
        await self.mount(device, new=True)
        await self.unmount()
        path = Encryption(reactor, self.directory).path("a")
        self.mapper.open(device, os.path.basename(path))
        await self.mount(device)
        shell("mount", "--move", self.mounter.mount_point("a"), self.elsewhere())
        await self.assertFailure(self.mount(device), MountedElsewhere)
        await self.assertFailure(self.unmount(), MountedElsewhere)

    def elsewhere(self) -> str:
        """:return: the path of a directory to mount on."""
        path = os.path.abspath(self.mktemp())
        os.mkdir(path)
        self.addCleanup(shell, "umount", path)
        return path

    async def test_another_device(self) -> None:
        """A mount of another device at the mount point is an error."""
        await self.mount(self.device(), new=True)
        await self.assertFailure(self.mount(self.device()), MountPointUnusable)

    async def test_grows(self) -> None:
        """A mounted file system grows with its device; without the key it stays usable."""
        device = self.device()
        folder = await self.mount(device, new=True)
        before = os.statvfs(folder).f_blocks
        os.truncate(self.image, 800 * MIB)
        shell("losetup", "--set-capacity", device)
        os.unlink(self.key)
        self.assertEqual(folder, await self.mount(device))
        self.assertEqual(before, os.statvfs(folder).f_blocks)
        os.rename(self.key_file(), self.key)
        await self.mount(device)
        self.assertGreater(os.statvfs(folder).f_blocks, 1.7 * before)


class DetailTests(SynchronousTestCase):
    """Names, and what the kernel says of devices."""

    def test_names(self) -> None:
        """Device-mapper takes the names; two plugins' names differ, and so do long ones."""
        first, second = Encryption(None, "/a"), Encryption(None, "/b")
        self.assertTrue(first.path("pg").endswith("-pg"))
        self.assertNotEqual(first.path("pg"), second.path("pg"))
        long = ["n" * 199 + end for end in "ab"]
        self.assertEqual(2, len({first.path(name) for name in long}))
        for name in long:
            self.assertLess(len(os.path.basename(first.path(name))), 128)

    def test_stands_on(self) -> None:
        """The kernel's table of the devices below another one decides."""
        sysfs = self.mktemp()
        null, zero = number_of("/dev/null"), number_of("/dev/zero")
        below = os.path.join(sysfs, "dev", "block", null, "slaves", "zero")
        os.makedirs(below)
        with open(os.path.join(below, "dev"), "w") as opened:
            opened.write(zero + "\n")
        self.assertTrue(stands_on("/dev/null", "/dev/zero", sysfs))
        self.assertFalse(stands_on("/dev/null", "/dev/full", sysfs))
        self.assertFalse(stands_on("/dev/zero", "/dev/null", sysfs))

    def test_no_device_mapper(self) -> None:
        """A kernel without device-mapper is a problem with a remedy of its own."""
        key = self.mktemp()
        with open(key, "w") as opened:
            opened.write("key")
        os.chmod(key, 0o600)
        self.patch(encryption, "_CONTROL", "/no")
        problem = problem_of(key)
        assert problem is not None
        self.assertIn("modprobe", problem[1])
