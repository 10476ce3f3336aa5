# -*- test-case-name: tests.embedded.apis.test_accounts -*-
"""Identity v3's application credentials, which users make for themselves."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping
from typing import Any

from ...accounts.roles import IMPLIED, effective
from ...store.projects.credentials import CredentialRecord
from ...store.store import Store
from ...wire import account_refusals, refusals
from ...wire.exchange import APIRequest, APIResponse, UnreadableBody, WireError, endpoint
from ...wire.fields import identity_body
from ...wire.requests.routes import Routes
from ...wire.times import microseconds
from .bearers import Bearers
from .digests import digest_of
from .service import IdentityService
from .views import credential_view, list_links

_ALL = "/v3/users/<user_id>/application_credentials"
_ONE = _ALL + "/<credential_id>"
_BODY = identity_body(
    {
        "type": "object",
        "properties": {
            "application_credential": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "description": {"type": ["string", "null"]},
                    "secret": {"type": ["string", "null"]},
                    "expires_at": {"type": ["string", "null"]},
                    "roles": {"type": "array", "items": {"type": "object"}},
                    "unrestricted": {"type": ["boolean", "null"]},
                },
            }
        },
        "required": ["application_credential"],
    }
)
_MICROSECONDS = 10**6


class ApplicationCredentialsAPI(IdentityService):
    """The application credentials of users."""

    app = Routes()

    def __init__(self, store: Store, bearers: Bearers, base_url: str | None) -> None:
        super().__init__(bearers, base_url)
        self._store = store

    def unreadable(self, problem: UnreadableBody) -> WireError:
        """See :class:`~txstorage.embedded.wire.exchange.Service`."""
        if problem.kind == "empty":
            return refusals.MISSING_PROPERTY("", "application_credential")
        return super().unreadable(problem)

    @endpoint(app, _ALL, "GET")
    def list_own(self, call: APIRequest, user_id: str) -> APIResponse:
        """List a user's application credentials."""
        self.only_own(call, user_id)
        name = call.query().get("name")
        found = [
            each
            for each in self._bearers.credentials_of(user_id)
            if name is None or each.name == name
        ]
        views = [credential_view(each, call.base) for each in found]
        return APIResponse(200, {"application_credentials": views, "links": list_links(call)})

    @endpoint(app, _ONE, "GET")
    def show(self, call: APIRequest, user_id: str, credential_id: str) -> APIResponse:
        """Show an application credential."""
        self.only_own(call, user_id)
        found = self._found(user_id, credential_id)
        return APIResponse(200, {"application_credential": credential_view(found, call.base)})

    def _found(self, user_id: str, credential_id: str) -> CredentialRecord:
        found = self._bearers.credential(credential_id)
        if found is None or found.user_id != user_id:
            raise refusals.NO_APPLICATION_CREDENTIAL(credential_id)
        return found

    @endpoint(app, _ALL, "POST")
    async def create(self, call: APIRequest, user_id: str) -> APIResponse:
        """Make an application credential for the project of the token, and show its secret."""
        self.only_own(call, user_id, admin=False)
        self._refuse_restricted(call)
        body = call.json()
        _BODY.check(body)
        wanted = body["application_credential"]
        if not wanted.get("name"):
            raise account_refusals.MISSING_CREDENTIAL_NAME(wanted)
        secret = wanted.get("secret") or secrets.token_urlsafe(64)
        new = self._new(call, user_id, wanted, secret)

        def change(store: Store) -> None:
            own = user_id == self._directory.ids.user and self._bearers.own_credential()
            taken = {each.name for each in store.credentials.of_user(user_id)}
            if new.name in taken or (own and own.name == new.name):
                raise account_refusals.DUPLICATE_CREDENTIAL(new.name)
            store.credentials.add(new)

        await self._store.write(change)
        view = {**credential_view(new, call.base), "secret": secret}
        return APIResponse(201, {"application_credential": view})

    def _refuse_restricted(self, call: APIRequest) -> None:
        """
        :raises WireError: 403, for a token of a credential that may not make others, and one
            without a project.
        """
        record = self._bearers.record(call.header("X-Auth-Token") or "")
        credential = None if record is None else self._bearers.credential(record.credential_id)
        if credential is not None and not credential.unrestricted:
            raise account_refusals.RESTRICTED_CREDENTIAL()
        if not call.requester.project_id:
            raise account_refusals.FORBIDDEN_BY_IDENTITY()

    def _new(
        self, call: APIRequest, user_id: str, wanted: Mapping[str, Any], secret: str
    ) -> CredentialRecord:
        salt = uuid.uuid4().hex
        return CredentialRecord(
            credential_id=uuid.uuid4().hex,
            user_id=user_id,
            project_id=call.requester.project_id,
            name=wanted["name"],
            description=wanted.get("description"),
            salt=salt,
            digest=digest_of(secret, salt),
            roles=self._roles(wanted.get("roles"), call.requester.roles),
            expires_at=self._expiry(wanted.get("expires_at")),
            unrestricted=wanted.get("unrestricted"),
        )

    def _roles(
        self, wanted: list[Mapping[str, Any]] | None, own: frozenset[str]
    ) -> tuple[str, ...]:
        """
        :return: the roles of a credential; by default all that the token has.
        :raises WireError: 400, 404.
        """
        if not wanted:
            return tuple(role for role in IMPLIED if role in own)
        names = []
        for each in wanted:
            known = self._directory.roles
            role = known.find(each["id"]) if "id" in each else known.named(each.get("name"))
            if role is None:
                raise account_refusals.UNDEFINED_ROLE(each.get("id", each.get("name")))
            names.append(role.name)
        if not own.issuperset(names):
            raise account_refusals.UNASSIGNED_ROLE()
        return effective(names)

    def _expiry(self, text: str | None) -> float | None:
        """
        :raises WireError: 400.
        """
        if text is None:
            return None
        instant = microseconds(text)
        if instant is None:
            raise account_refusals.BAD_EXPIRY()
        if instant < self._bearers.wall_time() * _MICROSECONDS:
            raise account_refusals.EXPIRY_IS_PAST()
        return instant / _MICROSECONDS

    @endpoint(app, _ONE, "DELETE")
    async def delete(self, call: APIRequest, user_id: str, credential_id: str) -> APIResponse:
        """Delete an application credential, which ends its tokens."""
        self.only_own(call, user_id)
        found = self._found(user_id, credential_id)
        if found.credential_id == self._directory.ids.application_credential:
            # The service itself has it in a file.
            raise refusals.NOT_AUTHORIZED("identity:delete_application_credential")
        await self._store.write(lambda store: store.credentials.remove(credential_id))
        self._bearers.forget()
        return APIResponse(204)


__all__ = ["ApplicationCredentialsAPI"]
