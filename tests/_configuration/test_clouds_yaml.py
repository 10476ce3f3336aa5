# -*- coding: utf-8 -*-
"""
The files of ``clouds.yaml``: search, reading, vendor profiles, and a configuration of a cloud.
"""

from __future__ import absolute_import, division, print_function

import os
import socket
import sys

from eliot.testing import capture_logging

from txstorage._configuration import clouds_yaml, openstacksdk
from txstorage._configuration.clouds_yaml import CloudFiles, search_directories
from txstorage._configuration.configuration import Configuration
from txstorage._support.compat import as_text
from txstorage.errors import InvalidConfiguration

from ..helpers.openstacksdk import NO_OPENSTACKSDK
from .clouds import AUTH_SECTION, CloudsTestCase

APPLICATION = {
    "auth_url": "https://cloud.example:5000/v3",
    "application_credential_id": "a1",
    "application_credential_secret": "s3cr3t-w0rd",
}


class ExtraTests(CloudsTestCase):
    """The extra ``clouds``, which installs openstacksdk."""

    def setUp(self):
        """Write a cloud."""
        CloudsTestCase.setUp(self)
        self.clouds({"mine": {"auth": AUTH_SECTION}})

    def configuration(self):
        """:return: the configuration of the cloud, by a variable."""
        path = os.path.join(self.here, "clouds.yaml")
        return Configuration.from_environment(
            dict(self.environ, OS_CLOUD="mine", OS_CLIENT_CONFIG_FILE=path)
        )

    def test_python_2(self):
        """On Python 2 a cloud is refused, and the error names Python 3 as the remedy."""
        self.patch(openstacksdk, "PY2", True)
        message = self.refused(self.configuration)
        self.assertIn(u"Configuration key cloud: needs Python 3", message)
        self.assertIn(u"OS_CLOUD", message)

    def test_not_installed(self):
        """Without openstacksdk a cloud is refused; the error names the extra."""
        self.patch(openstacksdk, "PY2", False)
        for name in ("openstack", "openstack.config"):
            if name in sys.modules:
                self.addCleanup(sys.modules.__setitem__, name, sys.modules[name])
            else:
                self.addCleanup(sys.modules.pop, name)
            sys.modules[name] = None
        message = self.refused(self.configuration)
        self.assertIn(u"needs openstacksdk, which is not installed", message)
        self.assertIn(u"pip install 'txstorage[clouds]'", message)

    def test_imported_when_used(self):
        """The slow import of openstacksdk is left to configurations that name a cloud."""
        self.patch(clouds_yaml, "check_installed", lambda: self.fail("imported"))
        Configuration.from_environment({
            "OS_AUTH_URL": "http://k", "OS_USERNAME": "u", "OS_PASSWORD": "p",
            "OS_PROJECT_NAME": "p",
        })


