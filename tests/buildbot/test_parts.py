"""
Tests of the parts of the Buildbot that need no Buildbot: the builds' requirements, the
certification, and the installation.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from dataclasses import asdict
from importlib import import_module
from unittest.mock import patch

from certification.settings import CLOUD_PASSWORD, Settings
from installation import Installation, surroundings, working_in
from twisted.trial.unittest import SynchronousTestCase
from worker import cloud, needs, statement

from tests.openstack.progress import RigError
from tests.run import ROOT


class NeedsTests(SynchronousTestCase):
    """The missing requirements, in words."""

    def test_nothing(self) -> None:
        """Requirements that are met are not mentioned."""
        version = "python {}.{}".format(*sys.version_info)
        there = [version, "program sh"]
        with patch.dict(os.environ, PATH=self._path()):
            self.assertEqual([], needs.missing(there))

    def _path(self) -> str:
        """A PATH with this Python under the required name."""
        directory = self.mktemp()
        os.mkdir(directory)
        name = "python{}.{}".format(*sys.version_info)
        os.symlink(sys.executable, os.path.join(directory, name))
        return os.path.abspath(directory) + os.pathsep + os.environ["PATH"]

    def test_each(self) -> None:
        """Each missing requirement is named, in the order of the request."""
        with patch("os.getuid", return_value=1):
            self.assertEqual(
                [
                    "no Python 1.5 here",
                    "not run by root, which loop devices and machines need",
                    "no such-a-program here",
                ],
                needs.missing(["python 1.5", "root", "program such-a-program"]),
            )

    def test_flocker(self) -> None:
        """Without a Flocker, its missing part is named."""
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
        """The requirements of OpenStack are those of ``make test-openstack``."""
        said = RigError("missing: gcc")
        with patch("tests.openstack.installation.prerequisites", side_effect=said):
            self.assertEqual(["missing: gcc"], needs.missing(["openstack"]))
        with patch("tests.openstack.installation.prerequisites"):
            self.assertEqual([], needs.missing(["openstack"]))

    def test_modules(self) -> None:
        """A module or a package that the commit lacks is named; others are not mentioned."""
        asked = ["module tests.run", "module tests.clouds", "module tests.no.such"]
        self.assertEqual(["no module tests.no.such in this commit"], needs.missing(asked))

    def test_targets(self) -> None:
        """A target that the commit's Makefile lacks is named; a part of a target's name is none."""
        asked = ["target test-docker", "target test-dock", "target help"]
        reason = "no target test-dock in this commit's Makefile"
        self.assertEqual([reason], needs.missing(asked))

    def test_script(self) -> None:
        """
        As a program it prints a line for each requirement and succeeds: a skip is not a failure.
        """
        script = os.path.join(ROOT, "buildbot", "worker", "needs.py")
        command = [sys.executable, script, "program coffee", "program sh", "python 1.5"]
        said = subprocess.check_output(command, text=True).splitlines()
        self.assertEqual(["no coffee here", "no Python 1.5 here"], said)


class StatementTests(SynchronousTestCase):
    """The statement that a success certifies."""

    def test_first_line(self) -> None:
        """The first line gives the tests, the cloud and the versions."""
        first, versions = statement.statement("a mock", [sys.executable, "/no/such/python"])
        self.assertRegex(first, r"^txstorage \d+\.\d+\.\d+ \(.+\) against a mock, with Python 3\.")
        self.assertIn("Twisted ", versions)

    def test_commit(self) -> None:
        """The version is that of the named commit, which is named in short."""
        answers = {"old:txstorage/_version.py": "VERSION = '9.9.9'", "old": "abc1234"}
        with patch.object(statement, "output", lambda *words: answers[words[-1]]):
            [first] = statement.statement("x", [], "old")
        self.assertTrue(first.startswith("txstorage 9.9.9 (abc1234) against x, "), first)

    def test_kernel(self) -> None:
        """The statement has the kernel's version, and nothing of its builder."""
        with patch("platform.release", return_value="6.1.0-18-ours"):
            first, *_ = statement.statement("a mock", [])
        self.assertTrue(first.endswith(", with no Python, Linux 6.1.0"), first)

    def test_of_note(self) -> None:
        """
        Relevant packages are named, compared as the index compares names; others are left out.
        """
        frozen = "Twisted==16.6.0\nzope.interface==4.3.3\npip==1\n-e git+x"
        self.assertEqual(["Twisted 16.6.0", "zope.interface 4.3.3"], statement.of_note(frozen))


