"""
A volume plugin that is right, and as small as can be, for the tests of the suite.

Volumes are files with a file system each, mounted through loop devices.  The plugin runs in the
process of the tests; its end is the loss of everything but the disk.
"""

from __future__ import annotations

import json
import os
import subprocess
from functools import partial
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, DeferredLock, maybeDeferred
from twisted.internet.task import deferLater
from twisted.protocols.policies import WrappingFactory
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site
from zope.interface import implementer

from txstorage.filesystem.holders import holders_of, mounts_of, number_of
from txstorage.testing.volume_plugins import CloudTrouble, IPluginUnderTest, VolumeInCloud

CONTENT_TYPE = "application/vnd.docker.plugins.v1.2+json"
MIB = 2**20
# Seconds that the cloud takes for a call.
_CALL = 0.01


class Trouble(Exception):
    """The cloud gives no answer to rely on."""


class Refused(Exception):
    """A call that is certainly wrong; the text is the error."""


class Cloud:
    """
    The volumes: name to options, and whether they are attached.  It outlives the plugin.

    :param directory: of the volumes' files.
    """

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.options: dict[str, dict[str, str]] = {}
        self.attached: set[str] = set()
        self.trouble: CloudTrouble | None = None

    def file(self, name: str) -> str:
        """:return: the path of a volume's file."""
        return os.path.join(self.directory, name)

    async def call(self) -> None:
        """Take the time of a call, or fail as the trouble has it."""
        await deferLater(reactor, _CALL)
        if self.trouble is CloudTrouble.HANGING:
            await Deferred()
        if self.trouble is not None:
            raise Trouble(f"the cloud is {self.trouble.value}")


