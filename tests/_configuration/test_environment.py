"""
Tests of environment variables: those of OpenStack's clients, and the precedence of all.
"""

from __future__ import absolute_import, division, print_function

import io
import os
import re

from eliot.testing import capture_logging
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from txstorage._configuration.configuration import Configuration
from txstorage._configuration.environment.openstack import CLIENT_VARIABLES
from txstorage._configuration.environment.reading import from_variables, variables
from txstorage._configuration.keys import KEYS
from txstorage._support.compat import native
from txstorage.errors import InvalidConfiguration

from ..helpers.openstacksdk import NO_OPENSTACKSDK

OPENRC = {
    "OS_AUTH_URL": "https://cloud.example:5000/v3",
    "OS_USERNAME": "flocker",
    "OS_PASSWORD": "s3cr3t-w0rd",
    "OS_PROJECT_NAME": "storage",
}


def made(**environ):
    """:return: the configuration by an openrc file and other variables."""
    merged = dict(OPENRC, **environ)
    return Configuration.from_environment(
        {name: value for name, value in merged.items() if value is not None}
    )


class KnownTests(SynchronousTestCase):
    """The variables that other clients know."""

    known = {name for key in KEYS for name in variables(key.name)} | {
        each.name for each in CLIENT_VARIABLES
    }

    def setUp(self):
        """Skip without the other clients."""
        if NO_OPENSTACKSDK:
            raise SkipTest(NO_OPENSTACKSDK)

    def test_keystoneauth(self):
        """Each option of each of keystoneauth's plugins has an outcome."""
        from keystoneauth1 import loading

        options = [
            option
            for plugin in loading.get_available_plugin_loaders().values()
            for each in plugin.get_options()
            for option in [each] + list(each.deprecated)
        ]
        names = {"OS_" + option.name.upper().replace("-", "_") for option in options}
        self.assertGreater(len(names), 40)
        self.assertEqual(sorted(names - self.known), [])

    def test_sources(self):
        """Each variable in the sources of keystoneauth and openstacksdk has an outcome."""
        import keystoneauth1.loading
        import openstack.config

        found = set()
        for module in (keystoneauth1.loading, openstack.config):
            directory = os.path.dirname(module.__file__)
            for name in os.listdir(directory):
                if name.endswith(".py"):
                    with io.open(os.path.join(directory, name), encoding="utf-8") as source:
                        names = re.findall(r"['\"](OS_[A-Z0-9_]*[A-Z0-9])['\"]", source.read())
                        found |= set(names)
        # Prefixes of variables of OpenStack's own tests.
        found -= {"OS_TEST", "OS_STD", "OS_LOG"}
        self.assertIn("OS_CLIENT_CONFIG_FILE", found)
        self.assertEqual(sorted(found - self.known), [])


class OutcomeTests(SynchronousTestCase):
    """The outcome of each variable."""

    def test_table(self):
        """Each variable has one outcome and a reason, and is not a key's."""
        names = [each.name for each in CLIENT_VARIABLES]
        self.assertEqual(len(names), len(set(names)))
        keys = {name for key in KEYS for name in variables(key.name)}
        self.assertEqual(keys & set(names), set())
        for each in CLIENT_VARIABLES:
            self.assertIn(each.outcome, (u"used", u"refused", u"no effect", u"ignored"))
            self.assertTrue(each.reason)

    def test_refused(self):
        """A variable that changes the cloud or the protection is refused, without its value."""
        for each in CLIENT_VARIABLES:
            if each.outcome == u"refused":
                error = self.assertRaises(InvalidConfiguration, made, **{each.name: "s3cr3t"})
                self.assertIn(each.reason, error.message)
                self.assertEqual(error.remedy, u"unset " + each.name)
                self.assertNotIn(u"s3cr3t", str(error))

    @capture_logging(None)
    def test_noted(self, logger):
        """A variable without effect is noted, in the log too, without its value."""
        for each in CLIENT_VARIABLES:
            if each.outcome == u"no effect":
                [note] = made(**{each.name: "s3cr3t"}).notes
                self.assertEqual(
                    note, u"{} has no effect here: {}".format(each.name, each.reason)
                )
                logged = logger.messages[-1]
                self.assertEqual(logged[u"reason"], note)
                self.assertEqual(logged[u"source"], u"the environment")
        self.assertNotIn("s3cr3t", repr(logger.messages))

    def test_ignored(self):
        """A variable of another service changes nothing, and neither does an unknown one."""
        for each in CLIENT_VARIABLES:
            if each.outcome == u"ignored":
                self.assertEqual(made(**{each.name: "x"}).notes, ())
        self.assertEqual(made(OS_ANYTHING="x", OS_URL="").notes, ())

    def test_versions(self):
        """A version that txstorage speaks is right; any other has no effect, which is noted."""
        for name, right, wrong in (
            ("OS_IDENTITY_API_VERSION", "3", "2.0"),
            ("OS_IDENTITY_API_VERSION", "v3", "2"),
            ("OS_VOLUME_API_VERSION", "3.71", "1"),
            ("OS_BLOCK_STORAGE_API_VERSION", "3", "2"),
            ("OS_COMPUTE_API_VERSION", "2.1", "3"),
            ("OS_COMPUTE_API_VERSION", "2", "latest"),
        ):
            self.assertEqual(made(**{name: right}).notes, ())
            [note] = made(**{name: wrong}).notes
            self.assertIn(name, note)

    def test_insecure(self):
        """``OS_INSECURE=true`` turns the verification off, and ``TXSTORAGE_VERIFY_PEER`` wins."""
        self.assertIs(made(OS_INSECURE="True").verify_peer, False)
        for value in ("false", "no", "1", ""):
            self.assertIs(made(OS_INSECURE=value).verify_peer, True)
        both = made(OS_INSECURE="true", TXSTORAGE_VERIFY_PEER="true")
        self.assertIs(both.verify_peer, True)

    def test_names_of_keys(self):
        """Older names of variables are the keys' as well."""
        user = made(OS_USERNAME=None, OS_USER_NAME="u")
        self.assertEqual(user.username, u"u")
        token = made(OS_PASSWORD=None, OS_AUTH_PLUGIN="token", OS_AUTH_TOKEN="t")
        self.assertEqual((token.auth_plugin, token.token()), (u"token", u"t"))
        both = made(
            OS_BLOCK_STORAGE_ENDPOINT_OVERRIDE="http://v", OS_COMPUTE_ENDPOINT_OVERRIDE="http://c"
        )
        self.assertEqual((both.volume_endpoint, both.compute_endpoint), (u"http://v", u"http://c"))


