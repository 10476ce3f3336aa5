"""The common parts of the embedded service's tests."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from typing import Any

import attr
from treq.testing import StubTreq
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.testing import BASE_URL, InMemoryCloud, in_memory_cloud

from ..helpers.loops import detach_below

MISSING = "c70a9410-4321-4788-ae1d-bc604b7d57c3"


@attr.s(frozen=True, auto_attribs=True)
class Got:
    """A decoded response."""

    code: int
    headers: dict[str, str]
    body: Any
    length: Any

    @property
    def message(self) -> str:
        """The text of an error, which is its only member."""
        (error,) = self.body.values()
        text: str = error["message"]
        return text


def password_auth(password: str = "open sesame", **user: Any) -> dict[str, Any]:
    """The body of a request for a token."""
    who = user or {"name": "txstorage", "domain": {"name": "Default"}}
    identity = {"methods": ["password"], "password": {"user": dict(who, password=password)}}
    return {"auth": {"identity": identity}}


class CloudTests(SynchronousTestCase):
    """Tests with a cloud in memory."""

    settings: dict[str, Any] = {}

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1000.5)
        self.use(in_memory_cloud(self.clock, **self.settings))

    def use(self, cloud: InMemoryCloud) -> None:
        """Use this cloud from now on."""
        self.cloud = cloud
        self.addCleanup(cloud.close)
        self.treq = StubTreq(cloud.resource)
        self.token: str | None = None
        got = self.ask("POST", "/identity/v3/auth/tokens", password_auth())
        self.token = got.headers["x-subject-token"]
        self.project = got.body["token"]["project"]["id"]

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Got:
        """
        Make one exchange.

        :param path: of a URL, or a whole one.
        :param body: JSON, or raw bytes.
        :param headers: with underscores for hyphens.
        """
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token is not None:
            sent.setdefault("X-Auth-Token", self.token)
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        url = path if "://" in path else (self.cloud.settings.base_url or BASE_URL) + path
        response = self.successResultOf(self.treq.request(method, url, headers=sent, data=data))
        content = self.successResultOf(response.content())
        received = {
            name.decode().lower(): values[0].decode()
            for name, values in response.headers.getAllRawHeaders()
        }
        is_json = received["content-type"].startswith("application/json")
        body = (json.loads(content) if is_json else content.decode()) if content else None
        return Got(response.code, received, body, response.length)

    # -- Block Storage and Compute --------------------------------------------

    def volumes(self, method: str, path: str = "", body: Any = None, version: str = "") -> Got:
        """Call Block Storage below ``/volumes``."""
        return self.cinder(method, "/volumes" + path, body, version)

    def cinder(self, method: str, path: str, body: Any = None, version: str = "") -> Got:
        """Call Block Storage."""
        headers = {"OpenStack_API_Version": "volume " + version} if version else {}
        return self.ask(method, "/volume/v3/" + self.project + path, body, **headers)

    def nova(self, method: str, path: str, body: Any = None, version: str = "") -> Got:
        """Call Compute."""
        headers = {"OpenStack_API_Version": "compute " + version} if version else {}
        return self.ask(method, "/compute/v2.1" + path, body, **headers)

    def create(self, **volume: Any) -> str:
        """Make an available volume."""
        got = self.volumes("POST", body={"volume": dict({"size": 1}, **volume)})
        self.assertEqual(got.code, 202, got)
        self.settle()
        volume_id: str = got.body["volume"]["id"]
        return volume_id

    def settle(self) -> None:
        """Let every transition happen."""
        self.clock.pump([self.cloud.settings.transition_delay] * 4)

    def status(self, volume_id: str) -> str:
        """Return a volume's status; ``404`` when the volume does not exist."""
        got = self.volumes("GET", "/" + volume_id)
        return "404" if got.code == 404 else got.body["volume"]["status"]

    def attach(self, volume_id: str, node: str = "node-1", version: str = "", **more: Any) -> Got:
        """Request an attach."""
        path = f"/servers/{self.cloud.nodes.get(node, node)}/os-volume_attachments"
        body = {"volumeAttachment": dict({"volumeId": volume_id}, **more)}
        return self.nova("POST", path, body, version)

    def detach(self, volume_id: str, node: str = "node-1") -> Got:
        """Request a detach."""
        server = self.cloud.nodes.get(node, node)
        return self.nova("DELETE", f"/servers/{server}/os-volume_attachments/{volume_id}")

    def attachments(self, node: str = "node-1", version: str = "", query: str = "") -> Any:
        """Return the attachments that Compute lists."""
        path = f"/servers/{self.cloud.nodes[node]}/os-volume_attachments" + query
        return self.nova("GET", path, version=version).body["volumeAttachments"]


def temporary_directory(case: Any) -> str:
    """Make a directory, which is removed after the test with the loop devices on its files."""
    directory = tempfile.mkdtemp(prefix="txstorage-test-")
    case.addCleanup(shutil.rmtree, directory, ignore_errors=True)
    case.addCleanup(detach_below, directory)
    return directory


def no_loop_devices() -> str:
    """Return the reason why loop devices don't work here; empty when they do."""
    if os.geteuid() != 0:
        return "loop devices take root"
    if not os.path.exists("/dev/loop-control"):
        return "this kernel or container has no loop devices"
    return ""
