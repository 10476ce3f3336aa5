# -*- test-case-name: tests.embedded.apis.test_accounts -*-
"""Users, projects, roles and application credentials in Keystone's format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...accounts.directory import ProjectEntry, RoleEntry, UserEntry, role_id
from ...settings import DOMAIN
from ...store.projects.credentials import CredentialRecord
from ...wire.exchange import APIRequest
from ...wire.times import identity_time


def _links(base: str, path: str) -> dict[str, str]:
    return {"self": f"{base}/identity/v3/{path}"}


def list_links(call: APIRequest) -> dict[str, str | None]:
    """The links of a list, which has no pages."""
    uri: bytes = call.request.uri
    own = call.base + uri.decode("utf-8", "replace")
    return {"next": None, "self": own, "previous": None}


def project_view(project: ProjectEntry, base: str) -> dict[str, Any]:
    """A project."""
    made = project.made
    return {
        **({} if made is None else made.extra),
        "id": project.id,
        "name": project.name,
        "domain_id": DOMAIN["id"],
        "description": "" if made is None else made.description,
        "enabled": project.enabled,
        "parent_id": DOMAIN["id"],
        "is_domain": False,
        "tags": [] if made is None else list(made.tags),
        "options": {},
        "links": _links(base, "projects/" + project.id),
    }


def user_view(user: UserEntry, base: str) -> dict[str, Any]:
    """A user."""
    return {
        "id": user.id,
        "name": user.name,
        "domain_id": DOMAIN["id"],
        "enabled": True,
        "default_project_id": user.default_project_id,
        "password_expires_at": None,
        "options": {},
        "links": _links(base, "users/" + user.id),
    }


def domain_view(base: str) -> dict[str, Any]:
    """The one domain."""
    return {
        "id": DOMAIN["id"],
        "name": DOMAIN["name"],
        "description": "The default domain",
        "enabled": True,
        "tags": [],
        "options": {},
        "links": _links(base, "domains/" + DOMAIN["id"]),
    }


def role_view(role: RoleEntry) -> dict[str, Any]:
    """A role, without its links."""
    return {
        "id": role.id,
        "name": role.name,
        "domain_id": None,
        "description": None,
        "options": {"immutable": True},
    }


def linked_role_view(role: RoleEntry, base: str) -> dict[str, Any]:
    """A role by itself."""
    return {**role_view(role), "links": _links(base, "roles/" + role.id)}


def role_names(names: Iterable[str]) -> list[dict[str, str]]:
    """The roles of a token."""
    return [{"id": role_id(name), "name": name} for name in names]


def credential_view(credential: CredentialRecord, base: str) -> dict[str, Any]:
    """An application credential, without its secret."""
    expires_at = credential.expires_at
    return {
        "id": credential.credential_id,
        "name": credential.name,
        "description": credential.description,
        "user_id": credential.user_id,
        "project_id": credential.project_id,
        "system": None,
        "expires_at": None if expires_at is None else identity_time(expires_at)[:-1],
        "unrestricted": credential.unrestricted,
        "roles": [role_view(RoleEntry(role_id(name), name)) for name in credential.roles],
        "links": _links(base, "application_credentials/" + credential.credential_id),
    }


def assignment_view(
    user: UserEntry, project: ProjectEntry, role: str, base: str, names: bool
) -> dict[str, Any]:
    """
    A role that a user was given in a project.

    :param names: whether to show names beside the ids.
    """
    path = f"projects/{project.id}/users/{user.id}/roles/{role_id(role)}"
    domain: Mapping[str, Any] = {"domain": DOMAIN}
    return {
        "links": {"assignment": f"{base}/identity/v3/{path}"},
        "scope": {
            "project": {"id": project.id, **({"name": project.name, **domain} if names else {})}
        },
        "user": {"id": user.id, **({"name": user.name, **domain} if names else {})},
        "role": {"id": role_id(role), **({"name": role} if names else {})},
    }


__all__ = [
    "assignment_view",
    "credential_view",
    "domain_view",
    "linked_role_view",
    "list_links",
    "project_view",
    "role_names",
    "role_view",
    "user_view",
]
