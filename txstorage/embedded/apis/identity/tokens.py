# -*- test-case-name: tests.embedded.apis.test_tokens -*-
"""
Tokens that carry their own record, under a signature.

Issuing one changes nothing on the disk, so a user can log in, and make room, when the disk is full.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from ...settings import Settings
from ...store.records import TokenRecord
from ...store.store import Store

_FIELDS = (
    *("issued_at", "expires_at", "methods", "audit_ids", "user_id", "secret", "project_id"),
    "credential_id",
)


def signing_key(store: Store, settings: Settings) -> bytes:
    """
    Derive the key of the tokens from the user's secrets, and from a random part in the store:
    neither is enough.  A change of a secret ends all tokens for good: it makes a new random part.
    """
    key, binding = _derive(store.fact("token_key", _random), settings)
    with store.transaction():
        if store.fact("token_binding", lambda: binding) != binding:
            key, binding = _derive(store.set_fact("token_key", _random()), settings)
            store.set_fact("token_binding", binding)
    return key


def _random() -> str:
    return secrets.token_hex(32)


def _derive(salt: str, settings: Settings) -> tuple[bytes, str]:
    """:return: a key, and a text that changes with the secrets and reveals neither them nor it."""
    both = "\0".join((settings.password, settings.application_secret))
    derived = hashlib.scrypt(
        both.encode("utf-8", "surrogateescape"), salt=salt.encode("ascii"), n=2**11, r=8, p=1
    )
    return derived[:32], derived[32:].hex()


def new_record(
    issued_at: float,
    expires_at: float,
    methods: list[str],
    earlier: TokenRecord | None,
    **whose: Any,
) -> TokenRecord:
    """
    Make the record of a new token.

    :param earlier: the token with which the new one was requested, if any.
    :param whose: the fields that name the user, the secret and the project.
    """
    # A token keeps the methods of the token before it, and the audit id of the first.
    before = () if earlier is None else earlier.methods
    audit_ids = (secrets.token_urlsafe(16), *(() if earlier is None else earlier.audit_ids[-1:]))
    every = (*methods, *(method for method in before if method not in methods))
    return TokenRecord(issued_at, expires_at, every, audit_ids, **whose)


class TokenSigner:
    """
    Makes and reads tokens.

    :param key: secret.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def token(self, record: TokenRecord) -> str:
        """Make the token with a record, whose own audit id no other has."""
        fields = [getattr(record, name) for name in _FIELDS]
        content = urlsafe_b64encode(json.dumps(fields).encode("ascii")).decode("ascii")
        return f"{content}.{self._signature(content)}"

    def record(self, token: str) -> TokenRecord | None:
        """:return: the record of a token that this key has signed, or ``None``."""
        content, _, signature = token.partition(".")
        if not hmac.compare_digest(signature.encode("utf-8"), self._signature(content).encode()):
            return None
        fields = json.loads(urlsafe_b64decode(content))
        if len(fields) != len(_FIELDS):
            # Of an earlier release.
            return None
        issued_at, expires_at, methods, audit_ids, *whose = fields
        return TokenRecord(issued_at, expires_at, tuple(methods), tuple(audit_ids), *whose)

    def mark(self, secret: str) -> str:
        """
        :param secret: a password, or what a credential's secret was digested to.
        :return: a text that changes with the secret and does not reveal it.
        """
        return self._signature("secret:" + secret)[:16]

    def _signature(self, content: str) -> str:
        digest = hmac.digest(self._key, content.encode("utf-8", "surrogateescape"), "sha256")
        return urlsafe_b64encode(digest).decode("ascii").rstrip("=")
