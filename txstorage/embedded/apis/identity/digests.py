# -*- test-case-name: tests.embedded.apis.test_accounts -*-
"""The comparison of secrets, and the digests of those that the store keeps."""

from __future__ import annotations

import hashlib
import hmac

from ...store.projects.credentials import CredentialRecord


def same(one: object, other: str) -> bool:
    """Compare a secret in constant time."""
    given = one if isinstance(one, str) else ""
    return bool(other) and hmac.compare_digest(
        given.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogateescape")
    )


def digest_of(secret: str, salt: str) -> str:
    """:return: what the store keeps of an application credential's secret."""
    content = secret.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(content, salt=salt.encode("ascii"), n=2**11, r=8, p=1, dklen=32).hex()


def has_secret(credential: CredentialRecord, secret: object) -> bool:
    """Check a secret.  A credential without a salt has its secret in a file, not in the store."""
    if not credential.salt:
        return same(secret, credential.digest)
    return isinstance(secret, str) and same(digest_of(secret, credential.salt), credential.digest)


__all__ = ["digest_of", "has_secret", "same"]
