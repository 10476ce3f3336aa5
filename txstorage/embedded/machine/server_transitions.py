# -*- test-case-name: tests.embedded.machine.test_server_transitions -*-
"""
The transitions of servers that clients make.

A server is built once the volumes that it is made with are attached to it, and is gone once its
volumes are detached, and those that are to be deleted with it begin to be.  What is still to be
done follows from the store, so that a server resumes after a restart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import attr

from ..._log import SERVER_COMPUTE
from ..store.records import VolumeRecord
from ..store.servers.records import ServerRecord
from ..store.store import GONE, Store
from .devices import DeviceFailure, IDeviceBackend
from .transitions import Subjects, Transition

#: The status of a server that is being deleted, which clients do not see.
DELETING = "DELETING"
#: The statuses of volumes that are about to become available or to be in use.
_MOVING = frozenset(["creating", "downloading", "reserved", "attaching", "detaching", "extending"])


async def _nothing(devices: IDeviceBackend, server: ServerRecord) -> None:
    pass


SERVER_TRANSITIONS: dict[str, Transition] = {
    "BUILD": Transition("build", _nothing, "ACTIVE", "ERROR"),
    "REBOOT": Transition("reboot", _nothing, "ACTIVE", "ERROR"),
    "HARD_REBOOT": Transition("reboot", _nothing, "ACTIVE", "ERROR"),
    DELETING: Transition("delete", _nothing, GONE, "ERROR"),
}


class Servers(Subjects[ServerRecord]):
    """
    All servers.

    :param begin: begins the transition of a volume.
    """

    noun = "server"

    def __init__(self, begin: Callable[[str], None]) -> None:
        self._begin = begin

    def find(self, store: Store, key: str) -> ServerRecord | None:
        """See :class:`~txstorage.embedded.machine.transitions.Subjects`."""
        return store.servers.find(key)

    def every(self, store: Store) -> dict[str, ServerRecord]:
        """See :class:`~txstorage.embedded.machine.transitions.Subjects`."""
        return {server.server_id: server for server in store.servers.of_projects(None)}

    def transition(self, subject: ServerRecord) -> Transition | None:
        """See :class:`~txstorage.embedded.machine.transitions.Subjects`."""
        return SERVER_TRANSITIONS.get(subject.status)

    def waits(self, store: Store, subject: ServerRecord) -> bool:
        """
        A server waits for its volumes.

        :raises DeviceFailure: one of those that it is made with failed.
        """
        volumes = _volumes_of(store, subject)
        if subject.status == "BUILD":
            _check_build(store, subject)
        moving = [each.volume_id for each in volumes if each.status in _MOVING]
        for volume_id in moving:
            self._begin(volume_id)
        return bool(moving)

    def settle(
        self, store: Store, subject: ServerRecord, status: str, device: str | None, reason: str
    ) -> None:
        """See :class:`~txstorage.embedded.machine.transitions.Subjects`; or a step of the way."""
        server = store.servers.find(subject.server_id)
        if server is None or server.status != subject.status:
            return
        if status == "ACTIVE" and server.details.volumes and not server.details.reserved:
            _reserve(store, server)
        elif status != GONE:
            store.servers.set_status(server.server_id, status)
        elif _all_released(store, server):
            store.servers.remove(server.server_id)

    def log(self, key: str, status: str, reason: str) -> None:
        """See :class:`~txstorage.embedded.machine.transitions.Subjects`."""
        SERVER_COMPUTE.log(server_id=key, status=status, reason=reason)

    def follow(self, store: Store, subject: ServerRecord) -> None:
        """Begin the transitions of a server's volumes."""
        for volume in _volumes_of(store, subject):
            if volume.status in _MOVING or volume.status == "deleting":
                self._begin(volume.volume_id)


def _volumes_of(store: Store, server: ServerRecord) -> list[VolumeRecord]:
    """The existing volumes of a server: attached, to be attached, or to be deleted with it."""
    ids = dict.fromkeys(
        [
            *(each.volume_id for each in server.details.volumes),
            *(each.volume_id for each in store.attachments.of_server(server.server_id)),
            *server.details.doomed,
        ]
    )
    return _existing(store, ids)


def _existing(store: Store, ids: Iterable[str]) -> list[VolumeRecord]:
    found = (store.volume(volume_id) for volume_id in ids)
    return [volume for volume in found if volume is not None]


def _check_build(store: Store, server: ServerRecord) -> None:
    details = server.details
    for each in details.volumes:
        volume = store.volume(each.volume_id)
        status = "gone" if volume is None else volume.status
        attachment = None if volume is None else volume.attachment
        if status in _MOVING:
            continue
        ours = attachment is not None and attachment.server_id == server.server_id
        if not (ours if details.reserved else status == "available"):
            raise DeviceFailure(f"volume {each.volume_id} is {status}")


def _reserve(store: Store, server: ServerRecord) -> None:
    """Reserve the volumes that a server is made with."""
    for each in server.details.volumes:
        store.attachments.reserve(
            each.volume_id,
            server.server_id,
            each.device,
            delete_on_termination=each.delete_on_termination,
        )
    store.servers.change(server.server_id, attr.evolve(server.details, reserved=True))


def _all_released(store: Store, server: ServerRecord) -> bool:
    """
    Begin to detach a server's volumes; then, to delete those that are deleted with it.

    :return: whether nothing is left to begin.
    """
    attached = store.attachments.of_server(server.server_id)
    for volume in _existing(store, (each.volume_id for each in attached)):
        # Also one whose device was in use a moment ago.
        store.set_status(volume.volume_id, "detaching")
    if attached:
        return False
    for volume in _existing(store, server.details.doomed):
        free = volume.attachment is None and not store.snapshots.of_volume(volume.volume_id)
        # Like Nova, leave one that can't be deleted.
        if volume.status in ("available", "error") and free:
            store.set_status(volume.volume_id, "deleting")
    return True


def begin_deletion(store: Store, server: ServerRecord) -> None:
    """Mark a server, and the volumes that are deleted with it."""
    attached = store.attachments.of_server(server.server_id)
    doomed = [each.volume_id for each in attached if each.delete_on_termination]
    if not server.details.reserved:
        doomed += [each.volume_id for each in server.details.volumes if each.delete_on_termination]
    details = attr.evolve(server.details, doomed=tuple(doomed), volumes=())
    store.servers.change(server.server_id, details)
    store.servers.set_status(server.server_id, DELETING)


__all__ = ["DELETING", "SERVER_TRANSITIONS", "Servers", "begin_deletion"]
