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

#: What is promised, by what it is about, and the names of tests or of classes of them.
PROMISES: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "The contract": (
        (
            "All that Flocker's interfaces promise, for one caller and for many at once: on the "
            "embedded service, on a real OpenStack, through the blocking driver, and where there "
            "is no Compute.",
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
            "Any exchange may be lost, and any operation cancelled, at any moment: it can be "
            "repeated, goes on from where the cloud is, and nothing is lost or made twice.",
            (
                "tests.whole.test_contract.ResilienceTests",
                "tests.whole.test_without_compute.ResilienceTests",
                "tests.openstack.check_conformance.ResilienceTests",
            ),
        ),
        (
            "What finds this out of our driver finds it out of others: each of some sixty drivers "
            "that are wrong in one way fails.",
            ("tests.testing.test_mutants.MutantsTests.test_mutants_fail",),
        ),
        (
            "Flocker's own agents create, move and delete datasets with it.",
            (
                "tests.flocker.check_cluster.StockAgentTests.test_life",
                "tests.flocker.check_cluster.AsynchronousAgentTests.test_life",
                "tests.flocker.check_cluster.StockAgentTests.test_agent_killed",
            ),
        ),
    ),
    "Volumes": (
        (
            "A dataset's volume is made exactly once, over an API that may make two.",
            (
                "tests.driver.test_create.CreateTests.test_lost_after_processing",
                "tests.driver.test_create.CreateTests.test_two_nodes_at_once",
                "tests.driver.test_create.CreateTests.test_cancelled",
                "tests.whole.test_durability.DurabilityTests.test_killed_while_creating",
            ),
        ),
        (
            "What may have been carried out is not sent again.",
            ("tests._http.test_client.RetryDelayTests.test_table",),
        ),
        (
            "A volume in a status that the driver does not know is left alone.",
            ("tests.driver.test_lifecycle.TablesTests.test_unlisted",),
        ),
        (
            "Volumes of another cluster do not exist for it.",
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
            "A device is never guessed: it says itself whose it is, and has the right size.",
            (
                "tests._devices.test_matching.MatchPropertyTests.test_never_a_device_that_does_not_fit",
                "tests._devices.test_matching.NodeCheckTests",
            ),
        ),
        (
            "Attached means that the device is there.",
            ("tests.driver.test_attach.AttachTests.test_attached",),
        ),
        (
            "Detached means that Compute, Block Storage and this node's kernel have let go.",
            ("tests.driver.test_detach.DetachTests.test_one_after_the_other",),
        ),
        (
            "What is mounted on this node is not pulled away.",
            (
                "tests.driver.test_detach.DetachTests.test_busy",
                "tests.whole.test_without_compute.HostsTests.test_busy",
            ),
        ),
        (
            "A path that is kept leads to its volume, or nowhere.",
            (
                "tests._devices.test_waiting.KeptPathTests.test_gone",
                "tests._devices.test_waiting.KeptPathTests.test_follows",
            ),
        ),
    ),
    "Nodes": (
        (
            "This node's id is never guessed, and looking for it leaves nothing mounted.",
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
            "Waiting for many volumes costs the cloud one request a look, not one for each.",
            (
                "tests.driver.test_polling.WatcherTests.test_many_are_one_list",
                "tests.driver.test_detach.DetachTests.test_compute_is_asked_once_for_all",
            ),
        ),
        (
            "That a list lacks a volume proves nothing.",
            ("tests.driver.test_polling.WatcherTests.test_absence_from_a_list",),
        ),
        (
            "Every operation ends in time, with an error that says what it waited for.",
            (
                "tests.driver.test_create.CreateTests.test_timeout",
                "tests.driver.test_attach.AttachTests.test_device_never_comes",
                "tests.driver.test_attach.AttachTests.test_compute_is_down",
                "tests.driver.test_detach.DetachTests.test_compute_never_lets_go",
            ),
        ),
        (
            "A cloud that is out of order for a while does no harm.",
            (
                "tests.driver.test_attach.AttachTests.test_cloud_down_meanwhile",
                "tests.openstack.check_outages.OutageTests",
            ),
        ),
        (
            "The blocking driver can be called in any thread, the reactor's own included, and "
            "holds up no process that ends.",
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
            "A wrong configuration is told by the key's name, and shows no secret.",
            (
                "tests._configuration.test_configuration.BadValueTests.test_any_value_for_any_key",
                "tests._configuration.test_configuration.SecretTests.test_repr_shows_none",
                "tests._configuration.test_configuration.SecretTests.test_error_shows_none",
                "tests.clouds.openstack.test_credentials.CredentialSourceTests.test_unusable",
            ),
        ),
        (
            "TLS is verified.",
            (
                "tests._http.test_sockets.SocketTests.test_self_signed_is_rejected",
                "tests._http.test_sockets.SocketTests.test_certificate_for_another_address",
            ),
        ),
        (
            "The driver asks the cloud for what :doc:`openstack` lists, and for no more.",
            ("tests.cli.test_openstack_page.AccessRulesTests.test_driver",),
        ),
        (
            "Each error has a remedy.",
            ("tests.errors.test_errors.StorageErrorTests.test_remedies",),
        ),
    ),
    "The embedded service, and the code": (
        (
            "The embedded service answers as the real ones do, to the last word.",
            ("tests.contract.test_embedded.CompletenessTests",),
        ),
        (
            "It installs beside Flocker's pins, and moves none.",
            ("tests.house.test_distribution.Python2Tests.test_beside_the_pins",),
        ),
        (
            "Imports point downward, and the driver needs no server.",
            (
                "tests.house.test_architecture.LayersTests.test_downward",
                "tests.house.test_architecture.LayersTests.test_driver_needs_no_server",
            ),
        ),
    ),
}


def names() -> tuple[str, ...]:
    """Of all tests that hold a promise."""
    return tuple(name for promises in PROMISES.values() for _, tests in promises for name in tests)


@lru_cache(maxsize=None)
def _classes(module: str) -> dict[str, ast.ClassDef]:
    path = os.path.join(os.path.dirname(PACKAGE), *module.split(".")) + ".py"
    with open(path, encoding="utf-8") as source:
        tree = ast.parse(source.read())
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def _method(classes: dict[str, ast.ClassDef], owner: str, name: str) -> ast.AST | None:
    """A method of a class, or of one that it is made of in the same module."""
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
    told = ast.get_docstring(node) if isinstance(node, _DOCUMENTED) else None
    if not told:
        raise LookupError(f"there is no {test}, or it says nothing")
    # What tests refer to is not in the documentation.
    return _ROLE.sub(r"``\1``", " ".join(told.partition("\n\n")[0].split()))


_ROLE = re.compile(r":\w+:`~?([^`]+)`")
_DOCUMENTED = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def _is_module(name: str) -> bool:
    return os.path.exists(os.path.join(os.path.dirname(PACKAGE), *name.split(".")) + ".py")


def lines_of_promises(about: str) -> Iterator[str]:
    """
    Each promise, and below it the tests that hold it, with what each says.

    :param about: a key of :data:`PROMISES`.
    """
    for promise, tests in PROMISES[about]:
        yield promise
        for test in tests:
            yield f"    - {literal(test)}: {property_of(test)}"
        yield ""


__all__ = ["PROMISES", "lines_of_promises", "names", "property_of"]
