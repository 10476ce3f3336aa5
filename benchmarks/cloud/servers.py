"""
The fake cloud's servers, and the transitions of volumes: each takes the same time.

Compute can carry out one attach or detach at a time for each server, as Nova does.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from .refusals import Refused
from .volumes import Attachment, Volume, Volumes, second

Step = Callable[[], None]


class Timers(Protocol):
    """An event loop, as much of it as transitions need."""

    def call_later(self, delay: float, callback: Step) -> Any:
        """Call a function after some seconds."""


class Server:
    """
    A server, its attachments, and its queue.

    :ivar attachments: by the id of the volume; from the request to the end of the detach.
    """

    def __init__(self, server_id: str, name: str) -> None:
        self.server_id, self.name = server_id, name
        self.attachments: dict[str, Attachment] = {}
        self._devices = 0
        self.queue: deque[tuple[Step, Step]] = deque()
        self.busy = False

    def next_device(self) -> str:
        """The name of the next device."""
        self._devices += 1
        number, letters = self._devices, ""
        while number:
            number, letter = divmod(number - 1, 26)
            letters = chr(ord("a") + letter) + letters
        return "/dev/vd" + letters


class Cloud:
    """
    The volumes and the servers, with the transitions between states.

    :param delay: seconds of each transition.
    :param serial: whether each server carries out one attach or detach at a time.
    """

    def __init__(
        self, timers: Timers, volumes: Volumes, servers: int, delay: float, serial: bool
    ) -> None:
        self._timers, self._delay, self._serial = timers, delay, serial
        self.volumes = volumes
        made = [
            Server(str(uuid.uuid5(uuid.NAMESPACE_OID, str(number))), f"server-{number}")
            for number in range(servers)
        ]
        self.servers = {server.server_id: server for server in made}

    def _change(self, volume: Volume, status: str, attachment: Attachment | None = None) -> None:
        volume.change(self.volumes.clock(), status, attachment)

    def volume(self, volume_id: str) -> Volume:
        """
        A volume.

        :raises Refused: it does not exist.
        """
        volume = self.volumes.get(volume_id)
        if volume is None:
            raise Refused(404, f"Volume {volume_id} could not be found.")
        return volume

    def server(self, server_id: str) -> Server:
        """
        A server.

        :raises Refused: it does not exist.
        """
        if server_id not in self.servers:
            raise Refused(404, f"Instance {server_id} could not be found.")
        return self.servers[server_id]

    def create(self, name: str, size: int, metadata: dict[str, str]) -> Volume:
        """Begin the creation of a volume."""
        volume = self.volumes.add(name, size, metadata)
        self._timers.call_later(self._delay, lambda: self._change(volume, "available"))
        return volume

    def delete(self, volume_id: str) -> None:
        """
        Begin the deletion of a volume.

        :raises Refused: its status does not allow it.
        """
        volume = self.volume(volume_id)
        if volume.status not in ("available", "error"):
            raise Refused(400, "Invalid volume: Volume status must be available or error")
        self._change(volume, "deleting")
        self._timers.call_later(self._delay, lambda: self.volumes.remove(volume))

    def attach(self, server_id: str, volume_id: str) -> Attachment:
        """
        Begin to attach a volume.

        :raises Refused: the volume is not available.
        """
        server, volume = self.server(server_id), self.volume(volume_id)
        if volume.status != "available":
            raise Refused(
                400,
                f"Invalid volume: volume {volume_id} status must be 'available'. "
                f"Currently in '{volume.status}'",
            )
        now = second(self.volumes.clock())
        attachment = Attachment(str(uuid.uuid4()), server_id, server.next_device(), now)
        server.attachments[volume_id] = attachment
        self._change(volume, "reserved")
        self._enqueue(
            server,
            lambda: self._change(volume, "attaching"),
            lambda: self._change(volume, "in-use", attachment),
        )
        return attachment

    def detach(self, server_id: str, volume_id: str) -> None:
        """
        Begin to detach a volume.

        :raises Refused: the volume is not attached to the server.
        """
        server, volume = self.server(server_id), self.volume(volume_id)
        if volume_id not in server.attachments:
            raise Refused(404, f"Instance {server_id} is not attached to volume {volume_id}")
        if volume.status != "in-use":
            raise Refused(400, "Invalid volume: Volume status must be 'in-use' to detach.")

        def end() -> None:
            del server.attachments[volume_id]
            self._change(volume, "available")

        self._change(volume, "detaching", volume.attachment)
        self._enqueue(server, lambda: None, end)

    def _enqueue(self, server: Server, begin: Step, end: Step) -> None:
        server.queue.append((begin, end))
        if not (self._serial and server.busy):
            self._begin(server)

    def _begin(self, server: Server) -> None:
        begin, end = server.queue.popleft()

        def ended() -> None:
            end()
            server.busy = False
            if server.queue:
                self._begin(server)

        server.busy = True
        begin()
        self._timers.call_later(self._delay, ended)
