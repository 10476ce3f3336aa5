# -*- test-case-name: tests.embedded.apis.test_identity -*-
"""
Identity v3: one user, one project, one application credential.

Tokens are signed; the store keeps only the digests of revoked ones.
"""

from __future__ import annotations

import hmac
import math
import uuid
from collections.abc import Mapping
from typing import Any, Callable

import attr
from klein import Klein
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from ..settings import DOMAIN, PROJECT, USER, Settings
from ..store.records import TokenRecord
from ..store.store import Store
from ..wire import refusals
from ..wire.exchange import (
    APIRequest,
    APIResponse,
    Service,
    UnreadableBody,
    Version,
    WireError,
    endpoint,
)
from ..wire.fields import identity_body
from ..wire.times import identity_time
from .catalog import catalog
from .tokens import TokenSigner, new_record, signing_key

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
#: The number of valid tokens that are remembered.
_REMEMBERED = 1000
#: The members of a scope, one of which it has.
_SCOPES = ("system", "project", "domain", "OS-TRUST:trust", "unscoped")
_EXPECTED_SCOPES = f"{', '.join(_SCOPES[:-1])} or {_SCOPES[-1]}"


def unauthorized(call: APIRequest, service: str = "identity") -> WireError:
    """A 401, which does not reveal the reason."""
    error = refusals.UNAUTHENTICATED[service]()
    uri = f'Keystone uri="{call.base}/identity/v3"'
    return WireError(error.answer.with_headers({"WWW-Authenticate": uri}))


@attr.s(frozen=True, auto_attribs=True)
class Ids:
    """The ids of the user, the project and the credential."""

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


def _part(body: Mapping[str, Any], name: str, where: str) -> dict[str, Any]:
    """The options of one method of authentication."""
    if name not in body:
        raise refusals.EXPECTED(name, where)
    part: dict[str, Any] = body[name]
    return part


def _same(one: object, other: str) -> bool:
    """Compare a secret in constant time."""
    given = one if isinstance(one, str) else ""
    return hmac.compare_digest(given.encode("utf-8"), other.encode("utf-8"))


def _names(given: dict[str, Any], what: str, own_id: str, own_name: str) -> bool:
    """
    Check whether an id, or a name and its domain, is that of the user or project.

    :param what: ``user`` or ``project``, for the error.
    :raises WireError: 400, for a name without a domain.
    """
    if "id" in given:
        return bool(given["id"] == own_id)
    domain = given.get("domain")
    if not isinstance(domain, dict):
        raise refusals.EXPECTED("domain", what)
    return given.get("name") == own_name and bool(
        domain.get("id") == DOMAIN["id"] or domain.get("name") == DOMAIN["name"]
    )


