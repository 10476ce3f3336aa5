"""
The first steps of a node, in its new namespaces: from them to its systemd.

:mod:`.power` runs this program as the first process of the node.  Its argument is the node's
description, JSON; see :class:`Description`.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import uuid
from dataclasses import dataclass

#: The abstract address, in the node's network namespace, for messages to :mod:`.power`.
NOTIFY = "@txstorage-node"
#: The message before systemd starts.
SET_UP = b"SET_UP=1"
#: The nodes' own devices, which are this machine's.
DEVICES = "null zero full random urandom tty loop-control fuse mapper/control".split()
#: No udev makes nodes in a node's /dev: each loop device that the kernel may hand out has one.
LOOP_DEVICES = 1024
LINKS = {
    "ptmx": "pts/ptmx",
    "fd": "/proc/self/fd",
    "stdin": "fd/0",
    "stdout": "fd/1",
    "stderr": "fd/2",
}
#: The shell's last words before systemd.  The mounts are shared, as systemd has them on a machine;
#: it sees a container here, whose mounts it leaves as they are.
INIT = "umount -l /mnt/machine; mount --make-rshared /; exec /sbin/init"
#: Directories of engines, which can't stand on an overlay.
ENGINES = ("docker", "containers")


@dataclass(frozen=True)
class Description:
    """
    :ivar name: the host name.
    :ivar directory: the node's directory on this machine.
    :ivar layers: the directories that the root is an overlay of, the uppermost first.
    :ivar machine_id: the node's, which lasts.
    :ivar hosts: names and addresses of the machines in the network.
    """

    name: str
    directory: str
    layers: list[str]
    machine_id: str
    hosts: dict[str, str]

    def within(self, *path):
        """:return: a path in the node's directory."""
        return os.path.join(self.directory, *path)


def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)


def mount_root(description):
    """
    Mount the root; each node writes only to its own directory.

    :return: the root's path.
    """
    root, upper, work = (description.within(name) for name in ("root", "upper", "work"))
    for directory in (root, upper, work):
        os.makedirs(directory, exist_ok=True)
    lower = ":".join(description.layers)
    options = f"lowerdir={lower},upperdir={upper},workdir={work}"
    mount("-t", "overlay", "overlay", "-o", options, root)
    for name in ENGINES:
        own = description.within(name)
        os.makedirs(own, exist_ok=True)
        os.makedirs(os.path.join(root, "var/lib", name), exist_ok=True)
        mount("--bind", own, os.path.join(root, "var/lib", name))
    return root


def mount_kernel(root):
    """Mount what the kernel shows; the settings that all nodes share can't be written."""
    proc, system = os.path.join(root, "proc"), os.path.join(root, "sys")
    mount("-t", "proc", "proc", proc)
    settings, network = os.path.join(proc, "sys"), os.path.join(proc, "sys/net")
    for path in (settings, os.path.join(proc, "sysrq-trigger")):
        if os.path.exists(path):
            mount("--bind", path, path)
            mount("-o", "remount,bind,ro", path)
    mount("--bind", network, network)
    mount("-o", "remount,bind,rw", network)
    mount("-t", "sysfs", "-o", "ro", "sysfs", system)
    mount("-t", "cgroup2", "cgroup2", os.path.join(system, "fs/cgroup"))
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", os.path.join(root, "run"))


def make_devices(root, console):
    """
    Make the node's ``/dev``.

    :param console: the path of the file that stands for the console.
    """
    place = os.path.join(root, "dev")
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", place)
    os.umask(0)
    for name in DEVICES:
        try:
            found = os.stat("/dev/" + name)
        except FileNotFoundError:
            continue
        os.makedirs(os.path.dirname(os.path.join(place, name)), mode=0o755, exist_ok=True)
        os.mknod(os.path.join(place, name), found.st_mode, found.st_rdev)
    for number in range(LOOP_DEVICES):
        os.mknod(os.path.join(place, f"loop{number}"), 0o60660, os.makedev(7, number))
    os.umask(0o022)
    for name, target in LINKS.items():
        os.symlink(target, os.path.join(place, name))
    for name in ("pts", "shm"):
        os.mkdir(os.path.join(place, name))
    options = "newinstance,ptmxmode=0666,mode=620,gid=5"
    mount("-t", "devpts", "-o", options, "devpts", os.path.join(place, "pts"))
    mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", os.path.join(place, "shm"))
    with open(os.path.join(place, "console"), "w"):
        mount("--bind", console, os.path.join(place, "console"))


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as opened:
        opened.write(text)


def identify(root, description):
    """Write the identities of the node and of this boot."""
    write(os.path.join(root, "etc/hostname"), description.name + "\n")
    write(os.path.join(root, "etc/machine-id"), description.machine_id + "\n")
    hosts = {"localhost": "127.0.0.1", **description.hosts}
    lines = [f"{address} {name}\n" for name, address in hosts.items()]
    write(os.path.join(root, "etc/hosts"), "".join(lines))
    socket.sethostname(description.name)
    # all namespaces of a host share the kernel's
    boot = os.path.join(root, "run/boot-id")
    write(boot, f"{uuid.uuid4()}\n")
    mount("--bind", boot, os.path.join(root, "proc/sys/kernel/random/boot_id"))


def notify(message):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as power:
        power.sendto(message, NOTIFY.replace("@", "\0"))


def start_systemd(root):
    """Become the node's systemd, with nothing of this machine below its root."""
    os.chdir(root)
    os.makedirs("mnt/machine", exist_ok=True)
    subprocess.run(["pivot_root", ".", "mnt/machine"], check=True)
    notify(SET_UP)
    os.execvpe(
        "chroot",
        ["chroot", ".", "/bin/sh", "-c", INIT],
        {"container": "lxc", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "NOTIFY_SOCKET": NOTIFY},
    )


def main():
    description = Description(**json.loads(sys.argv[1]))
    root = mount_root(description)
    mount_kernel(root)
    console = description.within("console.log")
    make_devices(root, console)
    identify(root, description)
    start_systemd(root)


if __name__ == "__main__":
    main()
