"""Identity: users, projects, roles, domains and application credentials."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from txstorage.embedded.wire import account_refusals, refusals

from .case import WireTests
from .exchanges import JSON, Answer
from .identity import DOMAIN, ENDPOINT, TOKENS, auth
from .record import compares
from .shapes import HEX, INSTANT, NULL, URL, Is, differences

NONE = "0" * 32
SELF = {"self": URL}
LINKS = {"next": NULL, "self": URL, "previous": NULL}
PROJECT = {
    "id": HEX,
    "name": str,
    "domain_id": Is("default"),
    "description": str,
    "enabled": Is(True),
    "parent_id": Is("default"),
    "is_domain": Is(False),
    "tags": [str, ...],
    "options": {},
    "links": SELF,
}
USER = {
    "id": HEX,
    "name": str,
    "domain_id": Is("default"),
    "enabled": Is(True),
    "password_expires_at": NULL,
    "options": {},
    "links": SELF,
}
#: A user, with and without a default project.
ANY_USER = (USER, {**USER, "default_project_id": HEX})
ROLE = {
    "id": HEX,
    "name": str,
    "domain_id": NULL,
    "description": NULL,
    "options": {"immutable": Is(True)},
}
LINKED_ROLE = {**ROLE, "links": SELF}
ONE_DOMAIN = {
    "id": Is("default"),
    "name": Is("Default"),
    "description": str,
    "enabled": Is(True),
    "tags": [str, ...],
    "options": {},
    "links": SELF,
}
ASSIGNMENT = {
    "links": {"assignment": URL},
    "scope": {"project": {"id": HEX}},
    "user": {"id": HEX},
    "role": {"id": HEX},
}
NAMED_ASSIGNMENT = {
    "links": {"assignment": URL},
    "scope": {"project": {"id": HEX, "name": str, "domain": DOMAIN}},
    "user": {"id": HEX, "name": str, "domain": DOMAIN},
    "role": {"id": HEX, "name": str},
}
CREDENTIAL = {
    "id": HEX,
    "name": str,
    "description": (NULL, str),
    "user_id": HEX,
    "project_id": HEX,
    "system": NULL,
    "expires_at": (NULL, INSTANT),
    "unrestricted": (NULL, bool),
    "roles": [ROLE, ...],
    "links": SELF,
}


class IdentityCase(WireTests):
    """Assertions about Identity's responses."""

    def shown(self, got: Answer, name: str, shape: Any, status: int = 200) -> Any:
        """Assert that a response holds one thing; return it."""
        self.assertEqual((got.status, got.type), (status, JSON), got.content)
        self.assertEqual(differences(got.body, {name: shape}), [], got.url)
        self.assertEqual(got.headers["vary"], "X-Auth-Token")
        return got.body[name]

    def listed(self, got: Answer, name: str, shape: Any) -> list[dict[str, Any]]:
        """Assert that a response holds a list; return it."""
        self.assertEqual((got.status, got.type), (200, JSON), got.content)
        self.assertEqual(differences(got.body, {name: [shape, ...], "links": LINKS}), [], got.url)
        found: list[dict[str, Any]] = got.body[name]
        return found

    def forbidden(self, got: Answer, action: str) -> None:
        """Assert that a response is a 403 that names an action."""
        self.refused(got, refusals.NOT_AUTHORIZED, "identity:" + action)


