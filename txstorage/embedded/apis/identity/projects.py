# -*- test-case-name: tests.embedded.apis.test_projects -*-
"""
Identity v3's projects and the roles of users in them.

Administrators make, change and delete projects, and give roles to the users.  What the operator has
declared stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attr

from ...accounts.directory import ProjectEntry
from ...settings import DOMAIN
from ...store.projects.projects import ProjectRecord
from ...store.store import Store
from ...wire import account_refusals, refusals
from ...wire.exchange import APIRequest, APIResponse, endpoint
from ...wire.fields import managed_body, wrapped
from ...wire.requests.routes import Routes
from .accounts import existing, listed
from .bearers import Bearers
from .service import IdentityService
from .views import linked_role_view, list_links, project_view

#: The first segments of the paths, below the version.
PATHS = ("projects",)
_ALL = "/v3/projects"
_ONE = _ALL + "/<project_id>"
_GRANTS = _ONE + "/users/<user_id>/roles"
_GRANT = _GRANTS + "/<role_id>"
#: The values of members that Keystone takes for booleans.
BOOLEANS: list[object] = [
    *(True, "True", "TRUE", "true", False, "False", "FALSE", "false"),
    *("", "1", "0", "y", "Y", "n", "N", "on", "ON", "off", "OFF", "yes", "no"),
]
_BOOLEAN = {"type": ["boolean", "string", "null"], "enum": BOOLEANS}
_REALLY = frozenset(["true", "1", "y", "on", "yes"])
_TEXT = {"type": ["string", "null"]}
_MEMBERS = {
    "description": _TEXT,
    "domain_id": _TEXT,
    "enabled": _BOOLEAN,
    "is_domain": _BOOLEAN,
    "parent_id": _TEXT,
    "name": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": r"[\S]+"},
    "tags": {
        "type": "array",
        "items": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[^,/]*$"},
        "maxItems": 80,
        "uniqueItems": True,
    },
    "options": {"type": "object", "additionalProperties": False},
}
_NEW = managed_body(
    wrapped("project", {"type": "object", "properties": _MEMBERS, "required": ["name"]})
)
_CHANGE = managed_body(
    {"type": "object", "properties": {"project": {"type": "object", "properties": _MEMBERS}}}
)
_KNOWN = frozenset(["id", *_MEMBERS])


class ProjectsAPI(IdentityService):
    """
    The projects.

    :param bearers: finds the users of tokens, and has all projects.
    """

    app = Routes()

    def __init__(self, store: Store, bearers: Bearers, base_url: str | None) -> None:
        super().__init__(bearers, base_url)
        self._store = store

    def _found(self, project_id: str) -> ProjectEntry:
        return existing(self._directory.projects, project_id, account_refusals.NO_PROJECT)

    def _made(self, call: APIRequest, project_id: str, policy: str) -> ProjectRecord:
        """
        :return: a project that an administrator has made.
        :raises WireError: 403, the operator has declared the project; 404.
        """
        made = self._found(project_id).made
        if made is None:
            raise refusals.NOT_AUTHORIZED(policy)
        return made

    # -- projects ------------------------------------------------------------

    @endpoint(app, _ALL, "GET")
    def projects(self, call: APIRequest) -> APIResponse:
        """List the projects, to an administrator."""
        found = listed(self._directory.projects, call.query())
        views = [project_view(project, call.base) for project in found]
        return APIResponse(200, {"projects": views, "links": list_links(call)})

    @endpoint(app, _ONE, "GET")
    def project(self, call: APIRequest, project_id: str) -> APIResponse:
        """Show the project of the token; an administrator may look up any project."""
        if call.requester.project_id != project_id and not call.requester.is_admin:
            raise refusals.NOT_AUTHORIZED("identity:get_project")
        return APIResponse(200, {"project": project_view(self._found(project_id), call.base)})

    @endpoint(app, _ALL, "POST")
    async def create(self, call: APIRequest) -> APIResponse:
        """Make a project, as an administrator."""
        body = call.json()
        _NEW.check(body)
        wanted = body["project"]
        _refuse_place(wanted, [each.id for each in self._directory.projects.by_id.values()])
        new = _changed(ProjectRecord("", wanted["name"], "", enabled=True), wanted)

        def change(store: Store) -> ProjectRecord:
            self._refuse_taken(store, new)
            return store.projects.add(new)

        made = await self._store.write(change)
        self._bearers.reload()
        view = project_view(self._found(made.project_id), call.base)
        return APIResponse(201, {"project": view})

    @endpoint(app, _ONE, "PATCH")
    async def update(self, call: APIRequest, project_id: str) -> APIResponse:
        """Change a project, as an administrator."""
        body = call.json()
        _CHANGE.check(body)
        wanted = body.get("project", {})
        self._made(call, project_id, "identity:update_project")
        _refuse_move(wanted, project_id)

        def change(store: Store) -> None:
            before = store.projects.find(project_id)
            if before is None:
                raise account_refusals.NO_PROJECT(project_id)
            after = _changed(before, wanted)
            if after.name != before.name:
                self._refuse_taken(store, after)
            store.projects.replace(after)

        await self._store.write(change)
        self._bearers.reload()
        found = self._found(project_id)
        extra = {} if found.made is None else dict(found.made.extra)
        return APIResponse(200, {"project": {**project_view(found, call.base), "extra": extra}})

    def _refuse_taken(self, store: Store, wanted: ProjectRecord) -> None:
        """:raises WireError: 409, another project has the name."""
        taken = {each.name for each in self._directory.projects.by_id.values() if not each.made}
        if wanted.name in taken.union(each.name for each in store.projects.every()):
            raise account_refusals.PROJECT_EXISTS(wanted.name, wanted.project_id)

    @endpoint(app, _ONE, "DELETE")
    async def delete(self, call: APIRequest, project_id: str) -> APIResponse:
        """Delete a project, as an administrator; its volumes stay, for administrators."""
        self._made(call, project_id, "identity:delete_project")
        await self._store.write(lambda store: store.projects.remove(project_id))
        self._bearers.reload()
        return APIResponse(204)

    # -- roles -----------------------------------------------------------------

    @endpoint(app, _GRANTS, "GET")
    def grants(self, call: APIRequest, project_id: str, user_id: str) -> APIResponse:
        """List the roles that a user was given in a project, to an administrator."""
        user = existing(self._directory.users, user_id, account_refusals.NO_USER)
        self._found(project_id)
        names = user.roles.get(project_id, ())
        found = [role for role in self._directory.roles.by_id.values() if role.name in names]
        views = [linked_role_view(role, call.base) for role in found]
        return APIResponse(200, {"roles": views, "links": list_links(call)})

    def _role(self, role_id: str) -> str:
        """:return: a role's name."""
        return existing(self._directory.roles, role_id, account_refusals.NO_ROLE).name

    def _has(self, project_id: str, user_id: str, role: str) -> bool:
        user = self._directory.users.find(user_id)
        return user is not None and role in user.roles.get(project_id, ())

    @endpoint(app, _GRANT, "GET")
    def check(self, call: APIRequest, project_id: str, user_id: str, role_id: str) -> APIResponse:
        """Check whether a user was given a role in a project, as an administrator."""
        self._found(project_id)
        existing(self._directory.users, user_id, account_refusals.NO_USER)
        if not self._has(project_id, user_id, self._role(role_id)):
            raise account_refusals.NO_GRANT(role_id, user_id, project_id)
        return APIResponse(204)

    @endpoint(app, _GRANT, "PUT")
    async def grant(
        self, call: APIRequest, project_id: str, user_id: str, role_id: str
    ) -> APIResponse:
        """Give a user a role in a project, as an administrator."""
        self._found(project_id)
        existing(self._directory.users, user_id, account_refusals.NO_USER)
        role = self._role(role_id)
        if not self._has(project_id, user_id, role):
            await self._store.write(lambda store: store.projects.grant(project_id, user_id, role))
            self._bearers.reload()
        return APIResponse(204)

    @endpoint(app, _GRANT, "DELETE")
    async def revoke(
        self, call: APIRequest, project_id: str, user_id: str, role_id: str
    ) -> APIResponse:
        """Take a role in a project away from a user, as an administrator."""
        self._found(project_id)
        role = self._role(role_id)
        if not self._has(project_id, user_id, role):
            raise account_refusals.NO_GRANT(role_id, user_id, project_id)
        if (project_id, user_id, role) not in self._store.projects.grants():
            # The operator has given it.
            raise refusals.NOT_AUTHORIZED("identity:revoke_grant")
        await self._store.write(lambda store: store.projects.revoke(project_id, user_id, role))
        self._bearers.reload()
        return APIResponse(204)


