# -*- test-case-name: tests.embedded.apis.test_identity -*-
"""
Tokens and the users that they stand for.

A token ends with the secret that led to it, with the user's last role in its project, and with its
application credential.
"""

from __future__ import annotations

from collections.abc import Callable

from ...accounts.directory import Directory, UserEntry
from ...accounts.requester import Requester
from ...accounts.roles import effective
from ...settings import Settings
from ...store.projects.credentials import CredentialRecord
from ...store.records import TokenRecord
from ...store.store import Store
from ...wire import refusals
from ...wire.exchange import APIRequest, WireError
from .tokens import TokenSigner, signing_key

#: The number of valid tokens that are remembered.
_REMEMBERED = 1000


def unauthorized(call: APIRequest, service: str = "identity") -> WireError:
    """A 401, which does not reveal the reason."""
    error = refusals.UNAUTHENTICATED[service]()
    uri = f'Keystone uri="{call.base}/identity/v3"'
    return WireError(error.answer.with_headers({"WWW-Authenticate": uri}))


class Bearers:
    """
    Finds the users of tokens.

    :ivar directory: of all users.
    :ivar signer: signs tokens.
    :ivar now: returns the monotonic time in seconds.
    :ivar wall_time: returns seconds since the epoch; by default the monotonic time.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        now: Callable[[], float],
        wall_time: Callable[[], float] | None = None,
    ) -> None:
        self.directory = Directory.of(store, settings)
        self.signer = TokenSigner(signing_key(store, settings))
        self.now = now
        self.wall_time = wall_time or now
        self._store = store
        self._settings = settings
        # A token that was valid stays so until it expires or is revoked, so there is no need to
        # check the signature again.
        self._valid: dict[str, tuple[TokenRecord, Requester]] = {}

    def own_credential(self) -> CredentialRecord:
        """:return: the first user's application credential, which is not in the store."""
        ids = self.directory.ids
        user = self.directory.users.by_id[ids.user]
        secret = self._settings.application_secret
        return CredentialRecord(
            ids.application_credential,
            *(ids.user, ids.project, user.name, None),
            salt="",
            digest=secret,
            roles=effective(user.roles[ids.project]),
            expires_at=None,
            unrestricted=False,
        )

    def credential(self, credential_id: object) -> CredentialRecord | None:
        """:return: an application credential, or ``None`` when there is none."""
        if credential_id == self.directory.ids.application_credential:
            return self.own_credential()
        return (
            self._store.credentials.find(credential_id) if isinstance(credential_id, str) else None
        )

    def credentials_of(self, user_id: str) -> list[CredentialRecord]:
        """:return: all application credentials of a user, the oldest first."""
        own = [self.own_credential()] if user_id == self.directory.ids.user else []
        return own + self._store.credentials.of_user(user_id)

    def mark(self, user: UserEntry, credential: CredentialRecord | None) -> str:
        """:return: the mark of the secret that leads to a token."""
        return self.signer.mark(user.password if credential is None else credential.digest)

    def record(self, token: str) -> TokenRecord | None:
        """:return: the record of a token that is neither forged nor expired nor revoked."""
        found = self._known(token)
        return None if found is None else found[0]

    def requester(self, call: APIRequest, service: str) -> Requester:
        """
        :param service: the service of the request.
        :return: the user of the request's token.
        :raises WireError: 401.
        """
        found = self._known(call.header("X-Auth-Token") or "")
        if found is None:
            raise unauthorized(call, service)
        return found[1]

    def reload(self) -> None:
        """Read what requests change of users and projects anew, and check every token anew."""
        self.directory = Directory.of(self._store, self._settings, self.directory.ids)
        self.forget()

    def forget(self, token: str | None = None) -> None:
        """Check a token anew at its next use; without one, every token."""
        if token is None:
            self._valid.clear()
        else:
            self._valid.pop(token, None)

    def _known(self, token: str) -> tuple[TokenRecord, Requester] | None:
        known = self._valid.get(token)
        record = known[0] if known else self.signer.record(token)
        if record is None or record.expires_at <= self.now():
            return None
        if known is None:
            requester = self._requester(record)
            if requester is None or self._store.revoked.has(token):
                return None
            if len(self._valid) >= _REMEMBERED:
                self._valid.clear()
            known = self._valid[token] = (record, requester)
        return known

    def _requester(self, record: TokenRecord) -> Requester | None:
        user = self.directory.users.find(record.user_id)
        credential = self.credential(record.credential_id)
        if user is None or (record.credential_id is not None and credential is None):
            return None
        requester = self.requester_of(user, record.project_id, credential)
        if requester is None or record.secret != self.mark(user, credential):
            return None
        return requester

    def requester_of(
        self, user: UserEntry, project_id: str | None, credential: CredentialRecord | None
    ) -> Requester | None:
        """
        :param project_id: ``None``: of no project.
        :return: a user with the roles in a project; ``None``, when there are none.
        """
        roles = None if credential is None else credential.roles
        requester = self.directory.requester(user, project_id, roles)
        return requester if project_id is None or requester.roles else None


__all__ = ["Bearers", "unauthorized"]
