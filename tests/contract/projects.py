"""Projects that administrators make, and roles that they give in them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from txstorage.embedded.apis.identity.projects import BOOLEANS
from txstorage.embedded.wire import account_refusals, refusals

from .case import WireTests, password_auth
from .exchanges import JSON, Answer
from .record import compares
from .shapes import HEX, URL, Is

_ALL = "identity {} /v3/projects"
_ONE = _ALL + "/<project_id>"
_GRANTS = _ONE + "/users/<user_id>/roles"
_GRANT = _GRANTS + "/<role_id>"
_ISSUE = "identity POST /v3/auth/tokens"


def view(name: str, **more: Any) -> dict[str, Any]:
    """:return: the shape of a project."""
    return {
        "id": HEX,
        "name": Is(name),
        "domain_id": Is("default"),
        "description": Is(""),
        "enabled": Is(True),
        "parent_id": Is("default"),
        "is_domain": Is(False),
        "tags": Is([]),
        "options": Is({}),
        "links": {"self": URL},
        **more,
    }


class MadeCase(WireTests):
    """Projects that are deleted after the test."""

    async def _clean_up(self) -> None:
        await super()._clean_up()
        for project_id in getattr(self, "projects", []):
            await self.identity_as("admin", "DELETE", "/projects/" + project_id)

    async def as_admin(self, method: str, path: str, body: Any = None) -> Answer:
        """Call Identity as an administrator."""
        return await self.identity_as("admin", method, path, body)

    def identified(self, got: Answer, status: int, shape: Any) -> Any:
        """Assert that a response of Identity's is a success, and return its body."""
        self.assertEqual((got.status, got.type), (status, JSON), got.content)
        self.same_shape(got.body, shape)
        return got.body

    def nothing(self, got: Answer) -> None:
        """Assert that a response of Identity's is a success without a body."""
        self.assertEqual((got.status, got.content), (204, b""))

    async def new(self, **wanted: Any) -> dict[str, Any]:
        """Make a project, which is deleted after the test."""
        body = {"project": {"name": f"wire-{uuid4()}", **wanted}}
        got = await self.as_admin("POST", "/projects", body)
        self.assertEqual(got.status, 201, got.content)
        made: dict[str, Any] = got.body["project"]
        self.projects: list[str] = [*getattr(self, "projects", []), made["id"]]
        return made


