"""
openstacksdk as a client, with its defaults: it looks every two seconds.
"""

from __future__ import annotations

from typing import Any

import openstack

from .threads import BlockingWork, perform

#: Seconds, for each wait; as long as one operation of the driver may take.
PATIENCE = 110


class SDK(BlockingWork):
    """The work of openstacksdk."""

    def __init__(self, described: dict[str, Any]) -> None:
        super().__init__(described)
        user = {"username": "bench", "password": "bench", "project_name": "bench"}
        cloud = openstack.connect(
            auth_url=described["auth_url"],
            region_name=described.get("region", "RegionOne"),
            user_domain_id="default",
            project_domain_id="default",
            cacert=described["authority"],
            **{**user, **described.get("user", {})},
        )
        self._storage, self._compute = cloud.block_storage, cloud.compute
        # A volume that was looked at is not fetched again.
        self._seen: dict[str, Any] = {}
        next(iter(self._storage.volumes(limit=1)), None)
        self._compute.get_server(self._servers[0])

    def _wait(self, volume_id: str, status: str) -> None:
        self._storage.wait_for_status(self._seen[volume_id], status, wait=PATIENCE)

    def create(self) -> str:
        """See ``BlockingWork``."""
        volume = self._storage.create_volume(size=1)
        self._seen[volume.id] = volume
        self._wait(volume.id, "available")
        return str(volume.id)

    def attach(self, volume_id: str, server: str) -> None:
        """See ``BlockingWork``."""
        self._compute.create_volume_attachment(server, volume_id=volume_id)
        self._wait(volume_id, "in-use")

    def detach(self, volume_id: str, server: str) -> None:
        """See ``BlockingWork``."""
        self._compute.delete_volume_attachment(server, volume_id)
        self._wait(volume_id, "available")

    def destroy(self, volume_id: str) -> None:
        """See ``BlockingWork``."""
        volume = self._seen.pop(volume_id)
        self._storage.delete_volume(volume)
        self._storage.wait_for_delete(volume, wait=PATIENCE)

    def listed(self) -> int:
        """See ``BlockingWork``."""
        return sum(1 for _ in self._storage.volumes())


if __name__ == "__main__":
    perform(SDK)
