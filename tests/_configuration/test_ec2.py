"""
Tests for the keys of Amazon EC2 in ``txstorage._configuration``.
"""

from __future__ import absolute_import, division, print_function

from tests._configuration.test_configuration import PASSWORD, ConfigurationTestCase
from txstorage._configuration.configuration import Configuration

# The keys of Flocker's own aws backend, all of them.
AWS = {
    u"region": u"us-west-1",
    u"zone": u"us-west-1a",
    u"access_key_id": u"AKIAIOSFODNN7EXAMPLE",
    u"secret_access_key": u"wJalrXUtnFEMI/K7MDENG",
    u"session_token": u"AQoDYXdzEJr",
    u"validate_region": False,
}


def configuration(**changes):
    """
    :param changes: keys that replace those of Flocker's ``aws`` backend; ``None`` removes a key.
    :return: a :class:`Configuration`.
    """
    return Configuration.from_mapping(dict(AWS, **changes), {})


class KeyTests(ConfigurationTestCase):
    """The keys of a cluster on EC2."""

    def test_the_keys_of_flockers_backend(self):
        """The keys of Flocker's ``aws`` backend have their names and their meaning."""
        made = configuration()
        self.assertEqual(
            (made.auth_plugin, made.region, made.availability_zone, made.access_key_id,
             made.secret_access_key(), made.session_token(), made.validate_region),
            (u"ec2", u"us-west-1", u"us-west-1a", u"AKIAIOSFODNN7EXAMPLE",
             u"wJalrXUtnFEMI/K7MDENG", u"AQoDYXdzEJr", False),
        )

    def test_flockers_file(self):
        """The ``agent.yml`` of Flocker's ``aws`` backend is read, also with one word changed."""
        text = u"""
            version: 1
            dataset:
              backend: {}
              region: us-west-1
              zone: us-west-1a
              access_key_id: AKIAIOSFODNN7EXAMPLE
              secret_access_key: wJalrXUtnFEMI/K7MDENG
            """
        for backend in (u"aws", u"txstorage"):
            made = Configuration.from_file(self.write(text.format(backend)))
            self.assertEqual((made.auth_plugin, made.region), (u"ec2", u"us-west-1"))

    def test_secrets_are_hidden(self):
        """Neither the secret nor the session token is in the ``repr``."""
        shown = repr(configuration())
        self.assertNotIn(u"wJalr", shown)
        self.assertNotIn(u"AQoD", shown)
        self.assertIn(u"AKIAIOSFODNN7EXAMPLE", shown)

    def test_credentials_from_elsewhere(self):
        """Without an access key, ``auth_plugin: ec2`` is sufficient besides region and zone."""
        given = {u"auth_plugin": u"ec2", u"region": u"eu-west-1", u"zone": u"eu-west-1b"}
        made = Configuration.from_mapping(given, {})
        self.assertEqual(
            (made.auth_plugin, made.access_key_id, made.secret_access_key, made.session_token),
            (u"ec2", None, None, None),
        )

    def test_required(self):
        """Without a region or a zone, the error names the key."""
        self.assertEqual(self.refused(configuration, region=None).key, u"region")
        self.assertEqual(self.refused(configuration, zone=None).key, u"availability_zone")

    def test_half_an_access_key(self):
        """Half an access key is an error that names the missing half."""
        error = self.refused(configuration, secret_access_key=None)
        self.assertEqual(error.key, u"secret_access_key")
        error = self.refused(configuration, access_key_id=None, session_token=None)
        self.assertEqual(error.key, u"access_key_id")
        error = self.refused(configuration, access_key_id=None, secret_access_key=None)
        self.assertEqual(error.key, u"access_key_id")

    def test_two_sources_of_credentials(self):
        """A profile and an access key are two sources, of which one has to be removed."""
        error = self.refused(configuration, aws_profile=u"production")
        self.assertEqual((error.key, error.remedy), (u"aws_profile", u"remove one"))

    def test_the_secret_from_a_file(self):
        """The secret may stand in a file, which is read again when it is used."""
        path = self.write(u"first\n")
        made = configuration(secret_access_key=None, secret_access_key_file=path)
        self.assertEqual(made.secret_access_key(), u"first")
        with open(path, "w") as opened:
            opened.write("second\n")
        self.assertEqual(made.secret_access_key(), u"second")

    def test_multi_attach(self):
        """``multi_attach`` is refused with the reason, instead of being ignored."""
        error = self.refused(configuration, multi_attach=True)
        self.assertEqual(error.key, u"multi_attach")
        self.assertIn(u"one writer", error.message)

    def test_instance_ids(self):
        """Both lengths of EC2's instance ids are accepted, and nothing that only resembles them."""
        for good in (u"i-0123456789abcdef0", u"i-1234abcd"):
            self.assertEqual(configuration(instance_id=good).instance_id, good)
        for bad in (u"i-", u"i-0123", u"i-0123456789ABCDEF0", u"i-0123456789abcdef0\n"):
            self.assertEqual(self.refused(configuration, instance_id=bad).key, u"instance_id")


class TwoCloudsTests(ConfigurationTestCase):
    """The keys of one cloud beside those of another."""

    def test_both(self):
        """Keys of both clouds are an error that names one of each."""
        for key in (u"auth_url", u"username", u"attach_through", u"token"):
            value = {u"auth_url": u"http://cloud.example", u"attach_through": u"compute"}
            error = self.refused(configuration, **{key: value.get(key, u"x")})
            self.assertEqual(error.key, u"access_key_id")
            self.assertIn(u"{} is one of OpenStack".format(key), error.message)

    def test_openstack_keys_on_ec2(self):
        """A key of OpenStack is an error where ``auth_plugin`` is ``ec2``."""
        error = self.refused(configuration, auth_plugin=u"ec2", username=u"flocker")
        self.assertEqual(error.key, u"username")
        self.assertIn(u"auth_plugin ec2", error.message)

    def test_ec2_keys_on_openstack(self):
        """A key of EC2 is an error where ``auth_plugin`` names one of OpenStack's."""
        mapping = dict(PASSWORD, auth_plugin=u"password", kms_key_id=u"alias/flocker")
        error = self.refused(Configuration.from_mapping, mapping, {})
        self.assertEqual(error.key, u"kms_key_id")
        self.assertIn(u"auth_plugin password", error.message)

    def test_openstacks_variables(self):
        """
        When txstorage's variables select EC2, those of OpenStack's clients, which a shell may have
        for another cloud, are not read.
        """
        environ = {
            "OS_AUTH_URL": "http://cloud.example", "OS_REGION_NAME": "RegionOne",
            "TXSTORAGE_REGION": "us-west-1", "TXSTORAGE_ZONE": "us-west-1a",
            "TXSTORAGE_ACCESS_KEY_ID": "AKIA",
            "TXSTORAGE_SECRET_ACCESS_KEY": "s3cr3t",
        }
        made = Configuration.from_environment(environ)
        self.assertEqual(
            (made.auth_plugin, made.region, made.auth_url), (u"ec2", u"us-west-1", None)
        )

    def test_amazons_variables(self):
        """
        The variables of Amazon's clients do not turn a configuration of OpenStack into one of EC2:
        many shells have them.
        """
        environ = dict(
            {"OS_" + str(name).upper(): str(value) for name, value in PASSWORD.items()},
            AWS_ACCESS_KEY_ID="AKIA", AWS_SECRET_ACCESS_KEY="s3cr3t", AWS_PROFILE="other",
        )
        self.assertEqual(Configuration.from_environment(environ).auth_plugin, u"password")
