"""Tests for :mod:`txstorage.docker.mounts`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from txstorage.docker.mounts import is_own
from txstorage.filesystem import Holder

POINT = "/var/lib/txstorage/docker/mounts/pg"


class OwnTests(SynchronousTestCase):
    """The plugin's own mounts, which are no use of a volume."""

    def test_own(self) -> None:
        """The plugin's mount is its own, also in other namespaces and below a managed plugin's."""
        for place in (POINT, "/var/lib/docker/plugins/0f/propagated-mount/mounts/pg"):
            self.assertTrue(is_own(Holder(1, "systemd", place, "/"), POINT), place)

    def test_used(self) -> None:
        """A container's folder, another mount of all of it, swap and other devices are uses."""
        for holder in (
            Holder(7, "postgres", "/var/lib/postgresql", "/data"),
            Holder(7, "postgres", "/mnt/mounts/pg", "/data"),
            Holder(7, "sh", "/mnt/pg", "/"),
            Holder(7, "sh", "/x/mounts/pg2", "/"),
            Holder(7, "sh", "/x/amounts/pg", "/"),
            Holder(0, "swap", "/dev/loop0"),
            Holder(0, "a device on top", "/dev/md0"),
        ):
            self.assertFalse(is_own(holder, POINT), holder)
