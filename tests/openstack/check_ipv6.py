"""
The driver against a real OpenStack at IPv6 addresses: Keystone's own, and those of its catalog.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from twisted.internet.defer import inlineCallbacks
from twisted.trial.unittest import SkipTest, TestCase

from txstorage.testing import detach_destroy_volumes

from .cloud import GIB, description, faulty_driver


class IPv6Tests(TestCase):
    """A cloud whose addresses are all of IPv6."""

    timeout = 300

    @inlineCallbacks
    def test_life(self):
        """A volume is created, attached, detached and destroyed; each request goes to IPv6."""
        place = description()["ipv6"]
        if place is None:
            raise SkipTest("this machine's loopback interface has no IPv6 address")
        self.assertIn(u"://[::1]:", place["auth_url"])
        driver, agent = faulty_driver(self, **place)
        self.addCleanup(detach_destroy_volumes, driver)
        node = yield driver.compute_instance_id()
        volume = yield driver.create_volume(uuid4(), GIB)
        attached = yield driver.attach_volume(volume.blockdevice_id, node)
        self.assertEqual(attached.attached_to, node)
        device = yield driver.get_device_path(volume.blockdevice_id)
        self.assertTrue(device.exists())
        yield driver.detach_volume(volume.blockdevice_id)
        yield driver.destroy_volume(volume.blockdevice_id)
        listed = yield driver.list_volumes()
        self.assertEqual(listed, [])
