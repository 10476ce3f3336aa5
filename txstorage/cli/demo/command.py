# -*- test-case-name: tests.cli.demo.test_command -*-
"""``txstorage demo``: a volume's life, on one machine and without a cloud."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import Any, Callable
from uuid import uuid4

import attr
import click
from rich.text import Text
from twisted.web.iweb import IAgent
from zope.interface import implementer

from ..._http.client import agent_for
from ...errors import StorageError
from ...interfaces import BlockDeviceVolume
from ..app import App, CommandResult, ConfiguredCloud
from ..progress import Narrator
from ..running import IReactor, shielded
from ..shell import pass_app
from ..sizes import format_size
from .cleanup import remove, unmount_all
from .clouds import CLOUDS, DEFAULT, DemoCloud
from .embedded_process import EmbeddedServiceProcess
from .media import FILES, Medium, check_blank, medium_for

SIZE = 2**30
NODES = ("node-1", "node-2")


ROOM = 64 * 2**20
"""Bytes that the file system, the files on it and the service's state take at most."""


class NoRoom(StorageError):
    """The demonstration's files do not fit."""

    remedy = "set TMPDIR to a directory with more room"


class DataChanged(Exception):
    """The data read differs from the data written."""


@implementer(IAgent)
class CountingAgent:
    """
    :param agent: an ``IAgent``.
    :ivar count: the number of requests sent through the agent.
    """

    def __init__(self, agent: Any) -> None:
        self._agent = agent
        self.count = 0

    def request(self, *args: Any, **kwargs: Any) -> Any:
        """See ``IAgent``."""
        self.count += 1
        return self._agent.request(*args, **kwargs)

    def close(self) -> Any:
        """
        :return: a ``Deferred`` that fires when no connection is left.
        """
        return self._agent.close()


@attr.s(frozen=True, auto_attribs=True)
class Proof:
    """
    The proof of a demonstration.

    :ivar volume: the volume that was moved.
    :ivar medium: the file system, or its replacement.
    :ivar written: file names to SHA-256, when written on the first node.
    :ivar read: the same, when read on the second node.
    :ivar device_paths: node names to device paths.
    """

    volume: BlockDeviceVolume
    medium: str
    written: dict[str, str]
    read: dict[str, str]
    device_paths: dict[str, str]

    def check(self) -> None:
        """
        :raises DataChanged: the data read differs from the data written.
        """
        if self.read != self.written:
            changed = sorted(set(self.read.items()) ^ set(self.written.items()))
            raise DataChanged(
                "Other data came back than was written: {}".format(
                    ", ".join(sorted({name for name, _ in changed}))
                )
            )

    def to_document(self) -> dict[str, Any]:
        """Return the proof as a JSON value."""
        return {
            "volume_id": self.volume.blockdevice_id,
            "size": self.volume.size,
            "medium": self.medium,
            "device_paths": self.device_paths,
            "files": [
                {"name": name, "size": size, "sha256": self.read[name]} for name, size in FILES
            ],
        }


