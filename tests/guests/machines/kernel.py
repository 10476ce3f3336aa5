"""Debian's kernel for clouds: downloaded from Debian's mirror, unpacked, and not installed."""

from __future__ import annotations

import glob
import lzma
import os
import re
import shutil
import subprocess
from dataclasses import dataclass

from ... import debian
from ...progress import step
from ...roots.debootstrap import output_of
from ...run import content, make_once, run

#: The package that depends on the package of the current kernel.
LATEST = "linux-image-cloud-amd64"
#: The drivers of the guests' hardware.  The kernel has others, as that of NVMe, built in.
DRIVERS = ("virtio_pci", "virtio_blk", "virtio_scsi", "ata_piix", "sd_mod")
#: This module, which decides what a kernel's directory holds.
HERE = "tests/guests/machines/kernel.py"


class KernelError(Exception):
    """There is no kernel for the guests; the text says why."""


@dataclass(frozen=True)
class Kernel:
    """
    :ivar image: the path of the kernel.
    :ivar modules: the path of the directory of its modules, whose names sort in the order in which
        they have to be loaded.
    """

    image: str
    modules: str


def package_in(record):
    """
    :param record: what ``apt-cache show`` says of :data:`LATEST`.
    :return: the name of the kernel's package.
    :raises KernelError: the record has none.
    """
    match = re.search(r"^Depends:.*?\b(linux-image-[0-9][\w.+-]*)", record, re.MULTILINE)
    if match is None:
        raise KernelError(
            f"Debian's package {LATEST} depends on no kernel: {record or 'not found'}"
        )
    return match.group(1)


def modules_in(listing):
    """
    :param listing: what ``modprobe --show-depends`` printed for one driver or for several.
    :return: list of the paths of the modules, each once, in the order in which they have to be
        loaded.
    """
    lines = [line.split() for line in listing.splitlines()]
    return list(dict.fromkeys(words[1] for words in lines if words and words[0] == "insmod"))


def current_package():
    """
    :return: the name and the version of the package of this release's current kernel.
    :raises KernelError: apt does not know it.
    """
    shown = ["apt-cache", "show", "--no-all-versions"]
    done = subprocess.run([*shown, LATEST], stdout=subprocess.PIPE, text=True)
    if done.returncode and debian.can_install():
        debian.apt_get("update")
        done = subprocess.run([*shown, LATEST], stdout=subprocess.PIPE, text=True)
    name = package_in(done.stdout)
    version = re.search(r"^Version: (\S+)", output_of(*shown, name), re.MULTILINE)
    return name, version.group(1)


def _unpack(directory, name):
    """Download a package, and unpack it."""
    os.makedirs(directory)
    command = ["apt-get", "-q", "download", name]
    options = {"cwd": directory, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with step("downloading " + name):
        if subprocess.run(command, **options).returncode:
            # The mirror keeps no packages that were replaced since apt's last update.
            if debian.can_install():
                debian.apt_get("update")
            run(*command, cwd=directory)
    [package] = glob.glob(os.path.join(directory, "*.deb"))
    run("dpkg-deb", "--extract", package, directory)
    # Since Debian 13, the modules are in /usr.
    if not os.path.exists(os.path.join(directory, "lib")):
        os.symlink("usr/lib", os.path.join(directory, "lib"))


def _copy(source, target):
    """Copy a module, uncompressed; Debian compresses modules since Debian 13."""
    opened = lzma.open if source.endswith(".xz") else open
    with opened(source, "rb") as compressed, open(target, "wb") as copy:
        shutil.copyfileobj(compressed, copy)


def make_kernel(place):
    """
    :param place: the directory that keeps the kernel from one run to the next.
    :return: the :class:`Kernel`.
    :raises KernelError: apt has none.
    """
    name, version = current_package()
    kernel = Kernel(os.path.join(place, "vmlinuz"), os.path.join(place, "modules"))

    def make():
        unpacked = os.path.join(place, "package")
        _unpack(unpacked, name)
        [image] = glob.glob(os.path.join(unpacked, "boot/vmlinuz-*"))
        shutil.copyfile(image, kernel.image)
        os.makedirs(kernel.modules)
        # The order is the dependencies': modprobe reads what depmod wrote.
        [release] = os.listdir(os.path.join(unpacked, "lib/modules"))
        run("depmod", "--basedir", unpacked, release)
        shown = ["modprobe", "--dirname", unpacked, "--set-version", release, "--show-depends"]
        listing = "".join(output_of(*shown, driver) + "\n" for driver in DRIVERS)
        for number, path in enumerate(modules_in(listing)):
            base = os.path.basename(path).split(".")[0]
            _copy(path, os.path.join(kernel.modules, f"{number:02d}-{base}.ko"))
        shutil.rmtree(unpacked)

    make_once(place, [name, version, *content(HERE)], make)
    return kernel
