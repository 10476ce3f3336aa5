"""
The matrix of certificates: the parts of txstorage, the systems that they run on, and the builders.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .builder import Builder

#: The parts, rows of the matrix.
ASYNCHRONOUS = "the contract, asynchronous"
BLOCKING = "the contract, blocking, as Flocker's agent calls it"
FUNCTIONAL_TESTS = "Flocker's functional tests of a driver"
ACCEPTANCE_TESTS = "Flocker's acceptance tests of a cluster"
DOCKER = "the Docker volume plugin"
DEVICES = "a device found by its identity, in a guest's kernel"
PARTS = (ASYNCHRONOUS, BLOCKING, FUNCTIONAL_TESTS, ACCEPTANCE_TESTS, DOCKER, DEVICES)

#: The systems, columns of the matrix.
EMBEDDED = "the embedded service, loop devices"
OPENSTACK = "OpenStack, loop devices"
EC2 = "the embedded service's EC2 API, loop devices"
CLOUD = "an existing cloud"
GUESTS = "emulated disks"
SYSTEMS = (EMBEDDED, OPENSTACK, EC2, CLOUD, GUESTS)

#: A cell without a builder.
NOTHING = "none"


def rows(
    builders: Iterable[Builder], parts: Iterable[str] = PARTS
) -> Iterator[tuple[str, list[list[str]]]]:
    """
    :return: yields each part, and for each of :data:`SYSTEMS` the names of the builders whose
        success certifies that part on that system.
    """
    certifying = [(each.name, each.certificate) for each in builders if each.certificate]
    for part in parts:
        yield (
            part,
            [
                [name for name, each in certifying if part in each.parts and each.system == system]
                for system in SYSTEMS
            ],
        )
