# -*- test-case-name: tests.server.test_wire -*-
"""
What Block Storage and Compute have in common: a token, and a microversion.
"""

from __future__ import annotations

from typing import Dict, Mapping

import attr

from .identity import Identity
from .settings import Settings
from .store import Store
from .transitions import Engine
from .versions import Dialect, as_version
from .wire import Call, Service, Version, WireError


class VersionedService(Service):
    """
    A service that admits calls with a valid token and negotiates versions.

    :cvar dialect: how it does so, and puts its errors.
    :param engine: carries out what a request begins.
    """

    dialect: Dialect

    def __init__(
        self, store: Store, identity: Identity, engine: Engine, settings: Settings
    ) -> None:
        self.base_url = settings.base_url
        self._store = store
        self._identity = identity
        self._engine = engine
        self._settings = settings

    def admit(self, call: Call, segments: Dict[str, str], since: Version) -> Call:
        """See :class:`~txstorage.server.wire.Service`."""
        self._identity.authenticate(call)
        return attr.evolve(call, version=self.dialect.negotiate(call))

    def headers(self, call: Call) -> Mapping[str, str]:
        """See :class:`~txstorage.server.wire.Service`."""
        return self.dialect.headers(as_version(call.version))


class ProjectService(VersionedService):
    """A service whose paths begin with a project, or leave it out."""

    def project_path(self, call: Call) -> str:
        """What links in the answer have of the project: what the request had."""
        named = self._identity.ids.project + "/"
        path: bytes = call.request.path
        return named if "/{}".format(named).encode("ascii") in path else ""

    def admit(self, call: Call, segments: Dict[str, str], since: Version) -> Call:
        """See :class:`~txstorage.server.wire.Service`."""
        call = super().admit(call, segments, since)
        if segments.pop("project_id", self._identity.ids.project) != self._identity.ids.project:
            error = self.dialect.error(400, "Malformed request url")
        elif call.version < since:
            error = self.dialect.error(404, "The resource could not be found.")
        else:
            return call
        raise WireError(error.answer.with_headers(self.headers(call)))
