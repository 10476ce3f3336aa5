"""
treq as a client: the same requests without a driver, the floor of what a Twisted program costs.

The requests of a phase are sent over twenty kept connections.  One list of all volumes, asked for
when the cloud can be ready and then again and again, replaces all other requests that wait.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import treq.client
from twisted.internet import ssl
from twisted.internet.defer import DeferredSemaphore, ensureDeferred
from twisted.internet.task import deferLater, react
from twisted.web.client import Agent, BrowserLikePolicyForHTTPS, HTTPConnectionPool

from .driver import all_of, perform

_CONNECTIONS = 20
#: Seconds between two looks.
_AGAIN = 0.05
#: Volumes on a page of a list, as the driver asks for them.
_PAGE = 500
_CLUSTER = "flocker-cluster-id"


def _agent(reactor: Any, authority: str | None) -> Agent:
    pool = HTTPConnectionPool(reactor)
    pool.maxPersistentPerHost = _CONNECTIONS
    if authority is None:
        return Agent(reactor, pool=pool)
    with open(authority, "rb") as opened:
        trusted = ssl.trustRootFromCertificates([ssl.Certificate.loadPEM(opened.read())])
    return Agent(reactor, BrowserLikePolicyForHTTPS(trusted), pool=pool)


class Floor:
    """The work of the client."""

    def __init__(self, reactor: Any, described: dict[str, Any]) -> None:
        self._reactor, self._described, self._count = reactor, described, described["count"]
        self._servers = described["servers"]
        self._delay = described["delay"]
        self._client = treq.client.HTTPClient(_agent(reactor, described["authority"]))
        self._base = described["auth_url"].replace("/identity/v3", "")
        self._turns = DeferredSemaphore(described.get("at_once", _CONNECTIONS))
        self._headers: dict[str, str] = {}
        self._volumes: list[str] = []

    async def _send(self, method: str, path: str, document: Any = None) -> Any:
        body = None if document is None else json.dumps(document).encode()
        headers = {**self._headers, "Content-Type": "application/json"}
        response = await self._client.request(method, self._base + path, headers=headers, data=body)
        content = await response.content()
        if response.code >= 400 and response.code != 404:
            raise ValueError(f"{method} {path}: {response.code} {content[:200]!r}")
        if response.headers.hasHeader("X-Subject-Token"):
            self._headers["X-Auth-Token"] = response.headers.getRawHeaders("X-Subject-Token")[0]
        return json.loads(content) if content else None

    async def _request(self, method: str, path: str, document: Any = None) -> Any:
        return await self._turns.run(lambda: ensureDeferred(self._send(method, path, document)))

    async def prepare(self) -> None:
        """Log in, and create the volumes that the work needs."""
        await self._send("POST", "/identity/v3/auth/tokens", {})
        await self._all_volumes()
        if self._described["job"] == "attaches":
            await self.creates()

    async def _all_volumes(self) -> list[Any]:
        labels = json.dumps({_CLUSTER: self._described["cluster"]})
        path = f"/volume/v3/volumes/detail?limit={_PAGE}&metadata={labels}".replace(" ", "")
        found: list[Any] = []
        while path:
            page = await self._send("GET", path)
            found += page["volumes"]
            links = page.get("volumes_links", [])
            path = links[0]["href"][len(self._base) :] if links else ""
        return found

    async def _until(self, satisfied: Callable[[dict[str, str]], bool]) -> None:
        """Wait until the statuses of all volumes, by id, are satisfying."""
        await deferLater(self._reactor, self._delay)
        while True:
            found = await self._all_volumes()
            if satisfied({volume["id"]: volume["status"] for volume in found}):
                return
            await deferLater(self._reactor, _AGAIN)

    async def _until_all(self, status: str) -> None:
        def satisfied(found: dict[str, str]) -> bool:
            return all(found.get(volume_id) == status for volume_id in self._volumes)

        await self._until(satisfied)

    async def _create(self) -> None:
        labels = {_CLUSTER: self._described["cluster"], "flocker-dataset-id": str(uuid4())}
        asked = {"volume": {"name": "floor", "size": 1, "metadata": labels}}
        answered = await self._request("POST", "/volume/v3/volumes", asked)
        self._volumes.append(answered["volume"]["id"])

    async def creates(self) -> list[Exception]:
        """Creations."""
        failures = await all_of([self._create() for _ in range(self._count)])
        await self._until_all("available")
        return failures

    def _attachments(self, index: int) -> str:
        server = self._servers[index % len(self._servers)]
        return f"/compute/v2.1/servers/{server}/os-volume_attachments"

    async def _each(self, act: Callable[[int, str], Any]) -> list[Exception]:
        return await all_of([act(*each) for each in enumerate(self._volumes)])

    async def attaches(self) -> list[Exception]:
        """Attaches of volumes that exist."""

        async def attach(index: int, volume_id: str) -> None:
            asked = {"volumeAttachment": {"volumeId": volume_id}}
            await self._request("POST", self._attachments(index), asked)

        failures = await self._each(attach)
        await self._until_all("in-use")
        return failures

    async def life_cycles(self) -> list[Exception]:
        """Whole life cycles, one phase after the other."""

        async def detach(index: int, volume_id: str) -> None:
            await self._request("DELETE", f"{self._attachments(index)}/{volume_id}")

        async def destroy(_: int, volume_id: str) -> None:
            await self._request("DELETE", f"/volume/v3/volumes/{volume_id}")

        failures = await self.creates()
        failures += await self.attaches()
        failures += await self._each(detach)
        await self._until_all("available")
        failures += await self._each(destroy)
        await self._until(lambda found: not any(each in found for each in self._volumes))
        return failures

    async def list(self) -> list[Exception]:
        """One list of all volumes of the cluster."""
        found = await self._all_volumes()
        return [] if len(found) == self._count else [ValueError(f"{len(found)} volumes")]

    async def posts(self) -> list[Exception]:
        """POST requests that create volumes, and nothing else."""
        return await all_of([self._create() for _ in range(self._count)])

    async def replay(self) -> list[Exception]:
        """
        The requests that another client sent for one life cycle, one after the other.  The id of
        the other client's volume is replaced by that of this one's.
        """
        recorded = self._described["log"]
        before = next(
            path.rpartition("/")[2] for method, path, _ in reversed(recorded) if method == "DELETE"
        )
        for method, path, body in recorded:
            after = self._volumes[0] if self._volumes else before
            document = json.loads(body.replace(before, after)) if body else None
            answered = await self._send(method, path.replace(before, after), document)
            if method == "POST" and path.endswith("/volumes"):
                self._volumes.append(answered["volume"]["id"])
        return []


if __name__ == "__main__":
    react(lambda reactor: ensureDeferred(perform(reactor, Floor)))
