"""Tests of Identity v3."""

from __future__ import annotations

from typing import Any

import attr
from treq.testing import StubTreq

from txstorage.embedded.accounts.directory import Ids
from txstorage.embedded.application import Application
from txstorage.embedded.machine.devices import FileDevices
from txstorage.embedded.machine.files import VolumeFiles

from ..support import CloudTests, Got, password_auth

TOKENS = "/identity/v3/auth/tokens"


class IssueTests(CloudTests):
    """Tests of issuing tokens."""

    settings: dict[str, Any] = {"token_lifetime": 100.0}

    def issue(self, body: Any) -> Got:
        """Request a token without having one."""
        self.token = None
        return self.ask("POST", TOKENS, body)

    def with_scope(self, scope: Any) -> Got:
        """Request a token with a scope."""
        body = password_auth()
        body["auth"]["scope"] = scope
        return self.issue(body)

    def assert_refused(self, got: Got) -> None:
        """Assert that a response is a 401 without a reason."""
        self.assertEqual(got.code, 401)
        self.assertEqual(
            got.body["error"],
            {
                "code": 401,
                "title": "Unauthorized",
                "message": "The request you have made requires authentication.",
            },
        )
        self.assertEqual(
            got.headers["www-authenticate"], 'Keystone uri="http://cloud.example/identity/v3"'
        )

    def test_issued(self) -> None:
        """
        The right password is 201, with the token in a header, and its details and expiry in the
        body.
        """
        got = self.issue(password_auth())
        self.assertEqual(got.code, 201)
        self.assertTrue(got.headers["x-subject-token"])
        self.assertEqual(got.headers["vary"], "X-Auth-Token")
        token = got.body["token"]
        self.assertEqual(token["methods"], ["password"])
        self.assertEqual(token["issued_at"], "1970-01-01T00:16:40.000000Z")
        self.assertEqual(token["expires_at"], "1970-01-01T00:18:20.000000Z")
        self.assertEqual([role["name"] for role in token["roles"]], ["member", "reader"])
        self.assertEqual(token["project"]["name"], "txstorage")

    def test_catalog(self) -> None:
        """
        The catalog has each service in three interfaces of the region; Block Storage also by its
        older type, with the project in its URL.
        """
        token = self.issue(password_auth()).body["token"]
        urls = {
            (service["type"], endpoint["interface"]): endpoint["url"]
            for service in token["catalog"]
            for endpoint in service["endpoints"]
            if endpoint["region"] == endpoint["region_id"] == "txstorage"
        }
        volume = "http://cloud.example/volume/v3"
        expected = {
            "identity": "http://cloud.example/identity/v3",
            "block-storage": volume,
            "volumev3": "{}/{}".format(volume, token["project"]["id"]),
            "compute": "http://cloud.example/compute/v2.1",
            "image": "http://cloud.example/image",
        }
        self.assertEqual(
            urls,
            {
                (kind, interface): url
                for kind, url in expected.items()
                for interface in ("public", "internal", "admin")
            },
        )

    def test_user_by_id(self) -> None:
        """A user can be identified by id, or by name with the domain's id."""
        user = Ids.of(self.cloud.store).user
        self.assertEqual(self.issue(password_auth(id=user)).code, 201)
        by_domain_id = password_auth(name="txstorage", domain={"id": "default"})
        self.assertEqual(self.issue(by_domain_id).code, 201)

    def test_wrong_user(self) -> None:
        """A wrong password or user is the same 401."""
        for body in (
            password_auth("guess"),
            password_auth(id="nobody"),
            password_auth(name="txstorage", domain={"name": "Other"}),
            password_auth(name="other", domain={"name": "Default"}),
            {"auth": {"identity": {"methods": []}}},
        ):
            self.assert_refused(self.issue(body))

    def test_scope(self) -> None:
        """The project can be identified by id, or by name and domain."""
        for project in (
            {"id": self.project},
            {"name": "txstorage", "domain": {"name": "Default"}},
        ):
            got = self.with_scope({"project": project})
            self.assertEqual(got.body["token"]["project"]["id"], self.project)

    def test_wrong_scope(self) -> None:
        """Any other project is refused."""
        for scope in (
            {"project": {"id": "other"}},
            {"system": {"all": True}},
        ):
            self.assert_refused(self.with_scope(scope))

    def test_malformed(self) -> None:
        """A malformed request for a token is 400 in Keystone's format."""
        for body in (
            b"",
            b"{",
            b"[]",
            {},
            {"auth": 1},
            {"auth": {}},
            {"auth": {"identity": 1}},
            {"auth": {"identity": {}}},
            {"auth": {"identity": {"methods": "password"}}},
            {"auth": {"identity": {"methods": [1]}}},
            {"auth": {"identity": {"methods": ["password"]}}},
            {"auth": {"identity": {"methods": ["password"], "password": 1}}},
            {"auth": {"identity": {"methods": ["password"], "password": {"user": "me"}}}},
            password_auth(None),  # type: ignore[arg-type]
            password_auth(name="txstorage"),
        ):
            got = self.issue(body)
            self.assertEqual((got.code, got.body["error"]["title"]), (400, "Bad Request"), body)

    def credential(self, **given: Any) -> Got:
        """Request a token with an application credential."""
        identity = {
            "methods": ["application_credential"],
            "application_credential": dict({"secret": "open barley"}, **given),
        }
        return self.issue({"auth": {"identity": identity}})

    def test_application_credential(self) -> None:
        """An application credential is identified by id, or by name and user."""
        ids = Ids.of(self.cloud.store)
        user = {"name": "txstorage", "domain": {"id": "default"}}
        for given in ({"id": ids.application_credential}, {"name": "txstorage", "user": user}):
            got = self.credential(**given)
            self.assertEqual(got.code, 201)
            self.assertEqual(got.body["token"]["methods"], ["application_credential"])

    def test_wrong_application_credential(self) -> None:
        """A wrong secret, name or user is 401; an unknown id is 404."""
        own = Ids.of(self.cloud.store).application_credential
        self.assert_refused(self.credential(id=own, secret="guess"))
        user = {"name": "nobody", "domain": {"id": "default"}}
        self.assert_refused(self.credential(name="txstorage", user=user))
        self.assert_refused(self.credential(name="other", user=dict(user, name="txstorage")))
        self.assertEqual(self.credential(name="txstorage").code, 400)
        got = self.credential(id="other")
        message = "Could not find Application Credential: other."
        self.assertEqual((got.code, got.message), (404, message))

    def test_token_for_token(self) -> None:
        """A token from a token expires with the first."""
        first = self.issue(password_auth())
        self.clock.advance(30)
        identity = {"methods": ["token"], "token": {"id": first.headers["x-subject-token"]}}
        got = self.issue({"auth": {"identity": identity}})
        self.assertEqual(got.code, 201)
        self.assertEqual(got.body["token"]["expires_at"], first.body["token"]["expires_at"])
        self.assertEqual(got.body["token"]["methods"], ["token", "password"])
        identity["token"] = {"id": "stale"}
        self.assertEqual(self.issue({"auth": {"identity": identity}}).code, 404)

    def test_unsupported(self) -> None:
        """An unknown method is 401, and the response lists the known ones."""
        got = self.issue({"auth": {"identity": {"methods": ["telepathy"], "telepathy": {}}}})
        self.assertEqual(got.code, 401)
        self.assertIn("password", got.body["error"]["identity"]["methods"])


