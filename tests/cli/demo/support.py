"""
The demonstration in a directory of the test's own, where traces of it can be looked for.
"""

from __future__ import annotations

import os
import sys
import tempfile
from functools import partial
from typing import Any
from unittest import mock

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from txstorage._assembly import drivers
from txstorage.cli.app import App
from txstorage.cli.demo.cleanup import loops_below, mounts_below
from txstorage.cli.demo.clouds import DEFAULT
from txstorage.cli.demo.command import demonstrate
from txstorage.driver.polling import Intervals

from ..support import processes_of, sweep

COMMON = [
    "start the embedded service",
    "create a volume of 1 GiB",
    "attach it to node-1",
    "check that the device is blank",
    "make a file system",
    "mount it",
    "write 4 files of random data",
    "unmount it",
    "detach it from node-1",
    "attach it to node-2",
    "mount it",
    "read them back",
    "unmount it",
    "compare the checksums",
    "detach it from node-2",
    "destroy it",
    "clean up",
]
MOUNTING = {"make a file system", "mount it", "unmount it"}


class DemoTestCase(TestCase):
    """
    Base: everything is made in a directory of the test's own, where traces
    can be looked for.
    """

    timeout = 300

    def setUp(self) -> None:
        self.directory = os.path.realpath(tempfile.mkdtemp(prefix="txstorage-test-"))
        self.addCleanup(sweep, self.directory)
        self.patch(tempfile, "tempdir", self.directory)
        # what waiting there is here is not for a cloud
        self.patch(drivers, "Intervals", partial(Intervals, first=0.02))
        # trial changes the directory, from which children would import.
        environment = mock.patch.dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
        environment.start()
        self.addCleanup(environment.stop)
        self.names: list[str] = []

    def traces(self) -> list[Any]:
        """Mounts, loop devices, files and processes that are left."""
        return [
            mounts_below(self.directory),
            list(loops_below(self.directory)),
            os.listdir(self.directory),
            processes_of(self.directory),
        ]

    def assert_clean(self) -> None:
        """Check that no mount, loop device or file is left."""
        self.assertEqual(self.traces(), [[], [], [], []])

    def show(self, listener: Any = lambda name: None, cloud: str = DEFAULT) -> Any:
        """Run the demonstration in this process."""

        def listen(name: str) -> None:
            self.names.append(name)
            listener(name)

        app = App(json=True, environ={})
        return Deferred.fromCoroutine(demonstrate(app, reactor, listen, cloud))

    def expected(self) -> list[str]:
        """The steps of the whole demonstration on this machine."""
        mounts = "mount it" in self.names
        return [name for name in COMMON if mounts or name not in MOUNTING]
