# -*- test-case-name: tests.docker.test_whole -*-
"""
The Docker volume plugin with all its parts: from its settings to an open socket, and back.
"""

from __future__ import annotations

import os
from typing import Any
from uuid import UUID

from ..filesystem import Mounter
from .catalog import Catalog
from .engine import EngineAPI, Listener
from .jobs import Jobs
from .journal import Journal
from .monitoring import Monitoring
from .mounts import Mounts
from .plugin import VolumePlugin
from .releases import Releases
from .settings import PluginSettings
from .upkeep import Upkeep


def boot_id(path: str) -> str:
    """:return: the id of this boot, from a file."""
    with open(path, encoding="ascii") as opened:
        return opened.read().strip()


class DockerPlugin:
    """
    The plugin on its socket.

    :param reactor: a Twisted reactor.
    :param driver: a :class:`~txstorage.driver.operations.BlockDeviceDriver`.
    :param cluster_id: its cluster.
    :param settings: the :class:`~txstorage.docker.settings.PluginSettings`.
    :ivar remarks: warnings, for people.
    """

    def __init__(
        self, reactor: Any, driver: Any, cluster_id: UUID, settings: PluginSettings
    ) -> None:
        self._settings = settings
        os.makedirs(settings.state_dir, mode=0o700, exist_ok=True)
        self.journal = Journal(settings.journal_path, boot_id(settings.boot_id))
        self.remarks: list[str] = []
        if self.journal.damaged:
            self.remarks.append(
                f"The journal was damaged; it has been moved to {self.journal.damaged}, and is "
                "made again from the cloud's volumes"
            )
        self.mounter = Mounter(reactor, settings.mounts_directory, settings.luks_key_file)
        self.catalog = Catalog(reactor, driver, cluster_id, self.journal)
        takeover = settings.defaults.takeover
        self.mounts = Mounts(reactor, driver, self.mounter, self.catalog, takeover)
        self._jobs = Jobs(reactor)
        self._releases = Releases(
            reactor,
            self.catalog,
            self.journal,
            self.mounts,
            self._jobs,
            settings.linger,
            settings.grace,
        )
        parts = (self.catalog, self.journal, self.mounts, self._jobs, self._releases)
        self.plugin = VolumePlugin(driver, *parts, settings.defaults, settings.deadlines)
        self._upkeep = Upkeep(
            reactor,
            self.plugin,
            self.catalog,
            self.mounts,
            self._jobs,
            self._releases,
            settings.period,
        )
        upkeep = self._upkeep
        self._api = EngineAPI(self.plugin, self.mounter.mounted, upkeep.soon, upkeep.refresh)
        self._listener = Listener(reactor, settings.socket)
        self._monitoring = Monitoring(reactor, self.catalog, self.mounts, settings)

    async def start(self) -> None:
        """
        Listen, and begin the work in the background.

        :raises SocketUnusable: the socket's path can't be used.
        """
        self._monitoring.start()
        await self._listener.start(self._api.app.resource())
        self._upkeep.start()

    async def stop(self) -> None:
        """
        Stop listening, and interrupt the work.  Mounted volumes stay mounted: containers use them.
        """
        await self._listener.stop()
        await self._monitoring.stop()
        await self._upkeep.stop()
        self._releases.stop()
        await self._jobs.stop()
        self.journal.close()


__all__ = ["DockerPlugin", "boot_id"]
