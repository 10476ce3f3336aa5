"""Tests of several users: their tokens, projects and application credentials."""

from __future__ import annotations

from typing import Any

import attr
from treq.testing import StubTreq

from txstorage.embedded.accounts.declarations import Account
from txstorage.embedded.application import Application
from txstorage.embedded.machine.devices import FileDevices
from txstorage.embedded.machine.files import VolumeFiles

from ..support import CloudTests, Got, password_auth

TOKENS = "/identity/v3/auth/tokens"
DOMAIN = {"id": "default"}
ALICE = Account("alice", "a", {"one": ("member",), "two": ("reader", "service")})
ROOT = Account("root", "r", {"one": ("admin",)})


class AccountsCase(CloudTests):
    """A cloud with several users."""

    settings: dict[str, Any] = {"accounts": (ALICE, ROOT), "token_lifetime": 100.0}

    def issue(self, name: str, password: str, scope: Any = None) -> Got:
        """Request a token."""
        body = password_auth(password, name=name, domain=DOMAIN)
        if scope is not None:
            body["auth"]["scope"] = scope
        self.token = None
        return self.ask("POST", TOKENS, body)

    def in_project(self, name: str, password: str, project: str) -> Got:
        """Request a token for a project."""
        return self.issue(name, password, {"project": {"name": project, "domain": DOMAIN}})

    def use_token(self, got: Got) -> None:
        """Use a token, and its project, from now on."""
        self.assertEqual(got.code, 201, got)
        self.token = got.headers["x-subject-token"]
        self.project = got.body["token"].get("project", {}).get("id", "")

    def restart(self, **changes: Any) -> None:
        """Restart with other settings."""
        settings = attr.evolve(self.cloud.settings, **changes)
        devices = FileDevices(VolumeFiles(self.cloud.devices_directory), "")
        application = Application(self.clock, self.cloud.store, devices, settings)
        self.treq = StubTreq(application.resource())


