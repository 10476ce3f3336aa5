"""
Tests of what of the Buildbot needs no Buildbot: the plan, what builds need, what
they certify, and where it is installed.
"""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from dataclasses import asdict
from importlib import import_module
from unittest.mock import patch

from certification import plan
from certification.settings import CLOUD_PASSWORD, Settings
from installation import Installation, surroundings, working_in
from twisted.trial.unittest import SynchronousTestCase
from worker import cloud, needs, statement

from tests.openstack.progress import RigError
from tests.run import ROOT, VERSIONS_3

BUILDERS = {builder.name: builder for builder in plan.builders("3.11")}


class PlanTests(SynchronousTestCase):
    """What is built."""

    def test_versions(self) -> None:
        """All tests run on 2.7 and on each Python 3 that is supported."""
        self.assertEqual(["2.7", *VERSIONS_3], list(plan.VERSIONS))
        self.assertLessEqual({"python-" + version for version in plan.VERSIONS}, set(BUILDERS))

    def test_changed_versions(self) -> None:
        """A change is tried on 2.7, on the oldest Python 3 and on the newest."""
        self.assertEqual(("2.7", VERSIONS_3[0], VERSIONS_3[-1]), plan.CHANGED_VERSIONS)

    def test_tests_never_meet(self) -> None:
        """What runs tests, which use loop devices, holds their lock."""
        for builder in BUILDERS.values():
            if builder.tests:
                self.assertIn(plan.LOOP_DEVICES, builder.locks, builder.name)

    def test_secret(self) -> None:
        """Only what says so gets a secret, and by hand only."""
        with_secret = [builder for builder in BUILDERS.values() if builder.secret]
        self.assertEqual([BUILDERS["cloud"]], with_secret)
        self.assertFalse(BUILDERS["cloud"].at_changes or BUILDERS["cloud"].at_night)

    def test_parameters(self) -> None:
        """No parameter has the name of something that Buildbot itself asks for by hand."""
        names = {parameter.name for row in BUILDERS.values() for parameter in row.parameters}
        theirs = {"username", "reason", "priority", "owner", "branch", "revision", "tests"}
        self.assertEqual(set(), names & theirs)

    def test_needs_known(self) -> None:
        """What a builder needs is something that can be looked for."""
        for builder in BUILDERS.values():
            for need in builder.needs:
                self.assertIn(need.split()[0], needs.NEEDS)

    def test_scripts_exist(self) -> None:
        """The files and the modules that commands name are there."""
        for builder in BUILDERS.values():
            for part in builder.command:
                if part.endswith(".py"):
                    self.assertTrue(os.path.exists(os.path.join(ROOT, part)), part)
            for module in builder.selection:
                import_module(module)


class NeedsTests(SynchronousTestCase):
    """What is missing, in words."""

    def test_nothing(self) -> None:
        """Of what is there, nothing is said."""
        version = "python {}.{}".format(*sys.version_info)
        there = [version, "program sh"]
        with patch.dict(os.environ, PATH=self._path()):
            self.assertEqual([], needs.missing(there))

    def _path(self) -> str:
        """A PATH with this Python under the name that is looked for."""
        directory = self.mktemp()
        os.mkdir(directory)
        name = "python{}.{}".format(*sys.version_info)
        os.symlink(sys.executable, os.path.join(directory, name))
        return os.path.abspath(directory) + os.pathsep + os.environ["PATH"]

    def test_each(self) -> None:
        """Each thing that is missing is named, in the order that was asked for."""
        with patch("os.getuid", return_value=1):
            self.assertEqual(
                [
                    "no Python 1.5 here",
                    "not run by root, whom loop devices need",
                    "no such-a-program here",
                ],
                needs.missing(["python 1.5", "root", "program such-a-program"]),
            )

    def test_flocker(self) -> None:
        """Without a Flocker, it is said what of it is missing."""
        with patch.dict(os.environ):
            os.environ.pop("FLOCKER_PYTHON", None)
            [unset] = needs.missing(["flocker"])
            os.environ["FLOCKER_PYTHON"] = "/no/such/python"
            [nowhere] = needs.missing(["flocker"])
            os.environ["FLOCKER_PYTHON"] = sys.executable
            [without] = needs.missing(["flocker"])
        self.assertIn("FLOCKER_PYTHON is not set", unset)
        self.assertIn("/no/such/python", nowhere)
        self.assertIn("No module named", without)

    def test_openstack(self) -> None:
        """What OpenStack needs is what ``make test-openstack`` says."""
        said = RigError("missing: gcc")
        with patch("tests.openstack.installation.prerequisites", side_effect=said):
            self.assertEqual(["missing: gcc"], needs.missing(["openstack"]))
        with patch("tests.openstack.installation.prerequisites"):
            self.assertEqual([], needs.missing(["openstack"]))

    def test_script(self) -> None:
        """As a program it prints a line for each and ends well: to be skipped is no failure."""
        script = os.path.join(ROOT, "buildbot", "worker", "needs.py")
        command = [sys.executable, script, "program coffee", "program sh", "python 1.5"]
        said = subprocess.check_output(command, text=True).splitlines()
        self.assertEqual(["no coffee here", "no Python 1.5 here"], said)


