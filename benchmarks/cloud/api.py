"""
The routes of the fake cloud.
"""

from __future__ import annotations

import ast
import json
import re
import time
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from .http import Counters, Request, Response
from .refusals import Refused
from .servers import Cloud
from .volumes import COMPARISONS, Filters, Version, Volume

#: The largest page of a list, and of a list without a limit: ``osapi_max_limit`` of Cinder.
PAGE = 1000
PROJECT = "6f70656e737461636b2d70726f6a6563"
#: Block Storage filters by times since this microversion.
_TIME_FILTERS = (3, 60)
_ATTRIBUTES = {"name": "name", "status": "status"}
_TIMES = {"created_at": "created", "updated_at": "updated"}
#: The parameters of a list that are not filters.
_OTHER = {"limit", "marker", "all_tenants"}
_ID = "([^/]+)"
_VOLUMES = f"/volume/v3(?:/{PROJECT})?/volumes"
_SERVERS = f"/compute/v2.1(?:/{PROJECT})?/servers"
_LIMITS = {"volume": ((3, 0), (3, 71)), "compute": ((2, 1), (2, 96))}
_ATTACHMENT_IDS = (2, 89)

Handler = Callable[..., Response]
#: The method, the pattern of the path, the name in the counters, and the handler.
Route = tuple[str, str, str, Handler]


def _json(status: int, document: Any) -> Response:
    return Response(status, json.dumps(document).encode())


def read_filters(query: dict[str, str], version: Version) -> Filters:
    """
    The filters of a list's query.

    :raises Refused: the fake cloud does not have a parameter.  The real one ignores it, which
        would make a list long without a sign of the reason.
    """
    labels: dict[str, str] = {}
    equal: dict[str, str] = {}
    times: list[tuple[str, str, str]] = []
    for name, value in query.items():
        if name == "metadata":
            labels = ast.literal_eval(value)
        elif name in _ATTRIBUTES:
            equal[_ATTRIBUTES[name]] = value
        elif name in _TIMES and version >= _TIME_FILTERS:
            for part in value.split(","):
                kind, _, moment = part.partition(":")
                if kind not in COMPARISONS:
                    kind, moment = "eq", part
                # The columns have no fractions.
                times.append((_TIMES[name], kind, moment[:19] + ".000000"))
        elif name not in _OTHER:
            raise Refused(400, f"The fake cloud has no parameter {name} at {version}")
    return Filters(labels, equal, tuple(times))


