"""
The contract suites through the blocking driver, against the embedded service's EC2 face.
"""

from __future__ import absolute_import, division, print_function

from txstorage.testing import make_iblockdeviceapi_tests, make_icloudapi_tests

from ..helpers.child import WAITING, contract
from ..whole.test_ec2 import NOBODY, service
from .test_backend import flockers_driver


def on_ec2(test_case):
    """:return: a driver made as Flocker makes it, with the keys of Flocker's ``aws`` backend."""
    return flockers_driver(test_case, service().ec2_configuration(), **WAITING)


class InThreadsContractTests(contract(on_ec2, make_iblockdeviceapi_tests, nobody=NOBODY)):
    """The contract, called from worker threads."""


class OnReactorThreadContractTests(
    contract(on_ec2, make_iblockdeviceapi_tests, nobody=NOBODY, on_reactor_thread=True)
):
    """The contract, called in the thread of the running reactor."""


class CloudContractTests(make_icloudapi_tests(on_ec2)):
    """Nodes, called from worker threads."""