class StatementTests(SynchronousTestCase):
    """What a success certifies."""

    def test_first_line(self) -> None:
        """The first line says what was tested, against what, and with what."""
        first, versions = statement.statement("a mock", [sys.executable, "/no/such/python"])
        self.assertRegex(first, r"^txstorage \d+\.\d+\.\d+ \(.+\) against a mock, with Python 3\.")
        self.assertIn("Twisted ", versions)

    def test_kernel(self) -> None:
        """Of the kernel it says the version, and nothing of whose it is."""
        with patch("platform.release", return_value="6.1.0-18-ours"):
            first, *_ = statement.statement("a mock", [])
        self.assertTrue(first.endswith(", with no Python, Linux 6.1.0"), first)

    def test_of_note(self) -> None:
        """What matters is named as the index compares names, and the rest is left out."""
        frozen = "Twisted==16.6.0\nzope.interface==4.3.3\npip==1\n-e git+x"
        self.assertEqual(["Twisted 16.6.0", "zope.interface 4.3.3"], statement.of_note(frozen))


class CloudTests(SynchronousTestCase):
    """A cloud that others run."""

    environment = {
        "CLOUD_AUTH_URL": "http://cloud/v3",
        "CLOUD_REGION": "r",
        "CLOUD_PROJECT_NAME": "p",
        "CLOUD_USERNAME": "u",
        "CLOUD_PASSWORD": "secret",
        "CLOUD_INSTANCE_ID": "",
        "CLOUD_VOLUME_TYPES": "",
    }

    def test_described(self) -> None:
        """It is described as the tests' own cloud is; the server is found out when not named."""
        described = cloud.described(self.environment)
        self.assertEqual({"demo": []}, described["servers"])
        self.assertEqual("secret", described["users"]["demo"]["password"])
        named = cloud.described({**self.environment, "CLOUD_INSTANCE_ID": "i"})
        self.assertEqual({"demo": ["i"]}, named["servers"])

    def test_incomplete(self) -> None:
        """What is missing is named."""
        self.assertRaises(KeyError, cloud.described, {})

    def test_tests(self) -> None:
        """Profiles are tested where there are types for them; those that are named, alone."""
        types = cloud.described({**self.environment, "CLOUD_VOLUME_TYPES": "a b c"})
        plain = cloud.described(self.environment)
        self.assertEqual(cloud.TESTS + cloud.PROFILES, cloud.tests_for(types, []))
        self.assertEqual(cloud.TESTS, cloud.tests_for(plain, []))
        self.assertEqual(["tests.x"], cloud.tests_for(plain, ["tests.x"]))

    def test_tests_exist(self) -> None:
        """The suites are there."""
        for name in cloud.TESTS + cloud.PROFILES:
            module, _, suite = name.rpartition(".")
            self.assertTrue(hasattr(import_module(module), suite), name)

    def test_password(self) -> None:
        """The tests find the password in a file that nobody else can read, and only there."""
        with patch.dict(os.environ, self.environment), patch.object(sys, "argv", ["", "3.11"]):
            with patch("subprocess.run", side_effect=self._tested):
                self.assertEqual(7, cloud.main())

    def _tested(self, command: list[str], cwd: str, env: dict[str, str]) -> object:
        path = env["TXSTORAGE_OPENSTACK"]
        self.assertEqual(0o600, stat.S_IMODE(os.stat(path).st_mode))
        with open(path) as description:
            self.assertIn("secret", description.read())
        self.assertNotIn("secret", str(command) + str(env))
        return subprocess.CompletedProcess(command, 7)


