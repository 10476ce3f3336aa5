# -*- coding: utf-8 -*-
"""
``clouds.yaml``: where it is found, what it means, and what can't be honoured.
"""

from __future__ import absolute_import, division, print_function

import io
import os
import sys

import yaml
from eliot.testing import capture_logging
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from txstorage._configuration import clouds_yaml as _clouds
from txstorage._configuration.clouds_yaml import CloudFiles, _openstacksdk
from txstorage._configuration.clouds_yaml_keys import AUTH, BESIDE, REPLACES, without_replaced
from txstorage._configuration.configuration import Configuration
from txstorage._configuration.keys import BY_NAME, REFUSED
from txstorage._support.compat import as_text
from txstorage.errors import InvalidConfiguration

AUTH_SECTION = {
    "auth_url": "https://cloud.example:5000/v3",
    "username": "flocker",
    "password": "s3cr3t-w0rd",
    "project_name": "storage",
}

APPLICATION = {
    "auth_url": "https://cloud.example:5000/v3",
    "application_credential_id": "a1",
    "application_credential_secret": "s3cr3t-w0rd",
}


class CloudsTestCase(SynchronousTestCase):
    """Base: a home, a current directory, and files in them."""

    def setUp(self):
        """Nothing is there yet."""
        self.home, self.here = os.path.abspath(self.mktemp()), os.path.abspath(self.mktemp())
        self.user = os.path.join(self.home, ".config", "openstack")
        os.makedirs(self.user)
        os.makedirs(self.here)
        self.environ = {"HOME": self.home}

    def write(self, path, content):
        """A file with the content: text, bytes, or something for YAML."""
        if not isinstance(content, (type(u""), bytes)):
            content = as_text(yaml.safe_dump(content))
        with io.open(path, "wb") as opened:
            opened.write(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    def clouds(self, clouds, name="clouds.yaml", directory=None):
        """A file with these clouds in it."""
        return self.write(os.path.join(directory or self.here, name), {"clouds": clouds})

    def files(self):
        """What finds the files and reads them without openstacksdk."""
        return CloudFiles(self.environ, self.here, loader=lambda: None)

    def read(self, name=u"mine", region=None):
        """One cloud."""
        return self.files().cloud(name, region)

    def values(self, cloud, region=None):
        """What one cloud with that content means, by our keys."""
        self.clouds({"mine": cloud})
        return self.read(region=region).values

    def refused(self, function, *args, **kwargs):
        """The error's message and remedy."""
        error = self.assertRaises(InvalidConfiguration, function, *args, **kwargs)
        self.assertNotIn(u"s3cr3t", error.message + error.remedy)
        return u"{} ({})".format(error.message, error.remedy)


class SearchTests(CloudsTestCase):
    """Which files are read."""

    def test_directories(self):
        """The current directory comes before the user's."""
        self.clouds({"mine": {"region_name": "user"}}, directory=self.user)
        self.assertEqual(self.read().values[u"region"], u"user")
        path = self.clouds({"mine": {"region_name": "here"}})
        cloud = self.read()
        self.assertEqual((cloud.values[u"region"], cloud.files), (u"here", (as_text(path),)))

    def test_suffixes(self):
        """YAML comes before JSON."""
        self.write(
            os.path.join(self.here, "clouds.json"), u'{"clouds": {"mine": {"region_name": "j"}}}'
        )
        self.assertEqual(self.read().values[u"region"], u"j")
        self.clouds({"mine": {"region_name": "y"}}, name="clouds.yml")
        self.assertEqual(self.read().values[u"region"], u"y")

    def test_named(self):
        """A named file is read in place of those that would be found."""
        self.clouds({"mine": {"region_name": "here"}})
        self.environ["OS_CLIENT_CONFIG_FILE"] = self.clouds(
            {"mine": {"region_name": "named", "auth": {"username": "u"}}}, name="other.yaml"
        )
        self.environ["OS_CLIENT_SECURE_FILE"] = self.clouds(
            {"mine": {"auth": {"password": "p"}}}, name="hidden.yaml"
        )
        values = self.read().values
        self.assertEqual(
            values, {u"region": u"named", u"username": u"u", u"password": u"p"}
        )

    def test_named_and_missing(self):
        """A named file that is not there is an error, also when another is."""
        self.clouds({"mine": {}})
        self.environ["OS_CLIENT_CONFIG_FILE"] = "/no/such/clouds.yaml"
        self.assertIn(u"/no/such/clouds.yaml can't be read", self.refused(self.read))

    def test_secure(self):
        """``secure.yaml`` is laid over, inside of ``auth`` too, wherever it is."""
        self.clouds({"mine": {"auth": {"username": "u", "password": "no"}}})
        path = self.clouds(
            {"mine": {"auth": {"password": "s3cr3t"}}}, name="secure.yaml", directory=self.user
        )
        cloud = self.read()
        self.assertEqual(cloud.values, {u"username": u"u", u"password": u"s3cr3t"})
        self.assertEqual(cloud.files[1], as_text(path))
        self.assertEqual(len(cloud.secret_files), 2)
        self.clouds({"mine": {"auth": {"username": "u"}}})
        self.assertEqual(self.read().secret_files, (as_text(path),))
        self.assertIn(as_text(path), cloud.describe())
        self.assertNotIn("s3cr3t", repr(cloud))

    def test_none(self):
        """Without any the error says where it was looked for."""
        said = self.refused(self.read)
        for part in (self.here, self.user, u"/etc/openstack", u"OS_CLIENT_CONFIG_FILE"):
            self.assertIn(as_text(part), said)

    def test_secure_alone(self):
        """``secure.yaml`` alone is no cloud."""
        self.clouds({"mine": {}}, name="secure.yaml")
        self.assertIn(u"there is no clouds.yaml", self.refused(self.read))

    def test_no_such_cloud(self):
        """The error names the clouds that there are, and the nearest."""
        self.clouds({"mine": {}, "other": {}})
        said = self.refused(self.read, u"mien")
        self.assertIn(u"these are: mine, other (did you mean mine?)", said)

    def test_the_directory_is_kept(self):
        """A daemon that leaves its directory finds the files again."""
        self.clouds({"mine": {"region_name": "r"}})
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        os.chdir(self.here)
        files = CloudFiles(self.environ, loader=lambda: None)
        os.chdir("/")
        self.assertEqual(files.cloud(u"mine").values[u"region"], u"r")

    def test_home_of_the_process(self):
        """Without ``HOME`` the process's home is asked for."""
        self.clouds({"mine": {"region_name": "r"}})
        self.environ = {}
        self.assertEqual(self.read().values[u"region"], u"r")

    def test_broken(self):
        """What is no such file, or only the beginning of one, is refused by its name."""
        path = os.path.join(self.here, "clouds.yaml")
        for content, words in (
            (u"", u"is empty"),
            (u"- a\n", u"no mapping"),
            (u"clouds: [1]\n", u"'clouds' is no mapping"),
            (u"clouds:\n  mine: 1\n", u"it is no mapping"),
            (u"clouds:\n  mine:\n    auth: {password: 's3cr", u"line 3 is not YAML"),
            (b"\xff\xfe", u"is not YAML"),
            (u"clouds:\n", u"these are: none"),
            (u"clouds:\n  mine:\n    auth: 7\n", u"auth is no mapping"),
        ):
            self.write(path, content)
            said = self.refused(self.read)
            self.assertIn(words, said)
            self.assertIn(as_text(path), said)


class KeysTests(CloudsTestCase):
    """What a cloud's keys mean."""

    def test_everything(self):
        """Every key that there is a key of ours for is taken, by our name."""
        values = self.values({
            "auth": dict(
                AUTH_SECTION, user_domain_name="ud", project_domain_id="pd", trust_id="t",
                system_scope="all", default_domain_id="dd",
            ),
            "auth-type": "v3password",
            "region_name": "r",
            "interface": "internal",
            "verify": False,
            "cacert": "/ca.pem",
            "cert": "/c.pem",
            "key": "/k.pem",
            "identity_api_version": 3,
            "volume_api_version": "3.59",
            "compute_api_version": "2.1",
            "block_storage_endpoint_override": "http://v.example/v3",
            "compute_endpoint_override": "http://c.example/v2.1",
        })
        self.assertEqual(values, {
            u"auth_url": u"https://cloud.example:5000/v3", u"username": u"flocker",
            u"password": u"s3cr3t-w0rd", u"project_name": u"storage",
            u"user_domain_name": u"ud", u"project_domain_id": u"pd", u"trust_id": u"t",
            u"system_scope": u"all", u"default_domain_id": u"dd", u"auth_plugin": u"v3password",
            u"region": u"r", u"interface": u"internal", u"verify_peer": False,
            u"verify_ca_path": u"/ca.pem", u"client_certificate": u"/c.pem",
            u"client_key": u"/k.pem", u"volume_endpoint": u"http://v.example/v3",
            u"compute_endpoint": u"http://c.example/v2.1",
        })

    def test_older_names(self):
        """What older files say means the same."""
        values = self.values({
            "username": "u", "auth": {"tenant_id": 123, "auth_token": "tok"},
            "auth_plugin": "token", "endpoint_type": "publicURL", "insecure": True,
            "volume_endpoint_override": "http://v.example/v3",
        })
        self.assertEqual(values, {
            u"username": u"u", u"project_id": u"123", u"token": u"tok", u"auth_plugin": u"token",
            u"interface": u"publicURL", u"verify_peer": False,
            u"volume_endpoint": u"http://v.example/v3",
        })

    def test_one_domain(self):
        """The one domain of older files is the user's and the project's, unless they have one."""
        values = self.values({
            "auth": dict(AUTH_SECTION, domain_name="d", project_domain_id="pd"),
        })
        self.assertEqual(
            (values[u"user_domain_name"], values[u"project_domain_id"]), (u"d", u"pd")
        )
        self.assertNotIn(u"user_domain_id", values)
        self.assertNotIn(u"domain_name", values)

    def test_regions(self):
        """A region's own values are taken: the given one's, else the first one's."""
        cloud = {"regions": ["a", {"name": "b", "values": {"interface": "internal"}}]}
        self.assertEqual(self.values(cloud), {u"region": u"a"})
        self.assertEqual(
            self.values(cloud, u"b"), {u"region": u"b", u"interface": u"internal"}
        )
        self.assertEqual(self.values(dict(cloud, region_name="b"))[u"region"], u"b")
        self.assertIn(u"no region c; these are: a, b", self.refused(self.values, cloud, u"c"))

    def test_home(self):
        """Paths may begin with the user's home."""
        path = self.values({"cacert": "~/ca.pem"})[u"verify_ca_path"]
        self.assertEqual(path, as_text(os.path.expanduser("~/ca.pem")))

    def test_no_value(self):
        """A key without a value is not given."""
        self.assertEqual(
            self.values({"auth": {"username": None}, "cacert": None, "region_name": None}), {}
        )

    REFUSED = [
        ({"auth_type": "v3oidcpassword"}, u"auth_type v3oidcpassword is not supported"),
        ({"auth_type": "v3totp"}, u"these are: none, password"),
        ({"auth_type": ["a"]}, u"is not supported"),
        ({"auth": {"passcode": "s3cr3t"}}, u"auth.passcode can't be honoured"),
        ({"auth": {"endpoint": "http://v"}}, u"auth.endpoint can't be honoured"),
        ({"identity_api_version": "2.0"}, u"identity_api_version is 2.0, and the driver speaks 3"),
        ({"volume_api_version": 2}, u"volume_api_version is 2"),
        ({"compute_api_version": "3"}, u"compute_api_version is 3"),
        ({"volume_service_type": "volumev2"}, u"volume_service_type can't be honoured"),
        ({"identity_endpoint_override": "http://k"}, u"identity_endpoint_override can't"),
        ({"interface": "public", "volume_interface": "internal"}, u"volume_interface can't be"),
        ({"compute_region_name": "r2"}, u"the same for all services"),
        (
            {"volume_endpoint_override": "http://a", "volumev3_endpoint_override": "http://b"},
            u"volumev3_endpoint_override and volume_endpoint_override say different things",
        ),
        ({"username": "a", "auth": {"username": "b"}}, u"say different things"),
        ({"auth": {"auth_url": "https://{region_name}.cloud/"}}, u"a placeholder"),
        ({"profile": "somecloud"}, u"vendor profile somecloud is known to openstacksdk only"),
        ({"profile": "https://vendor.example"}, u"would have to be fetched"),
        ({"regions": "a"}, u"regions is no list"),
        ({"regions": [{"values": {}}]}, u"no name"),
        ({"regions": [{"name": "a", "values": [1]}]}, u"no mapping"),
        ({"regions": [{"name": "a", "auth": {"password": "s3cr3t"}}]}, u"other keys"),
    ]

    def test_refused(self):
        """What can't be honoured is an error that names the cloud, the file and the key."""
        for cloud, words in self.REFUSED:
            said = self.refused(self.values, cloud)
            self.assertIn(words, said)
            self.assertIn(u"cloud 'mine' in {}".format(as_text(self.here)), said)

    def test_same_for_all(self):
        """What is said for each service and is the same for all is fine."""
        self.values({
            "interface": "internal", "volume_interface": "internal", "region_name": "r",
            "compute_region_name": "r", "block_storage_api_version": 3.0,
        })

    def test_without_effect(self):
        """What means nothing here is named."""
        self.clouds({"mine": {
            "networks": [], "dns-api-version": 2, "auth": {}, "verify": True, "api_timeout": 5,
        }})
        self.assertEqual(
            self.read().without_effect, (u"api_timeout", u"dns_api_version", u"networks")
        )

    def test_table(self):
        """Every name of ours in the table is a key, or one that is refused with a reason."""
        ours = {name for name, _ in AUTH + BESIDE}
        self.assertEqual(ours - set(BY_NAME) - set(REFUSED), set())
        self.assertEqual(
            {name for names in REPLACES.values() for name in names} - set(BY_NAME), set()
        )


class OpenStackSDKTests(KeysTests):
    """The same, read by openstacksdk's own loader."""

    # Its vendor profiles are what it is used for, and it takes either word of
    # two that disagree.
    REFUSED = [
        (cloud, words)
        for cloud, words in KeysTests.REFUSED
        if u"profile" not in words and u"say different" not in words
        and u"placeholder" not in words
    ]

    def setUp(self):
        """Only where it is installed."""
        KeysTests.setUp(self)
        if _openstacksdk() is None:
            raise SkipTest("openstacksdk is not installed")

    def files(self):
        """What reads the files with openstacksdk."""
        return CloudFiles(self.environ, self.here)

    def test_secure(self):
        """``secure.yaml`` is laid over."""
        self.clouds({"mine": {"auth": {"username": "u", "password": "no"}}})
        self.clouds({"mine": {"auth": {"password": "s3{cr}3t"}}}, name="secure.yaml")
        self.assertEqual(
            self.read().values,
            {u"username": u"u", u"password": u"s3{cr}3t", u"verify_peer": True},
        )

    def values(self, cloud, region=None):
        """It has a default of its own for ``verify``, which is ours too."""
        values = KeysTests.values(self, cloud, region)
        if values.get(u"verify_peer") is True and "verify" not in cloud:
            del values[u"verify_peer"]
        return values

    def test_profile(self):
        """A vendor's profile is known; a key of ours replaces what is in it."""
        self.clouds({"mine": {"profile": "elastx", "auth": {"username": "u"}}})
        values = self.read().values
        self.assertEqual(values[u"username"], u"u")
        self.assertTrue(values[u"auth_url"].startswith(u"https://"), values)

    def test_profile_elsewhere(self):
        """A profile that would be fetched from its vendor is refused: nothing is sent."""
        self.assertIn(u"would have to be fetched", self.refused(
            self.values, {"profile": "vexxhost", "region_name": "ca-ymq-1"}
        ))

    def test_no_value(self):
        """A key without a value is not given."""
        self.assertEqual(self.values({"auth": {"username": None}, "cacert": None}), {})

    def test_its_troubles(self):
        """Whatever goes wrong inside of it is an error, without its words."""

        class Broken(object):
            def __init__(self, **options):
                raise KeyError("s3cr3t")

        self.clouds({"mine": {}})
        files = CloudFiles(self.environ, self.here, loader=lambda: (Broken, None))
        self.assertIn(
            u"openstacksdk can't read it (KeyError)", self.refused(files.cloud, u"mine")
        )


class LoaderTests(SynchronousTestCase):
    """Whether openstacksdk is there."""

    def test_not_there(self):
        """Without it our own loader is used."""
        for name in ("openstack", "openstack.config"):
            if name in sys.modules:
                self.addCleanup(sys.modules.__setitem__, name, sys.modules[name])
            else:
                self.addCleanup(sys.modules.pop, name)
            sys.modules[name] = None
        self.assertIs(_openstacksdk(), None)


class ConfigurationTests(CloudsTestCase):
    """A configuration that names a cloud."""

    def setUp(self):
        """Without openstacksdk, so that the result is the same everywhere."""
        CloudsTestCase.setUp(self)
        self.patch(_clouds, "_openstacksdk", lambda: None)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.here)
        self.clouds({
            "mine": {"auth": AUTH_SECTION, "region_name": "r"},
            "app": {"auth": APPLICATION, "auth_type": "v3applicationcredential"},
        })

    def configuration(self, **keys):
        """One that is made of keys."""
        keys.setdefault("cloud", u"mine")
        return Configuration.from_mapping(keys, self.environ)

    def test_cloud(self):
        """The cloud's keys are the configuration."""
        made = self.configuration()
        self.assertEqual(
            (made.auth_plugin, made.username, made.password(), made.region, made.cloud),
            (u"password", u"flocker", u"s3cr3t-w0rd", u"r", u"mine"),
        )
        self.assertEqual(made.secret_files, (as_text(os.path.join(self.here, "clouds.yaml")),))
        self.assertNotIn("s3cr3t", repr(made))
        self.assertEqual(self.configuration(cloud=u"app").auth_plugin, u"v3applicationcredential")

    def test_explicit_keys_win(self):
        """A given key replaces the cloud's, and its other ways to say the same."""
        made = self.configuration(project_id=u"p1", region=u"r2", user_id=u"u1")
        self.assertEqual(
            (made.project_id, made.project_name, made.region, made.user_id, made.username),
            (u"p1", None, u"r2", u"u1", None),
        )
        self.assertEqual(self.configuration(trust_id=u"t").project_name, None)

    def test_other_way_to_authenticate(self):
        """A given secret of another kind replaces the cloud's way to authenticate."""
        made = self.configuration(
            cloud=u"app", username=u"u", password=u"p", project_name=u"x"
        )
        self.assertEqual(
            (made.auth_plugin, made.application_credential_id, made.password()),
            (u"password", None, u"p"),
        )
        made = self.configuration(
            application_credential_id=u"a", application_credential_secret=u"s"
        )
        self.assertEqual(
            (made.auth_plugin, made.password), (u"v3applicationcredential", None)
        )
        path = self.write(os.path.join(self.here, "secret"), u"other")
        made = self.configuration(cloud=u"app", application_credential_secret_file=as_text(path))
        self.assertEqual(
            (made.application_credential_id, made.application_credential_secret()),
            (u"a1", u"other"),
        )

    def test_replaced_is_not_checked(self):
        """What is replaced may be wrong."""
        self.clouds({"mine": {"auth": AUTH_SECTION, "cacert": "/no/such"}})
        ca = as_text(self.write(os.path.join(self.here, "ca"), u"x"))
        self.assertEqual(self.configuration(verify_ca_path=ca).verify_ca_path, ca)
        self.assertEqual(
            without_replaced({u"password": 1, u"region": 2}, ["token"]), {u"region": 2}
        )

    def test_bad_value(self):
        """A wrong value in the file is an error by both names, with the file."""
        self.clouds({"mine": {"auth": AUTH_SECTION, "verify": "s3cr3t"}})
        error = self.assertRaises(InvalidConfiguration, self.configuration)
        self.assertEqual(error.key, u"verify_peer")
        self.assertIn(u"(verify of cloud 'mine' in {}".format(as_text(self.here)), error.message)
        self.clouds({"mine": {"auth": dict(AUTH_SECTION, project_name=None, domain_id="d")}})
        error = self.assertRaises(InvalidConfiguration, self.configuration)
        self.assertIn(u"auth.domain_id of cloud 'mine'", error.message)

    def test_reread(self):
        """The files are read again; what is broken then is an error."""
        made = self.configuration()
        self.clouds({"mine": {"auth": dict(AUTH_SECTION, password="new")}})
        self.assertEqual(made.reread().password(), u"new")
        self.assertEqual(made.password(), u"s3cr3t-w0rd")
        self.write(os.path.join(self.here, "clouds.yaml"), u"clouds:\n  mine:\n    auth: {pass")
        self.assertRaises(InvalidConfiguration, made.reread)

    def test_environment(self):
        """``OS_CLOUD`` names a cloud; only our own variables go with it."""
        made = Configuration.from_environment(dict(
            self.environ, OS_CLOUD="mine", OS_USERNAME="left over", OS_PASSWORD="left over",
            TXSTORAGE_REGION="r3",
        ))
        self.assertEqual((made.username, made.password(), made.region),
                         (u"flocker", u"s3cr3t-w0rd", u"r3"))

    @capture_logging(None)
    def test_notes(self, logger):
        """What has no effect is told in the log, once."""
        self.clouds({"mine": {"auth": AUTH_SECTION, "networks": []}})
        made = self.configuration()
        made.reread()
        [note] = logger.messages
        self.assertEqual(note[u"message_type"], u"txstorage:configuration:note")
        self.assertEqual(note[u"reason"], u"networks has no effect here")
        self.assertIn(u"cloud 'mine'", note[u"source"])
