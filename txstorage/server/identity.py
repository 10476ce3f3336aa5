# -*- test-case-name: tests.server.test_identity -*-
"""
Identity v3: one user, one project, one application credential.

Tokens are random, and the store remembers only their digests.
"""

from __future__ import annotations

import hmac
import math
import secrets
import uuid
from datetime import datetime, timezone
from typing import Any, Callable, Dict, List, Mapping, Optional

import attr
from klein import Klein

from .catalog import catalog
from .records import Token
from .settings import DOMAIN, PROJECT, USER, Settings
from .store import Store
from .wire import Answer, Call, Service, Version, WireError, endpoint, new_app

_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    413: "Request Entity Too Large",
    500: "Internal Server Error",
}


def keystone_error(status: int, message: str) -> WireError:
    """An error in Keystone's form."""
    error = {"code": status, "message": message, "title": _TITLES[status]}
    return WireError(Answer(status, {"error": error}))


def unauthorized(call: Call) -> WireError:
    """401, which does not say what was wrong."""
    error = keystone_error(401, "The request you have made requires authentication.")
    uri = 'Keystone uri="{}/identity/v3"'.format(call.base)
    return WireError(error.answer.with_headers({"WWW-Authenticate": uri}))


@attr.s(frozen=True, auto_attribs=True)
class Ids:
    """The ids of what there is one of."""

    user: str
    project: str
    application_credential: str

    @classmethod
    def of(cls, store: Store) -> Ids:
        """Those in the store, made at the first time."""
        return cls(
            *(
                store.fact(name, lambda: uuid.uuid4().hex)
                for name in ("user_id", "project_id", "application_credential_id")
            )
        )


def _member(body: Mapping[str, Any], name: str) -> Dict[str, Any]:
    value = body.get(name)
    if not isinstance(value, dict):
        raise keystone_error(400, "{} must be an object.".format(name))
    return value


def _same(one: object, other: str) -> bool:
    """Compare a secret in a time that does not tell where they differ."""
    given = one if isinstance(one, str) else ""
    return hmac.compare_digest(given.encode("utf-8"), other.encode("utf-8"))


def _names(given: object, own_id: str, own_name: str) -> bool:
    """Whether an id, or a name and its domain, mean the user or project."""
    if not isinstance(given, dict):
        return False
    if "id" in given:
        return bool(given["id"] == own_id)
    domain = given.get("domain")
    return (
        given.get("name") == own_name
        and isinstance(domain, dict)
        and bool(domain.get("id") == DOMAIN["id"] or domain.get("name") == DOMAIN["name"])
    )


