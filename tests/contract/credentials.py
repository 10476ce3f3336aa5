"""Identity: the credentials for other services."""

from __future__ import annotations

import hashlib

from txstorage.embedded.wire import account_refusals, refusals

from .case import MISSING, WireTests
from .record import compares
from .shapes import NULL, URL

_ONE = "/v3/credentials/<credential_id>"
_EC2 = "/v3/users/<user_id>/credentials/OS-EC2"
_LIST = {"credentials": [], "links": {"self": URL, "previous": NULL, "next": NULL}}


class OtherCredentialTests(WireTests):
    """Tests of a user without any."""

    @compares(
        "identity GET /v3/credentials",
        *(f"identity {method} {_ONE}" for method in ("GET", "PATCH", "DELETE")),
        *("NOT_AUTHORIZED", "NO_CREDENTIAL"),
    )
    async def test_credentials(self) -> None:
        """There are none; whether one exists is an administrator's business."""
        got = await self.identity("GET", "/credentials")
        self.assertEqual(got.status, 200)
        self.same_shape(got.body, _LIST)
        for method, action in (("GET", "get"), ("PATCH", "update"), ("DELETE", "delete")):
            body = {"credential": {"blob": "x"}} if method == "PATCH" else None
            path = "/credentials/" + MISSING
            got = await self.identity(method, path, body)
            self.refused(got, refusals.NOT_AUTHORIZED, f"identity:{action}_credential")
            got = await self.identity_as("admin", method, path, body)
            self.refused(got, account_refusals.NO_CREDENTIAL, MISSING)

    @compares(
        f"identity GET {_EC2}",
        *(f"identity {method} {_EC2}/<credential_id>" for method in ("GET", "DELETE")),
        *("NOT_AUTHORIZED", "NO_CREDENTIAL"),
    )
    async def test_ec2(self) -> None:
        """A user has none for EC2, and does not see another user's."""
        path = f"/users/{self.session.user_id}/credentials/OS-EC2"
        got = await self.identity("GET", path)
        self.assertEqual(got.status, 200)
        self.same_shape(got.body, _LIST)
        digest = hashlib.sha256(MISSING.encode("ascii")).hexdigest()
        for method in ("GET", "DELETE"):
            got = await self.identity(method, f"{path}/{MISSING}")
            self.refused(got, account_refusals.NO_CREDENTIAL, digest)
        other = (await self.session_of("other")).user_id
        got = await self.identity("GET", f"/users/{other}/credentials/OS-EC2")
        self.refused(got, refusals.NOT_AUTHORIZED, "identity:ec2_list_credentials")
