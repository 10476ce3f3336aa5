# -*- test-case-name: tests.embedded.apis.test_identity -*-
"""
Identity v3's tokens.

Tokens are signed; the store keeps only the digests of revoked ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Optional

import attr

from ...accounts.directory import ProjectEntry, UserEntry
from ...accounts.roles import effective
from ...settings import DOMAIN, Settings
from ...store.projects.credentials import CredentialRecord
from ...store.records import TokenRecord
from ...store.store import Store
from ...wire import account_refusals, refusals
from ...wire.exchange import APIRequest, APIResponse, Version, WireError, endpoint
from ...wire.fields import identity_body
from ...wire.requests.routes import Routes
from ...wire.times import identity_time
from .bearers import Bearers, unauthorized
from .catalog import catalog
from .digests import has_secret, same
from .service import IdentityService, names_default_domain
from .tokens import new_record
from .views import list_links, project_view, role_names

_OBJECT = {"type": "object"}
_TOKEN = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
_USER = {"type": "object", "properties": {"password": {"type": "string"}}}
#: The schema of a body's member "auth", which errors do not name.
_AUTH = identity_body(
    {
        "type": "object",
        "properties": {
            "identity": {
                "type": "object",
                "properties": {
                    "methods": {"type": "array", "items": {"type": "string"}},
                    "password": {"type": "object", "properties": {"user": _USER}},
                    "application_credential": {"type": "object", "properties": {"user": _OBJECT}},
                    "token": _TOKEN,
                },
                "required": ["methods"],
            },
            "scope": {"type": ["object", "string"], "properties": {"project": _OBJECT}},
        },
        "required": ["identity"],
    }
)
#: The members of a scope, one of which it has.
_SCOPES = ("system", "project", "domain", "OS-TRUST:trust", "unscoped")
_EXPECTED_SCOPES = f"{', '.join(_SCOPES[:-1])} or {_SCOPES[-1]}"


def _part(body: Mapping[str, Any], name: str, where: str) -> dict[str, Any]:
    """The options of one method of authentication."""
    if name not in body:
        raise refusals.EXPECTED(name, where)
    part: dict[str, Any] = body[name]
    return part


@attr.s(frozen=True, auto_attribs=True)
class _Proof:
    """
    The result of one method of authentication.

    :ivar expires_at: the latest end of the token.
    :ivar credential: the application credential, if it was one.
    """

    user: UserEntry
    expires_at: float
    credential: Optional[CredentialRecord] = None


class IdentityAPI(IdentityService):
    """Tokens."""

    app = Routes()

    def __init__(
        self,
        store: Store,
        settings: Settings,
        bearers: Bearers,
    ) -> None:
        super().__init__(bearers, settings.base_url)
        self._store = store
        self._settings = settings
        self._now = bearers.now
        self._wall_time = bearers.wall_time

    def admit(self, call: APIRequest, segments: dict[str, str], since: Version) -> APIRequest:
        """Admit everybody to a request for a token, and users to the others."""
        if call.route.startswith("POST "):
            return call
        return super().admit(call, segments, since)

    @endpoint(app, "/v3/auth/tokens", "POST")
    def issue(self, call: APIRequest) -> APIResponse:
        """Issue a token for credentials."""
        body = call.json()
        if not body.get("auth"):
            raise refusals.EXPECTED("auth", "request body")
        auth = body["auth"]
        _AUTH.check(auth)
        identity = auth["identity"]
        methods = identity["methods"]
        if not methods:
            raise unauthorized(call)
        proofs = [self._verify(call, method, identity) for method in methods]
        user = proofs[0].user
        if any(proof.user != user for proof in proofs):
            raise unauthorized(call)
        credential = next((each.credential for each in proofs if each.credential), None)
        project_id = self._scope(call, auth, methods, user, credential)
        if self._bearers.requester_of(user, project_id, credential) is None:
            raise unauthorized(call)
        earlier = self._bearers.record(identity["token"]["id"]) if "token" in methods else None
        record = new_record(
            float(math.floor(self._now())),
            min(proof.expires_at for proof in proofs),
            methods,
            earlier,
            user_id=user.id,
            secret=self._bearers.mark(user, credential),
            project_id=project_id,
            credential_id=None if credential is None else credential.credential_id,
        )
        headers = {"X-Subject-Token": self._bearers.signer.token(record)}
        return APIResponse(201, self._describe(call, record), headers)

    def _scope(
        self,
        call: APIRequest,
        auth: Mapping[str, Any],
        methods: list[str],
        user: UserEntry,
        credential: CredentialRecord | None,
    ) -> str | None:
        """
        :return: the id of the token's project; ``None``, when it is to have none.
        :raises WireError: 400, 401.
        """
        if "scope" not in auth:
            return user.default_project_id if credential is None else credential.project_id
        scope = auth["scope"]
        if isinstance(scope, str):
            scope = {scope: {}} if scope == "unscoped" else {}
        empty_too = {"unscoped"} & set(scope)
        named = [name for name in _SCOPES if scope.get(name) or name in empty_too]
        if len(named) != 1:
            raise refusals.EXPECTED(_EXPECTED_SCOPES, "scope")
        if "application_credential" in methods:
            error = refusals.APPLICATION_CREDENTIAL_SCOPE()
            raise WireError(error.answer.with_headers(unauthorized(call).answer.headers))
        if named == ["unscoped"]:
            return None
        # No other scope has any roles here.
        project = self._project(scope["project"]) if named == ["project"] else None
        if project is None:
            raise unauthorized(call)
        return project.id

    def _project(self, given: Mapping[str, Any]) -> ProjectEntry | None:
        projects = self._directory.projects
        if "id" in given:
            return projects.find(given["id"])
        return projects.named(given.get("name")) if names_default_domain(given, "project") else None

    def _user(self, given: Mapping[str, Any]) -> UserEntry | None:
        users = self._directory.users
        if "id" in given:
            return users.find(given["id"])
        return users.named(given.get("name")) if names_default_domain(given, "user") else None

    def _verify(self, call: APIRequest, method: str, identity: dict[str, Any]) -> _Proof:
        """
        :raises WireError: 400, 401, 404.
        """
        checks: dict[str, Callable[[dict[str, Any]], _Proof | None]] = {
            "password": self._check_password,
            "application_credential": self._check_application_credential,
            "token": self._check_token,
        }
        if method not in checks:
            error = refusals.UNSUPPORTED_METHOD()
            raise WireError(error.answer.with_headers(unauthorized(call).answer.headers))
        proof = checks[method](_part(identity, method, "identity"))
        if proof is None:
            raise unauthorized(call)
        return proof

    def _new_expiry(self) -> float:
        return math.floor(self._now()) + self._settings.token_lifetime

    def _check_password(self, given: dict[str, Any]) -> _Proof | None:
        if not isinstance(given.get("user"), dict):
            raise refusals.EXPECTED("user", "None")
        user = self._user(given["user"])
        # The same work for an unknown user.
        right = same(given["user"].get("password"), user.password if user else "")
        return _Proof(user, self._new_expiry()) if user is not None and right else None

    def _check_application_credential(self, given: dict[str, Any]) -> _Proof | None:
        credential = self._credential(given)
        user = None if credential is None else self._directory.users.find(credential.user_id)
        if credential is None or user is None or not has_secret(credential, given.get("secret")):
            return None
        if credential.expires_at is None:
            return _Proof(user, self._new_expiry(), credential)
        left = credential.expires_at - self._wall_time()
        expiry = min(self._new_expiry(), math.floor(self._now() + left))
        return _Proof(user, expiry, credential) if left > 0 else None

    def _credential(self, given: Mapping[str, Any]) -> CredentialRecord | None:
        """
        :raises WireError: 400, 404.
        """
        if "id" in given:
            found = self._bearers.credential(given["id"])
            if found is None:
                raise refusals.NO_APPLICATION_CREDENTIAL(given["id"])
            return found
        for name, what in (("name", "name or ID"), ("user", "user")):
            if not given.get(name):
                raise refusals.EXPECTED(what, "application credential")
        user = self._user(given["user"])
        every = [] if user is None else self._bearers.credentials_of(user.id)
        return next((each for each in every if each.name == given["name"]), None)

    def _check_token(self, given: dict[str, Any]) -> _Proof | None:
        # As in Keystone: a token from a token lives no longer than that token.
        token = self._bearers.record(given["id"])
        if token is None:
            raise refusals.NO_TOKEN()
        credential = self._bearers.credential(token.credential_id)
        return _Proof(self._directory.users.by_id[token.user_id], token.expires_at, credential)

    @endpoint(app, "/v3/auth/tokens", "GET")
    def validate(self, call: APIRequest) -> APIResponse:
        """Show a token's user, project and catalog."""
        subject, record = self._subject(call, "identity:validate_token")
        return APIResponse(200, self._describe(call, record), {"X-Subject-Token": subject})

    @endpoint(app, "/v3/auth/tokens", "DELETE")
    async def revoke(self, call: APIRequest) -> APIResponse:
        """Revoke a token."""
        subject, record = self._subject(call, "identity:revoke_token")
        now = self._now()
        await self._store.write(lambda store: store.revoked.add(subject, record.expires_at, now))
        self._bearers.forget(subject)
        return APIResponse(204)

    def _subject(self, call: APIRequest, policy: str) -> tuple[str, TokenRecord]:
        """
        :return: the token that a request is about, and its record.
        :raises WireError: 403, 404.
        """
        subject = call.header("X-Subject-Token")
        if subject is None:
            raise refusals.NOT_AUTHORIZED(policy)
        record = self._bearers.record(subject)
        if record is None:
            raise refusals.NO_TOKEN()
        privileged = call.requester.is_admin or "service" in call.requester.roles
        if record.user_id != call.requester.user_id and not privileged:
            raise refusals.NOT_AUTHORIZED(policy)
        return subject, record

    @endpoint(app, "/v3/auth/catalog", "GET")
    def show_catalog(self, call: APIRequest) -> APIResponse:
        """Show the catalog of the token's project."""
        if not call.requester.project_id:
            raise account_refusals.FORBIDDEN_BY_IDENTITY()
        links = {"self": f"{call.base}/identity/v3/auth/catalog"}
        found = catalog(call.base, call.requester.project_id)
        return APIResponse(200, {"catalog": found, "links": links})

    @endpoint(app, "/v3/auth/projects", "GET")
    def own_projects(self, call: APIRequest) -> APIResponse:
        """List the projects in which the user has a role."""
        user = self._directory.users.by_id[call.requester.user_id]
        projects = [self._directory.projects.by_id[each] for each in user.roles]
        views = [project_view(project, call.base) for project in projects]
        return APIResponse(200, {"projects": views, "links": list_links(call)})

    @endpoint(app, "/v3/auth/domains", "GET")
    def own_domains(self, call: APIRequest) -> APIResponse:
        """List the domains in which the user has a role: none."""
        return APIResponse(200, {"domains": [], "links": list_links(call)})

    def _shown_time(self, seconds: float) -> str:
        # Whole seconds, so that the two times of a token do not change from answer to answer.
        stepped = round(self._wall_time() - self._now())
        return identity_time(seconds + stepped)

    def _describe(self, call: APIRequest, record: TokenRecord) -> dict[str, Any]:
        user = self._directory.users.by_id[record.user_id]
        token: dict[str, Any] = {
            "methods": list(record.methods),
            "user": {
                "domain": DOMAIN,
                "id": user.id,
                "name": user.name,
                "password_expires_at": None,
            },
            "issued_at": self._shown_time(record.issued_at),
            "expires_at": self._shown_time(record.expires_at),
            "audit_ids": list(record.audit_ids),
        }
        credential = self._bearers.credential(record.credential_id)
        if record.project_id is not None:
            roles = user.roles[record.project_id] if credential is None else credential.roles
            token.update(self._describe_scope(record.project_id, effective(roles)))
            if "nocatalog" not in call.query():
                token["catalog"] = catalog(call.base, record.project_id)
        if credential is not None:
            token["application_credential"] = {
                "id": credential.credential_id,
                "name": credential.name,
                "restricted": not credential.unrestricted,
            }
        return {"token": token}

    def _describe_scope(self, project_id: str, roles: tuple[str, ...]) -> dict[str, Any]:
        project = self._directory.projects.by_id[project_id]
        return {
            "project": {"domain": DOMAIN, "id": project.id, "name": project.name},
            "is_domain": False,
            "roles": role_names(roles),
        }


__all__ = ["IdentityAPI"]