class AccountTests(IdentityCase):
    """Users, projects, roles and domains."""

    @compares("identity GET /v3/auth/projects", "identity GET /v3/auth/domains")
    async def test_own(self) -> None:
        """A user sees the projects in which it has a role, also with a token without a project."""
        (project,) = self.listed(await self.identity("GET", "/auth/projects"), "projects", PROJECT)
        self.assertEqual(project["id"], self.session.project)
        self.assertEqual(project["name"], self.target.user["project_name"])
        body = auth("token", {"id": self.session.token})
        body["auth"]["scope"] = "unscoped"
        unscoped = (await self.identity("POST", TOKENS, body)).headers["x-subject-token"]
        got = await self.identity("GET", "/auth/projects", token=unscoped)
        self.assertEqual(self.listed(got, "projects", PROJECT), [project])
        self.assertEqual(
            self.listed(await self.identity("GET", "/auth/domains"), "domains", {}), []
        )

    @compares("identity GET /v3/auth/catalog", "FORBIDDEN_BY_IDENTITY")
    async def test_catalog(self) -> None:
        """The catalog is that of the token; a token without a project has none."""
        got = await self.identity("GET", "/auth/catalog")
        service = {"endpoints": [ENDPOINT, ...], "id": HEX, "type": str, "name": str}
        shape = {"catalog": [service, ...], "links": SELF}
        self.assertEqual(differences(got.body, shape), [])
        token = await self.identity("GET", TOKENS, X_Subject_Token=str(self.session.token))
        by_type = {each["type"]: each for each in token.body["token"]["catalog"]}
        self.assertEqual({each["type"] for each in got.body["catalog"]}, set(by_type))
        body = auth("token", {"id": self.session.token})
        body["auth"]["scope"] = "unscoped"
        unscoped = (await self.identity("POST", TOKENS, body)).headers["x-subject-token"]
        got = await self.identity("GET", "/auth/catalog", token=unscoped)
        self.refused(got, account_refusals.FORBIDDEN_BY_IDENTITY)

    @compares(
        "identity GET /v3/users/<user_id>",
        "identity GET /v3/users/<user_id>/projects",
        "NOT_AUTHORIZED",
        "NO_USER",
    )
    async def test_user(self) -> None:
        """A user sees itself and its projects; an administrator sees all users."""
        own, admin = self.session.user_id, await self.admin()
        for who in ("self", "admin"):
            ask = self.identity if who == "self" else admin_of(self)
            user = self.shown(await ask("GET", f"/users/{own}"), "user", ANY_USER)
            self.assertEqual((user["id"], user["name"]), (own, self.target.user["username"]))
            got = await ask("GET", f"/users/{own}/projects")
            (project,) = self.listed(got, "projects", PROJECT)
            self.assertEqual(project["id"], self.session.project)
        for user_id in (admin.user_id, NONE):
            self.forbidden(await self.identity("GET", f"/users/{user_id}"), "get_user")
            got = await self.identity("GET", f"/users/{user_id}/projects")
            self.forbidden(got, "list_user_projects")
        for path in ("", "/projects"):
            got = await self.identity_as("admin", "GET", f"/users/{NONE}{path}")
            self.refused(got, account_refusals.NO_USER, NONE)

    @compares("identity GET /v3/users", "identity GET /v3/projects", "NOT_AUTHORIZED")
    async def test_lists(self) -> None:
        """An administrator looks users and projects up by their names; other users may not."""
        for kind, key, shape, own in (
            ("users", "username", ANY_USER, self.session.user_id),
            ("projects", "project_name", PROJECT, self.session.project),
        ):
            name = self.target.user[key]
            got = await self.identity_as("admin", "GET", f"/{kind}?name={name}")
            self.assertEqual([each["id"] for each in self.listed(got, kind, shape)], [own])
            got = await self.identity_as("admin", "GET", f"/{kind}?name=nobody&domain_id=default")
            self.assertEqual(self.listed(got, kind, shape), [])
            got = await self.identity_as("admin", "GET", f"/{kind}?domain_id=other")
            self.assertEqual(self.listed(got, kind, shape), [])
            every = self.listed(await self.identity_as("admin", "GET", "/" + kind), kind, shape)
            self.assertIn(own, [each["id"] for each in every])
            self.forbidden(await self.identity("GET", "/" + kind), "list_" + kind)

    @compares("identity GET /v3/projects/<project_id>", "NOT_AUTHORIZED", "NO_PROJECT")
    async def test_project(self) -> None:
        """A user sees the project of the token; an administrator sees all projects."""
        own, other = self.session.project, (await self.session_of("other")).project
        project = self.shown(await self.identity("GET", f"/projects/{own}"), "project", PROJECT)
        self.assertEqual(project["id"], own)
        for project_id in (other, NONE):
            self.forbidden(await self.identity("GET", f"/projects/{project_id}"), "get_project")
        got = await self.identity_as("admin", "GET", f"/projects/{other}")
        self.assertEqual(self.shown(got, "project", PROJECT)["id"], other)
        got = await self.identity_as("admin", "GET", f"/projects/{NONE}")
        self.refused(got, account_refusals.NO_PROJECT, NONE)

    @compares(
        "identity GET /v3/roles",
        "identity GET /v3/roles/<role_id>",
        "identity GET /v3/projects/<project_id>/users/<user_id>/roles",
        "NOT_AUTHORIZED",
        "NO_ROLE",
    )
    async def test_roles(self) -> None:
        """An administrator sees the roles, and those that a user was given in a project."""
        got = await self.identity_as("admin", "GET", "/roles")
        roles = {role["name"]: role for role in self.listed(got, "roles", LINKED_ROLE)}
        self.assertEqual(set(roles), {"admin", "manager", "member", "reader", "service"})
        member = roles["member"]
        got = await self.identity_as("admin", "GET", "/roles?name=member&enabled=false")
        self.assertEqual(self.listed(got, "roles", LINKED_ROLE), [member])
        got = await self.identity_as("admin", "GET", f"/roles/{member['id']}")
        self.assertEqual(self.shown(got, "role", LINKED_ROLE), member)
        got = await self.identity_as("admin", "GET", "/roles/nope")
        self.refused(got, account_refusals.NO_ROLE, "nope")
        path = f"/projects/{self.session.project}/users/{self.session.user_id}/roles"
        got = await self.identity_as("admin", "GET", path)
        self.assertEqual(self.listed(got, "roles", LINKED_ROLE), [member])
        self.forbidden(await self.identity("GET", "/roles"), "list_roles")
        self.forbidden(await self.identity("GET", f"/roles/{member['id']}"), "get_role")
        self.forbidden(await self.identity("GET", path), "list_grants")

    @compares("identity GET /v3/role_assignments", "NOT_AUTHORIZED")
    async def test_assignments(self) -> None:
        """An administrator sees which user was given which role in which project."""
        path = f"/role_assignments?user.id={self.session.user_id}"
        got = await self.identity_as("admin", "GET", path)
        (given,) = self.listed(got, "role_assignments", ASSIGNMENT)
        self.assertEqual(given["scope"]["project"]["id"], self.session.project)
        got = await self.identity_as("admin", "GET", path + "&include_names=1")
        (named,) = self.listed(got, "role_assignments", NAMED_ASSIGNMENT)
        self.assertEqual(named["role"], {"id": given["role"]["id"], "name": "member"})
        got = await self.identity_as("admin", "GET", path + f"&scope.project.id={NONE}")
        self.assertEqual(got.body["role_assignments"], [])
        self.forbidden(await self.identity("GET", path), "list_role_assignments")

    @compares(
        "identity GET /v3/domains",
        "identity GET /v3/domains/<domain_id>",
        "NOT_AUTHORIZED",
        "NO_DOMAIN",
    )
    async def test_domains(self) -> None:
        """All users see their domain; only an administrator lists domains."""
        got = await self.identity("GET", "/domains/default")
        domain = self.shown(got, "domain", ONE_DOMAIN)
        self.forbidden(await self.identity("GET", "/domains/nope"), "get_domain")
        self.forbidden(await self.identity("GET", "/domains"), "list_domains")
        got = await self.identity_as("admin", "GET", "/domains?name=Default")
        self.assertEqual(self.listed(got, "domains", ONE_DOMAIN), [domain])
        for query in ("name=Other", "enabled=false", "name=Default&enabled=0"):
            got = await self.identity_as("admin", "GET", "/domains?" + query)
            self.assertEqual(self.listed(got, "domains", ONE_DOMAIN), [], query)
        got = await self.identity_as("admin", "GET", "/domains/nope")
        self.refused(got, account_refusals.NO_DOMAIN, "nope")


