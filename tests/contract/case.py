"""
The common parts of the wire contract's tests: sessions, assertions about every response, and
cleaning up.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from twisted.trial.unittest import TestCase

from txstorage.embedded.wire.refusal import Refusal

from .exchanges import EMPTY, JSON, JSON_UTF8, Answer, answer_from, request_bytes
from .record import error_of, route_of
from .shapes import REQUEST_ID, differences

MISSING = "c70a9410-4321-4788-ae1d-bc604b7d57c3"
#: Responses without a request id, by path or status.
_WITHOUT_ID = {("compute", "/"), ("identity", 413)}
_TRIES = 600


class Target:
    """
    A cloud to run the suite against.

    :ivar auth_url: of Identity, with its version.
    :ivar user: ``username``, ``password`` and ``project_name`` of a user, all
        in the domain ``default``.
    :ivar admin: likewise, of an administrator, in another project.
    :ivar other: likewise, of a member of a third project.
    :ivar reader: likewise, of a reader in the user's project.
    :ivar servers: the ids of two servers of the project, which are on.
    :ivar too_big: GiB; a volume that no back end can make.
    """

    auth_url: str
    user: dict[str, str]
    admin: dict[str, str]
    other: dict[str, str]
    reader: dict[str, str]
    servers: list[str]
    too_big: int

    async def exchange(self, url: str, request: bytes) -> bytes:
        """
        Send a request.

        :return: everything received until the service closed the connection.
        """
        raise NotImplementedError()

    async def pause(self) -> None:
        """Let the cloud make progress."""
        raise NotImplementedError()

    async def limit(self, volumes: int, gigabytes: int, snapshots: int = -1) -> None:
        """Set the quota of the user's project; a negative number means no quota."""
        raise NotImplementedError()

    async def application_credential(self, session: Any) -> dict[str, str]:
        """Return an application credential's ``id``, ``name`` and ``secret``."""
        raise NotImplementedError()

    def compared(self, names: Iterable[str]) -> None:
        """Record that a test has compared these routes and errors."""

    async def close(self) -> None:
        """Clean up the target's resources."""
        raise NotImplementedError()


def password_auth(who: dict[str, str], **changes: Any) -> dict[str, Any]:
    """
    The body of a request for a token.

    :param changes: members of ``user`` that replace the right ones; ``None`` omits one.
    """
    domain = {"id": "default"}
    right = {"name": who["username"], "domain": domain, "password": who["password"]}
    merged = {**right, **changes}
    user = {name: value for name, value in merged.items() if value is not None}
    identity = {"methods": ["password"], "password": {"user": user}}
    scope = {"project": {"name": who["project_name"], "domain": domain}}
    return {"auth": {"identity": identity, "scope": scope}}


class Session:
    """
    A user with a token.

    :ivar roots: the URL of each service's versions, by its name.
    :ivar exchanges: ``(service, path, answer)`` of each, in order.
    """

    def __init__(self, target: Target, who: dict[str, str], exchanges: list[Any]) -> None:
        self.target = target
        self.who = who
        self.exchanges = exchanges
        self.token: str | None = None
        self.roots = {"identity": target.auth_url.rsplit("/v3", 1)[0]}

    async def log_in(self) -> Answer:
        """Get a token."""
        answer = await self.ask("identity", "POST", "/v3/auth/tokens", password_auth(self.who))
        self.token = answer.headers["x-subject-token"]
        token = answer.body["token"]
        self.project = token["project"]["id"]
        self.user_id = token["user"]["id"]
        for name, kind, version in (
            ("volume", "block-storage", "/v3"),
            ("compute", "compute", "/v2.1"),
        ):
            (url,) = [
                endpoint["url"]
                for service in token["catalog"]
                if service["type"] == kind
                for endpoint in service["endpoints"]
                if endpoint["interface"] == "public"
                and endpoint["region"] == self.who.get("region", endpoint["region"])
            ]
            self.roots[name] = url.rsplit(version, 1)[0]
        return answer

    async def ask(
        self,
        service: str,
        method: str,
        path: str,
        body: Any = None,
        version: str = "",
        token: str | None = "own",
        **headers: str,
    ) -> Answer:
        """
        Make one exchange.

        :param path: below the service's root.
        :param body: JSON, or bytes.
        :param version: the microversion to request.
        :param token: another token, or ``None``.
        :param headers: with underscores for hyphens.
        """
        # Like the driver; without the header some errors are plain text.
        sent = {"Accept": "application/json"}
        sent.update((name.replace("_", "-"), value) for name, value in headers.items())
        token = self.token if token == "own" else token
        if token is not None:
            sent["X-Auth-Token"] = token
        if version:
            sent["OpenStack-API-Version"] = f"{service} {version}"
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        url = self.roots[service] + path
        request = request_bytes(method, url, sent, data)
        content = await self.target.exchange(url, request)
        answer = answer_from(method, url, content)
        self.exchanges.append((service, path, answer))
        return answer