class TokenTests(AccountsCase):
    """Tests of tokens of several users."""

    def test_projects(self) -> None:
        """A user has a token for each of its projects, with the roles that it has there."""
        for project, roles in (
            ("one", {"member", "reader"}),
            ("two", {"reader", "service"}),
        ):
            token = self.in_project("alice", "a", project).body["token"]
            self.assertEqual((token["user"]["name"], token["project"]["name"]), ("alice", project))
            self.assertEqual({role["name"] for role in token["roles"]}, roles)
            urls = {
                each["type"]: each["endpoints"][0]["url"].rpartition("/")[2]
                for each in token["catalog"]
            }
            self.assertEqual(urls["volumev3"], token["project"]["id"])

    def test_default(self) -> None:
        """Without a scope the token is for the user's first project."""
        token = self.issue("alice", "a").body["token"]
        self.assertEqual(token["project"]["name"], "one")

    def test_wrong(self) -> None:
        """A project without a role, another user's password and an unknown user are one 401."""
        for got in (
            self.in_project("alice", "a", "txstorage"),
            self.in_project("alice", "a", "three"),
            self.in_project("alice", "r", "one"),
            self.in_project("root", "a", "one"),
            self.in_project("nobody", "", "one"),
            self.in_project("txstorage", "a", "txstorage"),
        ):
            self.assertEqual(got.code, 401)
            message = "The request you have made requires authentication."
            self.assertEqual(got.message, message)

    def test_rescoped(self) -> None:
        """A token leads to one for another project of its user, and to no other."""
        first = self.in_project("alice", "a", "one").headers["x-subject-token"]
        identity = {"methods": ["token"], "token": {"id": first}}
        for project, status in (("two", 201), ("txstorage", 401)):
            scope = {"project": {"name": project, "domain": DOMAIN}}
            got = self.ask("POST", TOKENS, {"auth": {"identity": identity, "scope": scope}})
            self.assertEqual(got.code, status, project)

    def test_two_users(self) -> None:
        """Two methods must prove the same user."""
        first = self.issue("root", "r").headers["x-subject-token"]
        body = password_auth("a", name="alice", domain=DOMAIN)
        body["auth"]["identity"].update(methods=["password", "token"], token={"id": first})
        self.assertEqual(self.ask("POST", TOKENS, body).code, 401)

    def test_subject(self) -> None:
        """A user validates and revokes its own tokens; an administrator does any."""
        alice = self.issue("alice", "a").headers["x-subject-token"]
        root = self.issue("root", "r").headers["x-subject-token"]
        self.token = alice
        for method in ("GET", "DELETE"):
            self.assertEqual(self.ask(method, TOKENS, X_Subject_Token=root).code, 403, method)
        self.token = root
        self.assertEqual(self.ask("GET", TOKENS, X_Subject_Token=alice).code, 200)
        self.assertEqual(self.ask("DELETE", TOKENS, X_Subject_Token=alice).code, 204)
        self.token = alice
        self.assertEqual(self.ask("GET", "/volume/v3/volumes").code, 401)

    def test_ends(self) -> None:
        """A token ends with its user, its user's last role in the project, and the password."""
        self.use_token(self.issue("alice", "a"))
        for accounts, status in (
            ((ALICE,), 200),
            ((attr.evolve(ALICE, password="b"),), 401),
            ((ALICE,), 200),
            ((attr.evolve(ALICE, roles={"two": ("member",)}),), 401),
            ((ROOT,), 401),
        ):
            self.restart(accounts=accounts)
            self.assertEqual(self.volumes("GET").code, status, accounts)

    def test_omitted(self) -> None:
        """A path without a project means the token's."""
        self.use_token(self.in_project("alice", "a", "one"))
        volume_id = self.create()
        got = self.ask("GET", "/volume/v3/volumes/" + volume_id)
        self.assertEqual(got.code, 200)
        link = got.body["volume"]["links"][0]["href"]
        self.assertTrue(link.endswith("/volume/v3/volumes/" + volume_id), link)
        self.use_token(self.in_project("alice", "a", "two"))
        self.assertEqual(self.ask("GET", "/volume/v3/volumes/" + volume_id).code, 404)

    def test_url(self) -> None:
        """A path with another project than the token's is malformed, as in Cinder."""
        self.use_token(self.in_project("alice", "a", "one"))
        one = self.project
        self.use_token(self.in_project("alice", "a", "two"))
        got = self.ask("GET", f"/volume/v3/{one}/volumes")
        self.assertEqual((got.code, got.message), (400, "Malformed request url"))


