"""
A base class for tests of ``clouds.yaml``.
"""

from __future__ import absolute_import, division, print_function

import io
import os

import yaml
from twisted.trial.unittest import SynchronousTestCase

from txstorage._configuration.clouds_yaml import CloudFiles
from txstorage._support.compat import as_text
from txstorage.errors import InvalidConfiguration

AUTH_SECTION = {
    "auth_url": "https://cloud.example:5000/v3",
    "username": "flocker",
    "password": "s3cr3t-w0rd",
    "project_name": "storage",
}


class CloudsTestCase(SynchronousTestCase):
    """A home directory, a current directory, and files in them."""

    def setUp(self):
        """Make empty directories."""
        self.home, self.here = os.path.abspath(self.mktemp()), os.path.abspath(self.mktemp())
        self.user = os.path.join(self.home, ".config", "openstack")
        os.makedirs(self.user)
        os.makedirs(self.here)
        self.environ = {"HOME": self.home}

    def write(self, path, content):
        """
        Write a file.

        :param content: text, bytes, or a value to write as YAML.
        :return: the path.
        """
        if not isinstance(content, (type(u""), bytes)):
            content = as_text(yaml.safe_dump(content))
        with io.open(path, "wb") as opened:
            opened.write(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    def clouds(self, clouds, name="clouds.yaml", directory=None):
        """
        Write a file of clouds.

        :param dict clouds: names to keys and values.
        :return: the path.
        """
        return self.write(os.path.join(directory or self.here, name), {"clouds": clouds})

    def files(self):
        """:return: the :class:`CloudFiles` of the directories."""
        return CloudFiles(self.environ, self.here)

    def read(self, name=u"mine", region=None):
        """:return: the settings of one cloud."""
        return self.files().cloud(name, region)

    def values(self, cloud, region=None):
        """
        Write and read one cloud.

        :param dict cloud: keys and values.
        :return: a ``dict`` of values by txstorage's key names.
        """
        self.clouds({"mine": cloud})
        return self.read(region=region).values

    def refused(self, function, *args, **kwargs):
        """:return: the message and remedy of the error that a call raises, without secrets."""
        error = self.assertRaises(InvalidConfiguration, function, *args, **kwargs)
        self.assertEqual(u"cloud", error.key)
        self.assertNotIn(u"s3cr3t", error.message + error.remedy)
        return u"{} ({})".format(error.message, error.remedy)
