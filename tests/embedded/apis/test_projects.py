"""Tests of the projects that administrators make beside those of the wire contract."""

from __future__ import annotations

from txstorage.embedded.accounts.directory import role_id

from .test_accounts import AccountsCase


class MadeProjectTests(AccountsCase):
    """Tests of projects that are not declared."""

    def setUp(self) -> None:
        super().setUp()
        self.use_token(self.in_project("root", "r", "one"))
        self.admin, self.admins = self.token, self.project
        self.alice = self.named("users", "alice")
        self.made = self.make("made")
        self.member = f"/identity/v3/projects/{self.made}/users/{self.alice}/roles/"
        self.member += role_id("member")

    def named(self, kind: str, name: str) -> str:
        """Return an id, by the name."""
        got = self.ask("GET", f"/identity/v3/{kind}?name={name}")
        (found,) = got.body[kind]
        own: str = found["id"]
        return own

    def make(self, name: str) -> str:
        """Make a project, and return its id."""
        got = self.ask("POST", "/identity/v3/projects", {"project": {"name": name}})
        self.assertEqual(got.code, 201, got)
        made: str = got.body["project"]["id"]
        return made

    def as_admin(self) -> None:
        """Be the administrator from now on."""
        self.token, self.project = self.admin, self.admins

    def test_volumes(self) -> None:
        """A member of a made project makes volumes in it, also after a restart."""
        self.assertEqual(self.ask("PUT", self.member).code, 204)
        self.use_token(self.in_project("alice", "a", "made"))
        self.assertEqual(self.project, self.made)
        volume_id = self.create()
        self.restart()
        shown = self.volumes("GET", "/" + volume_id).body["volume"]
        self.assertEqual(shown["os-vol-tenant-attr:tenant_id"], self.made)
        self.use_token(self.in_project("alice", "a", "one"))
        self.assertEqual(self.volumes("GET", "/" + volume_id).code, 404)

    def test_ended(self) -> None:
        """A token ends with the role, with the project, and while the project is disabled."""
        place = "/identity/v3/projects/" + self.made
        for method, path, body, back in (
            ("DELETE", self.member, None, False),
            ("PATCH", place, {"project": {"enabled": False}}, True),
            ("DELETE", place, None, False),
        ):
            self.as_admin()
            self.ask("PUT", self.member)
            self.use_token(self.in_project("alice", "a", "made"))
            token = self.token
            self.assertEqual(self.volumes("GET").code, 200)
            self.as_admin()
            self.assertLess(self.ask(method, path, body).code, 300)
            self.token, self.project = token, self.made
            self.assertEqual(self.volumes("GET").code, 401, method)
            self.as_admin()
            self.ask("PATCH", place, {"project": {"enabled": True}})
            self.token, self.project = token, self.made
            self.assertEqual(self.volumes("GET").code, 200 if back else 401, method)

    def test_declared(self) -> None:
        """Declared names, projects and roles stay."""
        one = self.named("projects", "one")
        place = "/identity/v3/projects/" + one
        for method, path, body, code in (
            ("PATCH", place, {"project": {"name": "x"}}, 403),
            ("DELETE", place, None, 403),
            ("DELETE", f"{place}/users/{self.alice}/roles/{role_id('member')}", None, 403),
            ("POST", "/identity/v3/projects", {"project": {"name": "two"}}, 409),
            (
                *("PATCH", "/identity/v3/projects/" + self.made),
                *({"project": {"name": "two"}}, 409),
            ),
            ("POST", "/identity/v3/projects", {"project": {"name": "x", "parent_id": one}}, 403),
            ("POST", "/identity/v3/projects", {"project": {"name": "x", "is_domain": True}}, 403),
        ):
            self.assertEqual(self.ask(method, path, body).code, code, (method, path))
        names = {each["name"] for each in self.ask("GET", "/identity/v3/projects").body["projects"]}
        self.assertEqual(names, {"txstorage", "one", "two", "made"})

    def test_more_roles(self) -> None:
        """A declared user gets further roles in a declared project, and loses them again."""
        two = self.named("projects", "two")
        path = f"/identity/v3/projects/{two}/users/{self.alice}/roles/{role_id('admin')}"
        for method, roles in (
            ("PUT", {"reader", "service", "admin", "manager", "member"}),
            ("DELETE", {"reader", "service"}),
        ):
            self.as_admin()
            self.assertEqual(self.ask(method, path).code, 204)
            token = self.in_project("alice", "a", "two").body["token"]
            self.assertEqual({role["name"] for role in token["roles"]}, roles)

    def test_undeclared(self) -> None:
        """A role of a user that the operator no longer declares is gone."""
        self.ask("PUT", self.member)
        self.restart(accounts=())
        self.assertEqual(self.in_project("alice", "a", "made").code, 401)


__all__ = ["MadeProjectTests"]
