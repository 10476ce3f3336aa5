"""
The driver against a service at an IPv6 address, configured by the ``agent.yml`` that it writes.
"""

from __future__ import absolute_import, division, print_function

import os
import socket
from uuid import uuid4

from twisted.internet import reactor
from twisted.internet.defer import inlineCallbacks
from twisted.trial.unittest import SkipTest, TestCase

from txstorage._assembly import driver_for, volume_service
from txstorage._configuration.configuration import Configuration
from txstorage.testing import detach_destroy_volumes

from ..helpers.child import EmbeddedService

GIB = 2**30


def skip_without_ipv6():
    """:raises SkipTest: this machine's loopback interface has no IPv6 address."""
    probe = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    try:
        probe.bind(("::1", 0))
    except EnvironmentError as error:
        raise SkipTest("no IPv6 here: {}".format(error))
    finally:
        probe.close()


class IPv6Tests(TestCase):
    """``txstorage serve --host ::1``, with and without TLS."""

    timeout = 120

    @inlineCallbacks
    def life(self, *options):
        """A volume is created, attached, detached and destroyed, by the written ``agent.yml``."""
        skip_without_ipv6()
        service = EmbeddedService("--host", "::1", *options)
        self.addCleanup(service.remove)
        service.start()
        path = os.path.join(service.state, "agent-node-1.yml")
        configuration = Configuration.from_file(path)
        self.assertIn(u"://[::1]:", configuration.auth_url)
        cloud = volume_service(reactor, configuration)
        self.addCleanup(cloud.close)
        driver = driver_for(reactor, configuration, cloud)
        self.addCleanup(detach_destroy_volumes, driver)
        node = yield driver.compute_instance_id()
        volume = yield driver.create_volume(uuid4(), GIB)
        attached = yield driver.attach_volume(volume.blockdevice_id, node)
        self.assertEqual(attached.attached_to, node)
        device = yield driver.get_device_path(volume.blockdevice_id)
        self.assertTrue(device.exists())
        listed = yield driver.list_volumes()
        self.assertEqual(listed, [attached])
        yield driver.detach_volume(volume.blockdevice_id)
        yield driver.destroy_volume(volume.blockdevice_id)
        listed = yield driver.list_volumes()
        self.assertEqual(listed, [])

    def test_plain(self):
        """Over http."""
        return self.life()

    def test_tls(self):
        """Over https, with the certificate that is generated for the address."""
        return self.life("--tls")
