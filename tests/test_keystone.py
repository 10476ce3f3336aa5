# -*- coding: utf-8 -*-
"""
Credentials, tokens, the catalog and sessions.
"""

from __future__ import absolute_import, division, print_function

import json

from eliot.testing import capture_logging
from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase

from txstorage import errors
from txstorage.services.openstack._catalog import (
    Endpoint,
    catalog_from_wire,
    choose_endpoint,
    versioned,
)
from txstorage.services.openstack.keystone import (
    Credentials,
    Identity,
    Session,
    Token,
    identity_url,
)

from .wire import CATALOG, HANG, PROJECT, VOLUMES, Answer, Wire, catalog, error, token_answer

SECRET = u"hunter2"
TYPES = (u"block-storage", u"volumev3")
BY_PASSWORD = Credentials.password(SECRET, username=u"flocker", project_name=u"demo")

UNAUTHORIZED = error(401, u"error", u"The request you have made requires authentication.")


class CredentialsTests(SynchronousTestCase):
    """Who asks, on the wire and in messages."""

    def test_password_by_name(self):
        """A user and a project by name are in the default domain."""
        self.assertEqual(
            BY_PASSWORD.to_wire(),
            {
                u"auth": {
                    u"identity": {
                        u"methods": [u"password"],
                        u"password": {
                            u"user": {
                                u"name": u"flocker",
                                u"domain": {u"id": u"default"},
                                u"password": SECRET,
                            }
                        },
                    },
                    u"scope": {
                        u"project": {u"name": u"demo", u"domain": {u"id": u"default"}}
                    },
                }
            },
        )

    def test_password_with_domains_and_ids(self):
        """Domains may be given by name or id, and an id needs none."""
        wire = Credentials.password(
            SECRET,
            username=u"flocker",
            user_domain_name=u"people",
            project_name=u"demo",
            project_domain_id=u"d1",
            project_domain_name=u"ignored",
        ).to_wire()[u"auth"]
        self.assertEqual(
            wire[u"identity"][u"password"][u"user"][u"domain"], {u"name": u"people"}
        )
        self.assertEqual(wire[u"scope"][u"project"][u"domain"], {u"id": u"d1"})
        wire = Credentials.password(SECRET, user_id=u"u1", project_id=u"p1").to_wire()[u"auth"]
        self.assertEqual(
            wire[u"identity"][u"password"][u"user"], {u"id": u"u1", u"password": SECRET}
        )
        self.assertEqual(wire[u"scope"], {u"project": {u"id": u"p1"}})

    def test_unscoped(self):
        """Without a project no scope is asked for."""
        self.assertNotIn(u"scope", Credentials.password(SECRET, user_id=u"u").to_wire()[u"auth"])

    def test_application_credential(self):
        """By id alone, or by name with the user; never with a scope."""
        self.assertEqual(
            Credentials.application_credential(SECRET, id=u"a1", username=u"x").to_wire(),
            {
                u"auth": {
                    u"identity": {
                        u"methods": [u"application_credential"],
                        u"application_credential": {u"id": u"a1", u"secret": SECRET},
                    }
                }
            },
        )
        by_name = Credentials.application_credential(
            SECRET, name=u"mine", username=u"flocker", user_domain_id=u"d1"
        )
        self.assertEqual(
            by_name.to_wire()[u"auth"][u"identity"][u"application_credential"],
            {
                u"name": u"mine",
                u"secret": SECRET,
                u"user": {u"name": u"flocker", u"domain": {u"id": u"d1"}},
            },
        )

    def test_token(self):
        """A token is exchanged for one of the project."""
        wire = Credentials.token(SECRET, project_id=u"p1").to_wire()[u"auth"]
        self.assertEqual(
            wire[u"identity"], {u"methods": [u"token"], u"token": {u"id": SECRET}}
        )
        self.assertEqual(wire[u"scope"], {u"project": {u"id": u"p1"}})

    def test_secret_is_read_each_time(self):
        """A secret in a file may change, so that it is asked for each time."""
        secrets = [u"first", u"second"]
        credentials = Credentials.password(lambda: secrets.pop(0), user_id=u"u1")
        found = [
            credentials.to_wire()[u"auth"][u"identity"][u"password"][u"user"][u"password"]
            for _ in range(2)
        ]
        self.assertEqual(found, [u"first", u"second"])

    def test_description_and_repr(self):
        """People see who asks for what, and never a secret."""
        for credentials, expected in [
            (BY_PASSWORD, u"user 'flocker', project 'demo'"),
            (Credentials.password(SECRET, user_id=u"u1"), u"user 'u1'"),
            (
                Credentials.application_credential(SECRET, name=u"mine", username=u"é"),
                u"application credential 'mine', user 'é'",
            ),
            (Credentials.token(SECRET), u"the given token"),
            (Credentials.none(SECRET), u"the given token"),
        ]:
            self.assertEqual(credentials.describe(), expected)
            self.assertNotIn(SECRET, repr(credentials))


