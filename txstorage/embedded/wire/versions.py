# -*- test-case-name: tests.embedded.wire.test_exchange -*-
"""
Microversions, and the documents that announce them.

:class:`Dialect` holds the differences between Cinder and Nova around a request, as observed on
    Cinder 29 and Nova 34.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attr

from .exchange import JSON, APIRequest, APIResponse, Version, WireError, faulty

_KINDS = {
    400: "badRequest",
    403: "forbidden",
    404: "itemNotFound",
    406: "computeFault",
    409: "conflictingRequest",
    413: "overLimit",
    500: "computeFault",
    507: "insufficientStorage",
}


@attr.s(frozen=True, auto_attribs=True)
class Dialect:
    """
    A service's rules for microversions, and its format of errors.

    :ivar service: its name in ``OpenStack-API-Version``.
    :ivar error_type: the content type of its errors.
    :ivar legacy_header: an older header with the same meaning.
    """

    service: str
    minimum: Version
    maximum: Version
    error_type: str = JSON
    legacy_header: str | None = None

    def error(self, status: int, message: str, **extra: str) -> WireError:
        """An error in this service's form; ``extra`` goes into its body."""
        kind = _KINDS[status]
        error = faulty(status, kind, message, self.error_type)
        error.answer.body[kind].update(extra)
        return error

    def headers(self, version: str) -> dict[str, str]:
        """Headers of every response once the version is known."""
        headers = {"OpenStack-API-Version": f"{self.service} {version}"}
        if self.legacy_header is not None:
            headers[self.legacy_header] = version
        return {**headers, "Vary": ", ".join(headers)}

    def requested(self, call: APIRequest) -> str | None:
        """The version in a request's headers; ``None`` for none."""
        for part in (call.header("OpenStack-API-Version") or "").split(","):
            name, _, text = part.strip().partition(" ")
            if name == self.service:
                return text.strip()
        return call.header(self.legacy_header) if self.legacy_header is not None else None


VOLUME = Dialect("volume", (3, 0), (3, 71))
COMPUTE = Dialect(
    "compute",
    (2, 1),
    (2, 104),
    error_type="application/json; charset=UTF-8",
    legacy_header="X-OpenStack-Nova-API-Version",
)


def as_version(version: Version) -> str:
    """``(3, 71)`` as ``3.71``."""
    return "{}.{}".format(*version)


def _announcement(
    name: str, url: str, kind: str, updated: str, dialect: Dialect | None = None
) -> dict[str, Any]:
    version: dict[str, Any] = {
        "id": name,
        "status": "CURRENT" if dialect else "stable",
        "updated": updated,
        "links": [{"rel": "self", "href": url}],
        "media-types": [{"base": JSON, "type": "application/vnd.openstack." + kind}],
    }
    if dialect is not None:
        version["version"] = as_version(dialect.maximum)
        version["min_version"] = as_version(dialect.minimum)
    return version


def _documentation(url: str) -> dict[str, str]:
    return {"rel": "describedby", "type": "text/html", "href": url}


def volume_versions(base: str) -> APIResponse:
    """
    Cinder's document below ``/v3/``, for users with a token.

    :param base: the beginning of links.
    """
    version = _announcement(
        "v3.0", base + "/volume/v3/", "volume+json;version=3", "2023-08-31T00:00:00Z", VOLUME
    )
    version["links"].insert(0, _documentation("https://docs.openstack.org/"))
    return APIResponse(200, {"versions": [version]}, VOLUME.headers(as_version(VOLUME.minimum)))


def announcements(base: str) -> Mapping[str, APIResponse]:
    """
    The version documents by path, which need no token.

    :param base: the beginning of links.
    """
    identity = _announcement(
        "v3.14", base + "/identity/v3/", "identity-v3+json", "2020-04-07T00:00:00Z"
    )
    compute = _announcement(
        "v2.1",
        base + "/compute/v2.1/",
        "compute+json;version=2.1",
        "2013-07-23T11:33:21Z",
        COMPUTE,
    )
    former = dict(
        _announcement(
            "v2.0", base + "/compute/v2/", "compute+json;version=2", "2025-07-04T12:00:00Z"
        ),
        status="DEPRECATED",
        version="",
        min_version="",
    )
    for each in (former, compute):
        each["links"].append(_documentation("http://docs.openstack.org/"))
    listed = [dict(each, links=each["links"][:1]) for each in (former, compute)]
    for each in listed:
        del each["media-types"]
    roots: list[str] = ["/identity/v3/", "/volume/v3/", "/compute/v2.1/", "/image/v2/"]
    place = {"rel": "self", "href": base + "/image/v2/"}
    image = {"id": "v2.16", "status": "CURRENT", "links": [place]}
    return {
        "/": APIResponse(200, {"service": "txstorage", "roots": [base + root for root in roots]}),
        "/identity": APIResponse(
            300,
            {"versions": {"values": [identity]}},
            {"Location": base + "/identity/v3/", "Vary": "X-Auth-Token"},
        ),
        "/identity/v3": APIResponse(200, {"version": identity}, {"Vary": "X-Auth-Token"}),
        "/volume": attr.evolve(volume_versions(base), status=300),
        "/image": APIResponse(300, {"versions": [image]}),
        "/image/versions": APIResponse(200, {"versions": [image]}),
        "/compute": APIResponse(200, {"versions": listed}),
        "/compute/v2": APIResponse(200, {"version": former}),
        "/compute/v2.1": APIResponse(
            200, {"version": compute}, COMPUTE.headers(as_version(COMPUTE.minimum))
        ),
    }
