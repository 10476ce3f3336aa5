"""
Each promise, and the tests that hold it.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from functools import lru_cache

from tests.helpers.imports import PACKAGE

from .tables import literal

#: The promises by their subject, each with the names of its tests or of classes of tests.
PROMISES: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "The contract": (
        (
            "The driver keeps all promises of Flocker's interfaces, for one caller and for "
            "many at once: on the embedded service, on a real OpenStack, through the blocking "
            "driver, and without Compute.",
            (
                "tests.whole.test_contract.ConformanceTests",
                "tests.embedded.test_contract.ConformanceTests",
                "tests.flocker.test_blocking.InThreadsContractTests",
                "tests.flocker.test_blocking.OnReactorThreadContractTests",
                "tests.whole.test_without_compute.ConformanceTests",
                "tests.openstack.check_conformance.AsynchronousTests",
            ),
        ),
        (
            "Any exchange may be lost, and any operation may be cancelled at any moment. A "
            "retried operation resumes from the cloud's state, and nothing is lost or created "
            "twice.",
            (
                "tests.whole.test_contract.ResilienceTests",
                "tests.whole.test_without_compute.ResilienceTests",
                "tests.openstack.check_conformance.ResilienceTests",
            ),
        ),
        (
            "The suites find faults in other drivers, too: each of some sixty drivers with "
            "one fault each fails.",
            ("tests.testing.test_mutants.MutantsTests.test_mutants_fail",),
        ),
        (
            "Flocker's own agents create, move and delete datasets with the driver.",
            (
                "tests.flocker.check_cluster.StockAgentTests.test_life",
                "tests.flocker.check_cluster.AsynchronousAgentTests.test_life",
                "tests.flocker.check_cluster.StockAgentTests.test_agent_killed",
            ),
        ),
    ),
    "Volumes": (
        (
            "A dataset's volume is created exactly once, although the API may create two.",
            (
                "tests.driver.test_create.CreateTests.test_lost_after_processing",
                "tests.driver.test_create.CreateTests.test_two_nodes_at_once",
                "tests.driver.test_create.CreateTests.test_cancelled",
                "tests.whole.test_durability.DurabilityTests.test_killed_while_creating",
            ),
        ),
        (
            "A dataset's second volume, which another program made, is never used and is "
            "reported, also when the dataset's own volume is gone.",
            (
                "tests.driver.labelling.test_second_volumes.NeverUsedTests.test_life",
                "tests.driver.labelling.test_second_volumes.MarkTests.test_stale_list",
                "tests.cli.volumes.test_orphans.OrphanTests.test_after_the_dataset",
                "tests.flocker.check_cluster.StockAgentTests.test_extra_volume",
            ),
        ),
        (
            "A request that the cloud may have carried out is not sent again.",
            ("tests._http.test_client.RetryDelayTests.test_table",),
        ),
        (
            "The driver does not change a volume whose status it does not know.",
            ("tests.driver.lifecycle.test_volumes.TablesTests.test_unlisted",),
        ),
        (
            "The driver ignores the volumes of other clusters.",
            ("tests.driver.test_attach.AttachTests.test_of_another_cluster",),
        ),
        (
            "Data survives moves, and a ``kill -9`` of the embedded service at any moment.",
            (
                "tests.whole.test_durability.DurabilityTests.test_moves",
                "tests.whole.test_durability.DurabilityTests.test_killed_while_moving",
                "tests.embedded.machine.test_reconcile.LoopCrashTests.test_every_instant",
                "tests.whole.test_without_compute.KilledServiceTests.test_killed",
            ),
        ),
    ),
    "Devices": (
        (
            "A device is never guessed: its own identity matches the volume, and, unless that "
            "identity is exact, its size is right.",
            (
                "tests._devices.test_matching.SizeTests",
                "tests._devices.test_matching.MatchPropertyTests.test_never_a_device_that_does_not_fit",
                "tests._devices.test_matching.NodeCheckTests",
            ),
        ),
        (
            "A volume counts as attached when its device is present.",
            ("tests.driver.test_attach.AttachTests.test_attached",),
        ),
        (
            "A volume counts as detached when Compute, Block Storage and this node's kernel "
            "have released it.",
            ("tests.driver.test_detach.DetachTests.test_one_after_the_other",),
        ),
        (
            "A volume that is mounted on this node is not detached.",
            (
                "tests.driver.test_detach.DetachTests.test_busy",
                "tests.whole.test_without_compute.HostsTests.test_busy",
            ),
        ),
        (
            "A path that a caller keeps leads to its volume or to nothing.",
            (
                "tests._devices.test_waiting.KeptPathTests.test_gone",
                "tests._devices.test_waiting.KeptPathTests.test_follows",
            ),
        ),
    ),
    "Nodes": (
        (
            "This node's id is never guessed, and the search for it leaves nothing mounted.",
            (
                "tests._node.test_search.SearchTests.test_compute_is_down",
                "tests._node.test_config_drive.RealDriveTests.test_not_mounted",
            ),
        ),
        (
            "A node is reported dead only if the cloud reports its server as shut down.",
            ("tests.driver.test_list.CloudTests.test_live_nodes",),
        ),
    ),
    "Waiting": (
        (
            "One poll serves all waiting operations, and costs the cloud one request.",
            (
                "tests.driver.polling.test_lists.WatcherTests.test_many_are_one_list",
                "tests.driver.test_detach.DetachTests.test_compute_is_asked_once_for_all",
            ),
        ),
        (
            "The absence of a volume from a list proves nothing.",
            ("tests.driver.polling.test_lists.WatcherTests.test_absence_from_a_list",),
        ),
        (
            "Every operation ends in time, with an error that names the awaited event.",
            (
                "tests.driver.test_create.CreateTests.test_timeout",
                "tests.driver.test_attach.AttachTests.test_device_never_comes",
                "tests.driver.test_attach.AttachTests.test_compute_is_down",
                "tests.driver.test_detach.DetachTests.test_compute_never_lets_go",
            ),
        ),
        (
            "A temporary outage of the cloud does no harm.",
            (
                "tests.driver.test_attach.AttachTests.test_cloud_down_meanwhile",
                "tests.openstack.check_outages.OutageTests",
            ),
        ),
        (
            "The blocking driver can be called in any thread, including the reactor's, and "
            "does not keep an ending process from exiting.",
            (
                "tests.flocker.test_blocking.ThreadsTests.test_reactor_thread",
                "tests.flocker.test_blocking.ThreadsTests.test_many_threads",
                "tests.flocker.test_blocking.ProcessTests.test_reactor_stops_during_calls",
                "tests.flocker.test_blocking.ProcessTests.test_fork",
            ),
        ),
    ),
    "Secrets and rights": (
        (
            "The error of a wrong configuration names the key, and contains no secret.",
            (
                "tests._configuration.test_configuration.BadValueTests.test_any_value_for_any_key",
                "tests._configuration.test_configuration.SecretTests.test_repr_shows_none",
                "tests._configuration.test_configuration.SecretTests.test_error_shows_none",
                "tests.clouds.openstack.test_credentials.CredentialSourceTests.test_unusable",
            ),
        ),
        (
            "TLS certificates are verified.",
            (
                "tests._http.test_sockets.SocketTests.test_self_signed_is_rejected",
                "tests._http.test_sockets.SocketTests.test_certificate_for_another_address",
            ),
        ),
        (
            "The driver sends only the requests that :doc:`openstack` lists.",
            ("tests.cli.test_openstack_page.AccessRulesTests.test_driver",),
        ),
        (
            "Each error has a remedy.",
            ("tests.errors.test_errors.StorageErrorTests.test_remedies",),
        ),
    ),
    "The embedded service, and the code": (
        (
            "The embedded service responds like the real services, word for word.",
            ("tests.contract.test_embedded.CompletenessTests",),
        ),
        (
            "txstorage can be installed beside Flocker's pins, and changes none of them.",
            ("tests.house.test_distribution.Python2Tests.test_beside_the_pins",),
        ),
        (
            "The agent has the name of Flocker's agent, and replaces no program of Flocker's.",
            ("tests.house.test_distribution.Python2Tests.test_agent",),
        ),
        (
            "Imports point downward, and the driver does not require the embedded service.",
            (
                "tests.house.test_architecture.LayersTests.test_downward",
                "tests.house.test_architecture.LayersTests.test_driver_needs_no_server",
            ),
        ),
    ),
}


def names() -> tuple[str, ...]:
    """Return the names of all tests that hold a promise."""
    return tuple(name for promises in PROMISES.values() for _, tests in promises for name in tests)


@lru_cache(maxsize=None)
def _classes(module: str) -> dict[str, ast.ClassDef]:
    path = os.path.join(os.path.dirname(PACKAGE), *module.split(".")) + ".py"
    with open(path, encoding="utf-8") as source:
        tree = ast.parse(source.read())
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def _method(classes: dict[str, ast.ClassDef], owner: str, name: str) -> ast.AST | None:
    """Find a method of a class, or of one of its bases in the same module."""
    for node in classes[owner].body:
        if getattr(node, "name", None) == name:
            return node
    for base in classes[owner].bases:
        if isinstance(base, ast.Name) and base.id in classes:
            return _method(classes, base.id, name)
    return None


def property_of(test: str) -> str:
    """
    The property that a test holds: its docstring, in one line.  The source is read, since the
    test's requirements may be missing here.

    :param test: the dotted name of a test or of a class of tests.
    :raises LookupError: there is no such test, or it has no docstring.
    """
    module, owner, name = test, "", ""
    while not _is_module(module):
        module, _, last = module.rpartition(".")
        if not module:
            raise LookupError(f"no module has {test}")
        owner, name = last, owner
    classes = _classes(module)
    node: ast.AST | None = classes[owner] if owner in classes else None
    if name and node is not None:
        node = _method(classes, owner, name)
    docstring = ast.get_docstring(node) if isinstance(node, _DOCUMENTED) else None
    if not docstring:
        raise LookupError(f"there is no {test}, or it has no docstring")
    # References in the docstrings of tests lead to nothing in the documentation.
    return _ROLE.sub(r"``\1``", " ".join(docstring.partition("\n\n")[0].split()))


_ROLE = re.compile(r":\w+:`~?([^`]+)`")
_DOCUMENTED = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def _is_module(name: str) -> bool:
    return os.path.exists(os.path.join(os.path.dirname(PACKAGE), *name.split(".")) + ".py")


def lines_of_promises(about: str) -> Iterator[str]:
    """
    Yield each promise, and below it its tests with their docstrings.

    :param about: a key of :data:`PROMISES`.
    """
    for promise, tests in PROMISES[about]:
        yield promise
        for test in tests:
            yield f"    - {literal(test)}: {property_of(test)}"
        yield ""


__all__ = ["PROMISES", "lines_of_promises", "names", "property_of"]
