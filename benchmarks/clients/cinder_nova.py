"""
python-cinderclient and python-novaclient as a client, which looks every second: these libraries
leave the waiting to their users.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from cinderclient import client as cinder
from cinderclient.exceptions import NotFound
from keystoneauth1.identity.v3 import Password
from keystoneauth1.session import Session
from novaclient import client as nova

from .threads import BlockingWork, perform

#: Seconds, for each wait, and between two looks.
PATIENCE, INTERVAL = 110, 1.0


class CinderNova(BlockingWork):
    """The work of the two clients."""

    def __init__(self, described: dict[str, Any]) -> None:
        super().__init__(described)
        credentials = Password(
            auth_url=described["auth_url"],
            username="bench",
            password="bench",
            project_name="bench",
            user_domain_id="default",
            project_domain_id="default",
        )
        session = Session(credentials, verify=described["authority"] or True)
        self._volumes_api = cinder.Client("3", session=session).volumes
        self._attachments = nova.Client("2.1", session=session).volumes
        self._volumes_api.list(limit=1)
        self._attachments.get_server_volumes(self._servers[0])

    def _until(self, satisfied: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not satisfied():
            if time.monotonic() > deadline:
                raise TimeoutError
            time.sleep(INTERVAL)

    def _until_status(self, volume_id: str, status: str) -> None:
        self._until(lambda: self._volumes_api.get(volume_id).status == status)

    def create(self) -> str:
        """See ``BlockingWork``."""
        volume_id = str(self._volumes_api.create(1).id)
        self._until_status(volume_id, "available")
        return volume_id

    def attach(self, volume_id: str, server: str) -> None:
        """See ``BlockingWork``."""
        self._attachments.create_server_volume(server, volume_id)
        self._until_status(volume_id, "in-use")

    def detach(self, volume_id: str, server: str) -> None:
        """See ``BlockingWork``."""
        self._attachments.delete_server_volume(server, volume_id)
        self._until_status(volume_id, "available")

    def destroy(self, volume_id: str) -> None:
        """See ``BlockingWork``."""

        def gone() -> bool:
            try:
                self._volumes_api.get(volume_id)
            except NotFound:
                return True
            return False

        self._volumes_api.delete(volume_id)
        self._until(gone)

    def listed(self) -> int:
        """See ``BlockingWork``."""
        return len(self._volumes_api.list())


if __name__ == "__main__":
    perform(CinderNova)
