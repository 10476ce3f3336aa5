"""
The plugin as a child process, whose cloud is behind a proxy that breaks it.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import uuid
from typing import Any, Callable

import yaml
from twisted.internet import reactor
from zope.interface import implementer

from tests.helpers.child import WAITING
from tests.helpers.imports import ROOT
from tests.helpers.warm_service import ENDED, STARTED
from txstorage.docker.options import NAME
from txstorage.filesystem.holders import mounts_of
from txstorage.testing import FAULTS, NO_FAULTS, FaultProxy
from txstorage.testing.volume_plugins import CloudTrouble, IPluginUnderTest, VolumeInCloud

READY = "txstorage docker-plugin ready: "
#: The faults that all requests get in a trouble.
FAULTS_OF = {
    CloudTrouble.UNREACHABLE: "reset-before",
    CloudTrouble.ERRORS: "500",
    CloudTrouble.HANGING: "no-answer",
}

_idle: list[Any] = []


@atexit.register
def _end_warm() -> None:
    while _idle:
        _idle.pop().communicate()


def _start_warm() -> Any:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.docker.warm_plugin"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=dict(os.environ, PYTHONPATH=os.pathsep.join([ROOT, *filter(None, sys.path)])),
    )


@implementer(IPluginUnderTest)
class PluginProcess:
    """
    A node's plugin.

    :param directory: a directory for all that it keeps.
    :param service: a running :class:`~tests.helpers.child.EmbeddedService`.
    :param node: the name of a node of the service.
    :param cluster_id: the cluster.
    :param driver: a driver of the same cluster, which is not behind the proxy.
    :param observe: called with each request that the cloud gets from the plugin.
    :ivar proxy: the proxy.
    :ivar changes: of the plugin's settings, which take effect at its next start.
    """

    options = {"size": "1"}
    other_options = {"size": "2"}
    deadline = 10.0
    deadlines = {"long": 4.0, "short": 3.0, "search": 1.0}

    def __init__(
        self,
        directory: str,
        service: Any,
        node: str,
        cluster_id: uuid.UUID,
        driver: Any,
        observe: Callable[[Any], object] | None = None,
    ) -> None:
        self.directory = directory
        self.socket = os.path.join(directory, "plugin.sock")
        self.mounts = os.path.join(directory, "mounts")
        self._driver = driver
        self._warm: Any = None
        self._pid: int | None = None
        self.proxy = FaultProxy(reactor, observe=observe)
        configuration = dict(service.configuration(node), **WAITING)
        configuration.update(
            cluster_id=str(cluster_id), auth_url=self.proxy.listen(configuration["auth_url"])
        )
        os.makedirs(directory)
        self._put("agent.yml", yaml.safe_dump({"version": 1, "dataset": configuration}))
        self.changes = {"period": 3600.0, "boot_id": os.path.join(directory, "boot")}
        self.boot()

    def _put(self, name: str, content: str) -> None:
        with open(os.path.join(self.directory, name), "w") as opened:
            opened.write(content)

    def boot(self) -> None:
        """Begin another boot of the node."""
        self._put("boot", f"{uuid.uuid4()}\n")

    @property
    def running(self) -> bool:
        """True between a start and the next end."""
        return self._pid is not None

    def start(self) -> None:
        """See :class:`IPluginUnderTest`."""
        if self._warm is None:
            self._warm = _idle.pop() if _idle else _start_warm()
        log = os.path.join(self.directory, "stderr")
        config = os.path.join(self.directory, "agent.yml")
        arguments = ["--config", config, "docker-plugin", "--socket", self.socket]
        arguments += ["--state-dir", os.path.join(self.directory, "state")]
        arguments += ["--mounts", self.mounts, "--size", "1GiB"]
        order = {"arguments": arguments, "changes": self.changes, "deadlines": self.deadlines}
        self._warm.stdin.write(json.dumps({**order, "log": log}) + "\n")
        self._warm.stdin.flush()
        for line in iter(self._warm.stdout.readline, ""):
            if line.startswith(STARTED):
                self._pid = int(line[len(STARTED) :])
            elif line.startswith(READY):
                return
            elif line.rstrip() == ENDED:
                self._pid = None
                break
        with open(log) as opened:
            raise RuntimeError("the plugin did not start: " + opened.read())

    def kill(self) -> None:
        """See :class:`IPluginUnderTest`."""
        self._end(signal.SIGKILL)

    def _end(self, how: int) -> None:
        pid, self._pid = self._pid, None
        if pid is None:
            return
        os.kill(pid, how)
        for line in iter(self._warm.stdout.readline, ""):
            if line.rstrip() == ENDED:
                return

    def break_cloud(self, trouble: CloudTrouble) -> None:
        """See :class:`IPluginUnderTest`."""
        self.proxy.faults = lambda question: FAULTS[FAULTS_OF[trouble]]

    def mend_cloud(self) -> Any:
        """See :class:`IPluginUnderTest`."""
        self.proxy.faults = NO_FAULTS
        return self.proxy.disconnect()

    async def volumes(self) -> list[VolumeInCloud]:
        """See :class:`IPluginUnderTest`."""
        return [
            VolumeInCloud(each.labels[NAME], each.volume.attached_to is not None)
            for each in await self._driver.list_labelled_volumes()
            if NAME in each.labels
        ]

    def unmount_all(self) -> None:
        """Unmount what the plugin has mounted, as the end of its node does."""
        for each in reversed(mounts_of()):
            if each.mounted_at.startswith(self.mounts + os.sep):
                subprocess.run(["umount", each.mounted_at], check=True)

    async def remove(self) -> None:
        """End the plugin, and remove what it made on the node."""
        self._end(signal.SIGTERM)
        if self._warm is not None:
            _idle.append(self._warm)
            self._warm = None
        await self.proxy.stop()
        self.unmount_all()
        for name in os.listdir(self.mounts) if os.path.isdir(self.mounts) else []:
            subprocess.run(["chattr", "-i", os.path.join(self.mounts, name)], check=False)
        subprocess.run(["rm", "-r", self.directory], check=True)


__all__ = ["FAULTS_OF", "PluginProcess"]