class SearchTests(CloudsTestCase):
    """The search for the files."""

    skip = NO_OPENSTACKSDK

    def test_directories(self):
        """The current directory comes before the user's."""
        self.clouds({"mine": {"region_name": "user"}}, directory=self.user)
        self.assertEqual(self.read().values[u"region"], u"user")
        path = self.clouds({"mine": {"region_name": "here"}})
        cloud = self.read()
        self.assertEqual((cloud.values[u"region"], cloud.files), (u"here", (as_text(path),)))

    def test_xdg(self):
        """``XDG_CONFIG_HOME`` and ``XDG_CONFIG_DIRS`` come before the usual directories."""
        places = [os.path.abspath(self.mktemp()) for _ in range(3)]
        for place in places:
            os.makedirs(os.path.join(place, "openstack"))
        self.environ.update(XDG_CONFIG_HOME=places[0], XDG_CONFIG_DIRS=":".join(places[1:]))
        for directory, region in (
            (os.path.join(places[2], "openstack"), u"second"),
            (os.path.join(places[1], "openstack"), u"first"),
            (self.user, u"user"),
            (os.path.join(places[0], "openstack"), u"home"),
            (self.here, u"here"),
        ):
            self.clouds({"mine": {"region_name": str(region)}}, directory=directory)
            self.assertEqual(self.read().values[u"region"], region)
        self.environ["XDG_CONFIG_HOME"] = "relative"
        os.remove(os.path.join(self.here, "clouds.yaml"))
        self.assertEqual(self.read().values[u"region"], u"user")

    def test_xdg_as_openstacksdk(self):
        """The directories are those of openstacksdk, in its order."""
        home, xdg = os.path.join(self.home, ".config"), os.path.abspath(self.mktemp())
        for environ, expected in (
            ({}, [home, "/etc/xdg", "/etc"]),
            ({"XDG_CONFIG_HOME": home, "XDG_CONFIG_DIRS": ""}, [home, "/etc/xdg", "/etc"]),
            ({"XDG_CONFIG_HOME": xdg}, [xdg, home, "/etc/xdg", "/etc"]),
            ({"XDG_CONFIG_DIRS": "/a:/b:rel"}, [home, "/a", "/b", "/etc"]),
        ):
            self.assertEqual(
                search_directories(dict(self.environ, **environ)),
                [os.path.join(each, "openstack") for each in expected],
            )

    def test_suffixes(self):
        """YAML comes before JSON."""
        self.write(
            os.path.join(self.here, "clouds.json"), u'{"clouds": {"mine": {"region_name": "j"}}}'
        )
        self.assertEqual(self.read().values[u"region"], u"j")
        self.clouds({"mine": {"region_name": "y"}}, name="clouds.yml")
        self.assertEqual(self.read().values[u"region"], u"y")

    def test_named(self):
        """A file that a variable names is read instead of one in the directories."""
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
        """A named file that does not exist is an error, although another file exists."""
        self.clouds({"mine": {}})
        self.environ["OS_CLIENT_CONFIG_FILE"] = "/no/such/clouds.yaml"
        self.assertIn(u"/no/such/clouds.yaml can't be read", self.refused(self.read))

    def test_secure(self):
        """``secure.yaml`` is laid over ``clouds.yaml``, and over its ``auth``."""
        self.clouds({"mine": {"auth": {"username": "u", "password": "no"}}})
        path = self.clouds(
            {"mine": {"auth": {"password": "s3{cr}3t"}}}, name="secure.yaml", directory=self.user
        )
        cloud = self.read()
        self.assertEqual(cloud.values, {u"username": u"u", u"password": u"s3{cr}3t"})
        self.assertEqual(cloud.files[1], as_text(path))
        self.assertEqual(len(cloud.secret_files), 2)
        self.clouds({"mine": {"auth": {"username": "u"}}})
        self.assertEqual(self.read().secret_files, (as_text(path),))
        self.assertIn(as_text(path), cloud.describe())
        self.assertNotIn("s3{cr}3t", repr(cloud))

    def test_secure_for_other_clouds(self):
        """``secure.yaml`` need not contain each cloud."""
        self.clouds({"mine": {"auth": {"username": "u"}}})
        self.clouds({"other": {"auth": {"password": "p"}}}, name="secure.yaml")
        self.assertEqual(self.read().values, {u"username": u"u"})

    def test_none(self):
        """Without a file the error names the directories."""
        message = self.refused(self.read)
        for part in (self.here, self.user, u"/etc/openstack", u"OS_CLIENT_CONFIG_FILE"):
            self.assertIn(as_text(part), message)

    def test_secure_alone(self):
        """``secure.yaml`` alone is not sufficient."""
        self.clouds({"mine": {}}, name="secure.yaml")
        self.assertIn(u"no clouds.yaml in", self.refused(self.read))

    def test_no_such_cloud(self):
        """The error lists the clouds of the file, and suggests the most similar."""
        self.clouds({"mine": {}, "other": {}})
        message = self.refused(self.read, u"mien")
        self.assertIn(u"which contains: mine, other (did you mean mine?)", message)

    def test_the_directory_is_kept(self):
        """A daemon that changes its directory still finds the files."""
        self.clouds({"mine": {"region_name": "r"}})
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        os.chdir(self.here)
        files = CloudFiles(self.environ)
        os.chdir("/")
        self.assertEqual(files.cloud(u"mine").values[u"region"], u"r")

    def test_home_of_the_process(self):
        """Without ``HOME`` the process's home directory is used."""
        self.clouds({"mine": {"region_name": "r"}})
        self.environ = {}
        self.assertEqual(self.read().values[u"region"], u"r")

    def test_malformed(self):
        """A malformed or incomplete file is an error that names the file."""
        path = os.path.join(self.here, "clouds.yaml")
        for content, words in (
            (u"", u"is empty"),
            (u"- a\n", u"not a mapping"),
            (u"clouds: [1]\n", u"'clouds' is not a mapping"),
            (u"clouds:\n  mine: 1\n", u"is not a mapping"),
            (u"clouds:\n  mine:\n    auth: {password: 's3cr", u"line 3 is not YAML"),
            (b"\xff\xfe", u"is not YAML"),
            (u"clouds:\n", u"which contains: no cloud"),
            (u"clouds:\n  mine:\n    auth: 7\n", u"auth, is not a mapping"),
        ):
            self.write(path, content)
            message = self.refused(self.read)
            self.assertIn(words, message)
            self.assertIn(as_text(path), message)


