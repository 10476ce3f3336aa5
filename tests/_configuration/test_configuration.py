# -*- coding: utf-8 -*-
"""
Tests for ``txstorage._configuration.configuration`` and ``txstorage._configuration.keys``.
"""

from __future__ import absolute_import, division, print_function

import errno
import io
import os
import traceback
from uuid import UUID

import attr
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.properties import RELAXED
from txstorage._configuration.configuration import Configuration, Secret, variables
from txstorage._configuration.keys import BY_NAME, KEYS, PLUGINS, REFUSED, SECRETS
from txstorage._support.compat import as_text, text_type
from txstorage.errors import InvalidConfiguration
from txstorage.interfaces import StorageInitializationError

CLUSTER = UUID("3f2b0f1e-58ab-4a1c-9a54-92dc8f5b1d3a")
NODE = u"0d6c1bb8-4a45-4fd0-a72e-7d6ae66d9e6e"

PASSWORD = {
    u"auth_url": u"https://cloud.example:5000/v3",
    u"username": u"flocker",
    u"password": u"s3cr3t-w0rd",
    u"project_name": u"storage",
}


def configuration(**changes):
    """
    :param changes: keys that replace the values; ``None`` removes a key.
    :return: a password configuration.
    """
    return Configuration.from_mapping(dict(PASSWORD, **changes))


