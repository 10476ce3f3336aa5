# -*- test-case-name: tests.embedded.ec2.test_imds -*-
"""
The Instance Metadata Service, version 2, of one node on a port of its own.

On EC2 it has an address that only the instance itself reaches; here a port stands for the node.
A session token signs its own end, so that nothing is stored.  Source: "Use the Instance Metadata
Service to access instance metadata" in the EC2 user guide.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from typing import Union

import attr
from twisted.web.iweb import IRequest
from twisted.web.resource import Resource

from ...store.servers.records import ServerRecord
from ...wire.exchange import APIResponse
from ...wire.times import compute_time
from .call import EC2Context
from .ids import INSTANCE
from .protocol.credentials import ACCOUNT, ROLE
from .resources.instances import IMAGE, INSTANCE_TYPE

_TOKEN, _TTL = "X-aws-ec2-metadata-token", "X-aws-ec2-metadata-token-ttl-seconds"
_LONGEST = 21600
#: Seconds that a node's credentials are valid.
_CREDENTIALS_LIFETIME = 21600
_VERSIONS = ("latest", "2021-07-15", "2020-10-27", "2016-09-02", "1.0")
_ADDRESS = "127.0.0.1"

#: A directory, or a document.
Tree = Union[Mapping[str, "Tree"], str]


@attr.s(frozen=True, auto_attribs=True)
class NodeMetadata:
    """
    The metadata of a node.

    :ivar context: has the settings and the credentials.
    """

    server: ServerRecord
    context: EC2Context

    def tree(self) -> Tree:
        """Return everything below a version."""
        region, zone = self.context.ec2.region, self.context.zone
        instance_id = INSTANCE.of(self.server.server_id)
        identity = {
            "accountId": ACCOUNT,
            "architecture": "x86_64",
            "availabilityZone": zone,
            "imageId": IMAGE,
            "instanceId": instance_id,
            "instanceType": INSTANCE_TYPE,
            "pendingTime": compute_time(self.server.created_at),
            "privateIp": _ADDRESS,
            "region": region,
            "version": "2017-09-30",
        }
        meta_data: Mapping[str, Tree] = {
            "ami-id": IMAGE,
            "hostname": self.server.name,
            "iam": {"security-credentials": {ROLE: self._credentials()}},
            "instance-id": instance_id,
            "instance-type": INSTANCE_TYPE,
            "local-hostname": self.server.name,
            "local-ipv4": _ADDRESS,
            "placement": {"availability-zone": zone, "region": region},
        }
        document = json.dumps(identity, indent=2)
        return {
            "dynamic": {"instance-identity": {"document": document}},
            "meta-data": meta_data,
        }

    def _credentials(self) -> str:
        now = self.context.now()
        made = self.context.keys.temporary(now + _CREDENTIALS_LIFETIME)
        document = {
            "Code": "Success",
            "LastUpdated": compute_time(now),
            "Type": "AWS-HMAC",
            "AccessKeyId": made.access_key_id,
            "SecretAccessKey": made.secret_access_key,
            "Token": made.session_token,
            "Expiration": compute_time(made.expires_at),
        }
        return json.dumps(document, indent=2)


def found_in(tree: Tree, segments: list[str]) -> str | None:
    """
    :param segments: of a path; empty ones count only at the end.
    :return: a document or the list of a directory; ``None`` when there is none.
    """
    for segment in [each for each in segments if each]:
        if isinstance(tree, str) or segment not in tree:
            return None
        tree = tree[segment]
    if isinstance(tree, str):
        return tree
    # A directory of roles has no slash after them.
    return "\n".join(
        name if isinstance(child, str) else name + "/" for name, child in sorted(tree.items())
    )


class MetadataService(Resource):
    """The resource of all paths of a node's port."""

    isLeaf = True

    def __init__(self, metadata: NodeMetadata, now: Callable[[], float]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._metadata = metadata
        self._now = now
        # A restart ends all sessions, as a restart of an instance does.
        self._key = secrets.token_bytes(32)

    def render(self, request: IRequest) -> bytes:
        """Answer a request."""
        answer = self._answer(request)
        if request.method == b"HEAD":
            answer = attr.evolve(answer, body=None)
        return answer.send(request)

    def _answer(self, request: IRequest) -> APIResponse:
        path = request.path.decode("utf-8", "replace")
        version, *segments = path.lstrip("/").split("/")
        # A proxy must not hand out credentials.
        if request.getHeader(b"x-forwarded-for") is not None:
            return _plain(403, "403 - Forbidden")
        if path.rstrip("/") == "/latest/api/token":
            return self._session(request)
        if request.method not in (b"GET", b"HEAD"):
            return _plain(405, "405 - Method Not Allowed")
        if not self._is_session(request.getHeader(_TOKEN.encode("ascii"))):
            return _plain(401, "401 - Unauthorized")
        if not version:
            return _plain(200, "\n".join(_VERSIONS))
        found = found_in(self._metadata.tree(), segments) if version in _VERSIONS else None
        return _plain(404, "404 - Not Found") if found is None else _plain(200, found)

    def _session(self, request: IRequest) -> APIResponse:
        if request.method != b"PUT":
            return _plain(405, "405 - Method Not Allowed")
        text = (request.getHeader(_TTL.encode("ascii")) or b"").decode("ascii", "replace")
        if not text.isdecimal() or not 1 <= int(text[:9]) <= _LONGEST:
            return _plain(400, "400 - Bad Request")
        until = str(int(self._now()) + int(text))
        return attr.evolve(_plain(200, f"{until}.{self._sign(until)}"), headers={_TTL: text})

    def _sign(self, text: str) -> str:
        return hmac.digest(self._key, text.encode("ascii"), "sha256").hex()

    def _is_session(self, token: bytes | None) -> bool:
        until, _, signature = (token or b"").decode("ascii", "replace").partition(".")
        if not (until.isascii() and until.isdecimal()):
            return False
        expected = self._sign(until).encode("ascii")
        return hmac.compare_digest(expected, signature.encode("utf-8")) and self._now() < int(until)


def _plain(status: int, body: str) -> APIResponse:
    return APIResponse(status, body, content_type="text/plain")