class API:
    """
    The fake cloud's answers.

    :param log: the list to which each request is added as ``(method, target, body)``, for a
        replay; or ``None``.
    """

    def __init__(
        self, base: str, cloud: Cloud, counters: Counters, log: list[Any] | None = None
    ) -> None:
        self._base, self._cloud, self._counters, self._log = base, cloud, counters, log
        self._tokens: set[str] = set()
        self._routes = [
            (method, re.compile(pattern), f"{method} {name}", handler)
            for method, pattern, name, handler in (*self._open(), *self._authenticated())
        ]

    def _open(self) -> Iterator[Route]:
        """Yield the routes that need no token."""
        yield "GET", "/identity/?", "versions of Identity", self._identity_versions
        yield "GET", "/identity/v3/?", "versions of Identity", self._identity_version
        yield "POST", "/identity/v3/auth/tokens", "tokens", self._authenticate
        yield "GET", "/volume/(?:v3/)?", "versions of Block Storage", self._volume_versions
        yield "GET", "/compute/", "versions of Compute", self._compute_versions
        yield "GET", r"/compute/v2\.1/?", "versions of Compute", self._compute_version

    def _authenticated(self) -> Iterator[Route]:
        """Yield the other routes, whose handlers also get the microversion."""
        attachments = f"{_SERVERS}/{_ID}/os-volume_attachments"
        for method, pattern, name, handler in (
            ("GET", _VOLUMES + "/detail", "volumes/detail", self._list),
            ("POST", _VOLUMES, "volumes", self._create),
            ("GET", f"{_VOLUMES}/{_ID}", "volumes/ID", self._show),
            ("DELETE", f"{_VOLUMES}/{_ID}", "volumes/ID", self._delete),
            ("GET", _SERVERS + "/detail", "servers/detail", self._list_servers),
            ("GET", f"{_SERVERS}/{_ID}", "servers/ID", self._show_server),
            ("GET", attachments, "attachments", self._attached),
            ("POST", attachments, "attachments", self._attach),
            ("DELETE", f"{attachments}/{_ID}", "attachments/ID", self._detach),
        ):
            yield method, pattern, name, partial(self._versioned, handler)

    def answer(self, request: Request) -> Response:
        """:return: the response to a request."""
        if self._log is not None:
            self._log.append((request.method, request.target, request.body.decode()))
        for method, pattern, name, handler in self._routes:
            match = pattern.fullmatch(request.path) if method == request.method else None
            if match is not None:
                self._counters.requests[name] += 1
                try:
                    return handler(request, *match.groups())
                except Refused as refused:
                    return Response(refused.status, refused.body())
        self._counters.requests[f"unknown: {request.method} {request.path}"] += 1
        return Response(404, Refused(404, "The fake cloud has no such route.").body())

    def _versioned(self, handler: Handler, request: Request, *groups: str) -> Response:
        service = request.path.split("/")[1]
        if request.headers.get("x-auth-token") not in self._tokens:
            return _json(401, {"error": {"code": 401, "message": "The token is not valid."}})
        version = _version(request, service)
        response = handler(request, version, *groups)
        shown = f"{service} {version[0]}.{version[1]}"
        headers = (("OpenStack-API-Version", shown), ("Vary", "OpenStack-API-Version"))
        identified = (("x-openstack-request-id", f"req-{uuid.uuid4()}"),)
        return Response(response.status, response.body, headers + identified)

    # -- Identity -------------------------------------------------------------

    def _identity_versions(self, request: Request) -> Response:
        return _json(300, {"versions": {"values": [self._keystone()]}})

    def _identity_version(self, request: Request) -> Response:
        return _json(200, {"version": self._keystone()})

    def _keystone(self) -> dict[str, Any]:
        return {
            "id": "v3.14",
            "status": "stable",
            "updated": "2020-04-07T00:00:00Z",
            "links": [{"rel": "self", "href": self._base + "/identity/v3/"}],
            "media-types": [],
        }

    def _authenticate(self, request: Request) -> Response:
        token = uuid.uuid4().hex
        self._tokens.add(token)
        endpoints = {
            ("block-storage", "cinder"): f"{self._base}/volume/v3/{PROJECT}",
            ("compute", "nova"): self._base + "/compute/v2.1",
            ("identity", "keystone"): self._base + "/identity/v3",
        }
        domain = {"id": "default", "name": "Default"}
        document = {
            "token": {
                "methods": ["password"],
                "user": {"id": uuid.uuid4().hex, "name": "bench", "domain": domain},
                "project": {"id": PROJECT, "name": "bench", "domain": domain},
                "roles": [{"id": uuid.uuid4().hex, "name": "member"}],
                "issued_at": _identity_time(0),
                "expires_at": _identity_time(24 * 3600),
                "catalog": [_service(kind, name, url) for (kind, name), url in endpoints.items()],
            }
        }
        encoded = json.dumps(document).encode()
        return Response(201, encoded, (("X-Subject-Token", token),))

    # -- versions -------------------------------------------------------------

    def _volume_versions(self, request: Request) -> Response:
        described = self._described("v3.0", "volume/v3", "volume")
        status = 200 if request.path.endswith("v3/") else 300
        return _json(status, {"versions": [described]})

    def _compute_versions(self, request: Request) -> Response:
        return _json(200, {"versions": [self._described("v2.1", "compute/v2.1", "compute")]})

    def _compute_version(self, request: Request) -> Response:
        return _json(200, {"version": self._described("v2.1", "compute/v2.1", "compute")})

    def _described(self, name: str, path: str, service: str) -> dict[str, Any]:
        low, high = ("{}.{}".format(*version) for version in _LIMITS[service])
        return {
            "id": name,
            "status": "CURRENT",
            "version": high,
            "min_version": low,
            "updated": "2020-01-01T00:00:00Z",
            "links": [{"rel": "self", "href": f"{self._base}/{path}/"}],
            "media-types": [],
        }

    # -- Block Storage --------------------------------------------------------

    def _list(self, request: Request, version: Version) -> Response:
        query = request.query
        limit = min(int(query.get("limit") or PAGE), PAGE)
        marker = self._cloud.volume(query["marker"]) if "marker" in query else None
        found = self._cloud.volumes.select(read_filters(query, version), marker)
        volumes = list(islice(found, limit))
        page = b'{"volumes": [' + b", ".join(each.encoded(version) for each in volumes) + b"]"
        if len(volumes) == limit:
            following = {**query, "marker": volumes[-1].volume_id}
            href = f"{self._base}{request.path}?{urlencode(following)}"
            page += b', "volumes_links": ' + json.dumps([{"rel": "next", "href": href}]).encode()
        return Response(200, page + b"}")

    def _create(self, request: Request, version: Version) -> Response:
        asked = json.loads(request.body)["volume"]
        name, metadata = asked.get("name") or "", asked.get("metadata") or {}
        volume = self._cloud.create(name, asked["size"], metadata)
        return _volume(202, volume, version)

    def _show(self, request: Request, version: Version, volume_id: str) -> Response:
        return _volume(200, self._cloud.volume(volume_id), version)

    def _delete(self, request: Request, version: Version, volume_id: str) -> Response:
        self._cloud.delete(volume_id)
        return Response(202)

    # -- Compute --------------------------------------------------------------

    def _list_servers(self, request: Request, version: Version) -> Response:
        return _json(200, {"servers": [_server(each) for each in self._cloud.servers]})

    def _show_server(self, request: Request, version: Version, server_id: str) -> Response:
        return _json(200, {"server": _server(self._cloud.server(server_id).server_id)})

    def _attached(self, request: Request, version: Version, server_id: str) -> Response:
        server = self._cloud.server(server_id)
        found = [_attachment(*each, version) for each in server.attachments.items()]
        return _json(200, {"volumeAttachments": found})

    def _attach(self, request: Request, version: Version, server_id: str) -> Response:
        volume_id = json.loads(request.body)["volumeAttachment"]["volumeId"]
        attachment = self._cloud.attach(server_id, volume_id)
        return _json(200, {"volumeAttachment": _attachment(volume_id, attachment, version)})

    def _detach(
        self, request: Request, version: Version, server_id: str, volume_id: str
    ) -> Response:
        self._cloud.detach(server_id, volume_id)
        return Response(202)


