# -*- coding: utf-8 -*-
"""Tests of credentials."""

from __future__ import absolute_import, division, print_function

import json

from eliot.testing import capture_logging
from twisted.trial.unittest import SynchronousTestCase

from txstorage.clouds.openstack.credentials import Credentials, CredentialSource, scope_of
from txstorage.errors import InvalidConfiguration

SECRET = u"hunter2"
BY_PASSWORD = Credentials.password(SECRET, username=u"flocker", project_name=u"demo")


class CredentialsTests(SynchronousTestCase):
    """Credentials on the wire and in messages."""

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
        """Without a project the token request contains no scope."""
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

    def test_other_scopes(self):
        """A trust and the whole system are scopes, with a password and with a token."""
        for scope, wire in (
            (
                {"trust_id": u"t1", "project_name": None},
                {u"OS-TRUST:trust": {u"id": u"t1"}},
            ),
            ({"system_scope": u"all"}, {u"system": {u"all": True}}),
        ):
            self.assertEqual(scope_of(**scope), wire)
            for make in (Credentials.password, Credentials.token):
                self.assertEqual(make(SECRET, **scope).to_wire()[u"auth"][u"scope"], wire)

    def test_secret_is_read_each_time(self):
        """A secret in a file may change, so the file is read for each login."""
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
            (Credentials.password(SECRET, user_id=u"u", trust_id=u"t"), u"user 'u', trust 't'"),
            (
                Credentials.password(SECRET, user_id=u"u", system_scope=u"all"),
                u"user 'u', system-wide",
            ),
            (Credentials.token(SECRET), u"the given token"),
            (Credentials.none(SECRET), u"the given token"),
        ]:
            self.assertEqual(credentials.describe(), expected)
            self.assertNotIn(SECRET, repr(credentials))


class CredentialSourceTests(SynchronousTestCase):
    """Credentials in files that change."""

    @capture_logging(None)
    def test_unusable(self, logger):
        """Unreadable credentials change nothing, and the log gives the reason without a secret."""
        loaded = [
            BY_PASSWORD,
            Credentials.password(u"new", user_id=u"u"),
            InvalidConfiguration(u"password_file", u"can't use /etc/pw: it is empty"),
            Credentials.password(u"newer", user_id=u"u"),
        ]

        def load():
            result = loaded.pop(0)
            if isinstance(result, Exception):
                raise result
            return result

        source = CredentialSource(load)
        self.assertEqual(source.kind, u"password")
        found = [source.current().secret for _ in range(3)]
        self.assertEqual(found, [u"new", u"new", u"newer"])
        [message] = logger.messages
        self.assertEqual(message[u"message_type"], u"txstorage:credentials:kept")
        self.assertIn(u"/etc/pw: it is empty", message[u"reason"])
        self.assertNotIn(u"new", json.dumps(logger.serialize()))

    def test_unusable_at_first(self):
        """Without any that were there before it is an error."""

        def load():
            raise InvalidConfiguration(u"password_file", u"can't use it")

        self.assertRaises(InvalidConfiguration, CredentialSource, load)

    def test_fixed(self):
        """Credentials that are given stay what they are."""
        source = CredentialSource.fixed(BY_PASSWORD)
        self.assertIs(source.current(), BY_PASSWORD)
        self.assertIs(source.current(), BY_PASSWORD)