class CloudTests(SynchronousTestCase):
    """A cloud of others to build against."""

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
        """
        The cloud is described as the tests' own cloud is; the server is looked up unless named.
        """
        described = cloud.described(self.environment)
        self.assertEqual({"demo": []}, described["servers"])
        self.assertEqual("secret", described["users"]["demo"]["password"])
        named = cloud.described({**self.environment, "CLOUD_INSTANCE_ID": "i"})
        self.assertEqual({"demo": ["i"]}, named["servers"])

    def test_incomplete(self) -> None:
        """Missing variables are named."""
        self.assertRaises(KeyError, cloud.described, {})

    def test_tests(self) -> None:
        """Profiles are tested where the cloud has volume types for them; named ones alone."""
        types = cloud.described({**self.environment, "CLOUD_VOLUME_TYPES": "a b c"})
        plain = cloud.described(self.environment)
        self.assertEqual(cloud.TESTS + cloud.PROFILES, cloud.tests_for(types, []))
        self.assertEqual(cloud.TESTS, cloud.tests_for(plain, []))
        self.assertEqual(["tests.x"], cloud.tests_for(plain, ["tests.x"]))

    def test_tests_exist(self) -> None:
        """The suites exist."""
        for name in cloud.TESTS + cloud.PROFILES:
            module, _, suite = name.rpartition(".")
            self.assertTrue(hasattr(import_module(module), suite), name)

    def test_password(self) -> None:
        """The tests find the password in a file that only its owner can read."""
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
    """The settings of one installation."""

    def settings(self) -> Settings:
        directory = os.path.abspath(self.mktemp())
        os.makedirs(os.path.join(directory, "secrets"))
        return Settings(directory, "/src", "main", "/python", "3.11", 1, 2)

    def test_kept(self) -> None:
        """Saved settings are loaded."""
        settings = self.settings()
        settings.save()
        self.assertEqual(settings, Settings.load(settings.directory))

    def test_of_another_release(self) -> None:
        """Unknown settings of another release are ignored."""
        settings = self.settings()
        with open(settings.path("settings.json"), "w") as saved:
            json.dump({**asdict(settings), "colour": "green"}, saved)
        self.assertEqual(settings, Settings.load(settings.directory))

    def test_secrets(self) -> None:
        """A secret is the content of a file, without the line's end."""
        settings = self.settings()
        self.assertFalse(settings.has_secret(CLOUD_PASSWORD))
        with open(settings.path("secrets", CLOUD_PASSWORD), "w") as secret:
            secret.write("x y\n")
        self.assertTrue(settings.has_secret(CLOUD_PASSWORD))
        self.assertEqual("x y", settings.secret(CLOUD_PASSWORD))


class InstallationTests(SynchronousTestCase):
    """The installation, and its remains."""

    def test_surroundings(self) -> None:
        """
        Builds inherit nothing from the worker's environment that concerns another checkout, or
        that selects some of the tests.
        """
        theirs = {"PATH": "/bin", "FLOCKER_PYTHON": "/p", "PIP_INDEX_URL": "http://x"}
        ours = {"MAKEFLAGS": "w", "PYTHONPATH": "/x", "TXSTORAGE_PYTHON3": "/y", "GIT_DIR": "/z"}
        part = {"AGENTS": "stock"}
        self.assertEqual(theirs, surroundings({**theirs, **ours, **part}))

    def test_password(self) -> None:
        """The worker's password is made once, in a file that only its owner can read."""
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
        """Once chosen, the ports stay; the branch is the current one."""
        installation = Installation(os.path.abspath(self.mktemp()))
        os.makedirs(installation.directory)
        first = installation._chosen(ROOT)
        first.save()
        second = installation._chosen(ROOT)
        self.assertEqual(first, second)
        self.assertNotEqual(first.web_port, first.worker_port)

    def test_nothing_to_stop(self) -> None:
        """Without an installation, stopping does nothing."""
        Installation(os.path.abspath(self.mktemp())).stop()

    def test_rest_is_ended(self) -> None:
        """Processes that a build left in the worker's directory are ended; others stay."""
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
