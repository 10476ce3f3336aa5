"""
Tests for :mod:`txstorage.clouds.ec2.service`.
"""

from __future__ import absolute_import, division, print_function

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from txstorage.clouds import IVolumeService
from txstorage.clouds.ec2 import EC2Service

from .support import EC2Wire


class ServiceTests(SynchronousTestCase):
    """EC2 behind the seam."""

    def test_interface(self):
        """The service provides the seam."""
        wire = EC2Wire()
        service = EC2Service(wire.clock, wire.session, u"eu-central-1a")
        self.assertTrue(verifyObject(IVolumeService, service))
        self.assertEqual(2 ** 30, service.allocation_unit)
        self.successResultOf(service.close())
