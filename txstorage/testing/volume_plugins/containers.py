# -*- test-case-name: tests.testing.volume_plugins.test_suite -*-
"""
Processes that use a volume as containers do, and the kernel's view of a path.
"""

from __future__ import annotations

import os
import subprocess
import tempfile

from ..._support.linux import unescape

#: Keeps a folder as a container does: in a mount namespace that has nothing of the host's mounts.
#: Each copy of a mount would keep its device in use.
_CONTAINER = """\
set -e
mount --bind "$1" "$2"
# The whole table first, the latest mounts first: it changes with each umount.
for point in $(cut -d ' ' -f 5 /proc/self/mountinfo | tac); do
    case $point in
    "$2" | / | /dev | /dev/* | /proc | /proc/* | /sys | /sys/*) ;;
    # what has a mount that stays below it stays, too
    *) umount "$point" 2>/dev/null || true ;;
    esac
done
echo ready
cat > /dev/null
"""
#: Tries to write where the mount is, without the mount.
_BELOW = """\
umount --lazy "$1" || exit 2
touch "$1/written" 2>/dev/null && exit 1
exit 0
"""
_UNSHARE = ("unshare", "--mount", "--propagation", "private", "sh", "-c")


class Container:
    """
    A process that has a volume's folder in a mount namespace of its own.  Needs root.

    :param path: the folder, as the plugin returned it.
    :ivar folder: the path of the folder for this process, through the container's own mount.
    """

    def __init__(self, path: str) -> None:
        self._directory = tempfile.mkdtemp(prefix="txstorage-test-")
        self.process = subprocess.Popen(
            [*_UNSHARE, _CONTAINER, "sh", path, self._directory],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        if self.process.stdout.readline() != b"ready\n":
            self.stop()
            raise RuntimeError(f"the container did not start with {path}")
        self.folder = f"/proc/{self.process.pid}/root{self._directory}"

    def stop(self) -> None:
        """End it."""
        self.process.communicate()
        os.rmdir(self._directory)


def mount_point_of(path: str) -> str:
    """:return: the mount point of the mount that a path is on."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as opened:
        points = [unescape(line.split(" ")[4]) for line in opened]
    above = [each for each in points if (path + "/").startswith(each.rstrip("/") + "/")]
    return max(above, key=len)


def takes_writes_without_mount(path: str) -> bool:
    """:return: whether the mount point of a mounted path takes writes when nothing is mounted."""
    command = [*_UNSHARE, _BELOW, "sh", mount_point_of(path)]
    code = subprocess.run(command, stderr=subprocess.PIPE).returncode
    if code not in (0, 1):
        raise RuntimeError(f"can't look below the mount of {path}")
    return code == 1


__all__ = ["Container", "mount_point_of", "takes_writes_without_mount"]
