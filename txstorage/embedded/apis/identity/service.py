# -*- test-case-name: tests.embedded.apis.test_identity -*-
"""The common part of Identity's resources: its refusals, and the user of a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attr
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from ...accounts.directory import Directory
from ...accounts.policy import ROUTES
from ...settings import DOMAIN
from ...wire import refusals
from ...wire.exchange import (
    APIRequest,
    APIResponse,
    Service,
    UnreadableBody,
    Version,
    WireError,
)
from .bearers import Bearers


class IdentityService(Service):
    """
    A part of Identity.

    :param bearers: finds the users of tokens.
    """

    def __init__(self, bearers: Bearers, base_url: str | None) -> None:
        self.base_url = base_url
        self._bearers = bearers

    @property
    def _directory(self) -> Directory:
        """All users, projects and roles."""
        return self._bearers.directory

    def admit(self, call: APIRequest, segments: dict[str, str], since: Version) -> APIRequest:
        """
        Admit a request of a user who may make it.

        :raises WireError: 401, 403.
        """
        try:
            call = attr.evolve(call, requester=self._bearers.requester(call, "identity"))
            rule = ROUTES["identity", call.route]
            if not rule.allows(call.requester):
                raise refusals.NOT_AUTHORIZED(rule.name)
        except WireError as error:
            raise WireError(error.answer.with_headers(self.headers(call))) from error
        return call

    def only_own(self, call: APIRequest, user_id: str, admin: bool = True) -> None:
        """
        :param user_id: of the path.
        :param admin: whether an administrator may, too.
        :raises WireError: 403, for another user's resource.
        """
        if call.requester.user_id != user_id and not (admin and call.requester.is_admin):
            raise refusals.NOT_AUTHORIZED(ROUTES["identity", call.route].name)

    def headers(self, call: APIRequest) -> Mapping[str, str]:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        return {"Vary": "X-Auth-Token"}

    def too_large(self) -> WireError:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        return refusals.TOO_LARGE["identity"]()

    def unreadable(self, problem: UnreadableBody) -> WireError:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        if problem.kind == "empty":
            return refusals.EXPECTED("auth", "request body")
        return refusals.NO_JSON()

    def misplaced(self, call: APIRequest, problem: HTTPException) -> APIResponse:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        if call.too_large():
            return self.too_large().answer
        if isinstance(problem, MethodNotAllowed):
            allowed = ", ".join(sorted(problem.valid_methods or ()))
            answer = refusals.WRONG_METHOD().answer.with_headers({"Allow": allowed})
        else:
            answer = refusals.NO_ROUTE["identity"]().answer
        return answer.with_headers(self.headers(call))

    def fault(self) -> WireError:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        return refusals.IDENTITY_FAULT()

    def disk_full(self) -> WireError:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        return refusals.DISK_FULL["identity"]()


def names_default_domain(given: Mapping[str, Any], what: str) -> bool:
    """
    :param given: a name with its domain.
    :param what: the kind of the name, for the error.
    :return: whether the domain is the only one.
    :raises WireError: 400, for a name without a domain.
    """
    domain = given.get("domain")
    if not isinstance(domain, dict):
        raise refusals.EXPECTED("domain", what)
    return bool(domain.get("id") == DOMAIN["id"] or domain.get("name") == DOMAIN["name"])


__all__ = ["IdentityService", "names_default_domain"]
