"""Identity: tokens, the catalog, and the refusals of credentials."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from txstorage.embedded.wire import refusals

from .case import MISSING, WireTests, password_auth
from .exchanges import JSON, Answer
from .record import compares
from .shapes import HEX, INSTANT_6Z, NULL, URL, Is, Text, differences

TOKENS = "/auth/tokens"
ISSUE = "identity POST /v3/auth/tokens"
CREDENTIAL = "application credential"
DOMAIN = {"id": Is("default"), "name": Is("Default")}
ENDPOINT = {
    "id": HEX,
    "interface": (Is("public"), Is("internal"), Is("admin")),
    "region_id": str,
    "url": URL,
    "region": str,
}
TOKEN = {
    "methods": [str, ...],
    "user": {"domain": DOMAIN, "id": HEX, "name": str, "password_expires_at": NULL},
    "audit_ids": [str, ...],
    "expires_at": INSTANT_6Z,
    "issued_at": INSTANT_6Z,
    "project": {"domain": DOMAIN, "id": HEX, "name": str},
    "is_domain": Is(False),
    "roles": [{"id": HEX, "name": str}, ...],
    "catalog": [{"endpoints": [ENDPOINT, ...], "id": HEX, "type": str, "name": str}, ...],
}
#: The members of a token without a scope.
UNSCOPED = ("methods", "user", "audit_ids", "expires_at", "issued_at")


def instant(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")


def auth(method: str, part: Any) -> dict[str, Any]:
    """The body of a request for a token, without a scope."""
    return {"auth": {"identity": {"methods": [method], method: part}}}


class IdentityTests(WireTests):
    """Identity v3."""

    async def issue(self, body: Any) -> Answer:
        """Request a token without having one."""
        return await self.identity("POST", TOKENS, body, token=None)

    def issued(self, got: Answer, status: int = 201, **more: Any) -> dict[str, Any]:
        """Assert that a response holds a token; ``more`` are the shapes of optional members."""
        self.assertEqual((got.status, got.type), (status, JSON), got.content)
        self.assertEqual(differences(got.body, {"token": dict(TOKEN, **more)}), [])
        self.assertEqual(got.headers["vary"], "X-Auth-Token")
        self.assertTrue(got.headers["x-subject-token"])
        token: dict[str, Any] = got.body["token"]
        return token

    async def own(self, **changes: Any) -> Answer:
        """Request a token with the user's password."""
        return await self.issue(password_auth(self.target.user, **changes))

    @compares(ISSUE)
    async def test_password(self) -> None:
        """
        A password gets a token in a header; the body has the user, the project, the roles, the
        expiry and the catalog.
        """
        token = self.issued(await self.own())
        self.assertEqual(token["methods"], ["password"])
        self.assertEqual(token["user"]["name"], self.target.user["username"])
        self.assertEqual(token["project"]["name"], self.target.user["project_name"])
        self.assertGreater(instant(token["expires_at"]), instant(token["issued_at"]))
        self.assertEqual(len(token["audit_ids"]), 1)
        self.assertIn("member", [role["name"] for role in token["roles"]])

    @compares(ISSUE)
    async def test_catalog(self) -> None:
        """
        The catalog has Identity, Block Storage under its new and its old
        type, and Compute, each with three interfaces.
        """
        token = self.issued(await self.own())
        kinds = {service["type"]: service["endpoints"] for service in token["catalog"]}
        for kind in ("identity", "block-storage", "volumev3", "compute"):
            interfaces = {endpoint["interface"] for endpoint in kinds[kind]}
            self.assertEqual(interfaces, {"public", "internal", "admin"}, kind)

    @compares(ISSUE)
    async def test_ids(self) -> None:
        """User and project can be identified by their ids."""
        body = password_auth(self.target.user)
        user = {"id": self.session.user_id, "password": self.target.user["password"]}
        body["auth"]["identity"]["password"]["user"] = user
        body["auth"]["scope"] = {"project": {"id": self.session.project}}
        self.assertEqual(self.issued(await self.issue(body))["project"]["id"], self.session.project)

    @compares(ISSUE)
    async def test_token_for_token(self) -> None:
        """A token from a token expires with the first, and lists the first one's methods."""
        first = await self.own()
        body = auth("token", {"id": first.headers["x-subject-token"]})
        body["auth"]["scope"] = {"project": {"id": self.session.project}}
        token = self.issued(await self.issue(body))
        self.assertEqual(token["expires_at"], first.body["token"]["expires_at"])
        # A set in Keystone, whose order changes from process to process.
        self.assertEqual(sorted(token["methods"]), ["password", "token"])

    @compares(ISSUE, "NO_APPLICATION_CREDENTIAL", "APPLICATION_CREDENTIAL_SCOPE")
    async def test_application_credential(self) -> None:
        """
        An application credential is identified by its id, or its name and user, and implies its
        project; an unknown id is 404.
        """
        known = await self.target.application_credential(self.session)
        by_id = {"id": known["id"], "secret": known["secret"]}
        domain = {"id": "default"}
        user = {"name": self.target.user["username"], "domain": domain}
        by_name = {"name": known["name"], "user": user, "secret": known["secret"]}
        own = {"id": Is(known["id"]), "name": Is(known["name"]), "restricted": Is(True)}
        for part in (by_id, by_name):
            got = await self.issue(auth("application_credential", part))
            token = self.issued(got, application_credential=own)
            self.assertEqual(token["methods"], ["application_credential"])
            self.assertEqual(token["project"]["id"], self.session.project)
        body = auth("application_credential", by_id)
        body["auth"]["scope"] = {"project": {"id": self.session.project}}
        self.refused(await self.issue(body), refusals.APPLICATION_CREDENTIAL_SCOPE)
        got = await self.issue(auth("application_credential", dict(by_id, secret="guess")))
        self.unauthenticated_identity(got)
        got = await self.issue(auth("application_credential", dict(by_name, name="other")))
        self.unauthenticated_identity(got)
        got = await self.issue(auth("application_credential", dict(by_id, id=MISSING)))
        self.refused(got, refusals.NO_APPLICATION_CREDENTIAL, MISSING)

    def unauthenticated_identity(self, got: Answer) -> None:
        """Assert that a response is Identity's 401."""
        self.unauthenticated(got, refusals.UNAUTHENTICATED["identity"])

    @compares(ISSUE, "UNAUTHENTICATED[identity]")
    async def test_wrong_credentials(self) -> None:
        """A wrong user, password or project is the same 401."""
        for changes in (
            {"password": "guess"},
            {"name": "nobody"},
            {"domain": {"id": "other"}},
        ):
            self.unauthenticated_identity(await self.own(**changes))
        for scope in (
            {"project": {"id": "0" * 32}},
            {"project": {"name": "none", "domain": {"id": "default"}}},
            {"domain": {"id": "default"}},
            {"system": {"all": True}},
            {"OS-TRUST:trust": {"id": MISSING}},
        ):
            body = password_auth(self.target.user)
            body["auth"]["scope"] = scope
            self.unauthenticated_identity(await self.issue(body))
        self.unauthenticated_identity(await self.issue({"auth": {"identity": {"methods": []}}}))

    @compares(ISSUE, "UNSUPPORTED_METHOD", "NO_TOKEN")
    async def test_wrong_method(self) -> None:
        """An unknown method is 401 too, and an unknown token is 404."""
        got = await self.issue(auth("telepathy", {}))
        self.refused(got, refusals.UNSUPPORTED_METHOD)
        self.assertIn("password", got.body["error"]["identity"]["methods"])
        self.refused(await self.issue(auth("token", {"id": "stale"})), refusals.NO_TOKEN)

    @compares(ISSUE, "NO_JSON", "EXPECTED", "MISSING_PROPERTY")
    async def test_malformed(self) -> None:
        """A malformed request for a token is 400, with the problem."""
        for body in (b"{", b"[1]", b"\xff"):
            self.refused(await self.issue(body), refusals.NO_JSON)
        right = password_auth(self.target.user)
        for body, what, where in (
            (b"", "auth", "request body"),
            ({}, "auth", "request body"),
            ({"auth": {"identity": {"methods": ["password"]}}}, "password", "identity"),
            (password_auth(self.target.user, domain=None), "domain", "user"),
            ({"auth": dict(right["auth"], scope={"project": {"name": "x"}})}, "domain", "project"),
            ({"auth": dict(right["auth"], scope={})}, "{}", "scope"),
            (auth("application_credential", {"secret": "x"}), "name or ID", CREDENTIAL),
            (auth("application_credential", {"name": "x", "secret": "x"}), "user", CREDENTIAL),
        ):
            self.refused(await self.issue(body), refusals.EXPECTED, what, where)
        inside = "Invalid input for field 'identity': "
        for body, prefix, name in (
            ({"auth": {"more": 1}}, "", "identity"),
            ({"auth": {"identity": {"more": 1}}}, inside, "methods"),
            (auth("token", {}), "Invalid input for field 'identity/token': ", "id"),
        ):
            self.refused(await self.issue(body), refusals.MISSING_PROPERTY, prefix, name)

    @compares(ISSUE, "WRONG_TYPE")
    async def test_wrong_types(self) -> None:
        """A member of the wrong type is reported with the right type."""
        right = password_auth(self.target.user)["auth"]
        for auth_member, field, kind in (
            (1, "", "object"),
            ({"identity": 1}, "identity", "object"),
            ({"identity": {"methods": 1}}, "identity/methods", "array"),
            ({"identity": {"methods": [1]}}, "identity/methods/0", "string"),
            (auth("password", 1)["auth"], "identity/password", "object"),
            (
                auth("password", {"user": {"password": 1}})["auth"],
                "identity/password/user/password",
                "string",
            ),
            (dict(right, scope={"project": 1}), "scope/project", "object"),
            (auth("token", {"id": 1})["auth"], "identity/token/id", "string"),
        ):
            prefix = f"Invalid input for field '{field}': " if field else ""
            got = await self.issue({"auth": auth_member})
            self.refused(got, refusals.WRONG_TYPE, prefix, 1, f"'{kind}'")

    @compares("identity GET /v3/auth/tokens", "UNAUTHENTICATED[identity]", "NOT_AUTHORIZED")
    async def test_validate(self) -> None:
        """The bearer of a token can read the token's details."""
        subject = str(self.session.token)
        got = await self.identity("GET", TOKENS, X_Subject_Token=subject)
        self.issued(got, 200)
        self.assertEqual(got.headers["x-subject-token"], subject)
        got = await self.identity("GET", TOKENS, X_Subject_Token="stale")
        self.refused(got, refusals.NO_TOKEN)
        got = await self.identity("GET", TOKENS)
        self.refused(got, refusals.NOT_AUTHORIZED, "identity:validate_token")
        got = await self.identity("GET", TOKENS, token=None, X_Subject_Token=subject)
        self.unauthenticated_identity(got)

    @compares("identity GET /v3/auth/tokens", ISSUE)
    async def test_audit_ids(self) -> None:
        """
        A token keeps its audit id; one that another token led to has the id of the first, too.
        """
        first = await self.own()
        subject = first.headers["x-subject-token"]
        (own,) = first.body["token"]["audit_ids"]
        for _ in range(2):
            got = await self.identity("GET", TOKENS, X_Subject_Token=subject)
            self.assertEqual(got.body["token"]["audit_ids"], [own])
        for _ in range(2):
            body = auth("token", {"id": subject})
            body["auth"]["scope"] = {"project": {"id": self.session.project}}
            got = await self.issue(body)
            another, origin = self.issued(got)["audit_ids"]
            self.assertEqual(origin, own)
            self.assertNotEqual(another, own)
            subject = got.headers["x-subject-token"]

    @compares("identity GET /v3/auth/tokens", ISSUE)
    async def test_no_catalog(self) -> None:
        """A client can do without the catalog, in both requests for the details of a token."""
        shape = {name: kind for name, kind in TOKEN.items() if name != "catalog"}
        query = TOKENS + "?nocatalog"
        got = await self.identity("POST", query, password_auth(self.target.user), token=None)
        self.assertEqual(differences(got.body, {"token": shape}), [])
        subject = got.headers["x-subject-token"]
        got = await self.identity("GET", query, X_Subject_Token=subject)
        self.assertEqual(differences(got.body, {"token": shape}), [])
        got = await self.identity("GET", TOKENS, X_Subject_Token=subject)
        self.issued(got, 200)

    @compares(
        *(ISSUE, "identity GET /v3/auth/tokens", "EXPECTED", "MALFORMED_URL", "FORBIDDEN"),
        *("FORBIDDEN_BY_COMPUTE", "NO_SERVER"),
    )
    async def test_unscoped(self) -> None:
        """
        A token without a scope shows no project, role or catalog, and gets one with a scope; the
        other services refuse it.
        """
        shape = {name: TOKEN[name] for name in UNSCOPED}
        body = password_auth(self.target.user)
        for scope in ("unscoped", {"unscoped": {}}):
            body["auth"]["scope"] = scope
            got = await self.issue(body)
            self.assertEqual(got.status, 201)
            self.assertEqual(differences(got.body, {"token": shape}), [])
        unscoped = got.headers["x-subject-token"]
        shown = await self.identity("GET", TOKENS, token=unscoped, X_Subject_Token=unscoped)
        self.assertEqual((shown.status, shown.body), (200, got.body))
        rescoping = auth("token", {"id": unscoped})
        rescoping["auth"]["scope"] = body["auth"]["scope"] = {
            "project": {"id": self.session.project}
        }
        self.issued(await self.issue(rescoping))
        await self.refusals_of(unscoped)
        for scope in ("scoped", {"unscoped": {}, "project": {"id": self.session.project}}):
            body["auth"]["scope"] = scope
            self.refused(await self.issue(body), refusals.EXPECTED, "{}", "scope")

    async def refusals_of(self, unscoped: str) -> None:
        """Assert that Block Storage and Compute refuse a token without a scope."""
        got = await self.cinder("GET", "/volumes", token=unscoped)
        self.refused(got, refusals.MALFORMED_URL)
        got = await self.ask("volume", "GET", "/v3/volumes", token=unscoped)
        self.refused(got, refusals.FORBIDDEN, "volume:get_all")
        self.assertEqual((await self.ask("volume", "GET", "/v3/", token=unscoped)).status, 200)
        for path, policy in (("/servers", "index"), ("/servers/detail", "detail")):
            got = await self.nova("GET", path, token=unscoped)
            policy = "os_compute_api:servers:" + policy
            self.refused(got, refusals.FORBIDDEN_BY_COMPUTE, policy)
        got = await self.nova("GET", "/servers/" + MISSING, token=unscoped)
        self.refused(got, refusals.NO_SERVER, MISSING)

    @compares("identity DELETE /v3/auth/tokens", "UNAUTHENTICATED[compute]")
    async def test_revoke(self) -> None:
        """A revoked token is no longer valid."""
        subject = (await self.own()).headers["x-subject-token"]
        got = await self.identity("DELETE", TOKENS, token=subject, X_Subject_Token=subject)
        self.assertEqual((got.status, got.content), (204, b""))
        got = await self.nova("GET", "/servers", token=subject)
        self.unauthenticated(got, refusals.UNAUTHENTICATED["compute"])
        got = await self.identity("GET", TOKENS, X_Subject_Token=subject)
        self.assertEqual(got.status, 404)

    @compares("NO_ROUTE[identity]", "WRONG_METHOD", "TOO_LARGE[identity]")
    async def test_elsewhere(self) -> None:
        """An unknown path is an HTML page, another method 405, a long body 413."""
        self.refused(await self.identity("GET", "/nothing"), refusals.NO_ROUTE["identity"])
        got = await self.identity("PATCH", TOKENS, {})
        self.refused(got, refusals.WRONG_METHOD)
        self.assertLessEqual({"GET", "POST", "DELETE"}, set(got.headers["allow"].split(", ")))
        long = json.dumps({"auth": "x" * 114688}).encode()
        self.refused(await self.issue(long), refusals.TOO_LARGE["identity"])
        got = await self.identity("POST", "/nothing", long)
        self.refused(got, refusals.TOO_LARGE["identity"])

    @compares("identity GET /", "identity GET /v3")
    async def test_versions(self) -> None:
        """The root is 300 with the URL of version 3, with or without a token."""
        href = self.target.auth_url + "/"
        version = {
            "id": Text(r"v3\.\d+"),
            "status": Is("stable"),
            "updated": str,
            "links": [{"rel": Is("self"), "href": Is(href)}],
            "media-types": [{"base": Is(JSON), "type": str}],
        }
        got = await self.ask("identity", "GET", "/", token=None)
        self.assertEqual((got.status, got.type), (300, JSON))
        self.assertEqual(got.headers["location"], href)
        self.assertEqual(differences(got.body, {"versions": {"values": [version]}}), [])
        for path in ("/v3", "/v3/"):
            got = await self.ask("identity", "GET", path, token=None)
            self.assertEqual((got.status, got.type), (200, JSON))
            self.assertEqual(differences(got.body, {"version": version}), [])
