"""
Many clients of one service, in one process: each has a connection, and carries out one life cycle
after the other until the time is up.

The clients are as small as they can be, because they share a machine with the service.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any
from urllib.parse import urlsplit

from .measuring import spec

#: Seconds between two looks: the first, and the longest.
_FIRST, _LONGEST = 0.001, 0.02


class Connection:
    """
    A connection to the service, which is opened again when the service closes it.

    :ivar opened: how many times it was opened.
    """

    def __init__(self, host: str, port: int) -> None:
        self._address, self.opened = (host, port), 0
        self._reader: Any = None
        self._writer: Any = None

    async def ask(
        self, method: str, path: str, token: str, document: Any = None
    ) -> tuple[int, dict[str, str], Any]:
        """Send a request; :return: the status, the headers, and the decoded body."""
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(*self._address)
            self.opened += 1
        body = b"" if document is None else json.dumps(document).encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {self._address[0]}:{self._address[1]}\r\n"
            f"X-Auth-Token: {token}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        first, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        pairs = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        content = await self._body(headers)
        if headers.get("connection", "").lower() == "close":
            self.close()
        return int(first.split()[1]), headers, json.loads(content) if content else None

    async def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") != "chunked":
            return await self._reader.readexactly(int(headers.get("content-length", 0)))
        content = b""
        while size := int(await self._reader.readline(), 16):
            content += await self._reader.readexactly(size)
            await self._reader.readline()
        await self._reader.readline()
        return content

    def close(self) -> None:
        """Close the connection."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


class Client:
    """One client, with its own connection."""

    def __init__(self, connection: Connection, token: str, server: str) -> None:
        self._connection, self._token = connection, token
        self._attachments = f"/compute/v2.1/servers/{server}/os-volume_attachments"

    async def _ask(self, method: str, path: str, document: Any = None) -> tuple[int, Any]:
        status, _, body = await self._connection.ask(method, path, self._token, document)
        return status, body

    async def _change(self, method: str, path: str, document: Any = None) -> Any:
        status, body = await self._ask(method, path, document)
        if status >= 300:
            raise ValueError(f"{method} {path}: {status} {body}")
        return body

    async def _until(self, path: str, wanted: str | None) -> None:
        """Wait until a volume has a status; ``None``: until it is gone."""
        pause = _FIRST
        while True:
            status, body = await self._ask("GET", path)
            if (None if status == 404 else body["volume"]["status"]) == wanted:
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST)

    async def life_cycle(self) -> None:
        """Create, attach, detach and destroy a volume."""
        created = await self._change("POST", "/volume/v3/volumes", {"volume": {"size": 1}})
        volume_id = created["volume"]["id"]
        path = "/volume/v3/volumes/" + volume_id
        await self._until(path, "available")
        asked = {"volumeAttachment": {"volumeId": volume_id}}
        await self._change("POST", self._attachments, asked)
        await self._until(path, "in-use")
        await self._change("DELETE", f"{self._attachments}/{volume_id}")
        await self._until(path, "available")
        await self._change("DELETE", path)
        await self._until(path, None)


async def prepared(described: dict[str, Any]) -> tuple[Connection, str, str]:
    """Log in; :return: a connection, the token, and the id of a server."""
    address = urlsplit(described["auth_url"])
    connection = Connection(str(address.hostname), int(address.port or 80))
    user = {"name": "txstorage", "domain": {"id": "default"}, "password": described["password"]}
    identity = {"methods": ["password"], "password": {"user": user}}
    project = {"name": "txstorage", "domain": {"id": "default"}}
    auth = {"auth": {"identity": identity, "scope": {"project": project}}}
    _, headers, _ = await connection.ask("POST", address.path + "/auth/tokens", "", auth)
    token = headers["x-subject-token"]
    _, _, body = await connection.ask("GET", "/compute/v2.1/servers", token)
    return connection, token, body["servers"][0]["id"]


async def load(described: dict[str, Any]) -> dict[str, float]:
    """:return: the figures."""
    first, token, server = await prepared(described)
    address = urlsplit(described["auth_url"])
    connections = [first] + [
        Connection(str(address.hostname), int(address.port or 80))
        for _ in range(described["clients"] - 1)
    ]
    took: list[float] = []
    failures: list[Exception] = []
    begun = time.monotonic()

    async def run(connection: Connection) -> None:
        client = Client(connection, token, server)
        while (now := time.monotonic()) < begun + described["seconds"]:
            try:
                await client.life_cycle()
            except (ValueError, OSError, asyncio.IncompleteReadError) as failure:
                failures.append(failure)
                connection.close()
            else:
                took.append(time.monotonic() - now)

    await asyncio.gather(*map(run, connections))
    wall = time.monotonic() - begun
    took.sort()
    for connection in connections:
        connection.close()
    return {
        "ended": len(took),
        "failed": len(failures),
        "errors": [str(failure)[:300] for failure in failures[:3]],
        "wall": wall,
        "rate": len(took) / wall,
        "p50": took[len(took) // 2],
        "p99": took[int(len(took) * 0.99)],
        "connections": sum(connection.opened for connection in connections),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(load(spec()))))
