"""
Test of the installation into Flocker's environment from a web server, with the pip that Flocker
pins.
"""

from __future__ import annotations

import glob
import http.server
import os
import shutil
import subprocess
import tempfile
import threading
from contextlib import contextmanager
from functools import partial
from typing import Iterator

from twisted.trial.unittest import SkipTest

from ..house.test_distribution import surroundings, versions
from ..run import ENVIRONMENT, ENVIRONMENT_2, PINS_2, ROOT
from .support import PackagesTestCase

#: As Flocker 1.15 pins them.
INSTALLERS = ("pip==8.1.2", "setuptools==32.1.0")
#: The library that txstorage adds to Flocker's.
ADDED = "txaio"
#: The agent's two names, below the environment's programs.
AGENTS = ("txstorage-dataset-agent", "with-txstorage/flocker-dataset-agent")


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A web server's files, without a log."""

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@contextmanager
def served(directory: str) -> Iterator[str]:
    """Serve a directory on loopback while the block runs; provide the address."""
    handler = partial(Quiet, directory=directory)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


class FlockersPipTests(PackagesTestCase):
    """Flocker's pins, with Flocker's pip."""

    def setUp(self) -> None:
        super().setUp()
        if not os.path.exists(ENVIRONMENT_2):
            raise SkipTest("no Python 2.7 here")
        self.directory = tempfile.mkdtemp(prefix="txstorage-test-")
        self.addCleanup(shutil.rmtree, self.directory)
        self.environment = os.path.join(self.directory, "flocker")
        shutil.copytree(ENVIRONMENT_2, self.environment, symlinks=True)
        self.python = os.path.join(self.environment, "bin", "python")
        self.pip("uninstall", "--yes", "txstorage", ADDED)
        # pip does not remove the program of an editable installation
        for path in self.programs():
            if os.path.basename(path) == "txstorage-dataset-agent":
                os.unlink(path)
        self.files = os.path.join(self.directory, "files")
        os.mkdir(self.files)

    def pip(self, *arguments: str, env: dict[str, str] | None = None) -> str:
        """Run the environment's pip, and return its output."""
        # The tests' own path has the checkout, which pip would take for an installation.
        apart = {name: v for name, v in os.environ.items() if not name.startswith("PYTHON")}
        done = subprocess.run(
            [self.python, "-W", "ignore", "-m", "pip", *arguments],
            cwd=self.directory,
            env=apart if env is None else env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def programs(self) -> list[str]:
        """Return the paths of all programs of the environment."""
        return sorted(glob.glob(os.path.join(self.environment, "bin", "**"), recursive=True))

    def frozen(self) -> dict[str, str]:
        """Return the environment's packages, and their versions."""
        frozen: dict[str, str] = versions(self.pip("freeze", "--all").splitlines())
        return frozen

    def publish(self) -> list[str]:
        """Put the source distribution and the library on the server; return the files' names."""
        with open(PINS_2) as pins:
            [library] = [line.strip() for line in pins if line.startswith(ADDED + "==")]
        program = [os.path.join(ENVIRONMENT, "bin", "python"), "-W", "ignore", "-m", "pip"]
        subprocess.run(
            [*program, "--quiet", "download", "--no-deps", "--dest", self.files, library],
            check=True,
        )
        shutil.copy(self.package(".tar.gz"), self.files)
        return sorted(os.listdir(self.files), reverse=True)

    def test_from_a_server(self) -> None:
        """The distribution installs from a plain URL, and no pin changes; uninstalling is clean."""
        published = self.publish()
        self.pip("install", *INSTALLERS)
        self.assertIn("pip 8.1.2", self.pip("--version"))
        before = self.frozen()
        programs = self.programs()
        with served(self.files) as address:
            urls = [f"{address}/{name}" for name in published]
            self.pip("install", *urls, env=surroundings())
        after = self.frozen()
        self.assertEqual({"txstorage", ADDED}, after.keys() - before.keys())
        self.assertEqual(before, {name: after[name] for name in before})
        for agent in AGENTS:
            self.assertTrue(os.access(os.path.join(self.environment, "bin", agent), os.X_OK))
        shown = "import txstorage; print(txstorage.FLOCKER_BACKEND.name, txstorage.__file__)"
        output = subprocess.check_output(
            [self.python, "-W", "ignore", "-c", shown],
            cwd=self.directory,
            env=surroundings(),
            text=True,
        )
        self.assertIn(self.environment, output)
        self.pip("uninstall", "--yes", "txstorage", ADDED)
        self.assertEqual(before, self.frozen())
        self.assertEqual(programs, self.programs())

    def test_pins(self) -> None:
        """The environment has the versions that the project lists as Flocker's."""
        with open(os.path.join(ROOT, "tests", "requirements-2.7.txt")) as pins:
            pinned = versions(pins)
        del pinned[ADDED]
        self.assertGreater(len(pinned), 10)
        found = self.frozen()
        self.assertEqual(pinned, {name: found.get(name) for name in pinned})
