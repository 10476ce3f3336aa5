"""
boto3 as a client, with the requests and the waits of Flocker's own ``aws`` backend.

Flocker's agent has ten threads.  The backend puts its tags on a volume in a second request,
describes a volume before it changes it, and then sleeps for five seconds before it looks each
second.  It attaches one volume at a time, under the first name that this node's kernel does not
have.  Its waits for the kernel are left out, because nothing is attached to this node.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from threading import Lock
from typing import Any
from uuid import uuid4

import boto3
from botocore.exceptions import ClientError

from .threads import BlockingWork, perform

#: Seconds before the first look, between two looks, and until a wait is given up.
SLEEP, INTERVAL, PATIENCE = 5.0, 1.0, 300.0
_ATTEMPTS = 3
_NAMES = [f"/dev/sd{letter}" for letter in "fghijklmnopqrstuvwxyz"]


class Server:
    """The node of an agent: its lock, and the names of its devices."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.names: dict[str, str] = {}

    def free(self) -> str:
        """The first free name."""
        return next(name for name in _NAMES if name not in self.names.values())


class Flocker(BlockingWork):
    """The work of the ``aws`` backend."""

    def __init__(self, described: dict[str, Any]) -> None:
        super().__init__(described)
        dataset = described["dataset"]
        self._zone, self._cluster = dataset["zone"], described["cluster"]
        session = boto3.session.Session(
            aws_access_key_id=dataset["access_key_id"],
            aws_secret_access_key=dataset["secret_access_key"],
        )
        self._ec2 = session.client(
            "ec2", region_name=dataset["region"], endpoint_url=dataset["ec2_endpoint"]
        )
        self._nodes: defaultdict[str, Server] = defaultdict(Server)
        self._ec2.describe_availability_zones()

    def _look(self, volume_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self._ec2.describe_volumes(VolumeIds=[volume_id])["Volumes"][0]
        return found

    def _wait(self, volume_id: str, ended: Callable[[dict[str, Any]], bool]) -> None:
        time.sleep(SLEEP)
        deadline = time.monotonic() + PATIENCE
        while not ended(self._look(volume_id)):
            if time.monotonic() > deadline:
                raise TimeoutError(volume_id)
            time.sleep(INTERVAL)

    def create(self) -> str:
        """See ``BlockingWork``."""
        made = self._ec2.create_volume(Size=1, AvailabilityZone=self._zone, VolumeType="standard")
        volume_id, dataset = str(made["VolumeId"]), str(uuid4())
        self._look(volume_id)
        tags = {
            "flocker-metadata-version": "1",
            "flocker-cluster-id": self._cluster,
            "flocker-dataset-id": dataset,
            "Name": "flocker-" + dataset,
        }
        self._ec2.create_tags(
            Resources=[volume_id],
            Tags=[{"Key": name, "Value": value} for name, value in tags.items()],
        )
        self._wait(volume_id, lambda volume: volume["State"] == "available")
        return volume_id

    def attach(self, volume_id: str, server: str) -> None:
        """See ``BlockingWork``."""
        if self._look(volume_id)["State"] != "available":
            raise ValueError(f"{volume_id} is attached already")
        node = self._nodes[server]
        for _ in range(_ATTEMPTS):
            with node.lock:
                name = node.free()
                try:
                    self._ec2.attach_volume(VolumeId=volume_id, InstanceId=server, Device=name)
                except ClientError as error:
                    if error.response["Error"]["Code"] != "InvalidParameterValue":
                        raise
                    continue
                node.names[volume_id] = name
                self._wait(volume_id, _is_attached)
                return
        raise ValueError(f"{volume_id} could not be attached")

    def detach(self, volume_id: str, server: str) -> None:
        """See ``BlockingWork``."""
        if self._look(volume_id)["State"] != "in-use":
            raise ValueError(f"{volume_id} is not attached")
        self._ec2.detach_volume(VolumeId=volume_id)
        self._wait(
            volume_id,
            lambda volume: volume["State"] == "available" and not volume["Attachments"],
        )
        del self._nodes[server].names[volume_id]

    def destroy(self, volume_id: str) -> None:
        """See ``BlockingWork``."""
        # Twice, as the backend does.
        self._look(volume_id)
        if self._look(volume_id)["State"] != "available":
            raise ValueError(f"{volume_id} is in use")
        self._ec2.delete_volume(VolumeId=volume_id)
        try:
            self._wait(volume_id, lambda volume: False)
        except ClientError as error:
            if error.response["Error"]["Code"] != "InvalidVolume.NotFound":
                raise


def _is_attached(volume: dict[str, Any]) -> bool:
    """Check for an attachment; EC2's ``in-use`` also covers one that is in progress."""
    return volume["State"] == "in-use" and bool(volume["Attachments"])


if __name__ == "__main__":
    perform(Flocker)
