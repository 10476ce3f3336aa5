"""
The mapping from a cloud's keys to txstorage's keys.
"""

from __future__ import absolute_import, division, print_function

import os

from twisted.trial.unittest import SynchronousTestCase

from txstorage._configuration.cloud_keys import AUTH, BESIDE_AUTH
from txstorage._configuration.keys import BY_NAME, REFUSED
from txstorage._configuration.precedence import REPLACES, without_replaced
from txstorage._support.compat import as_text

from ..helpers.openstacksdk import NO_OPENSTACKSDK
from .clouds import AUTH_SECTION, CloudsTestCase


class KeysTests(CloudsTestCase):
    """The meaning of a cloud's keys."""

    skip = NO_OPENSTACKSDK

    def test_everything(self):
        """Each supported key has its value under txstorage's name."""
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
        """The names of older files have the same meaning."""
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

    def test_v2password(self):
        """openstacksdk keeps the older names for ``v2password``; txstorage does not."""
        values = self.values({
            "auth_type": "v2password", "auth": {"tenant_name": "p", "username": "u"},
        })
        self.assertEqual(
            values, {u"auth_plugin": u"v2password", u"project_name": u"p", u"username": u"u"}
        )

    def test_twice(self):
        """openstacksdk's precedence applies to keys that are given twice."""
        values = self.values({
            "username": "beside", "auth": {"username": "below"},
            "volume_endpoint_override": "http://a", "volumev3_endpoint_override": "http://b",
        })
        self.assertEqual(
            values, {u"username": u"below", u"volume_endpoint": u"http://b"}
        )

    def test_one_domain(self):
        """The one domain of older files is the domain of the user and of the project."""
        values = self.values({
            "auth": dict(AUTH_SECTION, domain_name="d", project_domain_id="pd"),
        })
        self.assertEqual(
            (values[u"user_domain_name"], values[u"project_domain_id"]), (u"d", u"pd")
        )
        self.assertNotIn(u"user_domain_id", values)
        self.assertNotIn(u"domain_name", values)

    def test_regions(self):
        """The given region's values are used; without a given region the first one's."""
        cloud = {"regions": ["a", {"name": "b", "values": {"interface": "internal"}}]}
        self.assertEqual(self.values(cloud), {u"region": u"a"})
        self.assertEqual(
            self.values(cloud, u"b"), {u"region": u"b", u"interface": u"internal"}
        )
        self.assertEqual(self.values(dict(cloud, region_name="b"))[u"region"], u"a")
        self.assertIn(u"no region c; the regions are: a, b", self.refused(self.values, cloud, u"c"))

    def test_home(self):
        """Paths may begin with the user's home directory."""
        path = self.values({"cacert": "~/ca.pem"})[u"verify_ca_path"]
        self.assertEqual(path, as_text(os.path.expanduser("~/ca.pem")))

    def test_placeholder(self):
        """openstacksdk replaces placeholders in the address."""
        self.assertEqual(
            self.values({
                "auth": {"auth_url": "https://{region_name}.cloud/"}, "region_name": "r",
            })[u"auth_url"],
            u"https://r.cloud/",
        )

    def test_empty(self):
        """A key without a value counts as not given, at every depth and in every file."""
        self.assertEqual(
            self.values({
                "auth": {"username": None, "project_id": None, "domain_id": None},
                "cacert": None, "region_name": None, "auth_type": None, "profile": None,
                "regions": [{"name": "a", "values": {"interface": None}}],
            }),
            {u"region": u"a"},
        )
        self.assertEqual(self.values({"auth": None, "regions": None}), {})
        self.assertEqual(self.values(None), {})
        self.clouds(
            {"mine": {"auth": {"project_name": None}, "region_name": None}}, name="secure.yaml"
        )
        self.assertEqual(
            self.values({"auth": {"project_name": "p"}, "region_name": "r"}),
            {u"project_name": u"p", u"region": u"r"},
        )

    REFUSED = [
        ({"auth_type": "v3oidcpassword"}, u"auth_type v3oidcpassword is not supported"),
        ({"auth_type": "v3totp"}, u"use one of: none, password"),
        ({"auth_type": ["a"]}, u"is not supported"),
        ({"auth": {"passcode": "s3cr3t"}}, u"auth.passcode is not supported"),
        ({"auth": {"endpoint": "http://v"}}, u"auth.endpoint is not supported"),
        ({"identity_api_version": "2.0"}, u"API version 2.0 of identity is not supported"),
        ({"volume_api_version": 2}, u"API version 2 of block-storage is not supported"),
        ({"compute_api_version": "3"}, u"API version 3 of compute is not supported"),
        ({"volume_service_type": "volumev2"}, u"service_type or service_name of block-storage"),
        ({"compute_service_name": "nova"}, u"service_type or service_name of compute"),
        ({"identity_endpoint_override": "http://k"}, u"an endpoint of identity is not supported"),
        ({"interface": "public", "volume_interface": "internal"}, u"interface differs between"),
        ({"compute_region_name": "r2"}, u"the same for all"),
        ({"regions": [{"values": {}}]}, u"openstacksdk cannot use it (ConfigException)"),
        ({"regions": [{"name": "a", "values": [1]}]}, u"openstacksdk cannot use it"),
        (
            {"regions": [{"name": "a", "auth": {"password": "s3cr3t"}}]},
            u"openstacksdk cannot use it",
        ),
    ]

    def test_refused(self):
        """An unsupported key is an error that names the cloud, the file and the key."""
        for cloud, words in self.REFUSED:
            message = self.refused(self.values, cloud)
            self.assertIn(words, message)
            self.assertIn(u"cloud 'mine' in {}".format(as_text(self.here)), message)

    def test_same_for_all(self):
        """A setting of one service is accepted when it equals the other services'."""
        self.values({
            "interface": "internal", "volume_interface": "internal", "region_name": "r",
            "compute_region_name": "r", "block_storage_api_version": 3.0,
        })

    def test_without_effect(self):
        """The keys that txstorage ignores are listed."""
        self.clouds({"mine": {
            "networks": [], "dns-api-version": 2, "auth": {}, "verify": True, "api_timeout": 5,
            "volume_api_version": 3, "endpoint_type": "public",
        }})
        self.assertEqual(
            self.read().notes,
            tuple(
                each + u" has no effect here"
                for each in (u"api_timeout", u"dns_api_version", u"networks")
            ),
        )


class TableTests(SynchronousTestCase):
    """The tables of names."""

    def test_names(self):
        """Each name is a key of txstorage's, or refused with a reason."""
        names = AUTH | set(BESIDE_AUTH)
        self.assertEqual(names - set(BY_NAME) - set(REFUSED), set())
        self.assertEqual(
            {name for names in REPLACES.values() for name in names} - set(BY_NAME), set()
        )

    def test_replaced(self):
        """A given token replaces the cloud's password, and not its region."""
        self.assertEqual(
            without_replaced({u"password": 1, u"region": 2}, ["token"]), {u"region": 2}
        )