class DomainTests(SynchronousTestCase):
    """The domains of the user and the project."""

    def domains(self, **environ):
        """:return: the ids and names of the two domains, without those that are not given."""
        found = made(**environ)
        return {
            name: getattr(found, name)
            for name in (
                "user_domain_id", "user_domain_name", "project_domain_id", "project_domain_name"
            )
            if getattr(found, name) is not None
        }

    def test_domain(self):
        """``OS_DOMAIN_...`` is the domain of both; a domain of one of the two wins."""
        self.assertEqual(
            self.domains(OS_DOMAIN_NAME="d"),
            {"user_domain_name": u"d", "project_domain_name": u"d"},
        )
        self.assertEqual(
            self.domains(OS_DOMAIN_ID="d", OS_USER_DOMAIN_NAME="people"),
            {"user_domain_name": u"people", "project_domain_id": u"d"},
        )

    def test_default_domain(self):
        """``OS_DEFAULT_DOMAIN`` is an id, and weaker than each other variable."""
        self.assertEqual(
            self.domains(OS_DEFAULT_DOMAIN="d"),
            {"user_domain_id": u"d", "project_domain_id": u"d"},
        )
        self.assertEqual(
            self.domains(OS_DEFAULT_DOMAIN="d", OS_DEFAULT_DOMAIN_ID="e"),
            {"user_domain_id": u"e", "project_domain_id": u"e"},
        )
        for weaker in ("OS_DEFAULT_DOMAIN", "OS_DEFAULT_DOMAIN_ID", "OS_DEFAULT_DOMAIN_NAME"):
            self.assertEqual(
                self.domains(OS_DOMAIN_NAME="d", **{weaker: "other"}),
                {"user_domain_name": u"d", "project_domain_name": u"d"},
            )

    def test_token_for_a_domain(self):
        """Without a project, the variables ask for a token for a domain, which is refused."""
        for name, key in (("OS_DOMAIN_ID", u"domain_id"), ("OS_DOMAIN_NAME", u"domain_name")):
            error = self.assertRaises(
                InvalidConfiguration, made, OS_PROJECT_NAME=None, **{name: "d"}
            )
            self.assertEqual(error.key, key)
            self.assertIn(u"a token for a domain can't use volumes", error.message)
            self.assertIn(name, error.message)
            self.assertTrue(made(OS_PROJECT_NAME=None, TXSTORAGE_PROJECT_ID="p", **{name: "d"}))


class PrecedenceTests(SynchronousTestCase):
    """txstorage's variables and OpenStack's."""

    def test_alternatives(self):
        """One of txstorage's variables replaces OpenStack's alternatives to it."""
        found = made(OS_PROJECT_NAME=None, OS_PROJECT_ID="theirs", TXSTORAGE_PROJECT_NAME="ours")
        self.assertEqual((found.project_id, found.project_name), (None, u"ours"))
        found = made(OS_DEFAULT_DOMAIN_ID="theirs", TXSTORAGE_DEFAULT_DOMAIN_NAME="ours")
        self.assertEqual((found.user_domain_id, found.user_domain_name), (None, u"ours"))
        found = made(OS_AUTH_TYPE="token", OS_TOKEN="theirs", TXSTORAGE_PASSWORD="ours")
        self.assertEqual(
            (found.auth_plugin, found.token, found.password()), (u"password", None, u"ours")
        )

    def test_leftovers_beside_a_cloud(self):
        """Beside ``OS_CLOUD``, OpenStack's other variables are neither used nor noted."""
        found = from_variables(
            dict(OPENRC, OS_CLOUD="mine", OS_URL="x", OS_TLS_CIPHERS="x", TXSTORAGE_REGION="r")
        )
        self.assertEqual(found.values, {"cloud": "mine", "region": "r"})
        self.assertEqual(found.notes, [])
        self.assertNotIn("s3cr3t", repr(found))

    def test_native(self):
        """Variables are native strings on each Python."""
        self.assertEqual(made(OS_REGION_NAME=native(u"r\xe9gion")).region, u"r\xe9gion")
