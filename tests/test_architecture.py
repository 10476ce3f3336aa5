"""
Tests of the whole: what imports what, what is public, how long modules are.
"""

from __future__ import absolute_import, division, print_function

import os
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

import txstorage
import txstorage.testing
from txstorage._version import VERSION

from .imports import PACKAGE, imported, modules

#: From the bottom up; a module imports from its own layer or from below.
LAYERS = [
    ["_compat", "_version", "_deferreds"],
    ["_standins"],
    ["interfaces"],
    ["errors"],
    ["_logging"],
    ["_client_certificates", "_brick"],
    ["_tls", "_bodies", "_messages", "_failures", "_ratelimit", "_crossing"],
    ["_agents", "connector"],
    ["http"],
    ["services"],
    ["services.openstack"],
    ["_images"],
    ["_iso9660", "_vfat"],
    ["_blockdevices", "_configdrive", "_matching", "_places", "_uevents", "lifecycle"],
    ["labels", "watcher", "devices", "connected", "host", "node"],
    ["convergence"],
    ["creation", "attachment"],
    ["driver", "blocking", "discovery"],
    ["_kinds", "_files"],
    ["_keys"],
    ["_cloud_keys", "_sources"],
    ["_clouds"],
    ["_configuration"],
    ["backend", "dataset_agent"],
    ["testing", "server"],
    ["cli"],
]

#: What runs on Python 3 only, and what the driver must never import.
PYTHON_3_ONLY = ("server", "docker", "cli")

#: What can't be imported where there is none.
NEEDS_FLOCKER = ("dataset_agent",)


def layer_of(name):
    """:return: the index in LAYERS of a module, by its longest name that is there."""
    parts = name.split(".")
    while parts:
        for index, layer in enumerate(LAYERS):
            if ".".join(parts) in layer:
                return index
        parts.pop()
    raise KeyError(name)


def parsed(python_3_too=True):
    # 2.7 can't parse the modules that are for Python 3 only
    for name, path in modules():
        if sys.version_info[0] == 3 or name.split(".")[0] not in PYTHON_3_ONLY:
            yield name, path


class LayersTests(SynchronousTestCase):
    """Imports point downward only."""

    def test_every_module_has_a_layer(self):
        """Each module is in one layer; a new one must be put somewhere."""
        for name, _ in modules():
            layer_of(name)

    def test_downward(self):
        """No module imports from a layer above its own."""
        for name, path in parsed():
            for target in imported(name, path):
                self.assertLessEqual(
                    layer_of(target), layer_of(name), "{} imports {}".format(name, target)
                )

    def test_no_module_imports_the_root(self):
        """The package root is for users: nothing inside imports from it."""
        for name, path in parsed():
            self.assertNotIn("", list(imported(name, path)), name)
            for target in imported(name, path):
                layer_of(target)

    def test_driver_needs_no_server(self):
        """What Flocker imports brings in none of Python 3's parts."""
        listed = subprocess.check_output(
            [
                sys.executable,
                "-W",
                "ignore",
                "-c",
                "import sys, txstorage, txstorage.testing; print(sorted(sys.modules))",
            ],
            cwd=os.path.dirname(PACKAGE),
        ).decode()
        self.assertIn("txstorage.driver", listed)
        for part in PYTHON_3_ONLY:
            self.assertNotIn("txstorage.{}".format(part), listed)
        self.assertNotIn("klein", listed)


IMPORT_EACH = """\
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module("txstorage." + name)
    print(name)
"""


class ImportsTests(SynchronousTestCase):
    """What straddles runs on 2.7 and on 3."""

    def test_each_module(self):
        """Each module compiles, and can be imported, on the Python that this runs on."""
        names = [name for name, _ in parsed() if name not in NEEDS_FLOCKER]
        self.assertIn("driver", names)
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", IMPORT_EACH] + names,
            cwd=os.path.dirname(PACKAGE),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        told, errors = [part.decode("utf-8") for part in process.communicate()]
        self.assertEqual(0, process.returncode, errors)
        self.assertEqual(names, told.split())

    def test_flockers_modules(self):
        """What needs a Flocker compiles without one."""
        paths = dict(modules())
        for name in NEEDS_FLOCKER:
            with open(paths[name], "rb") as source:
                compile(source.read(), paths[name], "exec")


class PublicTests(SynchronousTestCase):
    """What users may import."""

    def test_root(self):
        """The package's exports."""
        names = ["FLOCKER_BACKEND", "__version__", "block_device_driver"]
        self.assertEqual(names, txstorage.__all__)
        self.assertEqual(VERSION, txstorage.__version__)

    def test_testing(self):
        """The exports for authors of drivers."""
        self.assertEqual(
            [
                "FaultyAgent",
                "block_device_size",
                "detach_destroy_volumes",
                "hang",
                "lose_request",
                "lose_response",
                "make_iblockdeviceapi_tests",
                "make_iblockdeviceasyncapi_tests",
                "make_icloudapi_tests",
                "make_iprofiledblockdeviceapi_tests",
                "make_resilience_tests",
                "regular_file_size",
                "with_clean_up",
            ],
            txstorage.testing.__all__,
        )
        for name in txstorage.testing.__all__:
            self.assertTrue(callable(getattr(txstorage.testing, name)))


class SizeTests(SynchronousTestCase):
    """What a reader can take in."""

    def test_modules(self):
        """No module is over 400 lines."""
        for name, path in modules():
            with open(path) as source:
                self.assertLessEqual(len(source.readlines()), 400, name)