class LoaderTests(CloudsTestCase):
    """openstacksdk's loader, kept from the network and from other files."""

    skip = NO_OPENSTACKSDK

    def setUp(self):
        """Refuse network traffic."""
        CloudsTestCase.setUp(self)
        for name in ("getaddrinfo", "create_connection"):
            self.patch(socket, name, lambda *args, **kwargs: self.fail("network traffic"))

    def test_profile(self):
        """A vendor profile of openstacksdk's own is used; the cloud's keys win."""
        values = self.values({"profile": "elastx", "auth": {"username": "u"}})
        self.assertEqual(values[u"username"], u"u")
        self.assertTrue(values[u"auth_url"].startswith(u"https://"), values)

    def test_remote_profile(self):
        """A vendor profile that openstacksdk would download is refused."""
        for cloud in (
            {"profile": "https://vendor.example"},
            {"cloud": "http://vendor.example:5000/v3"},
            {"profile": "vexxhost", "region_name": "ca-ymq-1"},
        ):
            self.assertIn(u"would be downloaded", self.refused(self.values, cloud))

    def test_ended_profiles(self):
        """A deprecated profile is noted with its vendor's words; an ended one is refused."""
        cloud = {"profile": "fuga", "auth": {"username": "u"}}
        self.clouds({"mine": cloud})
        [note] = self.read().notes
        self.assertIn(u"the vendor profile fuga is deprecated: ", note)
        self.assertIn(
            u"the cloud of the profile ultimum no longer exists: ultimum-cloud.com has ceased",
            self.refused(self.values, {"profile": "ultimum"}),
        )

    def test_deprecated_public(self):
        """A profile of one's own may be deprecated, too."""
        profile = {"auth": {"auth_url": "https://public.example/v3"}, "status": "deprecated"}
        self.write(
            os.path.join(self.user, "clouds-public.yaml"), {"public-clouds": {"ours": profile}}
        )
        self.clouds({"mine": {"profile": "ours"}})
        self.assertEqual(
            self.read().notes, (u"the vendor profile ours is deprecated: no reason is given",)
        )

    def test_unknown_profile(self):
        """A profile that nobody knows is noted, and so is no other."""
        self.clouds({"mine": {"profile": "fugo"}, "other": {"profile": "elastx"}, "plain": {}})
        [note] = self.read().notes
        self.assertIn(u"the vendor profile fugo is unknown", note)
        self.assertEqual(self.read(u"other").notes, ())
        self.assertEqual(self.read(u"plain").notes, ())

    def test_public(self):
        """A profile of ``clouds-public.yaml`` is used, also in place of a remote one."""
        profile = {"auth": {"auth_url": "https://public.example/v3"}, "region_name": "p"}
        self.write(
            os.path.join(self.user, "clouds-public.yaml"),
            {"public-clouds": {"ours": profile, "https://vendor.example": profile}},
        )
        for name in ("ours", "https://vendor.example"):
            self.assertEqual(
                self.values({"profile": name, "auth": {"username": "u"}}),
                {u"auth_url": u"https://public.example/v3", u"username": u"u", u"region": u"p"},
            )

    def test_unreadable_public(self):
        """A malformed ``clouds-public.yaml`` is an error where a profile is named."""
        path = self.write(os.path.join(self.here, "clouds-public.yaml"), u"'")
        self.values({"region_name": "r"})
        self.assertIn(
            u"{}, line 1 is not YAML".format(as_text(path)),
            self.refused(self.values, {"profile": "ours"}),
        )

    def test_token_cache(self):
        """The file's ``cache`` and other variables of openstacksdk's have no effect."""
        self.patch(os, "environ", dict(os.environ, OS_CLOUD="x", OS_USERNAME="u", OS_TOKEN="t"))
        self.write(
            os.path.join(self.here, "clouds.yaml"),
            {"clouds": {"mine": {"region_name": "r"}}, "cache": {"auth": True}},
        )
        self.assertEqual(self.read().values, {u"region": u"r"})

    def test_any_name(self):
        """A cloud may have the name that openstacksdk reserves for variables."""
        self.clouds({"envvars": {"region_name": "r"}})
        self.assertEqual(self.read(u"envvars").values, {u"region": u"r"})

    def test_errors(self):
        """An exception inside of openstacksdk is an error without the exception's message."""
        import openstack.config

        def broken(**options):
            raise KeyError("s3cr3t")

        self.patch(openstack.config, "OpenStackConfig", broken)
        self.assertIn(
            u"openstacksdk cannot use it (KeyError)", self.refused(self.values, {"auth": {}})
        )


