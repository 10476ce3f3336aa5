"""Tests of signed tokens."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

from hypothesis import given, settings
from hypothesis.strategies import characters, integers, text
from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.apis.identity.tokens import TokenSigner
from txstorage.embedded.store.records import TokenRecord

from ...helpers.properties import RELAXED
from ..support import CloudTests, password_auth

RECORD = TokenRecord(1000.0, 4600.5, ("token", "password"), ("b", "a"), "user", "mark")
TOKENS = "/identity/v3/auth/tokens"


class TokenSignerTests(SynchronousTestCase):
    """Tests of :class:`TokenSigner`."""

    def setUp(self) -> None:
        self.signer = TokenSigner(b"k" * 32)

    def test_record(self) -> None:
        """A token has its record."""
        self.assertEqual(self.signer.record(self.signer.token(RECORD)), RECORD)

    def test_former_format(self) -> None:
        """A token of an earlier release, which the same key has signed, has none."""
        fields = urlsafe_b64encode(b'[1000.0, 4600.5, ["password"], "random"]').decode()
        self.assertIs(self.signer.record(f"{fields}.{self.signer._signature(fields)}"), None)

    def test_other_key(self) -> None:
        """A token that another key has signed has none."""
        self.assertIs(TokenSigner(b"l" * 32).record(self.signer.token(RECORD)), None)

    @settings(**RELAXED)
    @given(integers(0), characters(codec="utf-8"))
    def test_changed(self, place: int, character: str) -> None:
        """A token with any character changed, left out or added has none."""
        token = self.signer.token(RECORD)
        place %= len(token)
        before, after = token[:place], token[place + 1 :]
        for changed in (
            before + character + after,
            before + after,
            before + character + token[place:],
        ):
            if changed != token:
                self.assertIs(self.signer.record(changed), None, changed)

    @settings(**RELAXED)
    @given(text())
    def test_anything(self, token: str) -> None:
        """Any other text has none."""
        self.assertIs(self.signer.record(token), None)

    def test_longer_life(self) -> None:
        """A token whose content was replaced has none."""
        content, _, signature = self.signer.token(RECORD).partition(".")
        longer = urlsafe_b64decode(content).replace(b"4600.5", b"9999.5")
        forged = urlsafe_b64encode(longer).decode() + "." + signature
        self.assertIs(self.signer.record(forged), None)


class LoginTests(CloudTests):
    """Tests of logins and the disk."""

    def test_nothing_is_written(self) -> None:
        """A login changes nothing in the database, so it succeeds when the disk is full."""
        self.cloud.store._database.only_read()
        got = self.ask("POST", TOKENS, password_auth())
        self.assertEqual(got.code, 201)
        self.token = got.headers["x-subject-token"]
        self.assertEqual(self.volumes("GET").code, 200)