def _version(request: Request, service: str) -> Version:
    """
    The microversion of a request.

    :raises Refused: the service does not have it.
    """
    low, high = _LIMITS[service]
    for name in _named(request, service):
        if name == "latest":
            return high
        found = tuple(int(part) for part in name.split("."))
        if len(found) == 2 and low <= found <= high:
            return found[0], found[1]
        raise Refused(406, f"Version {name} is not supported by the API.")
    return low


def _named(request: Request, service: str) -> Iterator[str]:
    for entry in request.headers.get("openstack-api-version", "").split(","):
        if entry.strip().startswith(service + " "):
            yield entry.split()[1]
    if service == "compute" and "x-openstack-nova-api-version" in request.headers:
        yield request.headers["x-openstack-nova-api-version"]


def _identity_time(later: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(time.time() + later))


def _service(kind: str, name: str, url: str) -> dict[str, Any]:
    endpoint = {"interface": "public", "region": "RegionOne", "region_id": "RegionOne", "url": url}
    endpoints = [{**endpoint, "id": uuid.uuid4().hex}]
    return {"type": kind, "name": name, "id": uuid.uuid4().hex, "endpoints": endpoints}


def _volume(status: int, volume: Volume, version: Version) -> Response:
    return Response(status, b'{"volume": ' + volume.encoded(version) + b"}")


def _server(server_id: str) -> dict[str, Any]:
    return {"id": server_id, "name": server_id, "status": "ACTIVE", "metadata": {}, "links": []}


def _attachment(volume_id: str, attachment: Any, version: Version) -> dict[str, Any]:
    shown = {
        "serverId": attachment.server_id,
        "volumeId": volume_id,
        "device": attachment.device,
    }
    if version < _ATTACHMENT_IDS:
        return {"id": volume_id, **shown}
    return {
        **shown,
        "attachment_id": attachment.attachment_id,
        "bdm_uuid": attachment.attachment_id,
        "tag": None,
        "delete_on_termination": False,
    }


__all__ = ["API", "PAGE", "PROJECT", "read_filters"]
