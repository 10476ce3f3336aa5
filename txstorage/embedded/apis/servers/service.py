# -*- test-case-name: tests.embedded.apis.test_compute -*-
"""The common parts of Compute's services."""

from __future__ import annotations

from collections.abc import Mapping

from ...store.servers.records import ServerRecord
from ...store.store import Store
from ...wire import refusals
from ...wire.exchange import APIRequest, Version, WireError
from ...wire.tables import server_refusals
from ...wire.versions import COMPUTE
from ..versioned import VersionedService
from ..visible import seen

#: The path of one server.
SERVER = "/v2.1/servers/<server_id>"


class ComputeService(VersionedService):
    """A part of the Compute API."""

    dialect = COMPUTE

    def outer_headers(self, call: APIRequest) -> Mapping[str, str]:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        return {"x-compute-request-id": call.request_id}

    def admit(self, call: APIRequest, segments: dict[str, str], since: Version) -> APIRequest:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        call = super().admit(call, segments, since)
        if call.version < since:
            refusal = server_refusals.NOT_IN_VERSION()
            raise WireError(refusal.answer.with_headers(self.headers(call)))
        return call

    def unscoped(self, call: APIRequest, segments: Mapping[str, str]) -> WireError | None:
        """See :class:`~txstorage.embedded.apis.versioned.VersionedService`."""
        return refusals.NO_SERVER(segments["server_id"]) if "server_id" in segments else None

    def fault(self) -> WireError:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        return refusals.COMPUTE_FAULT()

    def _find(self, call: APIRequest, server_id: str, store: Store) -> ServerRecord | None:
        """Find a server that exists for the user."""
        return seen(call, store.servers.find(server_id))

    def _server(self, call: APIRequest, server_id: str, store: Store | None = None) -> ServerRecord:
        """
        Find a server that the user may see and, unless the request is an action, do this with.

        :param store: of the change that finds the server; without one, that of reading.
        :raises WireError: 403, 404.
        """
        server = self._find(call, server_id, store or self._store)
        if server is None:
            raise refusals.NO_SERVER(server_id)
        self.permit(call)
        return server

    def _record(self, call: APIRequest, store: Store, server_id: str, name: str) -> None:
        """Record an action of the request."""
        who = call.requester
        store.servers.record(server_id, name, call.request_id, who.project_id, who.user_id)


__all__ = ["SERVER", "ComputeService"]