class ConfigurationTests(CloudsTestCase):
    """A configuration that names a cloud."""

    skip = NO_OPENSTACKSDK

    def setUp(self):
        """Write two clouds into the current directory."""
        CloudsTestCase.setUp(self)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.here)
        self.clouds({
            "mine": {"auth": AUTH_SECTION, "region_name": "r"},
            "app": {"auth": APPLICATION, "auth_type": "v3applicationcredential"},
        })

    def configuration(self, **keys):
        """:return: the configuration of a cloud and other keys."""
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
        """A given key replaces the cloud's, and the cloud's alternatives to the key."""
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
        """A replaced value may be wrong."""
        self.clouds({"mine": {"auth": AUTH_SECTION, "cacert": "/no/such"}})
        ca = as_text(self.write(os.path.join(self.here, "ca"), u"x"))
        self.assertEqual(self.configuration(verify_ca_path=ca).verify_ca_path, ca)

    def test_bad_value(self):
        """A wrong value in the file is an error with both names of the key, and the file."""
        self.clouds({"mine": {"auth": AUTH_SECTION, "verify": "s3cr3t"}})
        error = self.assertRaises(InvalidConfiguration, self.configuration)
        self.assertEqual(error.key, u"verify_peer")
        self.assertIn(u"(verify of cloud 'mine' in {}".format(as_text(self.here)), error.message)
        self.clouds({"mine": {"auth": dict(AUTH_SECTION, project_name=None, domain_id="d")}})
        error = self.assertRaises(InvalidConfiguration, self.configuration)
        self.assertIn(u"auth.domain_id of cloud 'mine'", error.message)

    def test_reread(self):
        """The files are read again; a file that is then malformed is an error."""
        made = self.configuration()
        self.clouds({"mine": {"auth": dict(AUTH_SECTION, password="new")}})
        self.assertEqual(made.reread().password(), u"new")
        self.assertEqual(made.password(), u"s3cr3t-w0rd")
        self.write(os.path.join(self.here, "clouds.yaml"), u"clouds:\n  mine:\n    auth: {pass")
        self.assertRaises(InvalidConfiguration, made.reread)

    def test_environment(self):
        """With ``OS_CLOUD``, of the other variables only ``TXSTORAGE_...`` are used."""
        made = Configuration.from_environment(dict(
            self.environ, OS_CLOUD="mine", OS_USERNAME="left over", OS_PASSWORD="left over",
            TXSTORAGE_REGION="r3",
        ))
        self.assertEqual((made.username, made.password(), made.region),
                         (u"flocker", u"s3cr3t-w0rd", u"r3"))

    @capture_logging(None)
    def test_notes(self, logger):
        """A key without effect is logged once."""
        self.clouds({"mine": {"auth": AUTH_SECTION, "networks": []}})
        made = self.configuration()
        made.reread()
        [note] = logger.messages
        self.assertEqual(note[u"message_type"], u"txstorage:configuration:note")
        self.assertEqual(note[u"reason"], u"networks has no effect here")
        self.assertIn(u"cloud 'mine'", note[u"source"])
