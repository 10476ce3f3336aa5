"""
Tests of the session: requests with a token, its renewal, and login errors.
"""

from __future__ import absolute_import, division, print_function

import json

from eliot.testing import capture_logging
from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase

from txstorage import errors
from txstorage.clouds.openstack.session import (
    Credentials,
    CredentialSource,
    Identity,
    Session,
)

from ...helpers.wire import (
    CATALOG,
    HANG,
    PROJECT,
    VOLUMES,
    Answer,
    Wire,
    catalog,
    error,
    token_answer,
    versions_answer,
)
from .support import BY_PASSWORD, SECRET, TYPES, UNAUTHORIZED


class SessionTests(SynchronousTestCase):
    """Requests in the name of a user."""

    def session(self, *script, **options):
        """A session whose services respond from a script."""
        self.wire = Wire(*script)
        options.setdefault("auth_url", u"http://cloud/identity")
        options.setdefault("credentials", BY_PASSWORD)
        return Session(self.wire.clock, self.wire.http, **options)

    def ask(self, session, path=u"/volumes", **options):
        """Ask the block storage service."""
        return session.request(TYPES, u"GET", path, **options)

    def tokens(self):
        """The token of each request to a service."""
        return [
            seen.header(u"x-auth-token")
            for seen in self.wire.service.seen
            if not seen.target.endswith(u"/auth/tokens")
        ]

    def logins(self):
        """The number of requests for a token."""
        return self.wire.service.targets().count(u"POST /identity/v3/auth/tokens")

    def test_request(self):
        """A token is got first, and the request goes to the catalog's endpoint with it."""
        session = self.session(token_answer("tok-1"), Answer(200, {u"a": 1}))
        response = self.successResultOf(
            self.ask(session, params=[(u"x", u"1")])
        )
        self.assertEqual(response.body, {u"a": 1})
        self.assertEqual(
            self.wire.service.targets(),
            [u"POST /identity/v3/auth/tokens", u"GET {}/volumes?x=1".format(VOLUMES)],
        )
        login, asked = self.wire.service.seen
        self.assertEqual(login.body, BY_PASSWORD.to_wire())
        self.assertEqual(asked.header(u"x-auth-token"), u"tok-1")
        self.assertIs(asked.header(u"openstack-api-version"), None)

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
        """One token serves many requests."""
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
        """A token without an expiry is used until a service refuses it."""
        answer = token_answer("t1")
        answer.body[u"token"][u"expires_at"] = None
        session = self.session(answer, Answer(200, {}))
        self.successResultOf(session.token())
        self.wire.clock.advance(10 ** 9)
        self.successResultOf(self.ask(session))
        self.assertIs(self.successResultOf(session.identity()).expires_in, None)

    def test_clock_skew(self):
        """A token's lifetime comes from the service's clock, however wrong the local clock is."""
        for ours in (0, 4 * 10 ** 9):
            session = self.session(token_answer("t1"), token_answer("t2"))
            self.wire.clock.advance(ours)
            self.successResultOf(session.token())
            self.wire.clock.advance(3600 - 61)
            self.assertEqual(self.successResultOf(session.token()).secret, u"t1")
            self.wire.clock.advance(1)
            self.assertEqual(self.successResultOf(session.token()).secret, u"t2")

    @capture_logging(None)
    def test_failed_renewal(self, logger):
        """A token that can't be renewed is used until its end, and the renewal repeated."""
        session = self.session(token_answer("t1"), UNAUTHORIZED, UNAUTHORIZED, UNAUTHORIZED)
        self.successResultOf(session.token())
        self.wire.clock.advance(3600 - 60)
        for seconds, logins in ((0, 2), (9.9, 2), (0.1, 3), (9.9, 3)):
            self.wire.clock.advance(seconds)
            self.assertEqual(self.successResultOf(session.token()).secret, u"t1")
            self.assertEqual(self.logins(), logins)
        kept = [each for each in logger.messages
                if each.get(u"message_type") == u"txstorage:token:kept"]
        self.assertEqual([each[u"remaining"] for each in kept], [60.0, 50.0])
        self.wire.clock.advance(40.1)
        self.failureResultOf(session.token(), errors.AuthenticationFailed)
        self.assertEqual(self.logins(), 4)

    def test_slow_renewal(self):
        """A Keystone that hangs delays requests only briefly while the token is valid."""
        session = self.session(token_answer("t1"), HANG, Answer(200, {}), token_answer("t2"),
                               Answer(200, {}))
        self.successResultOf(session.token())
        self.wire.clock.advance(3600 - 60)
        asked = [self.ask(session), session.token()]
        self.wire.clock.advance(9.9)
        for each in asked:
            self.assertNoResult(each)
        self.wire.clock.advance(0.1)
        for each in asked:
            self.successResultOf(each)
        self.assertEqual(self.tokens(), [u"t1"])
        self.wire.clock.advance(10)
        self.successResultOf(self.ask(session))
        self.assertEqual(self.tokens(), [u"t1", u"t2"])
        self.assertEqual(self.wire.clock.getDelayedCalls(), [])

    def test_cancelled_while_renewing(self):
        """Cancelling a request that waits for a renewal cancels it, token or not."""
        session = self.session(token_answer("t1"), HANG)
        self.successResultOf(session.token())
        self.wire.clock.advance(3600 - 60)
        asked = self.ask(session)
        asked.cancel()
        self.failureResultOf(asked, CancelledError)
        self.assertEqual(self.wire.clock.getDelayedCalls(), [])

    def test_renewal_beyond_the_end(self):
        """If a renewal fails after the token's expiry, the waiting requests fail."""
        session = self.session(token_answer("t1"), HANG)
        self.successResultOf(session.token())
        self.wire.clock.advance(3600 - 5)
        asked = self.ask(session)
        self.wire.clock.advance(10)
        self.failureResultOf(asked, errors.ResponseLost)

    def source(self, *secrets):
        """Passwords as a file has them one after the other, the last one for ever."""
        self.secrets = list(secrets)

        def load():
            secret = self.secrets[0] if len(self.secrets) == 1 else self.secrets.pop(0)
            return Credentials.password(secret, username=u"flocker", project_name=u"demo")

        return CredentialSource(load)

    def passwords(self):
        """The password of each request for a token."""
        return [
            seen.body[u"auth"][u"identity"][u"password"][u"user"][u"password"]
            for seen in self.wire.service.seen
            if seen.target.endswith(u"/auth/tokens")
        ]

    def test_changed_credentials(self):
        """Each authentication has the credentials as they are then, also after a 401."""
        session = self.session(
            token_answer("t1"), Answer(200, {}), token_answer("t2"), UNAUTHORIZED,
            token_answer("t3"), Answer(200, {}),
            credentials=self.source(u"a", u"a", u"b", u"c"),
        )
        self.successResultOf(self.ask(session))
        self.wire.clock.advance(3600)
        self.successResultOf(self.ask(session))
        self.assertEqual(self.passwords(), [u"a", u"b", u"c"])

    @capture_logging(None)
    def test_changed_for_the_worse(self, logger):
        """Credentials that are refused after a change give way to those that worked."""
        session = self.session(
            token_answer("t1"), UNAUTHORIZED, token_answer("t2"), token_answer("t3"),
            credentials=self.source(u"hunter2", u"hunter2", u"hunt", u"hunter3"),
        )
        self.successResultOf(session.token())
        self.wire.clock.advance(3600)
        self.assertEqual(self.successResultOf(session.token()).secret, u"t2")
        self.wire.clock.advance(3600)
        self.assertEqual(self.successResultOf(session.token()).secret, u"t3")
        self.assertEqual(self.passwords(), [u"hunter2", u"hunt", u"hunter2", u"hunter3"])
        [kept] = [each for each in logger.messages
                  if each.get(u"message_type") == u"txstorage:credentials:kept"]
        self.assertIn(u"user 'flocker'", kept[u"reason"])
        self.assertNotIn(u"hunt", json.dumps(logger.serialize()))

    def test_neither_accepted(self):
        """When what worked is refused too, the error is about what is in the file now."""
        session = self.session(
            token_answer("t1"), UNAUTHORIZED, error(401, u"error", u"gone"),
            credentials=self.source(u"a", u"a", u"b"),
        )
        self.successResultOf(session.token())
        self.wire.clock.advance(3600)
        caught = self.failureResultOf(session.token(), errors.AuthenticationFailed).value
        self.assertIn(u"requires authentication", caught.message)

    def test_without_keystone_changed(self):
        """Without Keystone a 401 makes the token's file be read again."""
        secrets = [u"a", u"a", u"b"]
        session = self.session(
            UNAUTHORIZED, Answer(200, {}),
            auth_url=None,
            credentials=CredentialSource(lambda: Credentials.none(secrets.pop(0))),
            endpoints={u"block-storage": u"http://cloud/v3/p"},
        )
        self.successResultOf(self.ask(session))
        self.assertEqual(self.tokens(), [u"a", u"b"])

    def versions(self, maximum, status=300):
        """A version document of Block Storage."""
        return versions_answer(status, (u"v3.0", u"/v3/", u"3.0", maximum))

    def test_unversioned_endpoint(self):
        """The versions of an endpoint without a version are requested once."""
        services = catalog((u"block-storage", u"public", u"r", u"http://cloud:8776/"))
        for maximum, path in ((u"3.66", VOLUMES), (u"3.67", u"/v3")):
            session = self.session(
                token_answer("t", services=services), self.versions(maximum),
                Answer(200, {}), Answer(200, {}),
            )
            for _ in range(2):
                self.successResultOf(self.ask(session))
            self.assertEqual(
                self.wire.service.targets()[1:],
                [u"GET /", u"GET {}/volumes".format(path), u"GET {}/volumes".format(path)],
            )

    def test_unversioned_and_silent(self):
        """An endpoint without a version and a version document is used in the usual way."""
        services = catalog((u"volumev3", u"public", u"r", u"http://cloud:8776/"))
        session = self.session(
            token_answer("t", services=services), Answer(404, b"nothing"), Answer(200, {})
        )
        self.successResultOf(self.ask(session))
        self.assertEqual(self.wire.service.targets()[1:],
                         [u"GET /", u"GET {}/volumes".format(VOLUMES)])

    def test_microversions(self):
        """The latest supported microversion is used, and the versions are requested once."""
        session = self.session(
            token_answer("t"), self.versions(u"3.30", 200), Answer(200, {}), Answer(200, {})
        )
        for _ in range(2):
            self.successResultOf(self.ask(session, microversions=(u"3.44", u"3.27")))
        self.assertEqual(
            [seen.header(u"openstack-api-version") for seen in self.wire.service.seen[1:]],
            [None, u"volume 3.27", u"volume 3.27"],
        )
        self.assertEqual(
            self.wire.service.targets()[1:],
            [u"GET /v3/"] + [u"GET {}/volumes".format(VOLUMES)] * 2,
        )
        self.failureResultOf(
            self.ask(session, microversions=(u"3.44",)), errors.MicroversionMissing
        )
        self.assertEqual(len(self.wire.service.seen), 4)

    def test_downgraded(self):
        """A service that refuses a microversion which it had is asked again."""
        session = self.session(
            token_answer("t"), self.versions(u"3.44", 200),
            error(406, u"computeFault", u"Version 3.44 is not supported by the API."),
            self.versions(u"3.27", 200), Answer(200, {}),
        )
        self.failureResultOf(
            self.ask(session, microversions=(u"3.44", u"3.27")), errors.RequestRefused
        )
        self.successResultOf(self.ask(session, microversions=(u"3.44", u"3.27")))
        self.assertEqual(
            self.wire.service.seen[-1].header(u"openstack-api-version"), u"volume 3.27"
        )

    def test_token_refused_by_the_version_document(self):
        """A token that ended is renewed also when it ended before the versions were known."""
        session = self.session(
            token_answer("t1"), UNAUTHORIZED, token_answer("t2"), self.versions(u"3.5", 200),
            Answer(200, {}),
        )
        self.successResultOf(self.ask(session, microversions=(u"3.5",)))

    def test_no_project(self):
        """A token without a project lacks endpoints, and the error gives that reason."""
        answer = token_answer("t", services=CATALOG[:1])
        answer.body[u"token"][u"project"] = None
        caught = self.failureResultOf(
            self.ask(self.session(answer, answer)), errors.EndpointMissing
        )
        self.assertIn(u"the token has no project", caught.value.message)

    def test_one_login_for_many(self):
        """Requests that come while a token is on its way share it."""
        session = self.session(HANG, Answer(200, {}), Answer(200, {}), Answer(200, {}))
        asked = [self.ask(session) for _ in range(3)]
        self.wire.finish(token_answer("t"))
        for each in asked:
            self.successResultOf(each)
        self.assertEqual(self.logins(), 1)

    def test_cancelled_while_logging_in(self):
        """A cancelled request leaves the login to the other requests; the last one cancels it."""
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
        """Only a 401 invalidates the token."""
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

    def test_unknown_credentials(self):
        """A token or an application credential that does not exist is not a missing service."""
        gone = error(404, u"error", u"Could not find Application Credential: x.")
        failed = self.failureResultOf(self.ask(self.session(gone)), errors.AuthenticationFailed)
        self.assertIn(u"Could not find Application Credential", failed.value.message)

    def test_no_keystone_there(self):
        """
        A server without the Identity API is not the service, in whichever form it says so; the
        address is named, and the credentials are not at fault.
        """
        for answer in (
            Answer(404, b"<h1>Not Found</h1>"),
            Answer(404, {u"message": u"not found", u"code": 404}),
            error(404, u"error", u"The resource could not be found."),
            error(404, u"itemNotFound", u"The resource could not be found."),
        ):
            session = self.session(answer)
            caught = self.failureResultOf(self.ask(session), errors.NotTheService).value
            self.assertIn(u"http://cloud/identity/v3/auth/tokens", caught.message)
            self.assertIn(u"no Identity API", caught.message)
            self.assertNotIn(u"password", caught.remedy)

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
        """The session returns the endpoint in use."""
        session = self.session(token_answer("t"), region=u"RegionOne", interface=u"public")
        self.assertEqual(self.successResultOf(session.endpoint(TYPES)), u"http://cloud" + VOLUMES)

    def test_endpoint_missing(self):
        """A service that two catalogs in a row lack is an error, and nothing is sent."""
        session = self.session(token_answer("t"), token_answer("t"), region=u"RegionTwo")
        caught = self.failureResultOf(self.ask(session), errors.EndpointMissing).value
        self.assertIn(u"block-storage (public, RegionOne)", caught.message)
        self.assertEqual([], self.tokens())

    def test_bad_catalog_is_not_kept(self):
        """A token with a useless catalog is replaced at once, not kept until it expires."""
        for services in (
            [],
            catalog((u"compute", u"public", u"RegionOne", u"http://cloud/v2.1")),
            catalog((u"block-storage", u"public", u"RegionOne", u"http://[::1")),
        ):
            session = self.session(
                token_answer("t1", services=services), token_answer("t2"), Answer(200, {}),
                Answer(200, {}),
            )
            self.successResultOf(self.ask(session))
            self.successResultOf(self.ask(session))
            self.assertEqual([u"t2", u"t2"], self.tokens())

    def test_insecure_endpoint(self):
        """An http endpoint in a catalog that came by https gets no token, unless allowed."""
        https = u"https://cloud/identity"
        session = self.session(token_answer("t"), token_answer("t"), auth_url=https)
        caught = self.failureResultOf(self.ask(session), errors.InsecureEndpoint).value
        for part in (u"http://cloud" + VOLUMES, u"block-storage", https):
            self.assertIn(part, caught.message)
        self.assertIn(u"allow_insecure_endpoints", caught.remedy)
        self.assertEqual([], self.tokens())
        session = self.session(
            token_answer("t"), Answer(200, {}), auth_url=https, allow_insecure=True
        )
        self.successResultOf(self.ask(session))
        self.assertEqual([u"t"], self.tokens())

    def test_secure_endpoint(self):
        """An https endpoint is used with any spelling of its scheme."""
        services = catalog(
            (u"block-storage", u"public", u"RegionOne", u"HTTPS://cloud" + VOLUMES)
        )
        session = self.session(
            token_answer("t", services=services), Answer(200, {}), auth_url=u"HTTPS://cloud/identity"
        )
        self.successResultOf(self.ask(session))

    def test_another_token(self):
        """A token of another user or project than the requested one is not used."""
        for credentials in (
            Credentials.password(SECRET, user_id=u"u2", project_id=PROJECT),
            Credentials.password(SECRET, user_id=u"u1", project_id=u"p2"),
        ):
            session = self.session(token_answer("t"), credentials=credentials)
            caught = self.failureResultOf(self.ask(session), errors.NotTheService).value
            self.assertIn(u"user u1", caught.message)
        same = Credentials.password(SECRET, user_id=u"u1", project_id=PROJECT.upper())
        session = self.session(token_answer("t"), Answer(200, {}), credentials=same)
        self.successResultOf(self.ask(session))

    def test_impossible_token(self):
        """A token that no header can carry is an error, which does not show the token."""
        for secret in ("", "two words"):
            session = self.session(token_answer(secret))
            caught = self.failureResultOf(self.ask(session), errors.NotTheService).value
            self.assertNotIn(u"words", caught.message)

    def test_endpoint_override(self):
        """A configured endpoint comes before the catalog's."""
        session = self.session(
            token_answer("t"), Answer(200, {}), endpoints={u"volumev3": u"http://cloud/mine/v3/"}
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
        """The session's user and project, and the time until the token expires."""
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