class ConfigurationTestCase(SynchronousTestCase):
    """Files, and an assertion about bad configurations."""

    def write(self, content):
        """:return: the path of a new file with the content (text or bytes)."""
        path = as_text(self.mktemp())
        with io.open(path, "wb") as opened:
            opened.write(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    def refused(self, function, *args, **kwargs):
        """:return: the ``InvalidConfiguration`` that the call raises."""
        error = self.assertRaises(InvalidConfiguration, function, *args, **kwargs)
        self.assertIsInstance(error, StorageInitializationError)
        self.assertEqual(error.code, StorageInitializationError.CONFIGURATION_ERROR)
        self.assertIn(getattr(error, "path", error.key), error.message)
        return error


class FromMappingTests(ConfigurationTestCase):
    """Values and defaults."""

    def test_defaults(self):
        """A key that is not given has the documented default."""
        made = configuration()
        self.assertEqual(
            (made.auth_plugin, made.interface, made.verify_peer, made.timeout,
             made.poll_interval, made.max_requests_per_second, made.cluster_id, made.region),
            (u"password", u"public", True, 110.0, 2.0, None, None, None),
        )

    def test_everything_given(self):
        """Each value is kept, with the type that the driver uses."""
        made = configuration(
            region=u"r", verify_peer=False, interface=u"internal", instance_id=NODE.upper(),
            volume_endpoint=u"http://v.example/v3/", profiles={u"gold": u"ssd"},
            timeout=5, poll_interval=0.5, max_requests_per_second=3, cluster_id=str(CLUSTER),
        )
        self.assertEqual(
            (made.region, made.verify_peer, made.interface, made.instance_id,
             made.volume_endpoint, made.profiles, made.timeout, made.poll_interval,
             made.max_requests_per_second, made.cluster_id),
            (u"r", False, u"internal", NODE, u"http://v.example/v3", {u"gold": u"ssd"}, 5.0,
             0.5, 3.0, CLUSTER),
        )
        self.assertIsInstance(made.timeout, float)

    def test_native_strings_become_text(self):
        """Bytes, which YAML returns on Python 2, become text."""
        made = configuration(username=b"flocker", profiles={b"gold": b"ssd"}, instance_id=NODE)
        self.assertIsInstance(made.username, text_type)
        self.assertEqual([type(t) for t in list(made.profiles.items())[0]], [text_type] * 2)
        self.assertIsInstance(made.instance_id, text_type)

    def test_a_uuid_is_kept(self):
        """The cluster's id may be a ``UUID``, as Flocker passes it."""
        self.assertEqual(configuration(cluster_id=CLUSTER).cluster_id, CLUSTER)

    def test_none_is_not_given(self):
        """A key without a value in YAML counts as not given."""
        self.assertEqual(configuration(timeout=None, interface=None), configuration())

    def test_flocker_synonyms(self):
        """The names of Flocker's openstack backend are accepted as synonyms."""
        made = configuration(project_name=None, tenant_name=u"storage", tenant_id=u"abc")
        self.assertEqual((made.project_name, made.project_id), (u"storage", u"abc"))

    def test_synonyms_that_agree(self):
        """A key may be given twice with the same value."""
        self.assertEqual(configuration(tenant_name=u"storage"), configuration())

    def test_synonyms_that_disagree(self):
        """Two names of one key with different values are an error."""
        error = self.refused(configuration, tenant_name=u"other")
        self.assertEqual(error.key, u"tenant_name")
        self.assertIn(u"project_name", error.message)

    def test_old_spelling_of_the_interface(self):
        """``publicURL``, as in old openrc files, is ``public``."""
        self.assertEqual(configuration(interface=u"adminURL").interface, u"admin")

    def test_the_table_is_sound(self):
        """Each name occurs once, each key has a purpose, and no key is also refused."""
        names = [name for key in KEYS for name in (key.name,) + key.synonyms]
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual([key.name for key in KEYS if not key.purpose.endswith(u".")], [])
        self.assertEqual(set(BY_NAME) & set(REFUSED), set())
        needed = {name for plugin in PLUGINS.values() for some in plugin.required for name in some}
        self.assertEqual(needed - set(BY_NAME), set())


class AttributesTests(SynchronousTestCase):
    """The attributes of a :class:`Configuration`."""

    def test_keys(self):
        """Each key is an attribute with the key's default, except the files of secrets."""
        attributes = {
            each.name: each.default
            for each in attr.fields(Configuration)
            if each.name not in ("secret_files", "proxies", "notes", "_load")
        }
        self.assertEqual(
            {key.name: key.default for key in KEYS if not key.name.endswith("_file")}, attributes
        )

    def test_secrets(self):
        """The attributes that the repr leaves out are the secrets."""
        hidden = {each.name for each in attr.fields(Configuration) if not each.repr}
        self.assertEqual(set(SECRETS) | {"secret_files", "proxies", "notes", "_load"}, hidden)
        self.assertEqual(set(SECRETS), {key.name for key in KEYS if key.secret})

    def test_reread(self):
        """A configuration without a cloud is read again from the same mapping."""
        made = configuration()
        self.assertEqual(made, made.reread())


class BadValueTests(ConfigurationTestCase):
    """Errors in values and names of keys."""

    WRONG = [
        (u"region", 7, u"text that is not empty, not a number: 7"),
        (u"region", u" ", u"text that is not empty"),
        (u"region", b"\xff\xfe", u"text that is not empty"),
        (u"region", [u"x"], u"a list"),
        (u"region", {u"x": 1}, u"a mapping"),
        (u"region", True, u"true or false: True"),
        (u"region", object, u"not type"),
        (u"verify_peer", u"yes", u"must be true or false, not text: yes"),
        (u"verify_peer", 1, u"true or false"),
        (u"timeout", True, u"a number of seconds greater than 0"),
        (u"timeout", 0, u"a number of seconds greater than 0"),
        (u"timeout", -1.5, u"a number of seconds greater than 0"),
        (u"timeout", float("inf"), u"a number of seconds greater than 0"),
        (u"timeout", float("nan"), u"a number of seconds greater than 0"),
        (u"timeout", u"5", u"a number of seconds greater than 0, not text: 5"),
        (u"poll_interval", 0, u"a number of seconds greater than 0"),
        (u"max_requests_per_second", 0, u"a number greater than 0"),
        (u"cluster_id", u"cluster", u"a UUID"),
        (u"cluster_id", 12, u"a UUID"),
        (u"instance_id", u"i-0123456", u"a UUID"),
        (u"auth_url", u"cloud.example:5000", u"an http or https address"),
        (u"auth_url", u"ftp://cloud.example", u"an http or https address"),
        (u"auth_url", u"http://", u"an http or https address"),
        (u"auth_url", u"http://cloud.example:port", u"its port is not a number"),
        (u"auth_url", u"http://[fe80::1%25eth0]:5000/v3", u"an IPv6 address with a zone"),
        (u"auth_url", u"http://fd00::5/v3", u"an IPv6 address stands in brackets"),
        (u"auth_url", u"http://u:p@cloud.example", u"it contains a user or password"),
        (u"auth_url", 3, u"an http or https address without a user or password, not a number"),
        (u"interface", u"private", u"public, internal or admin"),
        (u"attach_through", u"nova", u"compute or storage"),
        (u"system_scope", u"some", u"must be all, not text: some"),
        (u"profiles", u"gold", u"a mapping of profile names to volume types"),
        (u"profiles", {u"gold": 3}, u"a mapping of profile names to volume types"),
        (u"verify_ca_path", u"/no/such/file", u"(No such file or directory)"),
        (u"password_file", u"/no/such/file", u"(No such file or directory)"),
    ]

    def test_ill_typed(self):
        """A value of a wrong type is an error that names the key and the type."""
        for name, value, expected in self.WRONG:
            error = self.refused(configuration, **{str(name): value})
            self.assertEqual(error.key, name)
            self.assertIn(expected, error.message)

    def test_numbers_for_text_need_quotes(self):
        """The remedy for a number in place of text, such as an id of digits, is to quote it."""
        self.assertIn(u"quotes", self.refused(configuration, project_id=123).remedy)
        self.assertEqual(self.refused(configuration, verify_peer=123).remedy, u"")

    @settings(**RELAXED)
    @given(st.sampled_from(KEYS), st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(),
        st.lists(st.integers(), max_size=2), st.dictionaries(st.text(), st.text(), max_size=2),
    ))
    def test_any_value_for_any_key(self, key, value):
        """Any value of a key is accepted, or refused with the key's name."""
        try:
            configuration(**{key.name: value})
        except InvalidConfiguration as error:
            related = {key.name, key.name.replace("_file", ""), "auth_plugin"}
            self.assertTrue(error.key in related or u"is missing" in error.message, error.message)

    def test_unknown_key_with_a_near_one(self):
        """A misspelt key is an error that suggests the most similar key."""
        error = self.refused(configuration, verify_pear=False)
        self.assertEqual((error.key, error.remedy), (u"verify_pear", u"did you mean verify_peer?"))

    def test_unknown_key_without_a_near_one(self):
        """The error about a key that resembles no other has no suggestion."""
        self.assertEqual(self.refused(configuration, zzz=1).remedy, u"")

    def test_refused_keys(self):
        """Keys of other drivers that txstorage cannot use are refused with the reason."""
        for name in REFUSED:
            self.assertIn(REFUSED[name], self.refused(configuration, **{str(name): u"x"}).message)


