# -*- test-case-name: tests.contract.test_embedded -*-
"""A project in Compute: its limits and quotas, and what it does not have."""

from __future__ import annotations

from typing import Any

from ...store.store import Store
from ...wire import refusals
from ...wire.exchange import APIRequest, APIResponse, endpoint
from ...wire.pagination import server_page
from ...wire.requests.routes import Routes
from ...wire.tables import server_refusals
from .parameters import refuse_unknown
from .quotas.limits import absolute, quotas, used
from .quotas.requests import body_of_quotas, wanted_quotas
from .service import ComputeService

#: The second segments of the paths.
PATHS = ("limits", "os-quota-sets", "os-keypairs", "os-security-groups")
_QUOTA = "/v2.1/os-quota-sets/<quota_project>"
#: The first microversion without what belongs to other services.
_WITHOUT_PROXIES = (2, 36)
#: The first microversions in which a list of key pairs may be another user's, has pages, and
#: refuses unknown parameters.
_KEYS_OF_OTHERS, _KEY_PAGES, _STRICT = (2, 10), (2, 35), (2, 75)


class ComputeProjectAPI(ComputeService):
    """A project in Compute."""

    app = Routes()

    @endpoint(app, "/v2.1/limits", "GET")
    def limits(self, call: APIRequest) -> APIResponse:
        """Show the limits of the user's project, or, to an administrator, of another project."""
        project_id = call.query().get("tenant_id") or call.requester.project_id
        if project_id != call.requester.project_id:
            self.permit(call, "limits of others")
        key = self._directory.key_of_project(project_id)
        own = self._store.quotas.compute.of_project(key)
        view = absolute(self._store.servers.count(key), call.version, own)
        return APIResponse(200, {"limits": {"rate": [], "absolute": view}})

    @endpoint(app, _QUOTA, "GET")
    def quota(self, call: APIRequest, quota_project: str) -> APIResponse:
        """Show a project's quotas."""
        self._check(call, quota_project)
        shown = self._shown(call, quota_project)
        return APIResponse(200, {"quota_set": {"id": quota_project, **shown}})

    @endpoint(app, _QUOTA + "/defaults", "GET")
    def default_quota(self, call: APIRequest, quota_project: str) -> APIResponse:
        """Show the quotas of a project without its own."""
        return APIResponse(200, {"quota_set": {"id": quota_project, **quotas(call.version)}})

    @endpoint(app, _QUOTA + "/detail", "GET")
    def quota_in_use(self, call: APIRequest, quota_project: str) -> APIResponse:
        """Show a project's quotas and their use."""
        self._check(call, quota_project)
        servers = self._store.servers.count(self._directory.key_of_project(quota_project))
        in_use = used(servers)
        view: dict[str, Any] = {
            name: {"limit": limit, "in_use": in_use.get(name, 0), "reserved": 0}
            for name, limit in self._shown(call, quota_project).items()
        }
        return APIResponse(200, {"quota_set": {"id": quota_project, **view}})

    @endpoint(app, _QUOTA, "PUT")
    async def update_quota(self, call: APIRequest, quota_project: str) -> APIResponse:
        """Set some of a project's quotas, as an administrator."""
        body = call.json()
        body_of_quotas(call.version).check(body)
        self.permit(call)
        self._find_project(quota_project)
        force, wanted = wanted_quotas(body["quota_set"])
        key = self._directory.key_of_project(quota_project)

        def change(store: Store) -> None:
            in_use = used(store.servers.count(key))
            for name, limit in wanted.items():
                if not force and 0 <= limit < in_use.get(name, 0):
                    raise server_refusals.BELOW_USE(limit, name, in_use[name])
            store.quotas.compute.set(key, wanted)

        await self._store.write(change)
        return APIResponse(200, {"quota_set": self._shown(call, quota_project)})

    @endpoint(app, _QUOTA, "DELETE")
    async def delete_quota(self, call: APIRequest, quota_project: str) -> APIResponse:
        """Give a project the default quotas again, as an administrator."""
        self.permit(call)
        key = self._directory.key_of_project(quota_project)
        await self._store.write(lambda store: store.quotas.compute.reset(key))
        return APIResponse(202)

    def _shown(self, call: APIRequest, project_id: str) -> dict[str, int]:
        """The quotas of a project."""
        key = self._directory.key_of_project(project_id)
        return quotas(call.version, self._store.quotas.compute.of_project(key))

    def _check(self, call: APIRequest, project_id: str) -> None:
        """:raises WireError: 400, 403, for another project's quota."""
        if project_id != call.requester.project_id:
            self.permit(call, "quotas of others")
        elif "reader" not in call.requester.roles and not call.requester.is_admin:
            raise refusals.FORBIDDEN_BY_COMPUTE("os_compute_api:os-quota-sets:show")
        self._find_project(project_id)

    def _find_project(self, project_id: str) -> None:
        """:raises WireError: 400, there is no such project."""
        if self._directory.projects.find(project_id) is None:
            raise server_refusals.NO_VALID_PROJECT(project_id)

    @endpoint(app, "/v2.1/os-keypairs", "GET")
    def key_pairs(self, call: APIRequest) -> APIResponse:
        """List a user's key pairs: none."""
        query = call.query()
        marker = None
        if call.version >= _KEY_PAGES:
            marker = server_page(query, self._settings.page_size).marker
        if call.version >= _STRICT:
            refuse_unknown(query, ("limit", "marker", "user_id"))
        owner = query.get("user_id", "") if call.version >= _KEYS_OF_OTHERS else ""
        if owner not in ("", call.requester.user_id) and not call.requester.is_admin:
            raise refusals.FORBIDDEN_BY_COMPUTE("os_compute_api:os-keypairs:index")
        if marker is not None:
            raise server_refusals.NO_KEY_MARKER(marker)
        return APIResponse(200, {"keypairs": []})

    @endpoint(app, "/v2.1/os-keypairs/<key_name>", "GET")
    def key_pair(self, call: APIRequest, key_name: str) -> APIResponse:
        """Show a key pair, of which there is none."""
        raise server_refusals.NO_KEY_PAIR(key_name, call.requester.user_id)

    @endpoint(app, "/v2.1/os-security-groups", "GET")
    def security_groups(self, call: APIRequest) -> APIResponse:
        """List the project's security groups, of the network that is not here: none."""
        if call.version >= _WITHOUT_PROXIES:
            raise server_refusals.NOT_IN_VERSION()
        self.permit(call)
        return APIResponse(200, {"security_groups": []})


__all__ = ["PATHS", "ComputeProjectAPI"]