def _changed(before: ProjectRecord, wanted: Mapping[str, Any]) -> ProjectRecord:
    """:return: a project with what a request sets."""
    changes = {name: wanted[name] for name in ("name", "description") if name in wanted}
    if wanted.get("enabled") is not None:
        changes["enabled"] = _is_true(wanted["enabled"])
    if "tags" in wanted:
        changes["tags"] = tuple(wanted["tags"])
    more = {name: value for name, value in wanted.items() if name not in _KNOWN}
    return attr.evolve(before, extra={**before.extra, **more}, **changes)


def _refuse_place(wanted: Mapping[str, Any], known: list[str]) -> None:
    """
    Refuse another domain than the only one, and a project within another.

    :param known: the ids of the projects.
    :raises WireError: 400, 403.
    """
    domain, parent = wanted.get("domain_id"), wanted.get("parent_id")
    if domain not in (None, DOMAIN["id"]):
        raise account_refusals.NO_SUCH_DOMAIN(domain)
    if parent in known:
        raise account_refusals.TOO_DEEP(parent)
    if parent not in (None, DOMAIN["id"]):
        raise account_refusals.NO_SUCH_PARENT(parent)
    if _is_true(wanted.get("is_domain")):
        raise refusals.NOT_AUTHORIZED("identity:create_domain")


def _refuse_move(wanted: Mapping[str, Any], project_id: str) -> None:
    """:raises WireError: 400, 403, for a change of what stays."""
    for name, value, refusal in (
        ("id", project_id, account_refusals.OTHER_ID),
        ("domain_id", DOMAIN["id"], account_refusals.OTHER_DOMAIN),
        ("parent_id", DOMAIN["id"], account_refusals.OTHER_PARENT),
    ):
        if wanted.get(name, value) != value:
            raise refusal()
    if _is_true(wanted.get("is_domain")):
        raise account_refusals.OTHER_KIND()


def _is_true(value: object) -> bool:
    return str(value).lower() in _REALLY


__all__ = ["BOOLEANS", "PATHS", "ProjectsAPI"]