class IdentityAPI(Service):
    """
    The Identity API, which authenticates for the other services.

    :param store: keeps the ids, and the revoked tokens.
    :param now: returns the time by which tokens expire, in seconds since the epoch.
    :param wall_time: returns the time by which a client reads a token's times; by default ``now``.
    """

    app = Klein()

    def __init__(
        self,
        store: Store,
        settings: Settings,
        now: Callable[[], float],
        wall_time: Callable[[], float] | None = None,
    ) -> None:
        self.base_url = settings.base_url
        self.ids = Ids.of(store)
        # As in Keystone, the tokens of a user end with a change of the password.
        self._signer = TokenSigner(signing_key(store, settings))
        self._store = store
        self._settings = settings
        self._now = now
        self._wall_time = wall_time or now
        #: Tokens that were valid when they were last looked at, so that a request need not verify
        #: the signature again.
        self._valid: dict[str, TokenRecord] = {}

    def admit(self, call: APIRequest, segments: dict[str, str], since: Version) -> APIRequest:
        """Admit everybody: a request for a token needs none."""
        return call

    def headers(self, call: APIRequest) -> Mapping[str, str]:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        return {"Vary": "X-Auth-Token"}

    def too_large(self) -> WireError:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        return refusals.TOO_LARGE["identity"]()

    def unreadable(self, problem: UnreadableBody) -> WireError:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        if problem.kind == "empty":
            return refusals.EXPECTED("auth", "request body")
        return refusals.NO_JSON()

    def misplaced(self, call: APIRequest, problem: HTTPException) -> APIResponse:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        if call.too_large():
            return self.too_large().answer
        if isinstance(problem, MethodNotAllowed):
            allowed = ", ".join(sorted(problem.valid_methods or ()))
            answer = refusals.WRONG_METHOD().answer.with_headers({"Allow": allowed})
        else:
            answer = refusals.NO_ROUTE["identity"]().answer
        return answer.with_headers(self.headers(call))

    def fault(self) -> WireError:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        return refusals.IDENTITY_FAULT()

    def disk_full(self) -> WireError:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        return refusals.DISK_FULL["identity"]()

    def authenticate(self, call: APIRequest, service: str = "identity") -> TokenRecord:
        """
        :param service: the service of the request.
        :return: the valid token of a request.
        :raises WireError: 401.
        """
        token = self.valid_token(call.header("X-Auth-Token") or "")
        if token is None:
            raise unauthorized(call, service)
        return token

    def valid_token(self, token: str) -> TokenRecord | None:
        """:return: the record of a token that is neither forged nor expired nor revoked."""
        record = self._valid.get(token) or self._signer.record(token)
        if record is None or record.expires_at <= self._now():
            return None
        if token not in self._valid:
            if self._store.revoked.has(token):
                return None
            if len(self._valid) >= _REMEMBERED:
                self._valid.clear()
            self._valid[token] = record
        return record

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
        expiry = [self._verify(call, method, identity) for method in methods]
        scoped = self._check_scope(call, auth, methods)
        issued_at = math.floor(self._now())
        earlier = self.valid_token(identity["token"]["id"]) if "token" in methods else None
        record = new_record(float(issued_at), min(expiry), methods, earlier, scoped)
        headers = {"X-Subject-Token": self._signer.token(record)}
        return APIResponse(201, self._describe(call, record), headers)

    def _check_scope(self, call: APIRequest, auth: dict[str, Any], methods: list[str]) -> bool:
        """
        :return: whether the token is for the project, as it is without a scope.
        :raises WireError: 400, 401.
        """
        if "scope" not in auth:
            return True
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
            return False
        # The only other scope here is the project.
        known = named == ["project"] and _names(
            scope["project"], "project", self.ids.project, PROJECT
        )
        if not known:
            raise unauthorized(call)
        return True

    def _verify(self, call: APIRequest, method: str, identity: dict[str, Any]) -> float:
        """
        :return: the latest end of the token.
        :raises WireError: 400, 401, 404.
        """
        checks: dict[str, Callable[[dict[str, Any]], float | None]] = {
            "password": self._check_password,
            "application_credential": self._check_application_credential,
            "token": self._check_token,
        }
        if method not in checks:
            error = refusals.UNSUPPORTED_METHOD()
            raise WireError(error.answer.with_headers(unauthorized(call).answer.headers))
        expires_at = checks[method](_part(identity, method, "identity"))
        if expires_at is None:
            raise unauthorized(call)
        return expires_at

    def _new_expiry(self) -> float:
        return math.floor(self._now()) + self._settings.token_lifetime

    def _check_password(self, given: dict[str, Any]) -> float | None:
        if not isinstance(given.get("user"), dict):
            raise refusals.EXPECTED("user", "None")
        user = given["user"]
        known = _names(user, "user", self.ids.user, USER)
        right = _same(user.get("password"), self._settings.password)
        return self._new_expiry() if known and right else None

    def _check_application_credential(self, given: dict[str, Any]) -> float | None:
        if "id" in given:
            known = given["id"] == self.ids.application_credential
            if not known:
                raise refusals.NO_APPLICATION_CREDENTIAL(given["id"])
        else:
            for name, what in (("name", "name or ID"), ("user", "user")):
                if not given.get(name):
                    raise refusals.EXPECTED(what, "application credential")
            known = _names(given["user"], "user", self.ids.user, USER) and given["name"] == USER
        right = _same(given.get("secret"), self._settings.application_secret)
        return self._new_expiry() if known and right else None

    def _check_token(self, given: dict[str, Any]) -> float | None:
        # As in Keystone: a token from a token lives no longer than that token.
        token = self.valid_token(given["id"])
        if token is None:
            raise refusals.NO_TOKEN()
        return token.expires_at

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
        self._valid.pop(subject, None)
        return APIResponse(204)

    def _subject(self, call: APIRequest, policy: str) -> tuple[str, TokenRecord]:
        """
        :return: the token that a request is about, and its record.
        :raises WireError: 401, 403, 404.
        """
        self.authenticate(call)
        subject = call.header("X-Subject-Token")
        if subject is None:
            raise refusals.NOT_AUTHORIZED(policy)
        record = self.valid_token(subject)
        if record is None:
            raise refusals.NO_TOKEN()
        return subject, record

    def _shown_time(self, seconds: float) -> str:
        # Whole seconds, so that the two times of a token do not change from answer to answer.
        stepped = round(self._wall_time() - self._now())
        return identity_time(seconds + stepped)

    def _describe(self, call: APIRequest, record: TokenRecord) -> dict[str, Any]:
        token: dict[str, Any] = {
            "methods": list(record.methods),
            "user": {
                "domain": DOMAIN,
                "id": self.ids.user,
                "name": USER,
                "password_expires_at": None,
            },
            "issued_at": self._shown_time(record.issued_at),
            "expires_at": self._shown_time(record.expires_at),
            "audit_ids": list(record.audit_ids),
        }
        if record.scoped:
            token.update(self._describe_scope())
            if "nocatalog" not in call.query():
                token["catalog"] = catalog(call.base, self.ids.project)
        if "application_credential" in record.methods:
            token["application_credential"] = {
                "id": self.ids.application_credential,
                "name": USER,
                "restricted": True,
            }
        return {"token": token}

    def _describe_scope(self) -> dict[str, Any]:
        roles: list[dict[str, str]] = [
            {"id": uuid.uuid5(uuid.NAMESPACE_URL, "txstorage:role:" + role).hex, "name": role}
            for role in self._settings.roles
        ]
        return {
            "project": {"domain": DOMAIN, "id": self.ids.project, "name": PROJECT},
            "is_domain": False,
            "roles": roles,
        }
