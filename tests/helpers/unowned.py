"""
Volumes that belong to no cluster, for the suites of labels.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from twisted.internet import reactor

from txstorage.driver.polling import Intervals, until
from txstorage.errors import DatasetConflict
from txstorage.interfaces import UnknownVolume

GIB = 2**30


def unowned_volume(test_case):
    """
    Make a volume that belongs to no cluster.  After the test, its cluster adopts the volume, so
    that the suite destroys it.

    :param test_case: of a suite whose ``api`` is a ``BlockDeviceDriver``.
    :return: a ``Deferred`` that fires with the volume's id.
    """
    api, clock = test_case.api, getattr(test_case, "reactor", reactor)

    def made(volume):
        test_case.addCleanup(adopt, volume.volume_id)
        return until(
            clock,
            Intervals(),
            lambda: api._service.get_volume(volume.volume_id),
            lambda found: found.status == u"available",
        ).addCallback(lambda found: found.volume_id)

    def adopt(volume_id):
        d = api.adopt_volume(volume_id, uuid4(), {})
        # a test has adopted it, or destroyed it
        d.addErrback(lambda failure: failure.trap(DatasetConflict, UnknownVolume))
        return test_case.settle(d)

    return api._service.create_volume(u"unowned", GIB, {}).addCallback(made)
