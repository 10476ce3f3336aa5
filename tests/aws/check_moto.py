"""The contract suites against moto, as far as moto does what EC2 does."""

from txstorage.testing import (
    make_icloudapi_tests,
    make_ilabelledblockdeviceasyncapi_tests,
    make_iprofiledblockdeviceapi_tests,
    make_iresizableblockdeviceasyncapi_tests,
    make_isnapshottingblockdeviceasyncapi_tests,
    regular_file_size,
)

from ..helpers.child import GIB, contract
from ..helpers.unowned import unowned_volume
from ..whole.test_ec2 import NOBODY
from .on_moto import on_moto

_NO_DATA = "moto's volumes have no data"
_NO_CLONES = "moto has no CopyVolumes"


def beyond_moto(**reasons):
    """
    Expect tests of a suite to fail; one that passes after all is an error.

    :param reasons: the reason, by the name of the test.
    :return: a decorator.
    """

    def mark(suite):
        for name, reason in reasons.items():
            setattr(suite, name, _expected(getattr(suite, name), reason))
        return suite

    return mark


def _expected(test, reason):
    def tried(case):
        return test(case)

    tried.todo, tried.__doc__ = reason, test.__doc__
    return tried


@beyond_moto(test_data_survives=_NO_DATA)
class ConformanceTests(contract(on_moto, nobody=NOBODY)):
    """The contract, on moto."""

    device_size = staticmethod(regular_file_size)


class ProfilesTests(make_iprofiledblockdeviceapi_tests(on_moto, 4 * GIB)):
    """Profiles, on moto."""


class CloudTests(make_icloudapi_tests(on_moto)):
    """Nodes, on moto."""


@beyond_moto(
    test_copies_outlive_the_snapshot=_NO_DATA,
    test_snapshot_keeps_data=_NO_DATA,
    test_clone_has_data=_NO_CLONES,
    test_copies_may_be_larger=_NO_CLONES,
    test_one_copy_for_a_dataset=_NO_CLONES,
)
class SnapshotsTests(
    make_isnapshottingblockdeviceasyncapi_tests(on_moto, GIB, snapshots_keep_volumes=False)
):
    """Snapshots and clones, on moto."""


class GrowingTests(make_iresizableblockdeviceasyncapi_tests(on_moto, GIB, regular_file_size)):
    """Growing volumes, on moto."""


class LabelsTests(make_ilabelledblockdeviceasyncapi_tests(on_moto, GIB, unowned_volume, on_moto)):
    """Labels, on moto."""
