# -*- test-case-name: tests.contract.test_embedded -*-
"""Errors as values, in the formats of the real services' bodies."""

from __future__ import annotations

import re
from typing import Any, Callable

import attr

from .exchange import APIResponse, WireError, web_error
from .versions import COMPUTE, VOLUME, Dialect

_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    413: "Request Entity Too Large",
    500: "Internal Server Error",
    507: "Insufficient Storage",
}


@attr.s(frozen=True, auto_attribs=True)
class Refusal:
    """
    One error.  Called with the values for its message, it makes the exception.

    :ivar service: its service: ``identity``, ``volume`` or ``compute``.
    :ivar template: of the message, for ``str.format``.
    """

    service: str
    status: int
    template: str
    _put: Callable[[int, str], WireError] = attr.ib(repr=False)

    def __call__(self, *values: object) -> WireError:
        return self._put(self.status, self.template.format(*values))

    def matches(self, service: str, status: int, message: str) -> bool:
        """Check whether a service's response is this error."""
        literal = [re.escape(part) for part in re.split(r"\{[^{}]*\}", self.template)]
        return (self.service, self.status) == (service, status) and bool(
            re.fullmatch("(?s:.*)".join(literal), message)
        )


class SharedRefusal:
    """An error that Cinder and Nova share; called with the dialect of one first."""

    def __init__(self, status: int, template: str) -> None:
        self.by_service = {
            dialect.service: faulty(dialect, status, template) for dialect in (VOLUME, COMPUTE)
        }

    def __call__(self, dialect: Dialect, *values: object) -> WireError:
        return self.by_service[dialect.service](*values)


def faulty(dialect: Dialect, status: int, template: str) -> Refusal:
    return Refusal(dialect.service, status, template, dialect.error)


def cinder(status: int, template: str) -> Refusal:
    return faulty(VOLUME, status, template)


def nova(status: int, template: str) -> Refusal:
    return faulty(COMPUTE, status, template)


def over_quota(template: str) -> Refusal:
    def put(status: int, message: str) -> WireError:
        error = VOLUME.error(status, message, retryAfter="0")
        return WireError(error.answer.with_headers({"Retry-After": "0"}))

    return Refusal(VOLUME.service, 413, template, put)


def of_framework(service: str, status: int, template: str) -> Refusal:
    def put(status: int, message: str) -> WireError:
        return WireError(web_error(status, _TITLES[status], message))

    return Refusal(service, status, template, put)


def glance(status: int, template: str) -> Refusal:
    return of_framework("image", status, template)


def keystone(status: int, template: str) -> Refusal:
    def put(status: int, message: str) -> WireError:
        error = {"code": status, "message": message, "title": _TITLES[status]}
        return WireError(APIResponse(status, {"error": error}))

    return Refusal("identity", status, template, put)


def keystone_method(template: str, more: dict[str, Any]) -> Refusal:
    """A method that the path does not have; ``more`` applies to methods."""

    def put(status: int, message: str) -> WireError:
        error = {"code": status, "identity": more, "message": message, "title": _TITLES[status]}
        return WireError(APIResponse(status, {"error": error}))

    return Refusal("identity", 401, template, put)


def keystone_page(status: int) -> Refusal:
    # The response of Keystone's web framework is a page, without any message.
    def put(status: int, message: str) -> WireError:
        page = f"<!doctype html>\n<title>{status} {_TITLES[status]}</title>\n"
        return WireError(APIResponse(status, page, content_type="text/html; charset=utf-8"))

    return Refusal("identity", status, "", put)


def wrong_method() -> Refusal:
    def put(status: int, message: str) -> WireError:
        return WireError(APIResponse(status, {"message": message}))

    return Refusal("identity", 405, "The method is not allowed for the requested URL.", put)


def not_authenticated(service: str) -> Refusal:
    def put(status: int, message: str) -> WireError:
        error = {"code": status, "title": _TITLES[status], "message": message}
        return WireError(APIResponse(status, {"error": error}))

    template = "The request you have made requires authentication."
    return Refusal(service, 401, template, put)
