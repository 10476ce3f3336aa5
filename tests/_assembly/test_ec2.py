"""
Tests for :mod:`txstorage._assembly.ec2`.
"""

from __future__ import absolute_import, division, print_function

import os
from uuid import uuid4

from twisted.internet.defer import succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from txstorage._assembly import driver_for, drivers, ec2, volume_service
from txstorage._configuration.configuration import Configuration
from txstorage._node.ec2_instance import EC2Identity
from txstorage.clouds import IVolumeService
from txstorage.clouds.ec2 import AccessKeys, EC2Service
from txstorage.errors import InvalidConfiguration
from txstorage.interfaces import MandatoryProfiles

AWS = {
    u"region": u"us-west-1",
    u"zone": u"us-west-1a",
    u"access_key_id": u"AKIAIOSFODNN7EXAMPLE",
    u"secret_access_key": u"wJalrXUtnFEMI",
}


def configuration(**changes):
    """:return: the configuration of Flocker's ``aws`` backend; ``None`` removes a key."""
    return Configuration.from_mapping(dict(AWS, **changes), {})


class ServiceTests(SynchronousTestCase):
    """The client of EC2."""

    def service(self, **changes):
        """:return: the client of a configuration, made without network traffic."""
        return volume_service(Clock(), configuration(**changes), agent=object())

    def test_made(self):
        """The keys of Flocker's ``aws`` backend select EC2 at the region's address."""
        made = self.service()
        self.assertIsInstance(made, EC2Service)
        verifyObject(IVolumeService, made)
        self.assertEqual(made._session.endpoint, u"https://ec2.us-west-1.amazonaws.com")

    def test_china(self):
        """Other partitions have addresses of their own."""
        made = self.service(region=u"cn-north-1")
        self.assertEqual(made._session.endpoint, u"https://ec2.cn-north-1.amazonaws.com.cn")

    def test_unknown_region(self):
        """A region that botocore does not know is an error, unless it need not be validated."""
        error = self.assertRaises(InvalidConfiguration, self.service, region=u"eu-north-9")
        self.assertEqual(error.key, u"region")
        self.assertIn(u"validate_region", error.remedy)
        made = self.service(region=u"eu-north-9", validate_region=False)
        self.assertEqual(made._session.endpoint, u"https://ec2.eu-north-9.amazonaws.com")

    def test_endpoint(self):
        """Another address needs no region of Amazon's."""
        made = self.service(region=u"txstorage-1", ec2_endpoint=u"http://127.0.0.1:8774")
        self.assertEqual(made._session.endpoint, u"http://127.0.0.1:8774")

    def test_bad_profile(self):
        """A volume type that can't be read is an error of the configuration."""
        profiles = {u"gold": u"gp3,iops=many"}
        error = self.assertRaises(InvalidConfiguration, self.service, profiles=profiles)
        self.assertEqual(error.key, u"profiles")


class KeysTests(SynchronousTestCase):
    """The source of the access keys."""

    def test_configured(self):
        """The configured key is used, and its file is read again."""
        path = self.mktemp()
        with open(path, "w") as opened:
            opened.write("first\n")
        given = configuration(secret_access_key=None, secret_access_key_file=path)
        source = ec2.key_source(Clock(), given, object())
        keys = self.successResultOf(source.current())
        self.assertEqual(keys, AccessKeys(u"AKIAIOSFODNN7EXAMPLE", u"first"))
        with open(path, "w") as opened:
            opened.write("second\n")
        source.discard(keys)
        self.assertEqual(self.successResultOf(source.current()).secret_key, u"second")

    def test_malformed(self):
        """A key that can't be sent is an error at once, which does not show the secret."""
        given = configuration(access_key_id=u"two words")
        error = self.assertRaises(InvalidConfiguration, volume_service, Clock(), given, object())
        self.assertNotIn(u"wJalr", error.message)

    def test_usual_sources(self):
        """Without a configured key, Amazon's usual sources are asked, such as the environment."""
        self.patch(
            os, "environ",
            {"AWS_ACCESS_KEY_ID": "AKIDENVIRONMENT", "AWS_SECRET_ACCESS_KEY": "hush"},
        )
        given = configuration(access_key_id=None, secret_access_key=None, auth_plugin=u"ec2")
        source = ec2.key_source(Clock(), given, object())
        self.assertEqual(self.successResultOf(source.current()).access_key, u"AKIDENVIRONMENT")


class DriverTests(SynchronousTestCase):
    """The driver on EC2."""

    def made(self, **changes):
        """:return: a driver."""
        given = configuration(cluster_id=uuid4(), **changes)
        return driver_for(Clock(), given, volume_service(Clock(), given, agent=object()))

    def test_profiles(self):
        """The profiles have the types of Flocker's ``aws`` backend, and the configured ones."""
        found = self.made(profiles={u"gold": u"gp3", u"fast": u"io2"})._creations._profiles
        self.assertEqual(
            found, {u"gold": u"gp3", u"silver": u"gp2", u"bronze": u"standard", u"fast": u"io2"}
        )
        mandatory = {each.value for each in MandatoryProfiles.iterconstants()}
        self.assertEqual(set(self.made()._creations._profiles), mandatory)

    def test_intervals(self):
        """Half a second passes before the first poll, because EC2 counts requests."""
        made = []
        self.patch(drivers, "BlockDeviceDriver", lambda *args, **kw: made.append(kw["intervals"]))
        self.made(poll_interval=3)
        self.assertEqual((made[0].first, made[0].longest), (0.5, 3.0))

    def test_node(self):
        """The node's id is looked for in the instance's metadata, at the address that is set."""
        self.patch(
            os, "environ", {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:8775/"}
        )
        node = self.made()._node
        self.assertIsInstance(node, EC2Identity)
        self.patch(node._metadata, "get", lambda path: succeed(None))
        self.failureResultOf(node.instance_id())
        self.assertEqual(node._metadata._address, u"http://127.0.0.1:8775")