class SettingsTests(SynchronousTestCase):
    """What one installation is made of."""

    def settings(self) -> Settings:
        directory = os.path.abspath(self.mktemp())
        os.makedirs(os.path.join(directory, "secrets"))
        return Settings(directory, "/src", "main", "/python", "3.11", 1, 2)

    def test_kept(self) -> None:
        """What was saved is what is loaded."""
        settings = self.settings()
        settings.save()
        self.assertEqual(settings, Settings.load(settings.directory))

    def test_of_another_release(self) -> None:
        """What another release saved besides is ignored."""
        settings = self.settings()
        with open(settings.path("settings.json"), "w") as saved:
            json.dump({**asdict(settings), "colour": "green"}, saved)
        self.assertEqual(settings, Settings.load(settings.directory))

    def test_secrets(self) -> None:
        """A secret is the content of a file, without the end of its line."""
        settings = self.settings()
        self.assertFalse(settings.has_secret(CLOUD_PASSWORD))
        with open(settings.path("secrets", CLOUD_PASSWORD), "w") as secret:
            secret.write("x y\n")
        self.assertTrue(settings.has_secret(CLOUD_PASSWORD))
        self.assertEqual("x y", settings.secret(CLOUD_PASSWORD))


class InstallationTests(SynchronousTestCase):
    """Where it is installed, and what is left of it."""

    def test_surroundings(self) -> None:
        """Builds find nothing of whoever started the worker that is about another checkout."""
        theirs = {"PATH": "/bin", "FLOCKER_PYTHON": "/p", "PIP_INDEX_URL": "http://x"}
        ours = {"MAKEFLAGS": "w", "PYTHONPATH": "/x", "TXSTORAGE_PYTHON3": "/y", "GIT_DIR": "/z"}
        self.assertEqual(theirs, surroundings({**theirs, **ours}))

    def test_password(self) -> None:
        """The worker's password is made once, and nobody else can read it."""
        installation = Installation(os.path.abspath(self.mktemp()))
        os.makedirs(installation.run("secrets"))
        installation._make_password()
        path = installation.run("secrets", "worker-password")
        with open(path) as secret:
            first = secret.read()
        installation._make_password()
        with open(path) as secret:
            self.assertEqual(first, secret.read())
        self.assertEqual(0o600, stat.S_IMODE(os.stat(path).st_mode))

    def test_ports_stay(self) -> None:
        """Once chosen, the ports stay; the branch is the one that is checked out."""
        installation = Installation(os.path.abspath(self.mktemp()))
        os.makedirs(installation.directory)
        first = installation._chosen(ROOT)
        first.save()
        second = installation._chosen(ROOT)
        self.assertEqual(first, second)
        self.assertNotEqual(first.web_port, first.worker_port)

    def test_nothing_to_stop(self) -> None:
        """Where nothing was installed, there is nothing to stop."""
        Installation(os.path.abspath(self.mktemp())).stop()

    def test_rest_is_ended(self) -> None:
        """What a build left behind in the worker's directory is ended; what is beside it stays."""
        installation = Installation(os.path.abspath(self.mktemp()))
        os.makedirs(installation.run("worker", "lint"))
        os.makedirs(installation.run("worker-else"))
        sleeper = [sys.executable, "-c", "print('begun', flush=True); input()"]
        left, beside = (
            subprocess.Popen(
                sleeper,
                cwd=installation.run(*where),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            for where in (("worker", "lint"), ("worker-else",))
        )
        for process in (left, beside):
            self.addCleanup(process.communicate)
            self.addCleanup(process.kill)
            self.assertEqual(b"begun\n", process.stdout.readline())
        self.assertEqual([left.pid], working_in(installation.run("worker")))
        with patch("installation.CLEARING_UP", 0):
            installation.stop()
        self.assertEqual(-9, left.wait())
        self.assertIsNone(beside.poll())


class RecordedTests(SynchronousTestCase):
    """What the README and docs/certification.rst show where no Buildbot can be reached."""

    def recorded(self, name: str) -> str:
        with open(os.path.join(ROOT, "docs", name), encoding="utf-8") as opened:
            return opened.read()

    def test_badge(self) -> None:
        """It shows a success, and has nothing fetched from anywhere."""
        image = self.recorded("status.svg")
        self.assertIn("success", image)
        addresses = re.findall(r"[a-z]+://[^\s\"')<]+", image)
        self.assertEqual([], [each for each in addresses if "//www.w3.org/" not in each])

    def test_statement(self) -> None:
        """It says when, what of which commit, against what, and that nothing failed."""
        said = self.recorded("status.txt")
        first = r"\d{4}-\d\d-\d\d: txstorage \S+ \([0-9a-f]{7,}\) against the embedded service"
        self.assertRegex(said, first)
        self.assertRegex(said, r"\n  [1-9]\d* passed, 0 failed\n$")
