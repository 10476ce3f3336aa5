"""Tests of the users and projects of a running service."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.accounts.declarations import Account
from txstorage.embedded.accounts.directory import Directory
from txstorage.embedded.settings import Settings
from txstorage.embedded.store.store import Store


class DirectoryTests(SynchronousTestCase):
    """Tests of :class:`Directory`."""

    def setUp(self) -> None:
        self.store = Store(":memory:", lambda: 1.0)
        self.addCleanup(self.store.close)

    def directory(self, *accounts: Account, **settings: Any) -> Directory:
        """The directory of a service with accounts."""
        chosen = Settings(password="p", application_secret="s", accounts=accounts, **settings)
        return Directory.of(self.store, chosen)

    def test_first(self) -> None:
        """Without accounts there is the first user, who is a member of the first project."""
        directory = self.directory()
        (user,), (project,) = directory.users.by_id.values(), directory.projects.by_id.values()
        self.assertEqual((user.name, user.key, project.key), ("txstorage", None, None))
        self.assertEqual(user.roles, {project.id: ("member",)})
        requester = directory.requester(user, project.id)
        self.assertEqual(requester.roles, {"member", "reader"})
        self.assertEqual(requester.owner.project_id, None)

    def test_ids(self) -> None:
        """Ids stay when accounts come and go, and differ from one service to another."""
        alice, bob = Account("alice", "a", {"one": ("member",)}), Account("bob", "b", {"two": ()})
        found = self.directory(alice)
        again = self.directory(bob, alice)
        for kind, name in (("users", "alice"), ("projects", "one"), ("users", "txstorage")):
            (one, two) = (getattr(each, kind).named(name) for each in (found, again))
            self.assertEqual(one, two)
        self.store.set_fact("project_id", "another")
        (one, two) = (each.users.named("alice").id for each in (found, self.directory(alice)))
        self.assertNotEqual(one, two)

    def test_first_user(self) -> None:
        """The first user may have roles in other projects, and other roles in its own."""
        more = Account("txstorage", "unused", {"one": ("reader",), "txstorage": ("admin",)})
        directory = self.directory(more)
        (user,) = directory.users.by_id.values()
        self.assertEqual(user.password, "p")
        own = directory.ids.project
        self.assertEqual(user.default_project_id, own)
        self.assertTrue(directory.requester(user, own).is_admin)
        one = directory.projects.named("one")
        assert one is not None
        self.assertEqual(directory.requester(user, one.id).roles, {"reader"})
        self.assertEqual(directory.requester(user, one.id).owner.project_id, one.id)

    def test_fewer_roles(self) -> None:
        """A credential gives some of the roles that the user still has."""
        directory = self.directory()
        (user,) = directory.users.by_id.values()
        requester = directory.requester(user, directory.ids.project, ("reader", "admin"))
        self.assertEqual(requester.roles, {"reader"})
