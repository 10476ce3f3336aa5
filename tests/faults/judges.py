"""
Judges of the service's state, which read it without the driver: the database, the backing files and
the kernel's loop devices.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
from contextlib import closing
from typing import Any

import attr

from txstorage.driver.labels import SUPERSEDED
from txstorage.testing.faults.exchanges import Question

#: The mark's place on a volume, and its length, in bytes.
MARK_AT, MARK_LENGTH = 4096, 512

_VOLUMES = """
SELECT volumes.id, volumes.status, volumes.updated_at, cluster.value AS cluster,
    dataset.value AS dataset, attachments.server_id AS server
FROM volumes
JOIN metadata AS cluster ON cluster.volume_id = volumes.id AND cluster.key = 'flocker-cluster-id'
JOIN metadata AS dataset ON dataset.volume_id = volumes.id AND dataset.key = 'flocker-dataset-id'
LEFT JOIN attachments ON attachments.volume_id = volumes.id
ORDER BY volumes.sequence
"""


@attr.s(frozen=True, auto_attribs=True)
class Row:
    """A volume in the service's database."""

    id: str
    status: str
    updated_at: float | None
    cluster: str
    dataset: str
    server: str | None


class Machine:
    """
    The state of a service, read past its APIs.

    :param state: the service's state directory.
    """

    def __init__(self, state: str) -> None:
        self.state = state

    def rows(self, *clusters: str) -> list[Row]:
        """:return: the volumes of some clusters, oldest first."""
        path = os.path.join(self.state, "txstorage.sqlite")
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as opened:
            return [
                row
                for row in (Row(*each) for each in opened.execute(_VOLUMES))
                if row.cluster in clusters
            ]

    def row(self, volume_id: str) -> Row | None:
        """:return: one volume, if it exists."""
        path = os.path.join(self.state, "txstorage.sqlite")
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as opened:
            found = [Row(*each) for each in opened.execute(_VOLUMES) if each[0] == volume_id]
        return found[0] if found else None

    def file(self, volume_id: str) -> str:
        """:return: the path of a volume's backing file."""
        return os.path.join(self.state, "volumes", "volume-" + volume_id)

    def mark(self, volume_id: str) -> bytes | None:
        """:return: the bytes at the mark's place; ``None`` if the file does not exist."""
        try:
            with open(self.file(volume_id), "rb") as opened:
                opened.seek(MARK_AT)
                return opened.read(MARK_LENGTH)
        except FileNotFoundError:
            return None

    def loop_devices(self, *volume_ids: str) -> list[str]:
        """:return: the loop devices whose backing file is a volume's."""
        wanted = {self.file(volume_id) for volume_id in volume_ids}
        names = [name for name in os.listdir("/sys/block") if name.startswith("loop")]
        return sorted("/dev/" + name for name in names if backing_file(name) in wanted)


def backing_file(name: str) -> str | None:
    """
    :param name: the kernel's name of a device.
    :return: the path of a loop device's backing file, or ``None``.
    """
    try:
        with open(f"/sys/block/{name}/loop/backing_file") as opened:
            return opened.read().rstrip("\n")
    except OSError:
        return None


def device_backing(path: str) -> str | None:
    """
    :param path: of a device, perhaps a symbolic link.
    :return: the path of its backing file, or ``None``.
    """
    return backing_file(os.path.basename(os.path.realpath(path)))


# -- mutations that crossed a proxy ---------------------------------------------------

_UUID = "[0-9a-f]{8}-[0-9a-f-]{27}"
_ATTACH = re.compile(f"/compute/v2[^/]*/servers/({_UUID})/os-volume_attachments$")
_DETACH = re.compile(f"/compute/v2[^/]*/servers/({_UUID})/os-volume_attachments/({_UUID})$")
_CREATE = re.compile("/volume/v3(?:/[^/]+)?/volumes$")
_DELETE = re.compile(f"/volume/v3(?:/[^/]+)?/volumes/({_UUID})$")
_LABEL = re.compile(f"/volume/v3(?:/[^/]+)?/volumes/({_UUID})/metadata$")


@attr.s(frozen=True, auto_attribs=True)
class Mutation:
    """
    A request that changes something.

    :ivar operation: the operation that such a request belongs to.
    :ivar subject: a volume id; for a create, the dataset's id.
    :ivar server: the server to attach to.
    """

    operation: str
    subject: str
    server: str | None = None


def mutation_of(question: Question) -> Mutation | None:
    """
    Read a request that crossed a proxy.

    :return: the mutation, or ``None`` for requests that change nothing.  The label of a volume that
        is not used is the operation ``mark``; requests that no operation needs are ``other``.
    """
    if question.method == "GET" or question.path.endswith("/auth/tokens"):
        return None
    path, method = question.path, question.method
    body: Any = json.loads(question.body.decode()) if question.body else {}
    if method == "POST" and _CREATE.search(path):
        return Mutation("create", body["volume"]["metadata"]["flocker-dataset-id"])
    if method == "DELETE" and (found := _DELETE.search(path)):
        return Mutation("destroy", found[1])
    if method == "POST" and (found := _ATTACH.search(path)):
        return Mutation("attach", body["volumeAttachment"]["volumeId"], found[1])
    if method == "DELETE" and (found := _DETACH.search(path)):
        return Mutation("detach", found[2])
    if method == "POST" and (found := _LABEL.search(path)):
        if list(body["metadata"]) == [SUPERSEDED]:
            return Mutation("mark", found[1])
    return Mutation("other", f"{method} {path}")