class PluginTests(ConfigurationTestCase):
    """The ways to authenticate, and the keys that each requires."""

    def test_aliases(self):
        """Flocker's names of the password plugin are accepted."""
        for name in (u"password", u"v2password", u"v3password"):
            self.assertEqual(configuration(auth_plugin=name).auth_plugin, u"password")

    def test_application_credential_is_understood_by_its_keys(self):
        """With an application credential ``auth_plugin`` is optional."""
        by_id = Configuration.from_mapping({
            u"auth_url": u"http://k", u"application_credential_id": u"i",
            u"application_credential_secret": u"s",
        })
        self.assertEqual(by_id.auth_plugin, u"v3applicationcredential")

    def test_application_credential_by_name_needs_the_user(self):
        """An application credential's name requires its user."""
        given_keys = {
            u"auth_url": u"http://k", u"application_credential_name": u"n",
            u"application_credential_secret": u"s",
        }
        error = self.refused(Configuration.from_mapping, given_keys)
        self.assertEqual(error.key, u"username")
        made = Configuration.from_mapping(dict(given_keys, user_id=u"u"))
        self.assertEqual(made.auth_plugin, u"v3applicationcredential")

    def test_each_need_is_checked(self):
        """A missing key that the plugin requires is an error that names the key."""
        for name in (u"auth_url", u"username", u"password", u"project_name"):
            error = self.refused(configuration, **{str(name): None})
            self.assertEqual(error.key, name)
            self.assertIn(u"is missing", error.message)
            self.assertIn(u"auth_plugin password", error.message)
        self.assertIn(u"(or user_id)", self.refused(configuration, username=None).message)

    def test_token_and_none(self):
        """A token requires Keystone's address; no authentication requires the endpoints."""
        made = Configuration.from_mapping(
            {u"auth_plugin": u"v3token", u"auth_url": u"http://k", u"token": u"t"}
        )
        self.assertEqual(made.auth_plugin, u"token")
        error = self.refused(Configuration.from_mapping, {u"auth_plugin": u"none"})
        self.assertEqual(error.key, u"volume_endpoint")

    def test_scopes(self):
        """A scope is a trust, the whole system or a project; two scopes are an error."""
        for scope in ({"trust_id": u"t"}, {"system_scope": u"all"}, {"project_id": u"p"}):
            configuration(project_name=None, **scope)
        for scope, key in (
            ({"trust_id": u"t"}, u"trust_id"),
            ({"system_scope": u"all"}, u"system_scope"),
            ({"system_scope": u"all", "trust_id": u"t", "project_name": None}, u"trust_id"),
        ):
            error = self.refused(configuration, **scope)
            self.assertEqual(error.key, key)
            self.assertIn(u"can't be given together with", error.message)

    def test_scope_of_an_application_credential(self):
        """An application credential cannot be given with a scope."""
        for name in (u"trust_id", u"system_scope"):
            error = self.refused(Configuration.from_mapping, {
                u"auth_url": u"http://k", u"application_credential_id": u"i",
                u"application_credential_secret": u"s", name: u"all",
            })
            self.assertEqual(error.key, name)
            self.assertIn(u"application credential", error.message)

    def test_default_domain(self):
        """The default domain replaces each domain that is not given."""
        made = configuration(default_domain_id=u"d", user_domain_name=u"people")
        self.assertEqual(
            (made.user_domain_id, made.user_domain_name, made.project_domain_id),
            (None, u"people", u"d"),
        )
        made = configuration(default_domain_name=u"d")
        self.assertEqual((made.user_domain_name, made.project_domain_name), (u"d", u"d"))

    def test_client_key(self):
        """A client's private key requires its certificate."""
        path = self.write(u"x")
        self.assertEqual(self.refused(configuration, client_key=path).key, u"client_certificate")
        made = configuration(client_key=path, client_certificate=path)
        self.assertEqual((made.client_key, made.client_certificate), (path, path))

    def test_unknown_plugin(self):
        """A misspelt plugin is an error that lists the plugins and suggests the most similar."""
        error = self.refused(configuration, auth_plugin=u"pasword")
        self.assertEqual((error.key, error.remedy), (u"auth_plugin", u"did you mean password?"))
        self.assertIn(u"v3applicationcredential", error.message)

    def test_rackspace(self):
        """Rackspace's plugin is refused by name."""
        self.assertIn(
            u"Rackspace", self.refused(configuration, auth_plugin=u"rackspace").message
        )


