"""Tests of Identity's credentials for other services, which nobody makes."""

from __future__ import annotations

from ..support import CloudTests


class CredentialTests(CloudTests):
    """Tests of an administrator, who may do the most."""

    settings = {"roles": ("admin",)}

    def test_refused(self) -> None:
        """A credential is not made, and there is none afterwards."""
        token = self.ask("GET", "/identity/v3/auth/tokens", X_Subject_Token=str(self.token))
        own = f"/identity/v3/users/{token.body['token']['user']['id']}/credentials/OS-EC2"
        for path, body, action in (
            ("/identity/v3/credentials", {"credential": {"type": "cert"}}, "create_credential"),
            (own, {"tenant_id": self.project}, "ec2_create_credential"),
        ):
            got = self.ask("POST", path, body)
            self.assertEqual(got.code, 403)
            self.assertIn(f"identity:{action}", got.message)
            self.assertEqual(self.ask("GET", path).body["credentials"], [])