class ReferencePlugin(Resource):
    """
    The plugin.

    :param cloud: the :class:`Cloud`.
    :param directory: of the mount points.
    :param disk: the names and claims that survive the plugin, which are one object of JSON.
    """

    isLeaf = True
    #: Seconds until a call is answered with an error.
    patience = 0.3

    def __init__(self, cloud: Cloud, directory: str, disk: dict[str, Any]) -> None:
        super().__init__()
        self.cloud = cloud
        self.directory = directory
        self.disk = disk
        self.running: set[Deferred[Any]] = set()
        self.turn = DeferredLock()

    # -- the wire ------------------------------------------------------------------------

    def render_POST(self, request: Any) -> Any:
        """See ``IResource``."""
        name = request.path.decode().rpartition("/")[2].rpartition(".")[2]
        d = Deferred.fromCoroutine(self.answer(name, request.content.read()))
        self.running.add(d)
        d.addTimeout(self.patience, reactor)
        d.addBoth(self.send, name, request)
        d.addBoth(lambda _: self.running.discard(d))
        return NOT_DONE_YET

    async def answer(self, name: str, body: bytes) -> dict[str, Any]:
        """:return: a coroutine of the answer to a request."""
        if name in ("Activate", "Capabilities", "List"):
            return await getattr(self, name.lower())()
        handle = getattr(self, name.lower(), None) if name in self.CALLS else None
        if handle is None:
            raise Refused(f"there is no call {name}")
        return await handle(**self.fields(name, body))

    CALLS = ("Create", "Remove", "Mount", "Unmount", "Path", "Get")

    def fields(self, call: str, body: bytes) -> dict[str, Any]:
        """:return: the arguments of a call."""
        try:
            found = json.loads(body)
            name, claim = found["Name"], found.get("ID", "")
            if not name or not isinstance(name, str) or not isinstance(claim, str):
                raise ValueError(name)
        except (ValueError, KeyError, TypeError):
            raise (Trouble if call == "Get" else Refused)("the request is malformed") from None
        if call in ("Mount", "Unmount"):
            return {"name": name, "claim": claim}
        return {"name": name, "options": found.get("Opts")} if call == "Create" else {"name": name}

    def send(self, result: Any, call: str, request: Any) -> None:
        """Send an answer, or close the connection."""
        error = getattr(result, "value", None)
        if request.channel is None:
            return
        if call == "Get" and error is not None and not isinstance(error, Refused):
            request.transport.abortConnection()
            return
        answer = {"Err": str(error) or type(error).__name__} if error is not None else result
        request.setHeader("Content-Type", self.content_type(answer))
        request.write(json.dumps(answer).encode() + b"\n")
        request.finish()

    def content_type(self, answer: dict[str, Any]) -> str:
        """:return: the content type of an answer."""
        return CONTENT_TYPE

    def alone(self, work: Any) -> Any:
        """:return: a ``Deferred`` of a piece of work, which no other one interrupts."""
        return self.turn.run(lambda: Deferred.fromCoroutine(work()))

    # -- the calls -----------------------------------------------------------------------

    async def activate(self) -> dict[str, Any]:
        """Begin to serve an engine."""
        for name in sorted(self.disk["claims"]):
            reactor.callLater(0, partial(self.tidy, name))
        return {"Implements": ["VolumeDriver"]}

    def tidy(self, name: str) -> None:
        """Give back what has no use, in the background."""
        d = self.alone(lambda: self.release(name))
        self.running.add(d)
        d.addErrback(lambda failure: failure.trap(Trouble, CancelledError))
        d.addBoth(lambda _: self.running.discard(d))

    async def capabilities(self) -> dict[str, Any]:
        """Describe the plugin."""
        return {"Capabilities": {"Scope": "global"}}

    async def create(self, name: str, options: dict[str, str] | None) -> dict[str, Any]:
        """Create a volume, or find it."""
        unknown = set(options or {}) - {"size"}
        if unknown:
            raise Refused(f"there is no option {min(unknown)}")
        await self.cloud.call()
        found = self.cloud.options.setdefault(name, dict(options or {}))
        if any(found.get(key) != value for key, value in (options or {}).items()):
            raise Refused("it exists with other options")
        if not os.path.exists(self.cloud.file(name)):
            self.format(name)
        self.disk["names"][name] = True
        return {"Err": ""}

    def format(self, name: str) -> None:
        """Make a volume's file system, complete when it has its name."""
        path = self.cloud.file(name)
        with open(path + ".new", "wb") as opened:
            opened.truncate(2 * MIB)
        subprocess.run(["mkfs.ext4", "-q", "-I", "256", path + ".new"], check=True)
        os.rename(path + ".new", path)

    async def remove(self, name: str) -> dict[str, Any]:
        """Destroy a volume."""
        return await self.alone(lambda: self.removed(name))

    async def removed(self, name: str) -> dict[str, Any]:
        """Destroy a volume that is not in use."""
        await self.cloud.call()
        if self.held(name):
            raise Refused("it is in use")
        self.detach(name)
        if self.cloud.options.pop(name, None) is not None:
            os.unlink(self.cloud.file(name))
        self.disk["names"].pop(name, None)
        self.disk["claims"].pop(name, None)
        return {"Err": ""}

    async def mount(self, name: str, claim: str) -> dict[str, Any]:
        """Mount a volume."""
        await self.alone(lambda: self.attached(name))
        self.claim(name, claim)
        return {"Mountpoint": self.folder(name), "Err": ""}

    async def attached(self, name: str) -> None:
        """Attach and mount a volume that exists."""
        await self.cloud.call()
        if name not in self.cloud.options:
            raise Refused("there is no such volume")
        self.cloud.attached.add(name)
        point = self.point(name)
        if not self.is_mounted(name):
            os.makedirs(point, exist_ok=True)
            self.protect(point)
            subprocess.run(["mount", "-o", "loop", self.cloud.file(name), point], check=True)
        os.makedirs(self.folder(name), exist_ok=True)

    def protect(self, point: str) -> None:
        """Make a mount point take no writes."""
        subprocess.run(["chattr", "+i", point], check=True)

    async def unmount(self, name: str, claim: str) -> dict[str, Any]:
        """Give a use back."""
        self.give_back(name, claim)
        await self.alone(lambda: self.release(name))
        return {"Err": ""}

    async def release(self, name: str) -> None:
        """Unmount and detach a volume without use."""
        if self.disk["claims"].get(name) or self.held(name):
            return
        if self.is_mounted(name) or name in self.cloud.attached:
            # Before the cloud is asked, so that what fails is tried again.
            self.disk["claims"].setdefault(name, [])
            await self.cloud.call()
        self.detach(name)
        self.disk["claims"].pop(name, None)

    def detach(self, name: str) -> None:
        """Unmount and detach a volume."""
        if self.is_mounted(name):
            subprocess.run(["umount", self.point(name)], check=True)
        if os.path.isdir(self.point(name)):
            subprocess.run(["chattr", "-i", self.point(name)], check=True)
            os.rmdir(self.point(name))
        self.cloud.attached.discard(name)

    async def path(self, name: str) -> dict[str, Any]:
        """Answer with the path of a mounted volume."""
        return {"Mountpoint": self.folder(name) if self.is_mounted(name) else "", "Err": ""}

    async def get(self, name: str) -> dict[str, Any]:
        """Describe a volume."""
        if name not in self.disk["names"]:
            await self.cloud.call()
            if name not in self.cloud.options:
                raise Refused("there is no such volume")
        return {"Volume": await self.described(name), "Err": ""}

    async def list(self) -> dict[str, Any]:
        """Describe all volumes."""
        volumes = [await self.described(name) for name in sorted(self.disk["names"])]
        return {"Volumes": volumes, "Err": ""}

    async def described(self, name: str) -> dict[str, Any]:
        """:return: a coroutine of the protocol's description of a volume."""
        return {"Name": name, "Mountpoint": (await self.path(name))["Mountpoint"]}

    # -- the node ------------------------------------------------------------------------

    def point(self, name: str) -> str:
        """:return: the mount point of a volume."""
        return os.path.join(self.directory, name)

    def folder(self, name: str) -> str:
        """:return: the path that containers get."""
        return os.path.join(self.point(name), "data")

    def is_mounted(self, name: str) -> bool:
        """:return: whether a volume is mounted."""
        return any(each.mounted_at == self.point(name) for each in mounts_of())

    def held(self, name: str) -> bool:
        """:return: whether the kernel knows a user of a volume besides the plugin."""
        found = [each for each in mounts_of() if each.mounted_at == self.point(name)]
        if not found:
            return False
        holders = holders_of(number_of(found[0].source))
        return any(each.root != "/" for each in holders)

    def claim(self, name: str, claim: str) -> None:
        """Note a use."""
        claims = self.disk["claims"].setdefault(name, [])
        if claim not in claims:
            claims.append(claim)

    def give_back(self, name: str, claim: str) -> None:
        """Forget a use."""
        claims = self.disk["claims"].get(name, [])
        if claim in claims:
            claims.remove(claim)


