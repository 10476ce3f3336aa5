# -*- test-case-name: tests.embedded.wire.test_exchange -*-
"""The common part of Block Storage and Compute: a token, and a microversion."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Callable, TypeVar

import attr
from werkzeug.exceptions import HTTPException

from ..accounts.directory import Directory
from ..accounts.policy import ACTIONS, ROUTES
from ..machine.engine import Engine
from ..machine.files import VolumeFiles
from ..machine.turns import ReactorTurns
from ..settings import Settings
from ..store.store import Store
from ..wire import refusals
from ..wire.exchange import (
    APIRequest,
    APIResponse,
    Encoded,
    Service,
    UnreadableBody,
    Version,
    WireError,
)
from ..wire.versions import VOLUME, Dialect, as_version
from .identity.bearers import Bearers

T = TypeVar("T")
#: Entries of a list that are encoded in one piece: some milliseconds.
_SLICE = 100
#: A path with Cinder's condition for a project's id.
_IN_PROJECT = re.compile(rb"/volume/v3/([0-9a-f-]+/)")


def is_former(call: APIRequest) -> bool:
    """Check for a path of Compute v2, which is v2.1 without microversions."""
    path: bytes = call.request.path
    return path.startswith(b"/compute/v2/")


def negotiate(dialect: Dialect, call: APIRequest) -> Version:
    """
    :return: the microversion of the response.
    :raises WireError: 400 when it is malformed, 406 when it is not supported.
    """
    text = None if is_former(call) else dialect.requested(call)
    if text is None:
        if dialect is VOLUME and call.header("OpenStack-API-Version"):
            # Cinder, unlike Nova, rejects a header that does not name it.
            raise refusals.INCORRECT()
        return dialect.minimum
    if text == "latest":
        return dialect.maximum
    if not re.match(r"^[1-9]\d{0,5}\.(0|[1-9]\d{0,5})\Z", text, re.ASCII):
        raise refusals.BAD_VERSION(dialect, text)
    major, minor = text.split(".")
    version = (int(major), int(minor))
    if dialect.minimum <= version <= dialect.maximum:
        return version
    supported = as_version(dialect.minimum), as_version(dialect.maximum)
    error = refusals.UNSUPPORTED_VERSION(dialect, text, *supported)
    raise WireError(error.answer.with_headers(dialect.headers(text)))


class VersionedService(Service):
    """
    A service that admits requests with a valid token and negotiates versions.

    :cvar dialect: its rules for versions, and its format of errors.
    :param bearers: finds the users of tokens.
    :param engine: carries out the transitions that a request begins.
    :param turns: divides the reactor's time.
    """

    dialect: Dialect

    def __init__(
        self,
        store: Store,
        bearers: Bearers,
        engine: Engine,
        settings: Settings,
        turns: ReactorTurns,
    ) -> None:
        self.base_url = settings.base_url
        self._store = store
        self._bearers = bearers
        self._engine = engine
        self._settings = settings
        self._turns = turns

    @property
    def _directory(self) -> Directory:
        """All users, projects and roles."""
        return self._bearers.directory

    async def encoded(self, entries: Sequence[T], view: Callable[[T], dict[str, Any]]) -> Encoded:
        """
        Encode a list, a long one in slices, between which other requests have their turn.

        :param view: makes the wire form of an entry.
        """
        slices = []
        for begin in range(0, len(entries), _SLICE):
            if begin:
                await self._turns.pause()
            # Without the brackets.
            slices.append(
                json.dumps([view(each) for each in entries[begin : begin + _SLICE]])[1:-1]
            )
        return Encoded(f"[{', '.join(slices)}]")

    def admit(self, call: APIRequest, segments: dict[str, str], since: Version) -> APIRequest:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        requester = self._bearers.requester(call, self.dialect.service)
        version = negotiate(self.dialect, call)
        call = attr.evolve(call, version=version, requester=requester)
        refusal = None if requester.project_id else self.unscoped(call, segments)
        if refusal is not None:
            raise WireError(refusal.answer.with_headers(self.headers(call)))
        return call

    def permit(self, call: APIRequest, action: str | None = None) -> None:
        """
        Check a request against the policy.

        :param action: by default the request's route.
        :raises WireError: 403.
        """
        service = self.dialect.service
        rule = ROUTES[service, call.route] if action is None else ACTIONS[service, action]
        if not rule.allows(call.requester):
            refusal = refusals.FORBIDDEN if service == "volume" else refusals.FORBIDDEN_BY_COMPUTE
            raise refusal(rule.name)

    def unscoped(self, call: APIRequest, segments: Mapping[str, str]) -> WireError | None:
        """Return the refusal of a request with a token without a project, if it needs one."""
        raise NotImplementedError()

    def headers(self, call: APIRequest) -> Mapping[str, str]:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        return {} if is_former(call) else self.dialect.headers(as_version(call.version))

    def too_large(self) -> WireError:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        return refusals.TOO_LARGE[self.dialect.service]()

    def disk_full(self) -> WireError:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        return refusals.DISK_FULL[self.dialect.service]()

    def unreadable(self, problem: UnreadableBody) -> WireError:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        if problem.kind == "malformed":
            return refusals.MALFORMED_BODY(self.dialect)
        return refusals.BODY_IS_NO_OBJECT(self.dialect, problem.value)

    def misplaced(self, call: APIRequest, problem: HTTPException) -> APIResponse:
        """Return 404 for an unknown path, but only to a user with a token."""
        service = self.dialect.service
        try:
            if call.too_large():
                raise self.too_large()
            self._bearers.requester(call, service)
        except WireError as error:
            return error.answer
        return refusals.NO_ROUTE[service]().answer


class ProjectService(VersionedService):
    """A service whose paths begin with a project, or omit it."""

    def completed(self, call: APIRequest, answer: APIResponse) -> APIResponse:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        if answer.body is None or "OpenStack-API-Version" not in answer.headers:
            return answer
        # Cinder has had this header since it was a part of Nova, and its client prints no other.
        return answer.with_headers({"x-compute-request-id": call.request_id})

    def project_path(self, call: APIRequest) -> str:
        """The project's part of links in the response, as in the request."""
        path: bytes = call.request.path
        found = _IN_PROJECT.match(path)
        return "" if found is None else found[1].decode("ascii")

    def admit(self, call: APIRequest, segments: dict[str, str], since: Version) -> APIRequest:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        call = super().admit(call, segments, since)
        own = call.requester.project_id
        if segments.pop("project_id", own) != own:
            error = refusals.MALFORMED_URL()
        elif call.version < since:
            error = refusals.NO_RESOURCE()
        else:
            return call
        raise WireError(error.answer.with_headers(self.headers(call)))

    def unscoped(self, call: APIRequest, segments: Mapping[str, str]) -> WireError | None:
        """See :class:`VersionedService`."""
        if "project_id" not in segments:
            return None
        named = self.project_path(call)
        return refusals.MALFORMED_URL() if named else refusals.FORBIDDEN("volume:get_all")

    def unreadable(self, problem: UnreadableBody) -> WireError:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        # Cinder fails on an empty body.
        return self.fault() if problem.kind == "empty" else super().unreadable(problem)

    def fault(self) -> WireError:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        return refusals.VOLUME_FAULT()


class FilesService(ProjectService):
    """
    A service that needs the files of volumes, snapshots and backups.

    :param files: these.
    """

    def __init__(
        self,
        store: Store,
        bearers: Bearers,
        engine: Engine,
        settings: Settings,
        turns: ReactorTurns,
        files: VolumeFiles,
    ) -> None:
        super().__init__(store, bearers, engine, settings, turns)
        self._files = files
