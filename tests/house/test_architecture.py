"""Tests of the architecture: imports, public names, the sizes of modules."""

from __future__ import absolute_import, division, print_function

import ast
import os
import re
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

import txstorage
import txstorage.testing
from tests.helpers.imports import (
    LAYERS,
    PACKAGE,
    ROOT,
    imported,
    may_import,
    modules,
    python_3_wings,
    wings,
)
from txstorage._version import VERSION

#: Not importable without Flocker.
NEEDS_FLOCKER = ("flocker.dataset_agent",)


def python_3_names():
    """:return: a tuple of the dotted names, below the package, of the Python 3 wings."""
    return tuple(wing.replace(os.sep, ".") for wing in python_3_wings())


def parsed():
    """Yield the modules that the running Python can parse, as :func:`modules` does."""
    for name, path in modules():
        if sys.version_info[0] == 3 or not name.startswith(python_3_names()):
            yield name, path


class LayersTests(SynchronousTestCase):
    """Imports point downward only."""

    def test_every_wing_has_a_layer(self):
        """Each wing stands in one layer, and each layer's wings exist."""
        listed = [wing for row in LAYERS for wing in row]
        self.assertEqual(sorted(listed), wings())

    def test_downward(self):
        """No module imports from a layer above its own, or from a wing beside its own."""
        for name, path in parsed():
            for target in imported(name, path):
                self.assertTrue(may_import(name, target), "{} imports {}".format(name, target))

    def test_types_downward(self):
        """Not even for its types does a module import from a layer above its own."""
        for name, path in parsed():
            for target in imported(name, path, for_types=True):
                self.assertTrue(
                    may_import(name, target, for_types=True), "{} imports {}".format(name, target)
                )
        self.assertFalse(may_import("driver.operations", "_assembly", for_types=True))
        self.assertTrue(may_import("driver.operations", "clouds.interface", for_types=True))

    def test_upward_is_refused(self):
        """An import from above, from the side or from the embedded service's inside is refused."""
        for name, target in [
            ("driver.operations", "_assembly"),
            ("driver.operations", "clouds.values"),
            ("clouds.openstack.cinder", "_http.client"),
            ("embedded.service", "interfaces"),
            ("_log", "errors"),
        ]:
            self.assertFalse(may_import(name, target), (name, target))

    def test_no_module_imports_the_root(self):
        """The package root is for users: nothing inside imports from it."""
        for name, path in parsed():
            self.assertNotIn("", list(imported(name, path)), name)

    def test_driver_needs_no_server(self):
        """Flocker's imports bring in none of the Python 3 wings."""
        listed = subprocess.check_output(
            [
                sys.executable,
                "-W",
                "ignore",
                "-c",
                "import sys, txstorage.testing; from txstorage import *; print(list(sys.modules))",
            ],
            cwd=os.path.dirname(PACKAGE),
        ).decode()
        self.assertIn("txstorage.driver.operations", listed)
        for part in python_3_names():
            self.assertNotIn("txstorage.{}".format(part), listed)
        self.assertNotIn("klein", listed)


IMPORT_EACH = """\
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module("txstorage." + name)
    print(name)
"""


class ImportsTests(SynchronousTestCase):
    """Modules that straddle run on 2.7 and on 3."""

    def test_each_module(self):
        """Each module compiles, and can be imported, on the Python that this runs on."""
        names = [name for name, _ in parsed() if name not in NEEDS_FLOCKER]
        self.assertIn("driver.operations", names)
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", IMPORT_EACH] + names,
            cwd=os.path.dirname(PACKAGE),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        output, errors = [part.decode("utf-8") for part in process.communicate()]
        self.assertEqual(0, process.returncode, errors)
        self.assertEqual(names, output.split())

    def test_flockers_modules(self):
        """Modules that need Flocker compile without one."""
        paths = dict(modules())
        for name in NEEDS_FLOCKER:
            with open(paths[name], "rb") as source:
                compile(source.read(), paths[name], "exec")


