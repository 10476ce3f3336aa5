"""Tests of the choice of the parts that a guest is made of."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from .hypervisor import Image, command_line
from .initramfs import libraries_in, with_compiled, with_parents
from .kernel import KernelError, modules_in, package_in
from .volumes import TEXT, Volume, nvme, scsi, virtio

RECORD = """\
Package: linux-image-cloud-amd64
Depends: linux-image-6.1.0-40-cloud-amd64 (= 6.1.1-1)
Description: Linux for x86-64 cloud (meta-package)
"""
MODULES = """\
builtin nvme
insmod /m/virtio.ko.xz
insmod /m/virtio_pci.ko.xz option=1
insmod /m/virtio.ko.xz
insmod /m/virtio_blk.ko.xz
"""
LIBRARIES = """\
/usr/bin/python3:
\tlinux-vdso.so.1 (0x00007ffe9b9c9000)
\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f3a5c000000)
\t/lib64/ld-linux-x86-64.so.2 (0x00007f3a5c9d2000)
\tlibmissing.so.1 => not found
"""
ID = "3f2c0000-1111-4222-8333-444455556666"


class KernelTests(SynchronousTestCase):
    """Debian's kernel, and its modules."""

    def test_package(self) -> None:
        """The kernel's package is the one that the package of the latest kernel depends on."""
        self.assertEqual("linux-image-6.1.0-40-cloud-amd64", package_in(RECORD))

    def test_no_package(self) -> None:
        """Without the package of the latest kernel, the error names it."""
        with self.assertRaisesRegex(KernelError, "linux-image-cloud-amd64 .*: not found"):
            package_in("")

    def test_modules(self) -> None:
        """Each module is loaded once, after those that it depends on."""
        expected = ["/m/virtio.ko.xz", "/m/virtio_pci.ko.xz", "/m/virtio_blk.ko.xz"]
        self.assertEqual(expected, modules_in(MODULES))


class FileTests(SynchronousTestCase):
    """The files of a guest's initial file system."""

    def test_libraries(self) -> None:
        """The libraries of programs are found, and the program that loads them."""
        expected = {"/lib/x86_64-linux-gnu/libm.so.6", "/lib64/ld-linux-x86-64.so.2"}
        self.assertEqual(expected, libraries_in(LIBRARIES))

    def test_links(self) -> None:
        """A path through links comes with each link, what it leads to, and their directories."""
        top = os.path.realpath(self.mktemp())
        os.makedirs(os.path.join(top, "usr/lib"))
        os.symlink("usr/lib", os.path.join(top, "lib"))
        os.symlink("file.1", os.path.join(top, "usr/lib/file"))
        with open(os.path.join(top, "usr/lib/file.1"), "w"):
            pass
        found = {each for each in with_parents(os.path.join(top, "lib/file")) if top + "/" in each}
        names = [
            "lib",
            "lib/file",
            "lib/file.1",
            "usr",
            "usr/lib",
            "usr/lib/file",
            "usr/lib/file.1",
        ]
        self.assertEqual([os.path.join(top, name) for name in names], sorted(found))

    def test_compiled(self) -> None:
        """A module comes with its compiled form, where 3 and where 2.7 keep it; a library alone."""
        top = self.mktemp()
        os.makedirs(os.path.join(top, "__pycache__"))
        for name in ("a.cpython-311.pyc", "a.cpython-311.opt-1.pyc", "ab.cpython-311.pyc"):
            with open(os.path.join(top, "__pycache__", name), "w"):
                pass
        names = ["a.py", "a.pyc", "__pycache__/a.cpython-311.pyc"]
        expected = [os.path.join(top, name) for name in names]
        self.assertEqual(expected, with_compiled(os.path.join(top, "a.py")))
        self.assertEqual(expected, with_compiled(os.path.join(top, "a.pyc")))
        self.assertEqual(["/a.so"], with_compiled("/a.so"))


class HardwareTests(SynchronousTestCase):
    """The options of QEMU, and the disks."""

    def test_command_line(self) -> None:
        """QEMU ends with its parent, has no KVM, and gets both connections as they are."""
        words = command_line(Image("/python", "/kernel", "/initramfs"), "/log", 7, 8)
        joined = " ".join(words)
        self.assertTrue(joined.startswith("setpriv --pdeathsig KILL qemu-system-x86_64 "))
        self.assertIn("accel=tcg", joined)
        self.assertIn("socket,id=monitor,fd=7", joined)
        self.assertIn("socket,id=agent,fd=8", joined)
        self.assertIn("rdinit=/python ", words[words.index("-append") + 1])

    def test_identities(self) -> None:
        """The serial numbers are those that the clouds' hypervisors give."""
        self.assertEqual({"serial": ID[:20]}, virtio(ID).properties)
        self.assertEqual(ID, scsi(ID).properties["serial"])
        serial = nvme("vol-0123456789abcdef0").properties["serial"]
        self.assertEqual(("vol0123456789abcdef0", 20), (serial, len(serial)))

    def test_texts(self) -> None:
        """A volume has a text at each end; one that grew has the old one, too."""
        path = self.mktemp()
        Volume("v", path, 4 * TEXT).write()
        Volume("v", path, 8 * TEXT).write()
        with open(path, "rb") as opened:
            content = opened.read()
        self.assertEqual(8 * TEXT, len(content))
        self.assertTrue(content.startswith(b"the beginning of v\0"))
        for size in (4, 8):
            text = f"the end of v at {size * TEXT}".encode()
            self.assertEqual(text, content[(size - 1) * TEXT : size * TEXT].rstrip(b"\0"))
