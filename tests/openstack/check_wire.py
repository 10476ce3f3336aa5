"""
The wire contract on a real OpenStack: the assertions of :mod:`tests.contract` about the embedded
service
hold for the real services.

The cloud is that of :func:`tests.openstack.cloud.description`: the user ``demo`` with two servers,
whose quota some tests change and restore, and an administrator.

With ``TXSTORAGE_RECORD=1`` a complete run records the compared routes and errors in
``tests/contract/compared.txt``, without which ``make test`` fails.
"""

from __future__ import annotations

import json
import os
from typing import Any, Dict, Iterable, List, Set
from urllib.parse import urlsplit
from uuid import uuid4

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from tests.contract.case import Session, Target
from tests.contract.record import lines, write
from tests.contract.suite import make_wire_tests

from .cloud import description

#: Seconds.
PAUSE = 0.03
#: The project's quota, when no test limits it.
_NO_LIMIT = {"volumes": -1, "gigabytes": -1, "snapshots": -1}
#: The routes and errors compared so far, in this run.
_compared: Set[str] = set()


class _Exchange(Protocol):
    """Sends bytes, and collects the response until the connection closes."""

    def __init__(self, request: bytes) -> None:
        self.done: Deferred[bytes] = Deferred()
        self._request = request
        self._pieces: List[bytes] = []

    def connectionMade(self) -> None:  # noqa: N802 (Twisted's name)
        self.transport.write(self._request)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 (Twisted's name)
        self._pieces.append(data)

    def connectionLost(  # noqa: N802 (Twisted's name)
        self, reason: Failure = connectionDone
    ) -> None:
        self.done.callback(b"".join(self._pieces))


class RealTarget(Target):
    """The contract's tests on the rig's services."""

    # As much as Cinder counts, and more than the back end has.
    too_big = 10**9

    def __init__(self) -> None:
        there = description()
        self.auth_url = there["auth_url"]
        users = {
            name: dict(there["users"][name], region=there["region"])
            for name in ("demo", "admin", "other", "reader")
        }
        self.user, self.admin = users["demo"], users["admin"]
        self.other, self.reader = users["other"], users["reader"]
        self.servers = there["servers"]["demo"][:2]
        self._limited = False
        self._credentials: List[Any] = []

    async def exchange(self, url: str, request: bytes) -> bytes:
        parts = urlsplit(url)
        endpoint = HostnameEndpoint(reactor, parts.hostname or "", parts.port or 80)
        protocol = await connectProtocol(endpoint, _Exchange(request))
        content: bytes = await protocol.done
        return content

    async def pause(self) -> None:
        await deferLater(reactor, PAUSE)

    async def limit(self, volumes: int, gigabytes: int, snapshots: int = -1) -> None:
        self._limited = True
        await self._set_quota({"volumes": volumes, "gigabytes": gigabytes, "snapshots": snapshots})

    async def _set_quota(self, quota: Dict[str, int]) -> None:
        user, admin = (Session(self, who, []) for who in (self.user, self.admin))
        await user.log_in()
        await admin.log_in()
        path = "/v3/{}/os-quota-sets/{}".format(admin.project, user.project)
        await _must(admin, 200, "volume", "PUT", path, {"quota_set": quota})

    async def application_credential(self, session: Any) -> Dict[str, str]:
        path = "/v3/users/{}/application_credentials".format(session.user_id)
        wanted = {"application_credential": {"name": "wire-{}".format(uuid4())}}
        made = await _must(session, 201, "identity", "POST", path, wanted)
        known: Dict[str, str] = json.loads(made)["application_credential"]
        self._credentials.append((session, path + "/" + known["id"]))
        return known

    def compared(self, names: Iterable[str]) -> None:
        _compared.update(lines(names))
        if os.environ.get("TXSTORAGE_RECORD"):
            write(_compared)

    async def close(self) -> None:
        if self._limited:
            await self._set_quota(_NO_LIMIT)
        for session, path in self._credentials:
            await session.ask("identity", "DELETE", path)


async def _must(session: Session, status: int, *request: Any) -> bytes:
    got = await session.ask(*request)
    if got.status != status:
        raise AssertionError("{} {}: {}".format(got.method, got.url, got.content[:500]))
    return got.content


globals().update(make_wire_tests(lambda test: RealTarget(), __name__))
