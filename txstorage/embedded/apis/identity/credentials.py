# -*- test-case-name: tests.embedded.apis.test_credentials -*-
"""
Identity's credentials for other services, those for EC2's signatures among them: none, and nobody
makes any, as in a cloud whose policy forbids it.
"""

from __future__ import annotations

import hashlib

from ...accounts.policy import ROUTES
from ...wire import account_refusals, refusals
from ...wire.exchange import APIRequest, APIResponse, WireError, endpoint
from ...wire.requests.routes import Routes
from .service import IdentityService
from .views import list_links

_EC2 = "/v3/users/<user_id>/credentials/OS-EC2"


class CredentialsAPI(IdentityService):
    """The credentials for other services."""

    app = Routes()

    @endpoint(app, "/v3/credentials", "GET")
    def credentials(self, call: APIRequest) -> APIResponse:
        """List the credentials: none."""
        return APIResponse(200, {"credentials": [], "links": list_links(call)})

    @endpoint(app, "/v3/credentials", "POST")
    def create(self, call: APIRequest) -> APIResponse:
        """Refuse to make a credential."""
        raise _forbidden(call)

    @endpoint(app, "/v3/credentials/<credential_id>", "GET", "PATCH", "DELETE")
    def credential(self, call: APIRequest, credential_id: str) -> APIResponse:
        """Look for a credential, of which an administrator learns that there is none."""
        if not call.requester.is_admin:
            raise _forbidden(call)
        raise account_refusals.NO_CREDENTIAL(credential_id)

    @endpoint(app, _EC2, "GET")
    def ec2_credentials(self, call: APIRequest, user_id: str) -> APIResponse:
        """List a user's credentials for EC2: none."""
        self.only_own(call, user_id)
        return APIResponse(200, {"credentials": [], "links": list_links(call)})

    @endpoint(app, _EC2, "POST")
    def create_for_ec2(self, call: APIRequest, user_id: str) -> APIResponse:
        """Refuse to make a credential for EC2."""
        raise _forbidden(call)

    @endpoint(app, _EC2 + "/<credential_id>", "GET", "DELETE")
    def ec2_credential(self, call: APIRequest, user_id: str, credential_id: str) -> APIResponse:
        """Look for a credential for EC2, of which there is none."""
        self.only_own(call, user_id)
        # Keystone keeps them by the digests of their ids, and shows these.
        digest = hashlib.sha256(credential_id.encode("utf-8")).hexdigest()
        raise account_refusals.NO_CREDENTIAL(digest)


def _forbidden(call: APIRequest) -> WireError:
    return refusals.NOT_AUTHORIZED(ROUTES["identity", call.route].name)


__all__ = ["CredentialsAPI"]