class SecretTests(ConfigurationTestCase):
    """Secrets, which are never shown, and their files."""

    def test_repr_shows_none(self):
        """No repr contains a secret."""
        made = configuration()
        self.assertEqual(made.password(), u"s3cr3t-w0rd")
        self.assertNotIn("s3cr3t", repr(made) + repr(made.password) + str(made.password))

    def test_error_shows_none(self):
        """Neither the message nor the traceback of an error contains a secret."""
        for changes in (
            {"password": [u"s3cr3t"]},
            {"password": b"s3cr3t\xff"},
            {"auth_url": u"https://flocker:s3cr3t@cloud.example"},
            {"password_file": self.write(b"s3cr3t\xff"), "password": None},
        ):
            try:
                configuration(**changes)
            except InvalidConfiguration as error:
                self.assertNotIn(u"s3cr3t", error.message)
                self.assertNotIn("s3cr3t", repr(error) + traceback.format_exc())
                self.assertIsNone(getattr(error, "__context__", None))
            else:
                self.fail(repr(changes))

    def test_file_is_read_each_time(self):
        """A secret's file is read again for each use."""
        path = self.write(u"one\n")
        made = configuration(password=None, password_file=path)
        self.assertEqual(made.password(), u"one")
        with io.open(path, "w") as opened:
            opened.write(u"two\r\n")
        self.assertEqual(made.password(), u"two")

    def test_only_line_ends_are_stripped(self):
        """Spaces at the ends of a secret and characters beyond ASCII are kept."""
        path = self.write(u" zw\xf6lf \n")
        self.assertEqual(Secret(u"password_file", path=path)(), u" zw\xf6lf ")

    def test_file_that_vanished(self):
        """A file that can no longer be read is an error that names the key."""
        path = self.write(u"one")
        secret = configuration(password=None, password_file=path).password
        os.remove(path)
        error = self.refused(secret)
        self.assertEqual(error.key, u"password_file")
        self.assertIn(u"No such file", error.message)

    def test_empty_file(self):
        """An empty file is an error when the configuration is made."""
        error = self.refused(configuration, password=None, password_file=self.write(u"\n"))
        self.assertIn(u"empty", error.message)

    def test_both(self):
        """A secret and its file together are an error."""
        error = self.refused(configuration, password_file=self.write(u"x"))
        self.assertEqual(error.key, u"password")
        self.assertIn(u"password_file", error.message)