class WireTests(TestCase):
    """
    Tests of the wire, completed by ``make_wire_tests``.

    :ivar target_factory: called with the test; returns a :class:`Target`.
    """

    target_factory: Any = None
    #: Seconds; a real cloud is slow.
    timeout = 300

    async def setUp(self) -> None:
        self.exchanges: list[Any] = []
        self.target: Target = self.target_factory(self)
        self.addCleanup(self._finish)
        self.session = Session(self.target, self.target.user, self.exchanges)
        self.made: set[str] = set()
        self.made_snapshots: set[str] = set()
        self._sessions: dict[str, Session] = {}
        await self.session.log_in()

    async def _finish(self) -> None:
        """
        Clean up, and check that the routes and errors that the test declares were on the wire.
        """
        exchanges = list(self.exchanges)
        try:
            await self._clean_up()
        finally:
            await self.target.close()
        seen = {route_of(service, got.method, path) for service, path, got in exchanges}
        seen |= {str(error_of(service, got)) for service, _, got in exchanges}
        declared = set(getattr(getattr(self, self._testMethodName), "compares", ()))
        self.assertEqual(declared - seen, set(), "declared, but not seen on the wire")
        self.target.compared(declared)

    async def _clean_up(self) -> None:
        for snapshot_id in sorted(self.made_snapshots):
            await self._remove_snapshot(snapshot_id)
        for volume_id in sorted(self.made):
            await self._remove(volume_id)

    # -- requests --------------------------------------------------------------

    async def identity(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        """Call Identity, below ``/v3``."""
        return await self.ask("identity", method, "/v3" + path, body, **options)

    async def cinder(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        """Call Block Storage, in the project."""
        return await self.ask(
            "volume", method, f"/v3/{self.session.project}{path}", body, **options
        )

    async def nova(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        """Call Compute, below ``/v2.1``."""
        return await self.ask("compute", method, "/v2.1" + path, body, **options)

    async def ask(self, service: str, method: str, path: str, *args: Any, **more: Any) -> Answer:
        """Make one exchange, with the assertions that hold for every response."""
        got = await self.session.ask(service, method, path, *args, **more)
        self.check_every(service, path, got)
        if got.status == 202 and method == "POST" and isinstance(got.body, dict):
            # A volume or a snapshot, expected or not, which is removed after the test.
            for name, made in (("volume", self.made), ("snapshot", self.made_snapshots)):
                made.update([got.body[name]["id"]] if name in got.body else [])
        return got

    async def admin(self) -> Session:
        """Return a session of an administrator."""
        return await self.session_of("admin")

    async def session_of(self, who: str) -> Session:
        """Return a session of the target's ``admin``, ``other`` or ``reader``."""
        if who not in self._sessions:
            session = Session(self.target, getattr(self.target, who), self.exchanges)
            await session.log_in()
            self._sessions[who] = session
        return self._sessions[who]

    async def cinder_as(
        self, who: str, method: str, path: str, body: Any = None, **options: Any
    ) -> Answer:
        """Call Block Storage as another user, in that user's project."""
        session = await self.session_of(who)
        got = await session.ask("volume", method, f"/v3/{session.project}{path}", body, **options)
        self.check_every("volume", path, got)
        return got

    async def identity_as(
        self, who: str, method: str, path: str, body: Any = None, **options: Any
    ) -> Answer:
        """Call Identity as another user, below ``/v3``."""
        session = await self.session_of(who)
        got = await session.ask("identity", method, "/v3" + path, body, **options)
        self.check_every("identity", path, got)
        return got

    async def nova_as(
        self, who: str, method: str, path: str, body: Any = None, **options: Any
    ) -> Answer:
        """Call Compute as another user, below ``/v2.1``."""
        session = await self.session_of(who)
        got = await session.ask("compute", method, "/v2.1" + path, body, **options)
        self.check_every("compute", path, got)
        return got

    # -- assertions --------------------------------------------------------------

    def check_every(self, service: str, path: str, got: Answer) -> None:
        """Assert that a response has an id and its length, and is the last of its connection."""
        what = f"{got.method} {got.url} -> {got.status}"
        self.assertEqual(got.headers.get("connection"), "close", what)
        if got.status not in (204, 302):
            self.assertEqual(got.headers["content-length"], str(len(got.content)), what)
        own = got.headers.get("x-openstack-request-id")
        if not {(service, path), (service, got.status)} & _WITHOUT_ID:
            self.assertEqual(differences(own, REQUEST_ID), [], what)
        if service == "compute" and path != "/":
            self.assertIn("x-compute-request-id", got.headers)
        if service == "volume" and "openstack-api-version" in got.headers and path != "/":
            # Some of Cinder's responses without a body have it, too.
            if got.content:
                self.assertIn("x-compute-request-id", got.headers, what)
        self.assertEqual(got.headers.get("x-compute-request-id", own), own, what)

    def answered(self, got: Answer, status: int, shape: Any = None, version: str = "") -> Any:
        """
        Assert that a response of Cinder's or Nova's is a success.

        :param shape: of its body; ``None`` when it has none.
        :param version: its microversion.
        :return: the body.
        """
        what = f"{got.method} {got.url} -> {got.status} {got.content[:300]}"
        self.assertEqual(got.status, status, what)
        if shape is None:
            self.assertEqual(got.content, b"", what)
        else:
            self.assertEqual(got.type, JSON, what)
            self.assertEqual(differences(got.body, shape), [], what)
        self.check_version(got, version)
        return got.body

    def same_shape(self, value: Any, shape: Any) -> None:
        """Assert the shape of a part of a body."""
        self.assertEqual(differences(value, shape), [])

    def check_version(self, got: Answer, version: str = "") -> None:
        """Assert that a response names its microversion, and that it varies with it."""
        service = "volume" if got.url.startswith(self.session.roots["volume"]) else "compute"
        version = version or {"volume": "3.0", "compute": "2.1"}[service]
        version_header = f"{service} {version}"
        self.assertEqual(got.headers.get("openstack-api-version"), version_header, got.url)
        vary = {name.strip().lower() for name in got.headers["vary"].split(",")}
        wanted = {"openstack-api-version"}
        if service == "compute":
            wanted.add("x-openstack-nova-api-version")
            self.assertEqual(got.headers["x-openstack-nova-api-version"], version)
        self.assertEqual(vary, wanted, got.url)

    def refused(
        self, got: Answer, refusal: Refusal, *values: object, version: str | None = ""
    ) -> None:
        """
        Assert that a response is the error in the table, with the same status, body and content
        type.

        :param values: the values in the message; ``...`` for an unpredictable one.
        :param version: the microversion in the response; ``None`` when it has none.
        """
        what = f"{got.method} {got.url} -> {got.status} {got.content[:600]}"
        expected = refusal(*["{}" if value is ... else value for value in values]).answer
        message = answer_message(expected.body)
        self.assertEqual(got.status, refusal.status, what)
        self.assertEqual(got.type, expected.content_type, what)
        self.assertTrue(alike(got.message, message), f"{what}\nnot: {message}")
        if isinstance(expected.body, dict):
            self.check_error_body(got.body, expected.body, what)
        if refusal.service == "identity":
            if refusal.status != 413:
                self.assertEqual(got.headers.get("vary"), "X-Auth-Token", what)
        elif version is None:
            self.assertNotIn("openstack-api-version", got.headers, what)
        else:
            self.check_version(got, version)
        wait = expected.headers.get("Retry-After")
        self.assertEqual(got.headers.get("retry-after"), wait, what)

    def check_error_body(self, body: Any, expected: Any, what: str) -> None:
        """Assert that two errors have the same members, of the same types, at every level."""
        self.assertEqual(sorted(body), sorted(expected), what)
        for name, value in expected.items():
            self.assertIs(type(body[name]), type(value), what)
            if isinstance(value, dict):
                self.check_error_body(body[name], value, what)
            elif name not in ("message", "methods"):
                self.assertEqual(body[name], value, what)

    def unauthenticated(self, got: Answer, refusal: Refusal) -> None:
        """Assert that a response is a 401 without a reason."""
        self.refused(got, refusal, version=None)
        uri = f'Keystone uri="{self.target.auth_url}"'
        self.assertEqual(got.headers["www-authenticate"], uri)

    def empty(self, got: Answer, status: int, version: str = "", type: str = EMPTY) -> None:
        """Assert that a response is a success without a body."""
        self.answered(got, status, version=version)
        self.assertEqual(got.type, type)

    # -- volumes -----------------------------------------------------------------

    async def volume(self, **wanted: Any) -> str:
        """Make an available volume, which is removed after the test."""
        got = await self.cinder("POST", "/volumes", {"volume": dict({"size": 1}, **wanted)})
        self.assertEqual(got.status, 202, got.content)
        volume_id: str = got.body["volume"]["id"]
        await self.until(volume_id, "available")
        return volume_id

    async def snapshot(self, volume_id: str, **wanted: Any) -> str:
        """Make an available snapshot of a volume, which is removed after the test."""
        body = {"snapshot": dict({"volume_id": volume_id}, **wanted)}
        got = await self.cinder("POST", "/snapshots", body, version="3.66")
        self.assertEqual(got.status, 202, got.content)
        snapshot_id: str = got.body["snapshot"]["id"]
        await self.until(snapshot_id, "available", "snapshot")
        return snapshot_id

    async def seen(self, object_id: str, kind: str = "volume") -> dict[str, Any]:
        """
        Return the present state of a volume or a snapshot; its status is 404 when it does not
        exist.
        """
        got = await self.cinder("GET", f"/{kind}s/{object_id}")
        if got.status == 404:
            return {"status": "404"}
        found: dict[str, Any] = got.body[kind]
        return found

    async def until(
        self, object_id: str, wanted: str, kind: str = "volume"
    ) -> list[dict[str, Any]]:
        """
        Wait for a status of a volume or a snapshot.

        :return: the volume or snapshot at each poll.
        """
        looks = [await self.seen(object_id, kind)]
        while looks[-1]["status"] != wanted:
            if len(looks) > _TRIES:
                self.fail(f"{object_id} is not {wanted}: {looks[-1]}")
            await self.target.pause()
            looks.append(await self.seen(object_id, kind))
        return looks

    async def reset(self, volume_id: str, status: str) -> None:
        """Set a volume's status, as an administrator."""
        admin = await self.admin()
        path = f"/v3/{admin.project}/volumes/{volume_id}/action"
        got = await admin.ask("volume", "POST", path, {"os-reset_status": {"status": status}})
        self.assertEqual(got.status, 202, got.content)

    def attachments_path(self, server: int = 0, volume_id: str = "") -> str:
        """Return the path of a server's attachments in Compute, or of one of them."""
        path = f"/servers/{self.target.servers[server]}/os-volume_attachments"
        return path + "/" + volume_id if volume_id else path

    async def attach(self, volume_id: str, server: int = 0, version: str = "", **more: Any) -> Any:
        """Request an attach."""
        body = {"volumeAttachment": dict({"volumeId": volume_id}, **more)}
        return await self.nova("POST", self.attachments_path(server), body, version=version)

    async def attached(self, server: int = 0) -> tuple[str, list[dict[str, Any]]]:
        """
        Attach a volume to a server.

        :return: the volume at each poll.
        """
        volume_id = await self.volume()
        got = await self.attach(volume_id, server)
        self.assertEqual(got.status, 200, got.content)
        return volume_id, await self.until(volume_id, "in-use")

    async def _remove_snapshot(self, snapshot_id: str) -> None:
        while (await self.seen(snapshot_id, "snapshot"))["status"] == "creating":
            await self.target.pause()
        await self.cinder("DELETE", "/snapshots/" + snapshot_id)
        await self.until(snapshot_id, "404", "snapshot")

    async def _remove(self, volume_id: str) -> None:
        found = await self.seen(volume_id)
        if found["status"] == "404":
            return
        for server in range(len(self.target.servers)):
            got = await self.nova("GET", self.attachments_path(server))
            if volume_id in [entry["volumeId"] for entry in got.body["volumeAttachments"]]:
                if found["status"] != "in-use":
                    await self.reset(volume_id, "in-use")
                await self.nova("DELETE", self.attachments_path(server, volume_id))
                await self.until(volume_id, "available")
        await self._disconnect(volume_id)
        status = (await self.seen(volume_id))["status"]
        if status not in ("available", "error", "deleting", "404"):
            await self.reset(volume_id, "error")
        await self.cinder("DELETE", "/volumes/" + volume_id)
        await self.until(volume_id, "404")

    async def _disconnect(self, volume_id: str) -> None:
        query = "/attachments?volume_id=" + volume_id
        got = await self.cinder("GET", query, version="3.27")
        for each in got.body["attachments"]:
            if each["instance"] not in self.target.servers:
                path = "/attachments/" + each["id"]
                await self.cinder("DELETE", path, version="3.27")


def answer_message(body: Any) -> str:
    """Return the message in a body of the embedded service."""
    if not isinstance(body, dict):
        return ""
    return Answer("", "", 0, {}, b"", body).message


def alike(message: str, expected: str) -> bool:
    """Compare two messages; ``{}`` in the expected one matches any text."""
    parts = expected.split("{}")
    if len(parts) == 1:
        return message == expected
    return (
        message.startswith(parts[0])
        and message.endswith(parts[-1])
        and all(part in message for part in parts)
    )


__all__ = [
    "JSON",
    "JSON_UTF8",
    "MISSING",
    "Session",
    "Target",
    "WireTests",
    "password_auth",
]
