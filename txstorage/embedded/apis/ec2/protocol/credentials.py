# -*- test-case-name: tests.embedded.ec2.test_signatures -*-
"""
The credentials of EC2's clients: one user's access key, and temporary ones that carry their end.

A temporary access key's secret follows from its id, and its session token signs both and the end,
so that nothing of them is stored.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode

import attr

from ....settings import EC2Settings

#: The account of all resources.
ACCOUNT = "000000000000"
#: The name of the role that nodes have.
ROLE = "txstorage"
_TEMPORARY = "ASIA"
_ID_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@attr.s(frozen=True, auto_attribs=True)
class TemporaryKey:
    """
    Temporary credentials.

    :ivar expires_at: seconds since the epoch.
    """

    access_key_id: str
    secret_access_key: str = attr.ib(repr=False)
    session_token: str = attr.ib(repr=False)
    expires_at: float


@attr.s(frozen=True, auto_attribs=True)
class KnownKey:
    """
    The credentials that a request names.

    :ivar session_token: of a temporary key.
    :ivar expires_at: seconds since the epoch; ``None`` when they never expire.
    """

    secret_access_key: str = attr.ib(repr=False)
    session_token: str | None = attr.ib(default=None, repr=False)
    expires_at: float | None = None


class ServedKeys:
    """
    Finds and makes credentials.

    :param settings: have the user's access key.
    """

    def __init__(self, settings: EC2Settings) -> None:
        self._settings = settings

    def _derive(self, *parts: str) -> str:
        key = self._settings.secret_access_key.encode("utf-8")
        digest = hmac.digest(key, "\0".join(parts).encode("utf-8"), "sha256")
        return urlsafe_b64encode(digest).decode("ascii").rstrip("=")

    def is_secret(self, text: str) -> bool:
        """Check whether a text is the user's secret access key."""
        expected = self._settings.secret_access_key.encode("utf-8")
        return hmac.compare_digest(text.encode("utf-8"), expected)

    def temporary(self, expires_at: float) -> TemporaryKey:
        """
        Make temporary credentials.

        :param expires_at: seconds since the epoch.
        """
        access_key_id = _TEMPORARY + "".join(secrets.choice(_ID_LETTERS) for _ in range(16))
        return TemporaryKey(
            access_key_id,
            self._derive("secret", access_key_id),
            self._token(access_key_id, str(int(expires_at))),
            float(int(expires_at)),
        )

    def _token(self, access_key_id: str, expires_at: str) -> str:
        return f"{expires_at}.{self._derive('token', access_key_id, expires_at)}"

    def find(self, access_key_id: str, session_token: str | None) -> KnownKey | None:
        """
        Find the credentials that a request names.

        :param session_token: the request's, if it has one.
        :return: ``None`` when there are none.
        """
        settings = self._settings
        if access_key_id == settings.access_key_id and session_token is None:
            return KnownKey(settings.secret_access_key)
        if not access_key_id.startswith(_TEMPORARY) or session_token is None:
            return None
        expires_at = session_token.partition(".")[0]
        expected = self._token(access_key_id, expires_at)
        if not hmac.compare_digest(session_token.encode("utf-8"), expected.encode("utf-8")):
            return None
        secret = self._derive("secret", access_key_id)
        return KnownKey(secret, session_token, float(expires_at))