class FromFileTests(ConfigurationTestCase):
    """``agent.yml``."""

    def from_file(self, content, **overrides):
        """The configuration in a new file."""
        return Configuration.from_file(self.write(content), **overrides)

    GOOD = (
        u"version: 1\n"
        u"control-service: {hostname: 127.0.0.1}\n"
        u"dataset:\n"
        u"  backend: txstorage\n"
        u"  auth_url: https://cloud.example:5000/v3\n"
        u"  username: flocker\n"
        u"  password: s3cr3t-w0rd\n"
        u"  project_name: storage\n"
    )

    def test_dataset_section(self):
        """The section's keys are the configuration, except ``backend``."""
        self.assertEqual(self.from_file(self.GOOD), configuration())

    def test_flockers_own_backend(self):
        """A file for Flocker's openstack backend can be used unchanged."""
        self.assertEqual(
            self.from_file(self.GOOD.replace(u"txstorage", u"openstack")), configuration()
        )

    def test_overrides(self):
        """The caller's keys replace the file's."""
        made = self.from_file(self.GOOD + u"  cluster_id: %s\n" % NODE, cluster_id=CLUSTER)
        self.assertEqual(made.cluster_id, CLUSTER)

    def test_other_backend(self):
        """A file for another backend is refused."""
        error = self.refused(self.from_file, self.GOOD.replace(u"txstorage", u"loopback"))
        self.assertEqual(error.key, u"backend")

    def test_section_as_it_is(self):
        """A program can pass the whole section, unless the section is for another backend."""
        section = yaml.safe_load(self.GOOD)["dataset"]
        self.assertEqual(Configuration.from_mapping(section), configuration())
        error = self.refused(Configuration.from_mapping, dict(section, backend=u"loopback"))
        self.assertEqual(error.key, u"backend")

    def test_bad_key_has_a_line(self):
        """An error about a key names the file and the line."""
        path = self.write(self.GOOD + u"  timeout: soon\n")
        error = self.refused(Configuration.from_file, path)
        self.assertEqual(error.key, u"timeout")
        self.assertIn(u"(in {}, line 9)".format(path), error.message)

    def test_missing_key_has_no_line(self):
        """An error about a missing key names the file."""
        path = self.write(self.GOOD.replace(u"  username: flocker\n", u""))
        error = self.refused(Configuration.from_file, path)
        self.assertIn(u"(in {})".format(path), error.message)

    def test_no_section(self):
        """Files without a ``dataset`` section are refused."""
        for content in (u"", u"- a\n", u"dataset:\n", u"dataset: [1]\n", u"x: 1\n"):
            self.assertEqual(self.refused(self.from_file, content).key, u"dataset")

    def test_not_there(self):
        """A missing file is an error that names the file."""
        error = self.refused(Configuration.from_file, u"/no/such/agent.yml")
        self.assertIn(u"The file /no/such/agent.yml can't be read: No such file", str(error))
        self.assertNotIn(u"dataset", str(error))
        self.assertEqual(u"correct the path", error.remedy)
        self.assertEqual((str(error),), error.args)

    def test_not_allowed(self):
        """The remedy for a file that the user may not read is to run as another user."""
        def denied(*args, **kwargs):
            raise IOError(errno.EACCES, os.strerror(errno.EACCES))

        self.patch(io, "open", denied)
        error = self.refused(Configuration.from_file, u"/root/agent.yml")
        self.assertIn(u"/root/agent.yml can't be read: Permission denied", error.message)
        self.assertIn(u"run as a user", error.remedy)

    def test_not_yaml(self):
        """The error about malformed YAML names the line, and does not show it."""
        for password in (u"*s3cr3t", u"!s3cr3t x", u"'s3cr3t", u"s3cr3t: {", u"@s3cr3t"):
            error = self.refused(
                self.from_file, u"dataset:\n  password: {}\n".format(password)
            )
            self.assertIn(u"line ", error.message)
            self.assertNotIn(u"s3cr3t", error.message + error.remedy)
            self.assertIsNone(getattr(error, "__context__", None))

    def test_not_text(self):
        """A binary file is refused."""
        self.assertIn(u"is not YAML", self.refused(self.from_file, b"\xff\xfe\x00").message)


