# -*- test-case-name: tests.embedded.apis.test_images -*-
"""
The Image API v2: one image.  Clients upload and change none, as in a cloud whose policy forbids
them to.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import attr
from werkzeug.exceptions import HTTPException

from ...accounts.policy import ROUTES
from ...machine.image import IMAGE_ID, image_content, image_digest
from ...settings import Settings
from ...wire import refusals
from ...wire.exchange import (
    APIRequest,
    APIResponse,
    Service,
    UnreadableBody,
    Version,
    WireError,
    endpoint,
)
from ...wire.requests.routes import Routes
from ...wire.tables import image_refusals
from ..identity.bearers import Bearers
from .views import LINKS, is_chosen, properties, view

_ID = "/v2/images/<image_id>"


class ImagesAPI(Service):
    """
    The Image API.

    :param bearers: finds the users of tokens.
    """

    app = Routes()

    def __init__(self, bearers: Bearers, settings: Settings) -> None:
        self.base_url = settings.base_url
        self._bearers = bearers
        self._page_size = settings.page_size

    def admit(self, call: APIRequest, segments: dict[str, str], since: Version) -> APIRequest:
        """
        Admit a request of a user who may make it.

        :raises WireError: 401, 403, 404.
        """
        call = attr.evolve(call, requester=self._bearers.requester(call, "image"))
        if segments.get("image_id", IMAGE_ID) != IMAGE_ID:
            raise image_refusals.NO_SUCH_IMAGE(segments["image_id"])
        rule = ROUTES["image", call.route]
        if not rule.allows(call.requester):
            raise image_refusals.FORBIDDEN_BY_IMAGES(rule.name)
        return call

    def headers(self, call: APIRequest) -> Mapping[str, str]:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        return {}

    def too_large(self) -> WireError:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        return refusals.TOO_LARGE["image"]()

    def unreadable(self, problem: UnreadableBody) -> WireError:
        """See :class:`~txstorage.embedded.wire.exchange.Service`; no request's body is read."""
        return self.fault()

    def disk_full(self) -> WireError:
        """See :class:`~txstorage.embedded.wire.exchange.Service`; nothing is changed."""
        return self.fault()

    def misplaced(self, call: APIRequest, problem: HTTPException) -> APIResponse:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        return (self.too_large() if call.too_large() else refusals.NO_ROUTE["image"]()).answer

    def fault(self) -> WireError:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        return image_refusals.IMAGE_FAULT()

    @endpoint(app, "/v2/images", "GET")
    def list_images(self, call: APIRequest) -> APIResponse:
        """List the images."""
        query = call.query()
        limit, marker = _limit(query, self._page_size), query.get("marker")
        if marker not in (None, IMAGE_ID):
            raise image_refusals.NO_SUCH_IMAGE(marker)
        image = view(self._bearers.directory.ids.project)
        found = [image] if marker is None and is_chosen(image, call.every_query()) else []
        images = found[:limit]
        body: dict[str, Any] = {
            "images": images,
            "first": "/v2/images",
            "schema": "/v2/schemas/images",
        }
        if images and len(images) == limit:
            body["next"] = f"/v2/images?limit={limit}&marker={IMAGE_ID}"
        return APIResponse(200, body)

    @endpoint(app, _ID, "GET")
    def show(self, call: APIRequest, image_id: str) -> APIResponse:
        """Show the image."""
        # Glance answers with the image itself, without a member around it.
        body: dict[str, Any] = view(self._bearers.directory.ids.project)
        return APIResponse(200, body)

    @endpoint(app, _ID + "/file", "GET")
    def download(self, call: APIRequest, image_id: str) -> APIResponse:
        """Send the content of the image."""
        digest = base64.b64encode(bytes.fromhex(image_digest("md5"))).decode("ascii")
        content, kind = image_content(), "application/octet-stream"
        return APIResponse(200, content, {"Content-MD5": digest}, content_type=kind)

    @endpoint(app, _ID + "/members", "GET")
    def members(self, call: APIRequest, image_id: str) -> APIResponse:
        """List the projects that share the image: none, because it is public."""
        return APIResponse(200, {"members": [], "schema": "/v2/schemas/members"})

    @endpoint(app, "/v2/schemas/image", "GET")
    def schema_of_image(self, call: APIRequest) -> APIResponse:
        """Show the schema of an image."""
        body: dict[str, Any] = {
            "name": "image",
            "properties": properties(),
            "additionalProperties": {"type": "string"},
            "links": LINKS,
        }
        return APIResponse(200, body)

    @endpoint(app, "/v2/schemas/images", "GET")
    def schema_of_images(self, call: APIRequest) -> APIResponse:
        """Show the schema of a list of images."""
        image = {"type": "object", "properties": properties(), "links": LINKS}
        texts = {name: {"type": "string"} for name in ("schema", "first", "next")}
        body: dict[str, Any] = {
            "name": "images",
            "properties": {"images": {"type": "array", "items": image}, **texts},
        }
        return APIResponse(200, body)

    # -- changes, which no policy allows ------------------------------------------

    @endpoint(app, "/v2/images", "POST")
    def create(self, call: APIRequest) -> APIResponse:
        """Refuse to make an image."""
        raise _forbidden(call)

    @endpoint(app, _ID + "/file", "PUT")
    def upload(self, call: APIRequest, image_id: str) -> APIResponse:
        """Refuse to replace the content of the image."""
        raise _forbidden(call)

    @endpoint(app, _ID, "PATCH", "DELETE")
    def change(self, call: APIRequest, image_id: str) -> APIResponse:
        """Refuse to change or delete the image."""
        raise _forbidden(call)

    @endpoint(app, _ID + "/tags/<tag>", "PUT", "DELETE")
    def tag(self, call: APIRequest, image_id: str, tag: str) -> APIResponse:
        """Refuse to change the tags of the image."""
        raise _forbidden(call)

    @endpoint(app, _ID + "/members", "POST")
    def share(self, call: APIRequest, image_id: str) -> APIResponse:
        """Refuse to share the image."""
        raise _forbidden(call)


def _forbidden(call: APIRequest) -> WireError:
    return image_refusals.FORBIDDEN_BY_IMAGES(ROUTES["image", call.route].name)


def _limit(query: Mapping[str, str], maximum: int) -> int:
    """
    :return: the greatest number of images in the response.
    :raises WireError: 400.
    """
    text = query.get("limit", str(maximum))
    if not text.lstrip("-").isdecimal():
        raise image_refusals.IMAGE_LIMIT_IS_NO_NUMBER()
    if text.startswith("-"):
        raise image_refusals.IMAGE_LIMIT_IS_NEGATIVE()
    return min(int(text[:18]), maximum)


__all__ = ["ImagesAPI"]