class TokenTests(SynchronousTestCase):
    """What Keystone answers."""

    def test_from_wire(self):
        """Names, project and lifetime are taken; the token itself is not shown."""
        token = Token.from_wire(u"tok-1", token_answer("tok-1").body[u"token"])
        self.assertEqual(
            (token.secret, token.user_name, token.project_name, token.project_id),
            (u"tok-1", u"flocker", u"demo", PROJECT),
        )
        self.assertEqual(token.lifetime, 3600.0)
        self.assertEqual(len(token.catalog), 3)
        self.assertNotIn("tok-1", repr(token))

    def test_little(self):
        """A token without a project, times or a catalog is a token."""
        for wire in (
            {},
            {u"project": None, u"user": [], u"issued_at": 1, u"expires_at": None},
            {u"issued_at": u"yesterday", u"expires_at": u"2026-11-22T16:00:00Z"},
            {u"catalog": {}, u"issued_at": u"2026-11-22T16:00:00Z"},
        ):
            self.assertEqual(Token.from_wire(u"t", wire), Token(u"t"))

    def test_ended_before_it_began(self):
        """A lifetime is never negative."""
        wire = {u"issued_at": u"2026-11-22T16:00:00Z", u"expires_at": u"2026-11-22T15:00:00Z"}
        self.assertEqual(Token.from_wire(u"t", wire).lifetime, 0.0)


class CatalogTests(SynchronousTestCase):
    """Which endpoint is taken."""

    def test_from_wire(self):
        """Entries become endpoints; what is not one is left out."""
        wire = CATALOG[1:2] + [
            7,
            {u"type": u"x"},
            {u"type": u"x", u"endpoints": [7, {}, {u"interface": u"public", u"url": None}]},
            {u"type": None, u"endpoints": [{u"interface": u"public", u"url": u"u"}]},
            {u"type": u"y", u"endpoints": [{u"interface": u"public", u"url": u"http://y"}]},
            {
                u"type": u"z",
                u"endpoints": [{u"interface": u"admin", u"url": u"z", u"region": u"old"}],
            },
        ]
        self.assertEqual(
            catalog_from_wire(wire),
            (
                Endpoint(u"block-storage", u"public", u"RegionOne", u"http://cloud" + VOLUMES),
                Endpoint(u"y", u"public", u"", u"http://y"),
                Endpoint(u"z", u"admin", u"old", u"z"),
            ),
        )

    def choose(self, services, types=TYPES, interface=u"public", region=None):
        """Choose from a catalog."""
        return choose_endpoint(catalog_from_wire(catalog(*services)), types, interface, region)

    def test_preferred_type(self):
        """The first type that the catalog has is taken, whatever the order there."""
        services = [
            (u"volumev3", u"public", u"r1", u"http://second"),
            (u"block-storage", u"public", u"r1", u"http://first"),
        ]
        self.assertEqual(self.choose(services), u"http://first")
        self.assertEqual(self.choose(services[:1]), u"http://second")

    def test_interface_and_region(self):
        """Interface and region choose among several."""
        services = [
            (u"volumev3", interface, region, u"http://{}.{}".format(interface, region))
            for interface in (u"public", u"internal")
            for region in (u"r1", u"r2")
        ]
        self.assertEqual(
            self.choose(services, interface=u"internal", region=u"r2"), u"http://internal.r2"
        )

    def test_several_regions(self):
        """Without a region there must be only one, or the error names them."""
        services = [
            (u"volumev3", u"public", u"r2", u"http://2"),
            (u"volumev3", u"public", u"r1", u"http://1"),
        ]
        caught = self.assertRaises(errors.EndpointMissing, self.choose, services)
        self.assertIn(u"r1, r2", caught.message)

    def test_missing(self):
        """The error says what was looked for and what there is."""
        services = [
            (u"compute", u"public", u"r1", u"http://1"),
            (u"volumev3", u"admin", None, u"http://2"),
        ]
        caught = self.assertRaises(errors.EndpointMissing, self.choose, services, region=u"r9")
        for part in (
            u"block-storage or volumev3",
            u"interface public",
            u"region r9",
            u"compute (public, r1)",
            u"volumev3 (admin, no region)",
        ):
            self.assertIn(part, caught.message)
        caught = self.assertRaises(errors.EndpointMissing, self.choose, [])
        self.assertIn(u"nothing", caught.message)

    def test_versioned(self):
        """A version is added where the catalog leaves it out, and slashes are cut."""
        for url, expected in [
            (u"http://v3/volume", u"http://v3/volume/v3"),
            (u"http://cloud/v3/" + PROJECT, u"http://cloud/v3/" + PROJECT),
            (u"http://cloud/compute/v2.1/", u"http://cloud/compute/v2.1"),
            (u"http://cloud:8776/", u"http://cloud:8776/v3"),
        ]:
            self.assertEqual(versioned(url, u"v3"), expected)

    def test_identity_url(self):
        """The URL of Keystone may come with any version or none."""
        for path in (u"", u"/", u"/v3", u"/v3/", u"/v2.0"):
            self.assertEqual(identity_url(u"http://k:5000" + path), u"http://k:5000/v3")
        self.assertEqual(identity_url(u"http://k/identity"), u"http://k/identity/v3")


