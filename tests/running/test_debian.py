"""Tests of the packages that a fresh machine lacks."""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext

from twisted.trial.unittest import SynchronousTestCase

from tests import debian

#: A Python without the module that makes environments, as Debian and Ubuntu install it.
WITHOUT = """\
#!/bin/sh
exec {} -c "import sys; sys.modules['ensurepip'] = None; exec(sys.argv[1])" "$2"
"""
#: Programs that no machine has, and one that each has.
PREFERRED = {"no-such-program": "two", "no-such": "three", "no-such-daemon": "two", "ldconfig": "x"}
PACKAGE = "python{}.{}-venv".format(*sys.version_info)


class MachineTestCase(SynchronousTestCase):
    """Base: a machine with apt-get, on which nothing is installed."""

    def setUp(self) -> None:
        self.installed: list[str] = []
        self.patch(debian, "install", lambda *packages: self.installed.extend(packages))
        self.programs = os.path.abspath(self.mktemp())
        os.makedirs(self.programs)
        self.program("apt-get", "#!/bin/sh\nexit 1\n")
        self.patch(os, "environ", dict(os.environ, PATH=self.programs))
        self.is_user(0)

    def program(self, name: str, text: str) -> str:
        path = os.path.join(self.programs, name)
        with open(path, "w") as opened:
            opened.write(text)
        os.chmod(path, 0o755)
        return path

    def is_user(self, number: int) -> None:
        self.patch(os, "geteuid", lambda: number)

    def advice(self) -> str:
        """The text of the exit without an environment's package."""
        interpreter = self.program("python3", WITHOUT.format(sys.executable))
        text = str(self.assertRaises(SystemExit, debian.ensure_venv, interpreter))
        self.assertEqual([], self.installed)
        return text


class EnsureVenvTests(MachineTestCase):
    """``ensure_venv``."""

    def test_there(self) -> None:
        """A Python that can make environments needs no package."""
        self.assertIsNone(debian.ensure_venv(sys.executable))
        self.assertEqual([], self.installed)

    def test_root(self) -> None:
        """Root gets the package of that Python's version."""
        debian.ensure_venv(self.program("python3", WITHOUT.format(sys.executable)))
        self.assertEqual([PACKAGE], self.installed)

    def test_user(self) -> None:
        """Without root, one line names the package and the command that installs it."""
        self.is_user(1000)
        advice = self.advice()
        self.assertIn("(apt-get install {})".format(PACKAGE), advice)
        self.assertNotIn("\n", advice)

    def test_no_apt(self) -> None:
        """Root without apt-get gets the same line."""
        os.unlink(os.path.join(self.programs, "apt-get"))
        self.assertIn(PACKAGE, self.advice())


class ProgramTests(MachineTestCase):
    """``ensure`` and ``prefer``."""

    def test_there(self) -> None:
        """Nothing is installed for a program that is there, also where only root looks."""
        self.program("dot", "")
        debian.ensure("dot", "graphviz")
        debian.ensure("ldconfig", "libc-bin")
        self.assertEqual([], debian.prefer({"dot": "graphviz", "ldconfig": "libc-bin"}))
        self.assertEqual([], self.installed)

    def test_root(self) -> None:
        """Root gets the programs' packages."""
        debian.ensure("no-such-program", "one")
        self.assertEqual([], debian.prefer(PREFERRED))
        self.assertEqual(["one", "three", "two"], self.installed)

    def test_user(self) -> None:
        """Others must install a required program, and can do without a preferred one."""
        self.is_user(1000)
        self.assertRaises(SystemExit, debian.ensure, "no-such-program", "one")
        self.assertEqual(["three", "two"], debian.prefer(PREFERRED))
        self.assertEqual([], self.installed)


class InstallTests(SynchronousTestCase):
    """``install``."""

    def test_said(self) -> None:
        """The packages are named before apt-get runs, and apt-get waits for its lock."""
        events: list[str] = []
        self.patch(debian, "step", lambda text: events.append(text) or nullcontext())
        self.patch(debian.subprocess, "run", lambda command, **_: events.append(" ".join(command)))
        debian.install("one", "two")
        self.assertEqual("installing one, two with apt-get", events[0])
        self.assertEqual(3, len(events))
        self.assertRegex(events[1], r"^apt-get .*update$")
        wanted = r"DPkg::Lock::Timeout=\d+ -y install --no-install-recommends one two$"
        self.assertRegex(events[2], wanted)