class Demonstration:
    """
    A volume's life, step by step.

    :param app: the global options; their configuration is not used.
    :param reactor: the reactor.
    :param narrator: prints the steps.
    :param directory: an absolute and resolved path; used by the demonstration only.
    :param agent: sends all requests.
    :param cloud: the cloud whose API the driver uses.
    """

    def __init__(
        self,
        app: App,
        reactor: IReactor,
        narrator: Narrator,
        directory: str,
        agent: CountingAgent,
        cloud: DemoCloud,
    ) -> None:
        self._app = app
        self._reactor = reactor
        self._step = narrator.step
        self._directory = directory
        self._mountpoint = os.path.join(directory, "mounted")
        self._agent = agent
        self._cloud = cloud
        self._service = EmbeddedServiceProcess(
            reactor, os.path.join(directory, "state"), NODES, cloud.options
        )

    async def show(self) -> Proof:
        """
        Create, attach, fill, move and destroy a volume.

        :raises NoRoom: before anything is done.
        :raises DataChanged: the data read differs from the data written.
        """
        free = shutil.disk_usage(self._directory).free
        if free < ROOM:
            # A loop device would report a full disk as an input/output error.
            raise NoRoom(
                f"{os.path.dirname(self._directory)} has room for {format_size(free)},"
                f" and the demonstration takes up to {format_size(ROOM)}"
            )
        with self._step("start the embedded service") as note:
            await self._service.start()
            note.text = self._cloud.address(self._service)
        first, second = [self._configured(name) for name in NODES]
        with self._step("create a volume of " + format_size(SIZE)) as note:
            volume = await first.driver.create_volume(uuid4(), SIZE)
            note.text = volume.blockdevice_id
        proof = await self._move(volume, first, second)
        with self._step("destroy it"):
            await second.driver.destroy_volume(volume.blockdevice_id)
        return proof

    async def clean_up(self) -> None:
        """Remove all files, mounts and devices, at whatever step :meth:`show` ended."""
        with self._step("clean up"):
            await unmount_all(self._reactor, self._directory)
            await self._agent.close()
            await self._service.stop()
            await remove(self._reactor, self._directory)

    def _configured(self, node: str) -> ConfiguredCloud:
        app = attr.evolve(
            self._app,
            config=self._cloud.agent_yml(self._service, node),
            cluster_id=None,
            agent=self._agent,
        )
        return app.cloud(self._reactor)

    async def _move(
        self, volume: BlockDeviceVolume, first: ConfiguredCloud, second: ConfiguredCloud
    ) -> Proof:
        """Write on the first node, and read on the second."""
        here = await self._attach(volume, first, NODES[0])
        with self._step("check that the device is blank"):
            check_blank(here)
        medium = medium_for(self._reactor, here, self._mountpoint)
        if medium.mounts:
            with self._step("make a file system"):
                await medium.format(here)
        written = await self._write(medium, here)
        await self._detach(volume, first, NODES[0])

        there = await self._attach(volume, second, NODES[1])
        read = await self._read(medium, there)
        paths = {NODES[0]: here, NODES[1]: there}
        proof = Proof(volume, medium.description, written, read, paths)
        with self._step("compare the checksums") as note:
            proof.check()
            note.text = f"{len(read)} files, all equal"
        await self._detach(volume, second, NODES[1])
        return proof

    async def _attach(self, volume: BlockDeviceVolume, cloud: ConfiguredCloud, node: str) -> str:
        with self._step("attach it to " + node) as note:
            server = await cloud.driver.compute_instance_id()
            await cloud.driver.attach_volume(volume.blockdevice_id, server)
            found = await cloud.driver.get_device_path(volume.blockdevice_id)
            path: str = found.path
            note.text = path
        return path

    async def _detach(self, volume: BlockDeviceVolume, cloud: ConfiguredCloud, node: str) -> None:
        with self._step("detach it from " + node):
            await cloud.driver.detach_volume(volume.blockdevice_id)

    async def _write(self, medium: Medium, device: str) -> dict[str, str]:
        await self._open(medium, device)
        with self._step(f"write {len(FILES)} files of random data") as note:
            written: dict[str, str] = await medium.write(device)
            note.text = format_size(sum(size for _, size in FILES))
        await self._close(medium)
        return written

    async def _read(self, medium: Medium, device: str) -> dict[str, str]:
        await self._open(medium, device)
        with self._step("read them back"):
            read: dict[str, str] = await medium.read(device)
        await self._close(medium)
        return read

    async def _open(self, medium: Medium, device: str) -> None:
        if medium.mounts:
            with self._step("mount it"):
                await medium.open(device)

    async def _close(self, medium: Medium) -> None:
        if medium.mounts:
            with self._step("unmount it"):
                await medium.close()


async def demonstrate(
    app: App,
    reactor: IReactor,
    listener: Callable[[str], None] = lambda name: None,
    cloud: str = DEFAULT,
) -> CommandResult:
    """
    Show a volume's life, and clean up in any case.

    :param listener: called with the name of each step when it begins.
    :param cloud: the name of the cloud whose API the driver uses.
    """
    console = None if app.json else app.console()
    narrator = Narrator(reactor, console, app.progress_console(), listener)
    agent = CountingAgent(agent_for(reactor))
    directory = os.path.realpath(tempfile.mkdtemp(prefix="txstorage-demo-"))
    demonstration = Demonstration(app, reactor, narrator, directory, agent, CLOUDS[cloud])
    try:
        proof = await demonstration.show()
    finally:
        await shielded(demonstration.clean_up())
    document = dict(proof.to_document(), requests=agent.count, steps=narrator.steps, ok=True)
    return CommandResult(document, summary(proof, agent.count))


def summary(proof: Proof, requests: int) -> Text:
    """Format the proof for a terminal."""
    lines = [
        "",
        "A volume of {} ({} bytes) moved from {} to {}.".format(
            format_size(proof.volume.size), proof.volume.size, *NODES
        ),
        f"On it: {proof.medium}.",
        "Its device:",
    ]
    lines += ["  {}  {}".format(*item) for item in proof.device_paths.items()]
    lines.append("Every byte came back; the files' SHA-256 begin with:")
    lines += [f"  {proof.read[name][:16]}  {name:10}  {format_size(size)}" for name, size in FILES]
    lines.append(f"It took {requests} HTTP requests; nothing is left on this machine.")
    return Text("\n".join(lines))


@click.command("demo")
@click.option(
    "--cloud",
    type=click.Choice(list(CLOUDS)),
    default=DEFAULT,
    show_default=True,
    help="The cloud whose API is used.",
)
@pass_app
def demo(app: App, /, cloud: str) -> None:
    """Create, fill, move and destroy a volume on this machine."""

    async def operation(reactor: IReactor) -> CommandResult:
        return await demonstrate(app, reactor, cloud=cloud)

    app.perform(operation)


__all__ = ["demo", "demonstrate"]