class FromEnvironmentTests(ConfigurationTestCase):
    """Environment variables."""

    OPENRC = {
        "OS_AUTH_URL": "https://cloud.example:5000/v3",
        "OS_USERNAME": "flocker",
        "OS_PASSWORD": "s3cr3t-w0rd",
        "OS_PROJECT_NAME": "storage",
        "OS_PROJECT_DOMAIN_ID": "",
        "OS_IDENTITY_API_VERSION": "3",
        "PATH": "/bin",
    }

    def test_openrc(self):
        """OpenStack's own variables are sufficient; unknown ones are ignored."""
        self.assertEqual(Configuration.from_environment(self.OPENRC), configuration())

    def test_ours_win(self):
        """``TXSTORAGE_...`` replaces ``OS_...``, also with a synonym."""
        made = Configuration.from_environment(
            dict(self.OPENRC, TXSTORAGE_TENANT_NAME="mine", TXSTORAGE_CONFIG="/x")
        )
        self.assertEqual(made.project_name, u"mine")

    def test_a_file_replaces_a_password(self):
        """``TXSTORAGE_PASSWORD_FILE`` replaces ``OS_PASSWORD``."""
        path = self.write(u"other")
        made = Configuration.from_environment(dict(self.OPENRC, TXSTORAGE_PASSWORD_FILE=path))
        self.assertEqual(made.password(), u"other")

    def test_values_that_are_not_text(self):
        """Numbers, booleans and mappings are parsed as YAML; text is taken literally."""
        made = Configuration.from_environment(dict(
            self.OPENRC, TXSTORAGE_TIMEOUT="30", TXSTORAGE_VERIFY_PEER="false",
            TXSTORAGE_PROFILES="{gold: ssd}", TXSTORAGE_REGION="1e3", OS_PASSWORD="123",
        ))
        self.assertEqual(
            (made.timeout, made.verify_peer, made.profiles, made.region, made.password()),
            (30.0, False, {u"gold": u"ssd"}, u"1e3", u"123"),
        )

    def test_not_yaml(self):
        """Malformed YAML in a variable is an error that names the key."""
        error = self.refused(
            Configuration.from_environment, dict(self.OPENRC, TXSTORAGE_PROFILES="{")
        )
        self.assertEqual(error.key, u"profiles")

    def test_misspelt(self):
        """A misspelt ``TXSTORAGE_...`` variable is an error that suggests the most similar key."""
        error = self.refused(
            Configuration.from_environment, dict(self.OPENRC, TXSTORAGE_TIMEOUTT="1")
        )
        self.assertIn(u"TXSTORAGE_TIMEOUTT", error.message)
        self.assertEqual(error.remedy, u"did you mean timeout?")

    def test_missing_key_names_the_variables(self):
        """An error about a missing key names the variables to set."""
        error = self.refused(Configuration.from_environment, {})
        self.assertEqual(error.key, u"auth_url")
        self.assertIn(u"TXSTORAGE_AUTH_URL or OS_AUTH_URL", error.message)

    def test_overrides(self):
        """The caller's keys replace the environment's."""
        made = Configuration.from_environment(
            dict(self.OPENRC, TXSTORAGE_CLUSTER_ID=NODE), cluster_id=CLUSTER
        )
        self.assertEqual(made.cluster_id, CLUSTER)

    def test_unknown_override(self):
        """An unknown key of the caller's is refused."""
        error = self.refused(Configuration.from_environment, self.OPENRC, bogus=1)
        self.assertIn(u"bogus: is not known (in the environment)", error.message)

    def test_variables(self):
        """A key's variables are ``TXSTORAGE_...``, also with its synonyms, and OpenStack's."""
        self.assertEqual(
            variables(u"tenant_id"),
            ("TXSTORAGE_PROJECT_ID", "TXSTORAGE_TENANT_ID", "OS_PROJECT_ID", "OS_TENANT_ID"),
        )