class PublicTests(SynchronousTestCase):
    """The public names."""

    def test_root(self):
        """The package's exports."""
        names = ["FLOCKER_BACKEND", "__version__", "block_device_driver", "blocking_driver"]
        self.assertEqual(names, txstorage.__all__)
        self.assertEqual(VERSION, txstorage.__version__)

    def test_testing(self):
        """The exports for authors of drivers."""
        self.assertEqual(
            [
                "FAULTS",
                "NO_FAULTS",
                "ClockSteps",
                "FaultKind",
                "FaultProxy",
                "FaultyAgent",
                "Record",
                "ScriptedFaults",
                "SeededFaults",
                "block_device_size",
                "detach_destroy_volumes",
                "make_copy_resilience_tests",
                "make_iblockdeviceapi_tests",
                "make_iblockdeviceasyncapi_tests",
                "make_icloudapi_tests",
                "make_ilabelledblockdeviceasyncapi_tests",
                "make_iprofiledblockdeviceapi_tests",
                "make_iresizableblockdeviceasyncapi_tests",
                "make_isnapshottingblockdeviceasyncapi_tests",
                "make_label_resilience_tests",
                "make_resilience_tests",
                "regular_file_size",
                "with_clean_up",
            ],
            txstorage.testing.__all__,
        )
        self.assertIn("reset-after", txstorage.testing.FAULTS)
        for name in set(txstorage.testing.__all__) - {"FAULTS"}:
            self.assertTrue(callable(getattr(txstorage.testing, name)))


class HouseTests(SynchronousTestCase):
    """Sizes that a reader can survey, and names with one meaning."""

    def test_modules(self):
        """No module of the package is over 400 lines, and no test module over 600."""
        for name, path in modules():
            self.assertLessEqual(lines_of(path), 400, name)
        for directory, _, files in os.walk(os.path.join(ROOT, "tests")):
            for name in files:
                if name.endswith(".py"):
                    path = os.path.join(directory, name)
                    self.assertLessEqual(lines_of(path), 600, path)

    def test_folders(self):
        """The package has at most five files beside its wings, and a wing at most a dozen rooms."""
        for directory, _, files in os.walk(PACKAGE):
            sources = [name for name in files if name.endswith(".py")]
            if directory != PACKAGE:
                sources = [name for name in sources if name != "__init__.py"]
            self.assertLessEqual(len(sources), 5 if directory == PACKAGE else 12, directory)

    def test_faces(self):
        """An ``__init__`` defines nothing: it only hands names on."""
        for name, path in parsed():
            if path.endswith("__init__.py"):
                with open(path, "rb") as source:
                    tree = ast.parse(source.read())
                defined = [
                    node.name
                    for node in ast.walk(tree)
                    if isinstance(node, (ast.ClassDef, ast.FunctionDef))
                ]
                self.assertEqual([], defined, name)

    def test_tests_mirror(self):
        """Each wing has a folder of tests of the same name."""
        for wing in wings():
            if os.path.isdir(os.path.join(PACKAGE, wing)):
                self.assertTrue(os.path.isdir(os.path.join(ROOT, "tests", wing)), wing)

    def test_class_names(self):
        """No class name stands twice in the package."""
        found = {}
        for name, path in parsed():
            with open(path, "rb") as source:
                tree = ast.parse(source.read())
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef):
                    found.setdefault(node.name, set()).add(name)
        self.assertEqual({}, {name: where for name, where in found.items() if len(where) > 1})

    def test_test_case_names(self):
        """Each ``test-case-name`` names a module of tests."""
        for _, path in modules():
            with open(path) as source:
                named = re.findall(r"test-case-name: (\S+)", source.read())
            for module in named:
                there = os.path.join(ROOT, *module.split("."))
                self.assertTrue(os.path.exists(there + ".py") or os.path.isdir(there), module)


def lines_of(path):
    """:return: the number of lines of a file."""
    with open(path, "rb") as source:
        return len(source.readlines())