class SessionTests(SynchronousTestCase):
    """Requests in the name of a user."""

    def session(self, *script, **options):
        """A session whose services answer from a script."""
        self.wire = Wire(*script)
        options.setdefault("auth_url", u"http://cloud/identity")
        options.setdefault("credentials", BY_PASSWORD)
        return Session(self.wire.clock, self.wire.http, **options)

    def ask(self, session, path=u"/volumes", **options):
        """Ask the block storage service."""
        return session.request(TYPES, u"GET", path, **options)

    def tokens(self):
        """Which token each request to a service came with."""
        return [
            seen.header(u"x-auth-token")
            for seen in self.wire.service.seen
            if not seen.target.endswith(u"/auth/tokens")
        ]

    def logins(self):
        """How often a token was asked for."""
        return self.wire.service.targets().count(u"POST /identity/v3/auth/tokens")

    def test_request(self):
        """A token is got first, and the request goes to the catalog's endpoint with it."""
        session = self.session(token_answer("tok-1"), Answer(200, {u"a": 1}))
        response = self.successResultOf(
            self.ask(session, params=[(u"x", u"1")], microversion=u"volume 3.5")
        )
        self.assertEqual(response.body, {u"a": 1})
        self.assertEqual(
            self.wire.service.targets(),
            [u"POST /identity/v3/auth/tokens", u"GET {}/volumes?x=1".format(VOLUMES)],
        )
        login, asked = self.wire.service.seen
        self.assertEqual(login.body, BY_PASSWORD.to_wire())
        self.assertEqual(asked.header(u"x-auth-token"), u"tok-1")
        self.assertEqual(asked.header(u"openstack-api-version"), u"volume 3.5")

    def test_mutation(self):
        """Method, body and expected statuses are passed on."""
        session = self.session(token_answer("t"), Answer(300, {}))
        asked = session.request(
            (u"compute",), u"POST", u"/x", json={u"b": 1}, expected=(300,), version=u"v2.1"
        )
        self.assertEqual(self.successResultOf(asked).status, 300)
        self.assertEqual(self.wire.service.seen[1].target, u"/v2.1/x")
        self.assertEqual(self.wire.service.seen[1].body, {u"b": 1})

    def test_token_is_kept(self):
        """One token does for many requests."""
        session = self.session(token_answer("t"), Answer(200, {}), Answer(200, {}))
        self.successResultOf(self.ask(session))
        self.successResultOf(self.ask(session))
        self.assertEqual(self.logins(), 1)

    def test_renewed_before_its_end(self):
        """A token is renewed a minute before its end, measured by the local clock."""
        session = self.session(
            token_answer("t1"), Answer(200, {}), Answer(200, {}), token_answer("t2"),
            Answer(200, {}),
        )
        self.successResultOf(self.ask(session))
        self.wire.clock.advance(3600 - 61)
        self.successResultOf(self.ask(session))
        self.wire.clock.advance(1)
        self.successResultOf(self.ask(session))
        self.assertEqual(self.tokens(), [u"t1", u"t1", u"t2"])

    def test_short_life(self):
        """A token that lives for a minute is used for nine tenths of it."""
        session = self.session(token_answer("t1", 60), Answer(200, {}), token_answer("t2", 60),
                               Answer(200, {}))
        self.successResultOf(session.token())
        self.wire.clock.advance(53.9)
        self.successResultOf(self.ask(session))
        self.wire.clock.advance(0.1)
        self.successResultOf(self.ask(session))
        self.assertEqual(self.tokens(), [u"t1", u"t2"])

    def test_endless(self):
        """A token that does not say when it ends is used until it is refused."""
        answer = token_answer("t1")
        answer.body[u"token"][u"expires_at"] = None
        session = self.session(answer, Answer(200, {}))
        self.successResultOf(session.token())
        self.wire.clock.advance(10 ** 9)
        self.successResultOf(self.ask(session))
        self.assertIs(self.successResultOf(session.identity()).expires_in, None)

    def test_one_login_for_many(self):
        """Requests that come while a token is on its way share it."""
        session = self.session(HANG, Answer(200, {}), Answer(200, {}), Answer(200, {}))
        asked = [self.ask(session) for _ in range(3)]
        self.wire.finish(token_answer("t"))
        for each in asked:
            self.successResultOf(each)
        self.assertEqual(self.logins(), 1)

    def test_cancelled_while_logging_in(self):
        """One that is cancelled leaves the login to the others; the last one ends it."""
        session = self.session(HANG, Answer(200, {}), token_answer("t2"))
        asked = [self.ask(session) for _ in range(2)]
        asked[0].cancel()
        self.failureResultOf(asked[0], CancelledError)
        self.wire.finish(token_answer("t"))
        self.successResultOf(asked[1])
        session = self.session(HANG)
        asked = self.ask(session)
        asked.cancel()
        self.failureResultOf(asked, CancelledError)
        self.assertEqual(self.wire.clock.getDelayedCalls(), [])

    def test_refused_token_is_renewed(self):
        """A 401 of a service renews the token once, and the request is sent again."""
        session = self.session(
            token_answer("t1"), UNAUTHORIZED, token_answer("t2"), Answer(202, {})
        )
        asked = session.request(TYPES, u"POST", u"/volumes", json={u"a": 1})
        self.assertEqual(self.successResultOf(asked).status, 202)
        self.assertEqual(self.tokens(), [u"t1", u"t2"])
        self.assertEqual(self.wire.service.seen[-1].body, {u"a": 1})

    def test_refused_twice(self):
        """A second 401 fails the request."""
        session = self.session(
            token_answer("t1"), UNAUTHORIZED, token_answer("t2"), UNAUTHORIZED
        )
        self.failureResultOf(self.ask(session), errors.AuthenticationFailed)
        self.assertEqual(self.logins(), 2)

    def test_refused_together(self):
        """Several requests whose token is refused share one renewal."""
        session = self.session(token_answer("t1"), HANG, HANG, HANG)
        asked = [self.ask(session) for _ in range(3)]
        self.wire.service.script[:] = [HANG, HANG]
        self.wire.finish(UNAUTHORIZED)
        self.wire.finish(UNAUTHORIZED)
        # Two were refused before the new token, and the third after it.
        refused_late, login = self.wire.service.hanging
        self.wire.service.hanging[:] = [login, refused_late]
        self.wire.service.script[:] = [Answer(200, {})] * 3
        self.wire.finish(token_answer("t2"))
        self.wire.finish(UNAUTHORIZED)
        for each in asked:
            self.assertEqual(self.successResultOf(each).status, 200)
        self.assertEqual(self.logins(), 2)
        self.assertEqual(self.tokens(), [u"t1"] * 3 + [u"t2"] * 3)

    def test_other_errors_renew_nothing(self):
        """Only a 401 says something about the token."""
        session = self.session(token_answer("t1"), error(403, u"forbidden", u"no"))
        self.failureResultOf(self.ask(session), errors.PermissionDenied)
        self.assertEqual(self.logins(), 1)

    @capture_logging(None)
    def test_wrong_credentials(self, logger):
        """The error names user and project; neither it nor the log has the secret."""
        echo = error(401, u"error", u"'hunter2' is wrong", {"x-openstack-request-id": "req-1"})
        session = self.session(echo)
        failure = self.failureResultOf(self.ask(session), errors.AuthenticationFailed)
        self.assertIn(u"user 'flocker', project 'demo'", failure.value.message)
        self.assertIn(u"req-1", failure.value.message)
        self.assertNotIn(SECRET, failure.getTraceback() + str(failure.value) + repr(failure.value))
        self.assertTrue(logger.messages)
        self.assertNotIn(SECRET, json.dumps(logger.serialize()))

    @capture_logging(None)
    def test_token_is_not_shown(self, logger):
        """A token that a service echoes is in no message and no log."""
        session = self.session(token_answer("tok-1"), error(400, u"badRequest", u"bad tok-1"))
        failure = self.failureResultOf(self.ask(session), errors.RequestRefused)
        self.assertEqual(failure.value.detail, u"bad [secret]")
        self.assertNotIn("tok-1", json.dumps(logger.serialize()))

    def test_no_keystone_there(self):
        """A server without the Identity API is not the service; the address is named."""
        session = self.session(Answer(404, b"<h1>Not Found</h1>"))
        caught = self.failureResultOf(self.ask(session), errors.NotTheService).value
        self.assertIn(u"http://cloud/identity/v3/auth/tokens", caught.message)
        self.assertIn(u"no Identity API", caught.message)

    def test_answer_without_a_token(self):
        """A login that brings no token is not Keystone's."""
        without_header = token_answer("t")
        without_header.headers = {}
        for answer in (without_header, Answer(200, {u"hello": 1}), Answer(200, None)):
            self.failureResultOf(self.ask(self.session(answer)), errors.NotTheService)

    def test_login_is_retried(self):
        """A login that meets a broken Keystone is tried again: a token too many is no harm."""
        session = self.session(Answer(502), token_answer("t"), Answer(200, {}))
        asked = self.ask(session)
        self.wire.clock.advance(0.5)
        self.successResultOf(asked)

    def test_failed_login_is_not_kept(self):
        """After a failed login the next request tries again."""
        session = self.session(UNAUTHORIZED, token_answer("t"), Answer(200, {}))
        self.failureResultOf(self.ask(session), errors.AuthenticationFailed)
        self.successResultOf(self.ask(session))

    def test_endpoint(self):
        """The endpoint in use can be asked for."""
        session = self.session(token_answer("t"), region=u"RegionOne", interface=u"publicURL")
        self.assertEqual(self.successResultOf(session.endpoint(TYPES)), u"http://cloud" + VOLUMES)

    def test_endpoint_missing(self):
        """A service that the catalog lacks is an error, and nothing is sent."""
        session = self.session(token_answer("t"), region=u"RegionTwo")
        caught = self.failureResultOf(self.ask(session), errors.EndpointMissing).value
        self.assertIn(u"block-storage (public, RegionOne)", caught.message)

    def test_endpoint_override(self):
        """A configured endpoint comes before the catalog's."""
        session = self.session(
            token_answer("t"), Answer(200, {}), endpoints={u"volumev3": u"http://cloud/mine/"}
        )
        self.successResultOf(self.ask(session))
        self.assertEqual(self.wire.service.seen[1].target, u"/mine/v3/volumes")

    def test_without_keystone(self):
        """Without Keystone nothing but the request is sent, with a token only if given."""
        for secret, expected in ((None, None), (u"user:project", u"user:project")):
            session = self.session(
                Answer(200, {}),
                auth_url=None,
                credentials=Credentials.none(secret),
                endpoints={u"block-storage": u"http://cloud/v3/p"},
            )
            self.successResultOf(self.ask(session))
            self.assertEqual(self.wire.service.targets(), [u"GET /v3/p/volumes"])
            self.assertEqual(self.tokens(), [expected])
            self.assertEqual(self.successResultOf(session.identity()), Identity())

    def test_without_keystone_refused(self):
        """Without Keystone a refused token can't be renewed."""
        session = self.session(
            UNAUTHORIZED,
            auth_url=None,
            credentials=Credentials.none(),
            endpoints={u"block-storage": u"http://cloud/v3/p"},
        )
        self.failureResultOf(self.ask(session), errors.AuthenticationFailed)

    def test_without_keystone_or_endpoint(self):
        """Without Keystone the endpoints must be configured."""
        session = self.session(auth_url=None, credentials=Credentials.none())
        caught = self.failureResultOf(self.ask(session), errors.EndpointMissing).value
        self.assertIn(u"block-storage or volumev3", caught.message)

    def test_identity(self):
        """Who the session is, and for how long."""
        session = self.session(token_answer("t", 600))
        self.successResultOf(session.token())
        self.wire.clock.advance(100)
        identity = self.successResultOf(session.identity())
        self.assertEqual(
            (identity.user_name, identity.project_name, identity.project_id, identity.expires_in),
            (u"flocker", u"demo", PROJECT, 500.0),
        )
        self.assertEqual([each.service_type for each in identity.catalog],
                         [u"identity", u"block-storage", u"compute"])

    def test_close(self):
        """A session closes its connections."""
        self.assertIs(self.successResultOf(self.session().close()), None)
