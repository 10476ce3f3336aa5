"""
The wheels: their contents, and the installation of Python 2's wheel beside Flocker's pins.

These tests use no network.
"""

from __future__ import absolute_import, division, print_function

import ast
import io
import os
import re
import subprocess
import sys
from shutil import copyfile, copytree, rmtree
from tempfile import mkdtemp
from zipfile import ZipFile

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.helpers.imports import ROOT, python_3_wings
from txstorage._support.compat import PY2
from txstorage._version import VERSION

PYTHON_3_ONLY = tuple("txstorage/{}/".format(wing) for wing in python_3_wings())


#: A module that Python imports at its start: the agent's main function without a Flocker.
STAND_IN = """\
import os, sys, types
agent = types.ModuleType("txstorage.flocker.dataset_agent")
def main():
    print(os.path.basename(sys.argv[0]))
    sys.stdout.flush()
    sys.stdin.read()
agent.main = main
for name in ("txstorage", "txstorage.flocker"):
    sys.modules[name] = types.ModuleType(name)
sys.modules[agent.__name__] = agent
"""


def surroundings(**more):
    """
    :return: an environment in which neither the user nor the machine configures pip or Python.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PIP_", "PYTHON"))
    }
    return dict(
        kept,
        PIP_CONFIG_FILE=os.devnull,
        PIP_DISABLE_PIP_VERSION_CHECK="1",
        PIP_NO_INDEX="1",
        PYTHONWARNINGS="ignore",
        **more
    )


def tracked_files():
    """:return: the relative paths of all files that git tracks."""
    try:
        listed = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SkipTest("the wheel is built from what git tracks: {}".format(error))
    paths = listed.decode("utf-8").split("\0")
    return [path for path in paths if os.path.isfile(os.path.join(ROOT, path))]


def canonical(name):
    """:return: a distribution's normalised name (PEP 503)."""
    return re.sub("[-_.]+", "-", name).lower()


def versions(lines):
    """:return: name to version, or to place, from the lines of ``pip freeze`` or of pins."""
    found = [re.match(r"([\w.-]+)(?:==| @ )(\S+)", line) for line in lines]
    return {canonical(match.group(1)): match.group(2) for match in found if match}


