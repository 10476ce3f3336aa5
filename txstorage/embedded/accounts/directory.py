# -*- test-case-name: tests.embedded.accounts.test_directory -*-
"""
The users and projects of a running service, with their ids.

The first user and the first project have random ids, which the store keeps.  All other ids follow
from these and the names, so that they are the same after a restart and after a recovery.  The
projects that administrators make, and the roles that they give, are in the store.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Generic, Optional, TypeVar

import attr

from ..settings import PROJECT, USER, Settings
from ..store.projects.projects import ProjectRecord
from ..store.store import Store
from .declarations import Account
from .requester import Owner, Requester
from .roles import IMPLIED, effective


@attr.s(frozen=True, auto_attribs=True)
class Ids:
    """The ids of the first user, the first project and the first application credential."""

    user: str
    project: str
    application_credential: str

    @classmethod
    def of(cls, store: Store) -> Ids:
        """Load the ids from the store, which creates them the first time."""
        return cls(
            *(
                store.fact(name, lambda: uuid.uuid4().hex)
                for name in ("user_id", "project_id", "application_credential_id")
            )
        )

    def derived(self, kind: str, name: str) -> str:
        """:return: the id of another user or project."""
        return uuid.uuid5(uuid.NAMESPACE_URL, f"txstorage:{self.project}:{kind}:{name}").hex


def role_id(name: str) -> str:
    """:return: the id of a role, the same everywhere."""
    return uuid.uuid5(uuid.NAMESPACE_URL, "txstorage:role:" + name).hex


@attr.s(frozen=True, auto_attribs=True)
class ProjectEntry:
    """
    A project.

    :ivar key: its id in the store; ``None`` for the first project.
    :ivar made: the record of a project that an administrator has made; ``None``: the operator has
        declared the project.
    """

    id: str
    name: str
    key: Optional[str]
    made: Optional[ProjectRecord] = None

    @property
    def enabled(self) -> bool:
        """``True`` unless an administrator has disabled the project, which then has no tokens."""
        return self.made is None or self.made.enabled


@attr.s(frozen=True, auto_attribs=True)
class RoleEntry:
    """A role."""

    id: str
    name: str


@attr.s(frozen=True, auto_attribs=True)
class UserEntry:
    """
    A user.

    :ivar key: its id in the store; ``None`` for the first user.
    :ivar roles: the names of the roles that were given, by the project's id; the first project is
        the one of a token for which none was requested.
    """

    id: str
    name: str
    key: Optional[str]
    password: str = attr.ib(repr=False)
    roles: Mapping[str, tuple[str, ...]]

    @property
    def default_project_id(self) -> str:
        """The id of the project of a token for which none was requested."""
        return next(iter(self.roles))


T = TypeVar("T", UserEntry, ProjectEntry, RoleEntry)


@attr.s(frozen=True, auto_attribs=True)
class Entries(Generic[T]):
    """Users, projects or roles, by their ids."""

    by_id: Mapping[str, T]

    def named(self, name: object) -> T | None:
        """:return: the one with a name, or ``None`` when there is none."""
        return next((each for each in self.by_id.values() if each.name == name), None)

    def find(self, entry_id: object) -> T | None:
        """:return: the one with an id, or ``None`` when there is none."""
        return self.by_id.get(entry_id) if isinstance(entry_id, str) else None


@attr.s(frozen=True, auto_attribs=True)
class Directory:
    """
    All users, projects and roles.

    :ivar ids: of the first ones.
    """

    ids: Ids
    users: Entries[UserEntry]
    projects: Entries[ProjectEntry]
    roles: Entries[RoleEntry]

    @classmethod
    def of(cls, store: Store, settings: Settings, ids: Ids | None = None) -> Directory:
        """
        Make the directory of a service.

        :param ids: those of an earlier directory of the same store.
        """
        ids = ids or Ids.of(store)
        accounts = _accounts(settings)
        names = dict.fromkeys([PROJECT, *(name for each in accounts for name in each.roles)])
        projects = {each.id: each for each in (_project(ids, name) for name in names)}
        for made in store.projects.every():
            entry = ProjectEntry(made.project_id, made.name, made.project_id, made)
            projects[entry.id] = entry
        users = {each.id: each for each in (_user(ids, account) for account in accounts)}
        for project_id, user_id, role in store.projects.grants():
            # A user that the operator no longer declares has lost the roles, too.
            if project_id in projects and user_id in users:
                users[user_id] = _with_role(users[user_id], project_id, role)
        roles = {role_id(name): RoleEntry(role_id(name), name) for name in IMPLIED}
        return cls(ids, Entries(users), Entries(projects), Entries(roles))

    def key_of_project(self, project_id: str) -> str | None:
        """:return: the project's id in the store."""
        return None if project_id == self.ids.project else project_id

    def requester(
        self, user: UserEntry, project_id: str | None, roles: tuple[str, ...] | None = None
    ) -> Requester:
        """
        :param project_id: ``None``: of no project.
        :param roles: of an application credential; by default all that the user has.
        :return: the user as the sender of a request.
        """
        if project_id is None:
            return Requester(user.id, "", frozenset(), Owner("", user.key))
        project = self.projects.by_id.get(project_id)
        given = user.roles.get(project_id, ()) if project and project.enabled else ()
        has = effective(given)
        kept = has if roles is None else tuple(role for role in has if role in roles)
        owner = Owner(self.key_of_project(project_id), user.key)
        return Requester(user.id, project_id, frozenset(kept), owner)


def _accounts(settings: Settings) -> list[Account]:
    """The accounts, the first user's among them, and its own project first among that user's."""
    declared = {account.name: account for account in settings.accounts}
    more = declared.pop(USER, None)
    roles = {PROJECT: settings.roles, **({} if more is None else more.roles)}
    return [Account(USER, settings.password, roles), *declared.values()]


def _project(ids: Ids, name: str) -> ProjectEntry:
    if name == PROJECT:
        return ProjectEntry(ids.project, name, None)
    other = ids.derived("project", name)
    return ProjectEntry(other, name, other)


def _user(ids: Ids, account: Account) -> UserEntry:
    other = ids.derived("user", account.name)
    user_id, key = (ids.user, None) if account.name == USER else (other, other)
    roles = {_project(ids, name).id: given for name, given in account.roles.items()}
    return UserEntry(user_id, account.name, key, account.password, roles)


def _with_role(user: UserEntry, project_id: str, role: str) -> UserEntry:
    given = dict.fromkeys([*user.roles.get(project_id, ()), role])
    return attr.evolve(user, roles={**user.roles, project_id: tuple(given)})


__all__ = ["Directory", "Entries", "Ids", "ProjectEntry", "RoleEntry", "UserEntry", "role_id"]