class Identity(Service):
    """
    Who may use the other services.

    :param store: where tokens are remembered.
    :param now: seconds since the epoch.
    """

    app: Klein = new_app()

    def __init__(self, store: Store, settings: Settings, now: Callable[[], float]) -> None:
        self.base_url = settings.base_url
        self.ids = Ids.of(store)
        self._store = store
        self._settings = settings
        self._now = now

    def admit(self, call: Call, segments: Dict[str, str], since: Version) -> Call:
        """Anybody may ask for a token."""
        return call

    def headers(self, call: Call) -> Mapping[str, str]:
        """See :class:`~txstorage.server.wire.Service`."""
        return {"Vary": "X-Auth-Token"}

    def refusal(self, error: WireError) -> Answer:
        """What was refused before it was understood is put Keystone's way."""
        answer = error.answer
        if "error" in answer.body:
            return answer
        return keystone_error(answer.status, "The request could not be understood.").answer

    def authenticate(self, call: Call) -> Token:
        """
        :return: the valid token that a call carries.
        :raises WireError: 401.
        """
        token = self._store.token(call.header("X-Auth-Token") or "")
        if token is None:
            raise unauthorized(call)
        return token

    @endpoint(app, "/v3/auth/tokens", "POST")
    def issue(self, call: Call) -> Answer:
        """A token for credentials."""
        auth = _member(call.json(), "auth")
        identity = _member(auth, "identity")
        methods = identity.get("methods")
        if not isinstance(methods, list) or not methods:
            raise keystone_error(400, "auth.identity.methods must name a method.")
        expiry = [self._verify(call, method, identity) for method in methods]
        scope = auth.get("scope", {"project": {"id": self.ids.project}})
        if not isinstance(scope, dict) or not _names(
            scope.get("project"), self.ids.project, PROJECT
        ):
            raise unauthorized(call)
        issued_at = math.floor(self._now())
        record = Token(float(issued_at), min(expiry), tuple(methods))
        token = secrets.token_urlsafe(96)
        self._store.add_token(token, record)
        return Answer(201, self._describe(call, record), {"X-Subject-Token": token})

    def _verify(self, call: Call, method: object, identity: Dict[str, Any]) -> float:
        """
        :return: until when the token may be valid.
        :raises WireError: 401.
        """
        checks: Dict[str, Callable[[Dict[str, Any]], Optional[float]]] = {
            "password": self._check_password,
            "application_credential": self._check_application_credential,
            "token": self._check_token,
        }
        check = checks.get(method) if isinstance(method, str) else None
        given = identity.get(method) if isinstance(method, str) else None
        expires_at = check(given) if check is not None and isinstance(given, dict) else None
        if expires_at is None:
            raise unauthorized(call)
        return expires_at

    def _new_expiry(self) -> float:
        return math.floor(self._now()) + self._settings.token_lifetime

    def _check_password(self, given: Dict[str, Any]) -> Optional[float]:
        user = given.get("user")
        if not isinstance(user, dict):
            return None
        right = _same(user.get("password"), self._settings.password)
        return self._new_expiry() if _names(user, self.ids.user, USER) and right else None

    def _check_application_credential(self, given: Dict[str, Any]) -> Optional[float]:
        if "id" in given:
            known = given["id"] == self.ids.application_credential
        else:
            known = given.get("name") == USER and _names(given.get("user"), self.ids.user, USER)
        right = _same(given.get("secret"), self._settings.application_secret)
        return self._new_expiry() if known and right else None

    def _check_token(self, given: Dict[str, Any]) -> Optional[float]:
        # As Keystone: a token got from a token lives no longer than that.
        token = self._store.token(str(given.get("id")))
        return None if token is None else token.expires_at

    @endpoint(app, "/v3/auth/tokens", "GET")
    def validate(self, call: Call) -> Answer:
        """What a token is good for."""
        self.authenticate(call)
        subject = call.header("X-Subject-Token") or ""
        record = self._store.token(subject)
        if record is None:
            raise keystone_error(404, "Could not find token.")
        return Answer(200, self._describe(call, record), {"X-Subject-Token": subject})

    @endpoint(app, "/v3/auth/tokens", "DELETE")
    def revoke(self, call: Call) -> Answer:
        """The end of a token."""
        self.authenticate(call)
        self._store.revoke(call.header("X-Subject-Token") or "")
        return Answer(204)

    def _describe(self, call: Call, record: Token) -> Dict[str, Any]:
        roles: List[Dict[str, str]] = [
            {"id": uuid.uuid5(uuid.NAMESPACE_URL, "txstorage:role:" + role).hex, "name": role}
            for role in self._settings.roles
        ]
        return {
            "token": {
                "methods": list(record.methods),
                "user": {
                    "domain": DOMAIN,
                    "id": self.ids.user,
                    "name": USER,
                    "password_expires_at": None,
                },
                "project": {"domain": DOMAIN, "id": self.ids.project, "name": PROJECT},
                "is_domain": False,
                "roles": roles,
                "issued_at": _instant(record.issued_at),
                "expires_at": _instant(record.expires_at),
                "audit_ids": [secrets.token_urlsafe(16)],
                "catalog": catalog(call.base, self.ids.project),
            }
        }


def _instant(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
