"""
The tree that all nodes' roots are overlays of: a Debian, and over it the project's ``.deb`` with
the settings that a node needs.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess

from ...progress import step
from ...roots.debootstrap import make_base
from ...run import ROOT, content, make_once, run
from ..machines.nodes import PLACE

PACKAGES = """\
systemd systemd-sysv dbus iproute2 procps kmod fdisk e2fsprogs xfsprogs btrfs-progs ca-certificates
curl docker.io docker-compose iptables openssh-server python3 busybox-static
""".split()
#: The packages that only some releases have apart from these.
MORE = {"bookworm": (), "trixie": ("docker-cli",)}
#: The program that engines find before runc.
RUNTIME = "tests/nodes/trees/runtime.py"
#: Containers have no network, or their node's.
ENGINE = {
    "bridge": "none",
    "iptables": False,
    "ip6tables": False,
    "storage-driver": "overlay2",
}
#: Units that do something to this machine's kernel or hardware, or at times of their own.
MASKED = """\
apt-daily-upgrade.timer apt-daily.timer console-getty.service dpkg-db-backup.timer
e2scrub_all.timer e2scrub_reap.service fstrim.timer getty.target proc-sys-fs-binfmt_misc.automount
sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount systemd-logind.service
systemd-modules-load.service systemd-remount-fs.service xfs_scrub_all.timer
""".split()
#: Changes a root that is an overlay of the first argument.  Further arguments: the directory of
#: the changes, one to work in, the paths of the package and of the program before runc, the
#: engine's settings, and the masked units.
INSTALL = """\
set -e
base=$1 upper=$2 work=$3 package=$4 runtime=$5 engine=$6
shift 6
mkdir -p "$upper" "$work/work" "$work/root"
root=$work/root
mount -t overlay overlay -o "lowerdir=$base,upperdir=$upper,workdir=$work/work" "$root"
mount -t proc proc "$root/proc"
mkdir -p "$root/etc/docker"
printf '%s\\n' "$engine" >"$root/etc/docker/daemon.json"
install -D "$runtime" "$root/usr/local/sbin/runc"
for unit; do ln -sf /dev/null "$root/etc/systemd/system/$unit"; done
cp "$package" "$root/tmp/txstorage.deb"
chroot "$root" dpkg --install /tmp/txstorage.deb
rm "$root/tmp/txstorage.deb"
"""


def make_layer(directory, base, package):
    """
    Install a package over a root, unless that was done with the same inputs before.

    :param directory: of the changes.
    :param base: the root's path, which does not change.
    :param package: the path of the ``.deb``.
    """
    with open(os.path.join(base, ".made-for")) as stamp, open(package, "rb") as opened:
        digest = hashlib.sha256(opened.read()).hexdigest()
        wanted = [stamp.read(), digest, ENGINE, MASKED, INSTALL, *content(RUNTIME)]

    def make():
        work = directory + ".work"
        run("rm", "-rf", work)
        with step("installing {} for the nodes".format(os.path.basename(package))):
            # the mounts end with the namespace
            words = ["unshare", "--mount", "--propagation", "private", "sh", "-c", INSTALL, "sh"]
            paths = [base, directory, work, package, os.path.join(ROOT, RUNTIME)]
            run(*words, *paths, json.dumps(ENGINE), *MASKED, stdout=subprocess.DEVNULL)
        run("rm", "-rf", work)

    make_once(directory, wanted, make)
    return directory


def make_layers(release, package):
    """
    Make the directories that the nodes' roots are overlays of.

    :param release: the codename of the nodes' release.
    :param package: the path of a ``.deb`` for that release.
    :return: list of paths, the uppermost first.
    """
    packages = [*PACKAGES, *MORE[release]]
    base = make_base(os.path.join(PLACE, release), release, packages)
    return [make_layer(base + "-txstorage", base, package), base]
