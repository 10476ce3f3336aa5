# -*- test-case-name: tests.cli.test_settings_file -*-
"""
The settings of the plugin.
"""

from __future__ import annotations

import os

import attr

#: Seconds that an engine's claim counts without a user in the kernel: as long as engines wait for
#: a mount, so that the container which is about to start keeps it.
GRACE = 120.0
#: Seconds between two rounds of the work in the background.
PERIOD = 60.0


@attr.s(auto_attribs=True, frozen=True)
class Defaults:
    """
    The choices for volumes that have none.

    :ivar size: bytes of a new volume.
    :ivar kind: the kind of file system of a new volume.
    :ivar takeover: ``dead`` or ``never``.
    """

    size: int = 10 * 2**30
    kind: str = "ext4"
    takeover: str = "dead"


@attr.s(auto_attribs=True, frozen=True)
class Deadlines:
    """
    Seconds after which callers get an error: before engines give up, which is after 120 and 60 s.

    :ivar long: of a mount, and of the creation of a volume.
    :ivar short: of an unmount, and of the removal of a volume.
    :ivar search: of the search for a volume of which the plugin has never heard.
    """

    long: float = 110.0
    short: float = 50.0
    search: float = 10.0


@attr.s(auto_attribs=True, frozen=True, kw_only=True)
class PluginSettings:
    """
    The settings of ``txstorage docker-plugin``.

    :ivar socket: the path of the socket; ``systemd`` for the one that systemd has opened.
    :ivar state_dir: the directory of the journal.
    :ivar mounts: the directory of the mount points, or ``None`` for one in the state directory.
    :ivar defaults: the :class:`Defaults`.
    :ivar luks_key_file: the path of the key of encrypted volumes, or ``None``.
    :ivar linger: seconds that a volume stays attached after its last use.
    :ivar grace: seconds that an engine's claim counts without a user in the kernel.
    :ivar metrics: the host and the port number for metrics and health, or ``None``.
    :ivar period: seconds between two rounds of the work in the background.
    :ivar deadlines: the :class:`Deadlines`.
    :ivar boot_id: the path of the file with the id of this boot.
    """

    socket: str = "/run/docker/plugins/txstorage.sock"
    state_dir: str = "/var/lib/txstorage/docker"
    mounts: str | None = None
    defaults: Defaults = Defaults()
    luks_key_file: str | None = None
    linger: float = 0.0
    grace: float = GRACE
    metrics: tuple[str, int] | None = None
    period: float = PERIOD
    deadlines: Deadlines = Deadlines()
    boot_id: str = "/proc/sys/kernel/random/boot_id"

    @property
    def journal_path(self) -> str:
        """The path of the journal."""
        return os.path.join(self.state_dir, "journal.sqlite")

    @property
    def mounts_directory(self) -> str:
        """The directory of the mount points."""
        return self.mounts or os.path.join(self.state_dir, "mounts")


__all__ = ["GRACE", "PERIOD", "Deadlines", "Defaults", "PluginSettings"]