def ordered(credential: dict[str, Any]) -> dict[str, Any]:
    """Return a credential with its roles, which Keystone has in any order, by their names."""
    return {**credential, "roles": sorted(credential["roles"], key=lambda role: role["name"])}


def admin_of(case: WireTests) -> Any:
    """Return a function that calls Identity as an administrator."""

    async def ask(method: str, path: str) -> Answer:
        return await case.identity_as("admin", method, path)

    return ask


class CredentialTests(IdentityCase):
    """Application credentials."""

    async def setUp(self) -> None:
        await super().setUp()
        self.path = f"/users/{self.session.user_id}/application_credentials"
        self.credentials: list[str] = []

    async def _clean_up(self) -> None:
        for credential_id in self.credentials:
            await self.identity("DELETE", f"{self.path}/{credential_id}")
        await super()._clean_up()

    async def post(self, **wanted: Any) -> Answer:
        """Request a credential, by default with a new name."""
        body = {"application_credential": dict({"name": f"wire-{uuid4()}"}, **wanted)}
        got = await self.identity("POST", self.path, body)
        if got.status == 201:
            self.credentials.append(got.body["application_credential"]["id"])
        return got

    async def credential(self, **wanted: Any) -> dict[str, Any]:
        """Make a credential, which is removed after the test."""
        shape = {**CREDENTIAL, "secret": str}
        made: dict[str, Any] = self.shown(
            await self.post(**wanted), "application_credential", shape, 201
        )
        return made

    async def log_in(self, credential: dict[str, Any]) -> Answer:
        """Request a token with a credential."""
        part = {"id": credential["id"], "secret": credential["secret"]}
        return await self.identity("POST", TOKENS, auth("application_credential", part), token=None)

    @compares(
        "identity POST /v3/users/<user_id>/application_credentials",
        "identity GET /v3/users/<user_id>/application_credentials",
        "identity GET /v3/users/<user_id>/application_credentials/<credential_id>",
    )
    async def test_life(self) -> None:
        """A credential shows its secret once, and has all the roles of the token by default."""
        made = await self.credential(description="d", expires_at="2036-01-01T00:00:00.000000Z")
        self.assertEqual(made["expires_at"], "2036-01-01T00:00:00.000000")
        self.assertEqual({role["name"] for role in made["roles"]}, {"member", "reader"})
        secret = made.pop("secret")
        got = await self.identity("GET", f"{self.path}/{made['id']}")
        seen = self.shown(got, "application_credential", CREDENTIAL)
        self.assertEqual(ordered(seen), ordered(made))
        got = await self.identity("GET", f"{self.path}?name={made['name']}")
        (listed,) = self.listed(got, "application_credentials", CREDENTIAL)
        self.assertEqual(ordered(listed), ordered(made))
        got = await self.log_in(dict(made, secret=secret))
        self.assertEqual(got.status, 201)
        self.assertEqual(got.body["token"]["project"]["id"], self.session.project)
        self.assertEqual((await self.log_in(dict(made, secret="guess"))).status, 401)

    @compares(
        "identity POST /v3/users/<user_id>/application_credentials",
        "UNDEFINED_ROLE",
        "UNASSIGNED_ROLE",
    )
    async def test_roles(self) -> None:
        """A credential may have fewer roles than the user, and no others."""
        made = await self.credential(roles=[{"name": "reader"}])
        token = (await self.log_in(made)).body["token"]
        self.assertEqual([role["name"] for role in token["roles"]], ["reader"])
        self.refused(await self.post(roles=[{"name": "admin"}]), account_refusals.UNASSIGNED_ROLE)
        self.refused(
            await self.post(roles=[{"name": "nope"}]), account_refusals.UNDEFINED_ROLE, "nope"
        )

    @compares(
        "identity POST /v3/users/<user_id>/application_credentials",
        *("MISSING_CREDENTIAL_NAME", "MISSING_PROPERTY", "DUPLICATE_CREDENTIAL"),
        *("BAD_EXPIRY", "EXPIRY_IS_PAST"),
    )
    async def test_malformed(self) -> None:
        """A credential has a name that no other has, and does not expire in the past."""
        got = await self.identity("POST", self.path, {})
        self.refused(got, refusals.MISSING_PROPERTY, "", "application_credential")
        got = await self.identity("POST", self.path, {"application_credential": {}})
        self.refused(got, account_refusals.MISSING_CREDENTIAL_NAME, {})
        name = (await self.credential())["name"]
        self.refused(await self.post(name=name), account_refusals.DUPLICATE_CREDENTIAL, name)
        self.refused(await self.post(expires_at="soon"), account_refusals.BAD_EXPIRY)
        past = "1969-01-01T00:00:00.000000Z"
        self.refused(await self.post(expires_at=past), account_refusals.EXPIRY_IS_PAST)

    @compares("identity POST /v3/users/<user_id>/application_credentials", "RESTRICTED_CREDENTIAL")
    async def test_restricted(self) -> None:
        """Only an unrestricted credential may make others."""
        wanted = {"application_credential": {"name": f"wire-{uuid4()}"}}
        for unrestricted in (False, True):
            made = await self.credential(unrestricted=unrestricted)
            token = (await self.log_in(made)).headers["x-subject-token"]
            got = await self.identity("POST", self.path, wanted, token=token)
            if unrestricted:
                self.assertEqual(got.status, 201)
                self.credentials.append(got.body["application_credential"]["id"])
            else:
                self.refused(got, account_refusals.RESTRICTED_CREDENTIAL)

    @compares(
        "identity DELETE /v3/users/<user_id>/application_credentials/<credential_id>",
        "identity GET /v3/users/<user_id>/application_credentials/<credential_id>",
        "NO_APPLICATION_CREDENTIAL",
    )
    async def test_deleted(self) -> None:
        """A deleted credential is gone, and gets no token."""
        made = await self.credential()
        path = f"{self.path}/{made['id']}"
        got = await self.identity("DELETE", path)
        self.assertEqual((got.status, got.content), (204, b""))
        for got in (
            await self.identity("GET", path),
            await self.identity("DELETE", path),
            await self.log_in(made),
        ):
            self.refused(got, refusals.NO_APPLICATION_CREDENTIAL, made["id"])

    @compares(
        "identity POST /v3/users/<user_id>/application_credentials",
        "identity GET /v3/users/<user_id>/application_credentials",
        "NOT_AUTHORIZED",
    )
    async def test_others(self) -> None:
        """Another user's credentials are forbidden; an administrator sees them and makes none."""
        admin = await self.admin()
        path = f"/users/{admin.user_id}/application_credentials"
        self.forbidden(await self.identity("GET", path), "list_application_credentials")
        wanted = {"application_credential": {"name": "x"}}
        got = await self.identity("POST", path, wanted)
        self.forbidden(got, "create_application_credential")
        got = await self.identity_as("admin", "POST", self.path, wanted)
        self.forbidden(got, "create_application_credential")
        made = await self.credential()
        got = await self.identity_as("admin", "GET", self.path)
        found = self.listed(got, "application_credentials", CREDENTIAL)
        self.assertIn(made["id"], [each["id"] for each in found])


__all__ = ["AccountTests", "CredentialTests"]