class MadeProjectTests(MadeCase):
    """Projects that administrators make."""

    @compares(
        *(_ALL.format("POST"), _ALL.format("GET"), _ONE.format("GET"), "NOT_AUTHORIZED"),
        "PROJECT_EXISTS",
    )
    async def test_new(self) -> None:
        """An administrator makes a project with a name that no other has, and lists it."""
        name = f"wire-{uuid4()}"
        wanted = {"name": name, "tags": ["a"], "enabled": False, "more": "m"}
        got = await self.as_admin("POST", "/projects", {"project": wanted})
        shape = view(name, tags=Is(["a"]), enabled=Is(False), more=Is("m"))
        made = self.identified(got, 201, {"project": shape})["project"]
        self.projects = [made["id"]]
        got = await self.as_admin("GET", "/projects/" + made["id"])
        self.assertEqual(self.identified(got, 200, dict), {"project": made})
        for query, found in (("", [made]), ("&enabled=false", [made]), ("&enabled=true", [])):
            got = await self.as_admin("GET", f"/projects?name={name}{query}")
            self.assertEqual(got.body["projects"], found, query)
        got = await self.as_admin("POST", "/projects", {"project": {"name": name}})
        self.refused(got, account_refusals.PROJECT_EXISTS, name, ...)
        got = await self.identity("POST", "/projects", {"project": {"name": "p"}})
        self.refused(got, refusals.NOT_AUTHORIZED, "identity:create_project")
        got = await self.identity("GET", "/projects/" + made["id"])
        self.refused(got, refusals.NOT_AUTHORIZED, "identity:get_project")

    @compares(_ALL.format("POST"), "BAD_PROPERTY", "NO_SUCH_DOMAIN", "NO_SUCH_PARENT")
    async def test_malformed(self) -> None:
        """A project has a name, within the one domain."""
        long, bad = "x" * 65, account_refusals.BAD_PROPERTY
        for wanted, values in (
            ({}, ("project", {}, "'name' is a required property")),
            ([], ("project", [], "[] is not of type 'object'")),
            ({"name": ""}, ("name", "", "'' should be non-empty")),
            ({"name": long}, ("name", long, f"'{long}' is too long")),
            ({"name": "  "}, ("name", "  ", "'  ' does not match '[\\\\S]+'")),
            ({"name": 5}, ("name", 5, "5 is not of type 'string'")),
            ({"name": "n", "description": 5}, ("description", 5, f"5 is not of type {_TEXT}")),
            ({"name": "n", "tags": "x"}, ("tags", "x", "'x' is not of type 'array'")),
            ({"name": "n", "tags": ["a,b"]}, ("0", "a,b", "'a,b' does not match '^[^,/]*$'")),
            (
                {"name": "n", "tags": ["a", "a"]},
                ("tags", ["a", "a"], "['a', 'a'] has non-unique elements"),
            ),
            (
                {"name": "n", "options": {"x": 1}},
                (
                    *("options", {"x": 1}),
                    "Additional properties are not allowed ('x' was unexpected)",
                ),
            ),
            (
                {"name": "n", "enabled": "maybe"},
                ("enabled", "maybe", f"'maybe' is not one of {BOOLEANS}"),
            ),
        ):
            got = await self.as_admin("POST", "/projects", {"project": wanted})
            self.refused(got, bad, *values)
        for name, refusal in (
            ("domain_id", account_refusals.NO_SUCH_DOMAIN),
            ("parent_id", account_refusals.NO_SUCH_PARENT),
        ):
            got = await self.as_admin("POST", "/projects", {"project": {"name": "n", name: "nope"}})
            self.refused(got, refusal, "nope")

    @compares(
        *(_ONE.format("PATCH"), _ONE.format("GET"), "BAD_PROPERTY", "OTHER_ID", "OTHER_DOMAIN"),
        *("OTHER_PARENT", "OTHER_KIND", "NO_PROJECT", "NOT_AUTHORIZED"),
    )
    async def test_change(self) -> None:
        """An administrator changes a project's name and whatever else, but not its place."""
        made = await self.new(description="d")
        path, name = "/projects/" + made["id"], f"wire-{uuid4()}"
        got = await self.as_admin("PATCH", path, {"project": {"name": name, "more": "m"}})
        shape = view(name, description=Is("d"), more=Is("m"))
        changed = self.identified(got, 200, {"project": {**shape, "extra": Is({"more": "m"})}})
        shown = {name: value for name, value in changed["project"].items() if name != "extra"}
        got = await self.as_admin("GET", path)
        self.assertEqual(got.body["project"], shown)
        for body in ({}, {"project": {}}):
            got = await self.as_admin("PATCH", path, body)
            self.assertEqual(self.identified(got, 200, dict), changed)
        for wanted, refusal in (
            ({"id": "x"}, account_refusals.OTHER_ID),
            ({"domain_id": "x"}, account_refusals.OTHER_DOMAIN),
            ({"parent_id": "x"}, account_refusals.OTHER_PARENT),
            ({"is_domain": True}, account_refusals.OTHER_KIND),
        ):
            got = await self.as_admin("PATCH", path, {"project": wanted})
            self.refused(got, refusal)
        got = await self.as_admin("PATCH", path, {"project": {"name": ""}})
        bad = account_refusals.BAD_PROPERTY
        self.refused(got, bad, "name", "", "'' should be non-empty")
        wanted = {"project": {"description": "e"}}
        got = await self.as_admin("PATCH", "/projects/nope", wanted)
        self.refused(got, account_refusals.NO_PROJECT, "nope")
        got = await self.identity("PATCH", path, wanted)
        self.refused(got, refusals.NOT_AUTHORIZED, "identity:update_project")

    @compares(_ONE.format("DELETE"), "NO_PROJECT", "NOT_AUTHORIZED")
    async def test_delete(self) -> None:
        """An administrator deletes a project."""
        path = "/projects/" + (await self.new())["id"]
        got = await self.identity("DELETE", path)
        self.refused(got, refusals.NOT_AUTHORIZED, "identity:delete_project")
        self.nothing(await self.as_admin("DELETE", path))
        for method in ("GET", "DELETE"):
            got = await self.as_admin(method, path)
            self.refused(got, account_refusals.NO_PROJECT, path.rpartition("/")[2])


