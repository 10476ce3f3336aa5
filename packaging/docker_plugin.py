"""
Make a managed Docker plugin: ``make docker-plugin``, as root, on Debian.

The directory ``dist/docker-plugin`` receives the two things that ``docker plugin create`` reads:
``config.json``, and ``rootfs``, a Debian with the ``.deb`` and the programs of the file systems.
"""

import argparse
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path.append(ROOT)
# At the end, so that no module of the project hides a library's.
from tests.packages.making import PLACE, make_packages, the_deb  # noqa: E402
from tests.progress import say, step  # noqa: E402
from tests.roots.debootstrap import (  # noqa: E402
    check_machine,
    make_base,
    output_of,
    this_release,
)
from tests.run import make_once  # noqa: E402

CONFIG = os.path.join(HERE, "docker", "config.json")
#: The packages of the programs that encrypt, make, check and grow file systems.
FILESYSTEMS = ("btrfs-progs", "cryptsetup-bin", "e2fsprogs", "xfsprogs")
#: The parts of a Debian that no plugin needs.
LEFT_OUT = """\
.made-for boot home media opt/txstorage.deb srv usr/games usr/share/doc usr/share/doc-base
usr/share/info usr/share/locale usr/share/man usr/share/zoneinfo var/cache/apt var/lib/apt/lists
var/cache/debconf var/log
""".split()
#: Installs the package in a root, the first argument; the second one is its path there.
INSTALL = """\
mount -t proc proc "$1/proc"
chroot "$1" dpkg --install "$2" >/dev/null
"""


def fill(rootfs, base, package):
    """
    Make the root of the plugin's container.

    :param rootfs: the path; it must not exist.
    :param base: the root that it is a copy of.
    :param package: the path of the ``.deb``.
    """
    subprocess.run(["cp", "-a", base, rootfs], check=True)
    shutil.copy(package, os.path.join(rootfs, "opt/txstorage.deb"))
    alone = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", INSTALL, "sh"]
    subprocess.run([*alone, rootfs, "/opt/txstorage.deb"], check=True)
    for name in LEFT_OUT:
        path = os.path.join(rootfs, name)
        if os.path.isdir(path):
            shutil.rmtree(path)
        elif os.path.lexists(path):
            os.unlink(path)
    # Engines mount files here, which must exist, and the directory of the mounts.
    for name in ("etc/machine-id", "etc/hosts", "etc/resolv.conf"):
        path = os.path.join(rootfs, name)
        if os.path.lexists(path):
            os.unlink(path)
        with open(path, "w"):
            pass
    for name in ("propagated-mount", "run/docker/plugins", "var/log", "etc/txstorage"):
        os.makedirs(os.path.join(rootfs, name), exist_ok=True)


def make_plugin(directory, package):
    """
    Make the plugin, unless it was made from the same inputs before.

    :param directory: its directory.
    :param package: the path of the ``.deb``.
    """
    needed = [
        each.split()[0] for each in output_of("dpkg-deb", "-f", package, "Depends").split(",")
    ]
    release = this_release()
    name = os.path.join(PLACE, "docker-plugin-" + release)
    base = make_base(name, release, [*needed, *FILESYSTEMS])
    wanted = [output_of("sha256sum", package, CONFIG, os.path.abspath(__file__)), release]

    def make():
        with step("making the root of the managed plugin"):
            os.makedirs(directory)
            fill(os.path.join(directory, "rootfs"), base, package)
            shutil.copy(CONFIG, directory)

    make_once(directory, wanted, make)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    default = os.path.join(ROOT, "dist", "docker-plugin")
    parser.add_argument("--directory", default=default, help="of the plugin")
    parser.add_argument("--deb", help="the package to install [default: make packages makes it]")
    options = parser.parse_args()
    check_machine("docker-plugin")
    package = options.deb or the_deb(make_packages())
    make_plugin(os.path.abspath(options.directory), os.path.abspath(package))
    shown = os.path.relpath(options.directory)
    say("made {0}; create the plugin with: docker plugin create txstorage {0}".format(shown))


if __name__ == "__main__":
    sys.exit(main())