@implementer(IPluginUnderTest)
class InProcess:
    """
    A plugin of a class in the process of the tests.

    :param plugin: a subclass of :class:`ReferencePlugin`.
    :param directory: a new directory.
    """

    options = {"size": "1"}
    other_options = {"size": "2"}
    deadline = 1.0

    def __init__(self, plugin: type[ReferencePlugin], directory: str) -> None:
        self._class = plugin
        self._directory = directory
        self.socket = os.path.join(directory, "socket")
        for name in ("volumes", "mounts"):
            os.makedirs(os.path.join(directory, name))
        self.cloud = Cloud(os.path.join(directory, "volumes"))
        self._disk: dict[str, Any] = {"names": {}, "claims": {}}
        self._port: Any = None
        self._plugin: ReferencePlugin | None = None
        self._site: Any = None

    def start(self) -> None:
        """See :class:`IPluginUnderTest`."""
        mounts = os.path.join(self._directory, "mounts")
        self._plugin = self._class(self.cloud, mounts, self._disk)
        self._site = WrappingFactory(Site(self._plugin, reactor=reactor))
        self._port = reactor.listenUNIX(self.socket, self._site)

    async def kill(self) -> None:
        """See :class:`IPluginUnderTest`."""
        port, self._port = self._port, None
        if port is None:
            return
        await maybeDeferred(port.stopListening)
        for each in list(self._site.protocols):
            each.transport.abortConnection()
        assert self._plugin is not None
        for running in list(self._plugin.running):
            running.addErrback(lambda failure: None)
            running.cancel()

    def break_cloud(self, trouble: CloudTrouble) -> None:
        """See :class:`IPluginUnderTest`."""
        self.cloud.trouble = trouble

    def mend_cloud(self) -> None:
        """See :class:`IPluginUnderTest`."""
        self.cloud.trouble = None

    def volumes(self) -> list[VolumeInCloud]:
        """See :class:`IPluginUnderTest`."""
        return [VolumeInCloud(name, name in self.cloud.attached) for name in self.cloud.options]

    async def remove(self) -> None:
        """End the plugin, and remove all that it made."""
        await self.kill()
        for each in reversed(mounts_of()):
            if each.mounted_at.startswith(self._directory):
                subprocess.run(["umount", each.mounted_at], check=True)
        subprocess.run(["chattr", "-R", "-i", os.path.join(self._directory, "mounts")], check=True)
        subprocess.run(["rm", "-r", self._directory], check=True)


__all__ = ["Cloud", "InProcess", "Refused", "ReferencePlugin", "Trouble"]
