"""
The contract suites, run against the embedded service over TCP, with loop
devices when root.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from twisted.trial.unittest import TestCase

from txstorage.testing import make_iblockdeviceasyncapi_tests, make_resilience_tests

from .child import shared_service

GIB = 2**30
NOBODY = u"00000000-0000-4000-8000-000000000000"


class ConformanceTests(
    make_iblockdeviceasyncapi_tests(
        api_factory=lambda test_case: shared_service().driver(test_case)[0],
        minimum_allocatable_size=GIB,
        device_allocation_unit=GIB,
        unknown_blockdevice_id_factory=lambda test_case: NOBODY,
        device_size=lambda path: shared_service().device_size(path),
    )
):
    """The contract, over TCP."""


class ResilienceTests(
    make_resilience_tests(
        api_factory=lambda test_case: shared_service().driver(test_case), size=GIB
    )
):
    """The contract when things go wrong, over TCP."""

    timeout = 60


class StaysApartTests(TestCase):
    """What one service holds for several clusters."""

    def test_clusters(self):
        """A cluster's volumes are not another's, be it for list or by id."""
        ours, _ = shared_service().driver(self)
        theirs, _ = shared_service().driver(self)
        d = ours.create_volume(uuid4(), GIB)

        def created(volume):
            self.addCleanup(ours.destroy_volume, volume.blockdevice_id)
            return theirs.list_volumes()

        return d.addCallback(created).addCallback(self.assertEqual, [])
