# -*- test-case-name: tests.embedded.apis.test_accounts -*-
"""Identity v3's users, roles and domains, which requests can't change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from ...accounts.directory import Entries, ProjectEntry, RoleEntry, UserEntry
from ...accounts.roles import effective
from ...settings import DOMAIN
from ...wire import account_refusals, refusals
from ...wire.exchange import APIRequest, APIResponse, endpoint
from ...wire.refusal import Refusal
from ...wire.requests.routes import Routes
from .service import IdentityService
from .views import (
    assignment_view,
    domain_view,
    linked_role_view,
    list_links,
    project_view,
    user_view,
)

#: The first segments of the paths, below the version.
PATHS = ("users", "roles", "role_assignments", "domains")
T = TypeVar("T", UserEntry, ProjectEntry, RoleEntry)


def listed(
    entries: Entries[T], query: Mapping[str, str], domain: str | None = DOMAIN["id"]
) -> list[T]:
    """
    :param domain: the id of the entries' domain.
    :return: the entries that a list has.
    """
    if query.get("domain_id", domain) != domain:
        return []
    return [
        each
        for each in entries.by_id.values()
        if _wanted_state(query) in (None, getattr(each, "enabled", True))
        and query.get("name", each.name) == each.name
    ]


def _wanted_state(query: Mapping[str, str]) -> bool | None:
    """:return: whether the wanted entries are enabled; ``None`` for all."""
    return query["enabled"].lower() not in ("false", "0") if "enabled" in query else None


def existing(entries: Entries[T], entry_id: str, refusal: Refusal) -> T:
    """
    :return: the entry with an id.
    :raises WireError: 404.
    """
    found = entries.find(entry_id)
    if found is None:
        raise refusal(entry_id)
    return found


class AccountsAPI(IdentityService):
    """The users, the roles and the domains."""

    app = Routes()

    # -- users ---------------------------------------------------------------

    @endpoint(app, "/v3/users", "GET")
    def users(self, call: APIRequest) -> APIResponse:
        """List the users, to an administrator."""
        found = listed(self._directory.users, call.query())
        views = [user_view(user, call.base) for user in found]
        return APIResponse(200, {"users": views, "links": list_links(call)})

    @endpoint(app, "/v3/users/<user_id>", "GET")
    def user(self, call: APIRequest, user_id: str) -> APIResponse:
        """Show the user; an administrator may look up any user."""
        self.only_own(call, user_id)
        user = existing(self._directory.users, user_id, account_refusals.NO_USER)
        return APIResponse(200, {"user": user_view(user, call.base)})

    @endpoint(app, "/v3/users/<user_id>/projects", "GET")
    def projects_of_user(self, call: APIRequest, user_id: str) -> APIResponse:
        """List the projects in which the user has a role."""
        self.only_own(call, user_id)
        user = existing(self._directory.users, user_id, account_refusals.NO_USER)
        mine = {each: self._directory.projects.by_id[each] for each in user.roles}
        views = [project_view(each, call.base) for each in listed(Entries(mine), call.query())]
        return APIResponse(200, {"projects": views, "links": list_links(call)})

    # -- roles ---------------------------------------------------------------

    @endpoint(app, "/v3/roles", "GET")
    def roles(self, call: APIRequest) -> APIResponse:
        """List the roles, to an administrator."""
        # Roles are never disabled, and have no such member.
        query = {name: text for name, text in call.query().items() if name != "enabled"}
        found = listed(self._directory.roles, query, domain=None)
        views = [linked_role_view(role, call.base) for role in found]
        return APIResponse(200, {"roles": views, "links": list_links(call)})

    @endpoint(app, "/v3/roles/<role_id>", "GET")
    def role(self, call: APIRequest, role_id: str) -> APIResponse:
        """Show a role, to an administrator."""
        role = existing(self._directory.roles, role_id, account_refusals.NO_ROLE)
        return APIResponse(200, {"role": linked_role_view(role, call.base)})

    @endpoint(app, "/v3/role_assignments", "GET")
    def assignments(self, call: APIRequest) -> APIResponse:
        """List the roles of users in projects, to an administrator."""
        query = call.query()
        implied = "effective" in query and query["effective"].lower() not in ("0", "false")
        names = "include_names" in query and query["include_names"].lower() not in ("0", "false")
        views = []
        for user in self._directory.users.by_id.values():
            for project_id, given in user.roles.items():
                project = self._directory.projects.by_id[project_id]
                for role in effective(given) if implied else given:
                    wanted = {
                        "user.id": user.id,
                        "scope.project.id": project_id,
                        "role.id": self._role_id(role),
                    }
                    if all(query.get(name, value) == value for name, value in wanted.items()):
                        views.append(assignment_view(user, project, role, call.base, names))
        return APIResponse(200, {"role_assignments": views, "links": list_links(call)})

    def _role_id(self, name: str) -> str:
        role = self._directory.roles.named(name)
        assert role is not None
        return role.id

    # -- domains -------------------------------------------------------------

    @endpoint(app, "/v3/domains", "GET")
    def domains(self, call: APIRequest) -> APIResponse:
        """List the domains, to an administrator: one."""
        query, one = call.query(), [domain_view(call.base)]
        found = query.get("name", DOMAIN["name"]) == DOMAIN["name"]
        found = found and _wanted_state(query) in (None, True)
        return APIResponse(200, {"domains": one if found else [], "links": list_links(call)})

    @endpoint(app, "/v3/domains/<domain_id>", "GET")
    def domain(self, call: APIRequest, domain_id: str) -> APIResponse:
        """Show the one domain."""
        if domain_id == DOMAIN["id"] and call.requester.project_id:
            return APIResponse(200, {"domain": domain_view(call.base)})
        if not call.requester.is_admin:
            raise refusals.NOT_AUTHORIZED("identity:get_domain")
        raise account_refusals.NO_DOMAIN(domain_id)


__all__ = ["PATHS", "AccountsAPI", "existing", "listed"]