class WheelTestCase(SynchronousTestCase):
    """Base: builds a wheel from a copy of the project, on the running Python."""

    def setUp(self):
        self.directory = os.path.realpath(mkdtemp(prefix="txstorage-test-"))
        self.addCleanup(rmtree, self.directory)
        if not PY2:
            self.check_tools()
        self.tracked = tracked_files()
        source = os.path.join(self.directory, "source")
        for path in self.tracked:
            target = os.path.join(source, path)
            if not os.path.isdir(os.path.dirname(target)):
                os.makedirs(os.path.dirname(target))
            copyfile(os.path.join(ROOT, path), target)
        wheels = os.path.join(self.directory, "wheels")
        self.pip(sys.executable, "wheel", "--no-deps", "--no-build-isolation", "-w", wheels, source)
        [name] = os.listdir(wheels)
        self.wheel = os.path.join(wheels, name)
        with ZipFile(self.wheel) as opened:
            self.contents = {name: opened.read(name) for name in opened.namelist()}
        [metadata] = [name for name in self.contents if name.endswith(".dist-info/METADATA")]
        self.metadata = self.contents[metadata].decode("utf-8")

    def assert_found(self):
        """
        A package index and a type checker find what they ask for: keywords, addresses, and the
        marker of types, which is announced. Each address stands in the documentation, too.
        """
        head = self.metadata.partition("\n\n")[0]
        keywords = re.search(r"(?m)^Keywords: (.+)$", head).group(1).split(",")
        self.assertLessEqual({"block storage", "OpenStack", "Twisted"}, set(keywords))
        with io.open(os.path.join(ROOT, "docs", "http.rst"), encoding="utf-8") as page:
            documented = page.read()
        addresses = re.findall(r"(?m)^Project-URL: .+, (\S+)$", head)
        self.assertEqual(3, len(addresses))
        for address in addresses:
            self.assertIn(u"<{}>`_".format(address), documented)
        self.assertIn("txstorage/py.typed", self.contents)
        self.assertIn("\nClassifier: Typing :: Typed\n", head + "\n")

    def check_tools(self):
        try:
            from setuptools import __version__ as version
        except ImportError:
            version = "0"
        if int(version.split(".")[0]) < 71:
            raise SkipTest("setuptools is too old to make a wheel by itself: " + version)

    def run_python(self, python, *arguments, **more):
        """
        Run Python.

        :param more: variables of its environment.
        :return: its standard output, text.
        """
        process = subprocess.Popen(
            (python,) + arguments,
            cwd=self.directory,
            env=surroundings(**more),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        output, errors = [part.decode("utf-8", "replace") for part in process.communicate()]
        self.assertEqual(0, process.returncode, u"{!r}: {}{}".format(arguments, output, errors))
        return output

    def pip(self, python, *arguments):
        return self.run_python(python, "-m", "pip", *arguments)

    def assert_all_modules(self, left_out):
        """The wheel has the package's modules except those left out, and no other Python file."""
        self.assertEqual(
            sorted(
                path
                for path in self.tracked
                if path.startswith("txstorage/")
                and path.endswith(".py")
                and not path.startswith(left_out)
            ),
            sorted(path for path in self.contents if path.endswith(".py")),
        )


class Python2Tests(WheelTestCase):
    """The wheel for Flocker's environment, Python 2."""

    if not PY2:
        skip = "what Python 2 builds is built by Python 2"

    def test_modules(self):
        """The wheel has everything but the Python 3 wings, and Python 2 can compile each file."""
        self.assert_all_modules(PYTHON_3_ONLY)
        for path, content in self.contents.items():
            if path.endswith(".py"):
                ast.parse(content, path)

    def test_found(self):
        """The metadata has keywords, addresses that exist, and the marker of types."""
        self.assert_found()

    def environment(self):
        """
        A copy of the running environment, which has the pins, without the project.

        :return: the path of its Python.
        """
        if not os.path.exists(os.path.join(sys.prefix, "pyvenv.cfg")):
            raise SkipTest("it copies the virtual environment it runs in, and this is none")
        copy = os.path.join(self.directory, "environment")
        copytree(sys.prefix, copy, symlinks=True)
        python = os.path.join(copy, os.path.relpath(sys.executable, sys.prefix))
        self.pip(python, "uninstall", "--yes", "txstorage")
        # pip does not remove the program of an editable installation
        agent = os.path.join(os.path.dirname(python), "txstorage-dataset-agent")
        if os.path.exists(agent):
            os.unlink(agent)
        return python

    def test_beside_the_pins(self):
        """
        The wheel installs without moving a pin (pip has no index, so it would fail), and provides
        Flocker's backend.
        """
        python = self.environment()
        before = versions(self.pip(python, "freeze", "--all").splitlines())
        with open(os.path.join(ROOT, "tests", "requirements-2.7.txt")) as pins:
            pinned = versions(pins)
        self.assertGreater(len(pinned), 10)
        self.assertEqual(pinned, {name: before.get(name) for name in pinned})

        self.pip(python, "install", self.wheel)
        after = versions(self.pip(python, "freeze", "--all").splitlines())
        self.assertIn("txstorage", after)
        del after["txstorage"]
        self.assertEqual(before, after)
        self.pip(python, "check")
        self.check_installed(python)

    def test_agent(self):
        """
        The agent is also installed under the name of Flocker's, in a directory of its own: a
        process of it is found by that name, and a program of Flocker's is left alone.
        """
        python = self.environment()
        programs = os.path.dirname(python)
        flockers = os.path.join(programs, "flocker-dataset-agent")
        with open(flockers, "w") as opened:
            opened.write("Flocker's own")
        before = sorted(os.listdir(programs))
        self.pip(python, "install", "--no-deps", self.wheel)
        directory = os.path.join(programs, "with-txstorage")
        self.assertEqual(["flocker-dataset-agent"], os.listdir(directory))
        self.check_process(os.path.join(directory, "flocker-dataset-agent"))
        self.assertEqual(
            sorted(before + ["txstorage-dataset-agent", "with-txstorage"]),
            sorted(os.listdir(programs)),
        )
        self.pip(python, "uninstall", "--yes", "txstorage")
        self.assertEqual(before, sorted(os.listdir(programs)))
        with open(flockers) as opened:
            self.assertEqual("Flocker's own", opened.read())

    def check_process(self, agent):
        """A process of the program, with a main function in Flocker's place, is found."""
        place = os.path.join(self.directory, "stand-in")
        os.mkdir(place)
        with open(os.path.join(place, "sitecustomize.py"), "w") as opened:
            opened.write(STAND_IN)
        process = subprocess.Popen(
            [agent, "--journald"],
            env=surroundings(PYTHONPATH=place),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        try:
            # Eliot's messages in the journal have this name, by which rsyslog filters them.
            self.assertEqual("flocker-dataset-agent", process.stdout.readline().strip())
            # Processes are accounted for by this name, of which the kernel keeps 15 bytes.
            with open("/proc/{}/comm".format(process.pid)) as opened:
                self.assertEqual("flocker-dataset-agent"[:15], opened.read().strip())
            self.check_found(process.pid)
        finally:
            process.communicate()
        self.assertEqual(0, process.returncode)

    def check_found(self, pid):
        """Debian's own ``pidof -x``, which Flocker's tests use, finds a process."""
        try:
            found = subprocess.check_output(["pidof", "-x", "flocker-dataset-agent"])
        except OSError:
            raise SkipTest("there is no pidof here (Debian: sysvinit-utils)")
        self.assertIn(str(pid), found.split())

    def check_installed(self, python):
        output = self.run_python(
            python,
            "-c",
            "import txstorage as it, txstorage.testing\n"
            "assert isinstance(it.FLOCKER_BACKEND.name, type(u''))\n"
            "for part in it.__file__, it.__version__, it.FLOCKER_BACKEND.name:\n"
            "    print(part)",
        )
        place, version, name = output.splitlines()
        self.assertTrue(place.startswith(self.directory), place)
        self.assertEqual((VERSION, u"txstorage"), (version, name))


class Python3Tests(WheelTestCase):
    """The wheel for Python 3."""

    if PY2:
        skip = "what Python 3 builds is built by Python 3"

    def test_page(self):
        """The wheel has the files of the embedded service's page, as they are."""
        page = "txstorage/embedded/page/static/"
        files = [path for path in self.tracked if path.startswith(page)]
        self.assertIn(page + "index.html", files)
        for path in files:
            with open(os.path.join(ROOT, path), "rb") as opened:
                self.assertEqual(opened.read(), self.contents.get(path), path)

    def test_command_line(self):
        """The wheel has everything, the embedded service too, and its command runs."""
        self.assert_all_modules(())
        self.assertIn("txstorage/embedded/application.py", self.contents)
        self.assertIn("txstorage/cli/main.py", self.contents)
        place = os.path.join(self.directory, "installed")
        self.pip(sys.executable, "install", "--no-deps", "--target", place, self.wheel)
        output = self.run_python(
            sys.executable,
            "-c",
            "import txstorage; print(txstorage.__file__)",
            PYTHONPATH=place,
        )
        self.assertTrue(output.startswith(place), output)
        command = os.path.join(place, "bin", "txstorage")
        output = self.run_python(sys.executable, command, "--help", PYTHONPATH=place)
        self.assertIn("serve", output)

    def test_description(self):
        """The description for a package index is the README without its pictures."""
        self.assertNotIn(u".. image::", self.metadata)
        self.assertIn(u"\nSee it work\n", self.metadata)
        self.assertIn(u"`Tests of OpenStack clients`_.\n\nSee it work", self.metadata)

    def test_found(self):
        """The metadata has keywords, addresses that exist, and the marker of types."""
        self.assert_found()