class CredentialTests(AccountsCase):
    """Tests of application credentials beside those of the wire contract."""

    def setUp(self) -> None:
        super().setUp()
        got = self.issue("alice", "a")
        self.use_token(got)
        user = got.body["token"]["user"]["id"]
        self.path = f"/identity/v3/users/{user}/application_credentials"

    def make(self, **wanted: Any) -> dict[str, Any]:
        """Make a credential."""
        got = self.ask("POST", self.path, {"application_credential": dict({"name": "c"}, **wanted)})
        self.assertEqual(got.code, 201, got)
        made: dict[str, Any] = got.body["application_credential"]
        return made

    def log_in(self, made: dict[str, Any]) -> Got:
        """Request a token with a credential."""
        part = {"id": made["id"], "secret": made["secret"]}
        identity = {"methods": ["application_credential"], "application_credential": part}
        return self.ask("POST", TOKENS, {"auth": {"identity": identity}})

    def test_not_stored(self) -> None:
        """The store has a digest of the secret, which another credential's differs from."""
        one, two = self.make(secret="s3cret"), self.make(name="d", secret="s3cret")
        rows = self.cloud.store._database.execute("SELECT * FROM application_credentials")
        texts = [tuple(row) for row in rows]
        self.assertNotIn("s3cret", str(texts))
        digests = {self.cloud.store.credentials.find(each["id"]).digest for each in (one, two)}
        self.assertEqual(len(digests), 2)

    def test_expires(self) -> None:
        """A credential's tokens end with it, and an expired one gets none."""
        made = self.make(expires_at="1970-01-01T00:17:00.000000Z")
        got = self.log_in(made)
        self.assertEqual(got.body["token"]["expires_at"], "1970-01-01T00:17:00.000000Z")
        self.clock.advance(30)
        self.assertEqual(self.log_in(made).code, 401)

    def test_ends(self) -> None:
        """A deleted credential's tokens end at once; a restart keeps those of the others."""
        kept, deleted = self.make(), self.make(name="d")
        tokens = {
            each["id"]: self.log_in(each).headers["x-subject-token"] for each in (kept, deleted)
        }
        own = self.token
        for each in (kept, deleted):
            self.token = tokens[each["id"]]
            self.assertEqual(self.volumes("GET").code, 200)
        self.token = own
        self.assertEqual(self.ask("DELETE", f"{self.path}/{deleted['id']}").code, 204)
        for each, status in ((kept, 200), (deleted, 401)):
            self.token = tokens[each["id"]]
            self.assertEqual(self.volumes("GET").code, status)
        self.restart()
        self.token = tokens[kept["id"]]
        self.assertEqual(self.volumes("GET").code, 200)

    def test_roles_of_user(self) -> None:
        """A credential has no role that its user has lost."""
        made = self.make()
        fewer = attr.evolve(ALICE, roles={"one": ("reader",)})
        self.restart(accounts=(fewer,))
        self.use_token(self.log_in(made))
        got = self.volumes("POST", body={"volume": {"size": 1}})
        self.assertEqual((got.code, self.volumes("GET").code), (403, 200))

    def test_services(self) -> None:
        """The credential of the service's own file is listed, and can't be deleted."""
        got = self.issue("txstorage", self.cloud.settings.password)
        self.use_token(got)
        user = got.body["token"]["user"]["id"]
        path = f"/identity/v3/users/{user}/application_credentials"
        (own,) = self.ask("GET", path).body["application_credentials"]
        self.assertEqual(own["name"], "txstorage")
        self.assertEqual(self.ask("DELETE", f"{path}/{own['id']}").code, 403)
        wanted = {"application_credential": {"name": "txstorage"}}
        self.assertEqual(self.ask("POST", path, wanted).code, 409)


class AdministratorTests(AccountsCase):
    """Tests of an administrator of another project."""

    def test_changes(self) -> None:
        """An administrator changes another project's volume, which stays that project's."""
        self.use_token(self.issue("alice", "a"))
        owner = self.project
        volume_id = self.create()
        self.use_token(self.issue("root", "r"))
        self.assertEqual(self.project, owner)
        restarted = attr.evolve(ROOT, roles={"ops": ("admin",)})
        self.restart(accounts=(ALICE, restarted))
        self.use_token(self.issue("root", "r"))
        path = f"/{volume_id}/action"
        got = self.volumes("POST", path, {"os-reset_status": {"status": "error"}})
        self.assertEqual(got.code, 202)
        volume = self.volumes("GET", "/" + volume_id).body["volume"]
        self.assertEqual(volume["status"], "error")
        self.assertEqual(volume["os-vol-tenant-attr:tenant_id"], owner)
        self.assertEqual(self.volumes("GET").body, {"volumes": []})

    def test_filter_by_user(self) -> None:
        """An administrator filters by the user; the first project and user are found by ids."""
        first_project, own = self.project, self.create()
        first_user = self.volumes("GET", "/" + own).body["volume"]["user_id"]
        got = self.issue("alice", "a")
        alice, one = got.body["token"]["user"]["id"], got.body["token"]["project"]["id"]
        self.use_token(got)
        others = self.create()
        self.use_token(self.issue("root", "r"))
        for query, ids in (
            (f"user_id={alice}", [others]),
            (f"project_id={one}", [others]),
            (f"project_id={first_project}&user_id={first_user}&bootable=false", [own]),
            (f"project_id={first_project}&user_id={alice}", []),
            ("project_id=none", []),
        ):
            got = self.volumes("GET", "?all_tenants=1&" + query)
            self.assertEqual([each["id"] for each in got.body["volumes"]], ids, query)