class TokenTests(CloudTests):
    """Tests of a token's life."""

    settings: dict[str, Any] = {"token_lifetime": 100.0}

    def test_needed(self) -> None:
        """Without a valid token both services answer with Keystone's 401."""
        for token in (None, "guess"):
            self.token = token
            for got in (self.volumes("GET"), self.nova("GET", "/servers")):
                self.assertEqual((got.code, got.body["error"]["code"]), (401, 401))
                self.assertNotIn("openstack-api-version", got.headers)
                self.assertIn("www-authenticate", got.headers)

    def test_expires(self) -> None:
        """A token is valid until the time in its body."""
        self.clock.advance(99.4)
        self.assertEqual(self.volumes("GET").code, 200)
        self.clock.advance(0.1)
        self.assertEqual(self.volumes("GET").code, 401)

    def test_validate(self) -> None:
        """The bearer of a token can read the token's details."""
        got = self.ask("GET", TOKENS, X_Subject_Token=str(self.token))
        self.assertEqual(got.code, 200)
        self.assertEqual(got.headers["x-subject-token"], self.token)
        self.assertEqual(got.body["token"]["project"]["id"], self.project)
        self.assertEqual(self.ask("GET", TOKENS, X_Subject_Token="stale").code, 404)
        self.assertEqual(self.ask("GET", TOKENS).code, 403)

    def test_revoke(self) -> None:
        """A revoked token is no longer valid."""
        got = self.ask("DELETE", TOKENS, X_Subject_Token=str(self.token))
        self.assertEqual((got.code, got.body), (204, None))
        self.assertEqual(self.volumes("GET").code, 401)
        self.assertEqual(self.ask("DELETE", TOKENS).code, 401)

    def test_no_route(self) -> None:
        """An unknown path is a 404 page; a wrong method is 405."""
        got = self.ask("GET", "/identity/v3/nothing")
        self.assertEqual(got.code, 404)
        self.assertEqual(got.headers["content-type"], "text/html; charset=utf-8")
        got = self.ask("PATCH", TOKENS, {})
        self.assertEqual((got.code, list(got.body)), (405, ["message"]))
        self.assertIn("POST", got.headers["allow"])


class SecretTests(CloudTests):
    """Tests of the secrecy of passwords and tokens."""

    def test_repr(self) -> None:
        """The settings' repr shows no secret."""
        self.assertNotIn("open", repr(self.cloud.settings))


class SecretChangeTests(CloudTests):
    """Tests of tokens and changes of the user's secrets, which take effect at a start."""

    def restarted(self, **changes: str) -> int:
        """Restart with other secrets; return the status of a request with the first token."""
        settings = attr.evolve(self.cloud.settings, **changes)
        devices = FileDevices(VolumeFiles(self.cloud.devices_directory), "")
        application = Application(self.clock, self.cloud.store, devices, settings)
        self.treq = StubTreq(application.resource())
        return self.volumes("GET").code

    def test_same(self) -> None:
        """A token survives a restart with the same secrets."""
        self.assertEqual([self.restarted(), self.restarted()], [200, 200])

    def test_changed(self) -> None:
        """
        A token ends with a change of the password or of the application credential's secret, and
        stays invalid when the old ones return.
        """
        for changes in ({"password": "other"}, {"application_secret": "other"}):
            self.token = None
            auth = self.ask("POST", TOKENS, password_auth())
            self.token = auth.headers["x-subject-token"]
            self.assertEqual(self.restarted(), 200)
            self.assertEqual(self.restarted(**changes), 401, changes)
            self.assertEqual(self.restarted(), 401, changes)

    def test_not_stored(self) -> None:
        """The database does not hold the secrets themselves."""
        rows = self.cloud.store._database.execute("SELECT value FROM facts").fetchall()
        for row in rows:
            self.assertNotIn(self.cloud.settings.password, row[0])
            self.assertNotIn(self.cloud.settings.application_secret, row[0])
