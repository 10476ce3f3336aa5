# -*- test-case-name: tests.contract.test_embedded -*-
"""
Compute's groups of servers, which no server is in.

The refusals have Nova 34's status codes and messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...store.servers.groups import ServerGroupRecord
from ...store.store import Store
from ...wire import refusals
from ...wire.exchange import APIRequest, APIResponse, Version, WireError, endpoint
from ...wire.fields import compute_body, wrapped
from ...wire.pagination import attachment_page
from ...wire.requests.routes import Routes
from ...wire.tables import server_refusals
from .parameters import refuse_unknown
from .quotas.limits import quotas
from .service import ComputeService

#: The second segments of the paths.
PATHS = ("os-server-groups",)
#: The first microversions with a group's owner, with soft policies, with one policy that has rules,
#: and that refuse unknown parameters.
_OWNER, _SOFT, _RULES, _STRICT = (2, 13), (2, 15), (2, 64), (2, 75)
_HARD_POLICIES = ["anti-affinity", "affinity"]
_POLICIES = [*_HARD_POLICIES, "soft-anti-affinity", "soft-affinity"]
_NAME = {"type": "string", "minLength": 1, "maxLength": 255}
_ALL = "/v2.1/os-server-groups"
_ONE = _ALL + "/<group_id>"


def _body(required: str, **properties: Mapping[str, Any]) -> Any:
    group = {
        "type": "object",
        "properties": {"name": _NAME, **properties},
        "required": ["name", required],
        "additionalProperties": False,
    }
    return compute_body(wrapped("server_group", group, additionalProperties=False))


def _list_of(policies: list[str]) -> dict[str, Any]:
    item = {"type": "string", "enum": policies}
    return {"type": "array", "items": item, "minItems": 1, "maxItems": 1}


_HARD = _body("policies", policies=_list_of(_HARD_POLICIES))
_ANY = _body("policies", policies=_list_of(_POLICIES))
_WITH_RULES = _body(
    "policy",
    policy={"type": "string", "enum": _POLICIES},
    rules={
        "type": "object",
        "properties": {
            "max_server_per_host": {
                "type": ["integer", "string"],
                "pattern": "^[0-9]*$",
                "minimum": 1,
                "minLength": 1,
            }
        },
        "additionalProperties": False,
    },
)


class ServerGroupsAPI(ComputeService):
    """The groups of servers."""

    app = Routes()

    def unscoped(self, call: APIRequest, segments: Mapping[str, str]) -> WireError | None:
        """See :class:`~txstorage.embedded.apis.versioned.VersionedService`."""
        action = "create" if call.request.method == b"POST" else "index"
        return refusals.FORBIDDEN_BY_COMPUTE("os_compute_api:os-server-groups:" + action)

    @endpoint(app, _ALL, "GET")
    def list_all(self, call: APIRequest) -> APIResponse:
        """List the groups of the user's project; of all, to an administrator who asks."""
        query = call.query()
        page = attachment_page(query, self._settings.page_size)
        if call.version >= _STRICT:
            refuse_unknown(query, ("all_projects", "limit", "offset"))
        self.permit(call)
        every = call.requester.is_admin and "all_projects" in query
        own = call.requester.owner.project_id
        groups = [
            each for each in self._store.servers.groups.every() if every or each.project_id == own
        ]
        part = groups[page.offset : page.offset + page.limit]
        views = [self._view(each, call.version) for each in part]
        return APIResponse(200, {"server_groups": views})

    @endpoint(app, _ALL, "POST")
    async def create(self, call: APIRequest) -> APIResponse:
        """Make a group."""
        body = call.json()
        by_rules = call.version >= _RULES
        schema = _WITH_RULES if by_rules else _ANY if call.version >= _SOFT else _HARD
        schema.check(body)
        wanted = body["server_group"]
        name = wanted["name"]
        if name != name.strip() or not name.isprintable():
            raise server_refusals.BAD_GROUP_NAME()
        self.permit(call)
        policy = wanted["policy"] if by_rules else wanted["policies"][0]
        rules = {key: int(value) for key, value in wanted.get("rules", {}).items()}
        owner = call.requester.owner

        def change(store: Store) -> ServerGroupRecord:
            own = store.quotas.compute.of_project(owner.project_id)
            most = quotas(call.version, own)["server_groups"]
            present = [
                each for each in store.servers.groups.every() if each.project_id == owner.project_id
            ]
            if 0 <= most <= len(present):
                raise server_refusals.TOO_MANY_GROUPS()
            if rules and policy != "anti-affinity":
                raise server_refusals.RULES_OF_OTHERS()
            return store.servers.groups.add(name, policy, rules, owner.project_id, owner.user_id)

        made = await self._store.write(change)
        return APIResponse(200, {"server_group": self._view(made, call.version)})

    @endpoint(app, _ONE, "GET")
    def show(self, call: APIRequest, group_id: str) -> APIResponse:
        """Show a group."""
        found = self._group(call, self._store, group_id)
        return APIResponse(200, {"server_group": self._view(found, call.version)})

    @endpoint(app, _ONE, "DELETE")
    async def delete(self, call: APIRequest, group_id: str) -> APIResponse:
        """Delete a group."""

        def change(store: Store) -> None:
            self._group(call, store, group_id)
            store.servers.groups.remove(group_id)

        await self._store.write(change)
        return APIResponse(204)

    def _group(self, call: APIRequest, store: Store, group_id: str) -> ServerGroupRecord:
        """
        Find a group that exists for the user.

        :raises WireError: 403, 404.
        """
        for each in store.servers.groups.every():
            if each.group_id == group_id and call.requester.sees(each.project_id):
                self.permit(call)
                return each
        raise server_refusals.NO_GROUP_OF_SERVERS(group_id)

    def _view(self, group: ServerGroupRecord, version: Version) -> dict[str, Any]:
        ids = self._directory.ids
        view: dict[str, Any] = {"id": group.group_id, "name": group.name, "members": []}
        if version >= _RULES:
            view.update(policy=group.policy, rules=dict(group.rules))
        else:
            view.update(policies=[group.policy], metadata={})
        if version >= _OWNER:
            view.update(
                project_id=group.project_id or ids.project, user_id=group.user_id or ids.user
            )
        return view


__all__ = ["PATHS", "ServerGroupsAPI"]