class GrantTests(MadeCase):
    """Roles that administrators give."""

    async def setUp(self) -> None:
        await super().setUp()
        self.project = (await self.new())["id"]
        found = await self.as_admin("GET", "/roles?name=member")
        (self.role,) = [each["id"] for each in found.body["roles"]]
        self.path = self.grant()

    def grant(self, project: str = "", user: str = "", role: str = "") -> str:
        """Return the path of a role of a user in a project; by default, the user's."""
        parts = (project or self.project, user or self.session.user_id, role or self.role)
        return "/projects/{}/users/{}/roles/{}".format(*parts)

    async def log_in(self) -> Answer:
        """Request a token for the project."""
        body = password_auth(self.target.user)
        body["auth"]["scope"] = {"project": {"id": self.project}}
        return await self.identity("POST", "/auth/tokens", body, token=None)

    @compares(
        *(_GRANT.format(method) for method in ("GET", "PUT", "DELETE")),
        *(_GRANTS.format("GET"), "NO_GRANT", _ISSUE, "UNAUTHENTICATED[identity]"),
        *("identity GET /v3/role_assignments", "identity GET /v3/auth/projects"),
        *("identity GET /v3/users/<user_id>/projects", _ONE.format("PATCH")),
    )
    async def test_life(self) -> None:
        """A user has tokens for a project while it is enabled and a role was given in it."""
        ids = (self.role, self.session.user_id, self.project)
        for method in ("GET", "DELETE"):
            got = await self.as_admin(method, self.path)
            self.refused(got, account_refusals.NO_GRANT, *ids)
        self.unauthenticated(await self.log_in(), refusals.UNAUTHENTICATED["identity"])
        for method in ("PUT", "PUT", "GET", "HEAD"):
            self.nothing(await self.as_admin(method, self.path))
        token = (await self.log_in()).body["token"]
        self.assertEqual(token["project"]["id"], self.project)
        self.assertEqual({each["name"] for each in token["roles"]}, {"member", "reader"})
        got = await self.as_admin("GET", self.path.rpartition("/")[0])
        self.assertEqual([each["id"] for each in got.body["roles"]], [self.role])
        query = f"?user.id={ids[1]}&scope.project.id={self.project}"
        got = await self.as_admin("GET", "/role_assignments" + query)
        self.assertEqual([each["role"]["id"] for each in got.body["role_assignments"]], [self.role])
        for path in (f"/users/{ids[1]}/projects", "/auth/projects"):
            got = await self.identity("GET", path)
            found = {each["id"] for each in got.body["projects"]}
            self.assertEqual(found, {self.project, self.session.project})
        place = "/projects/" + self.project
        await self.as_admin("PATCH", place, {"project": {"enabled": False}})
        self.unauthenticated(await self.log_in(), refusals.UNAUTHENTICATED["identity"])
        await self.as_admin("PATCH", place, {"project": {"enabled": True}})
        self.nothing(await self.as_admin("DELETE", self.path))
        self.unauthenticated(await self.log_in(), refusals.UNAUTHENTICATED["identity"])
        self.refused(await self.as_admin("GET", self.path), account_refusals.NO_GRANT, *ids)

    @compares(
        *(_GRANT.format(method) for method in ("GET", "PUT", "DELETE")),
        *("NO_PROJECT", "NO_USER", "NO_ROLE", "NO_GRANT", "NOT_AUTHORIZED"),
    )
    async def test_refused(self) -> None:
        """The project, the user and the role must exist, and the request be an administrator's."""
        gone = (self.role, "nope", self.project)
        for method, policy in (("GET", "check"), ("PUT", "create"), ("DELETE", "revoke")):
            got = await self.as_admin(method, self.grant(project="nope"))
            self.refused(got, account_refusals.NO_PROJECT, "nope")
            got = await self.as_admin(method, self.grant(user="nope"))
            if method == "DELETE":
                self.refused(got, account_refusals.NO_GRANT, *gone)
            else:
                self.refused(got, account_refusals.NO_USER, "nope")
            got = await self.as_admin(method, self.grant(role="nope"))
            self.refused(got, account_refusals.NO_ROLE, "nope")
            got = await self.identity(method, self.path)
            self.refused(got, refusals.NOT_AUTHORIZED, f"identity:{policy}_grant")


_TEXT = "'string', 'null'"

__all__ = ["GrantTests", "MadeProjectTests"]
