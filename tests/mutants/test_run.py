"""Tests of ``make mutants``: its runs of the tests, its list of equivalent mutants, its table."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from .run import EQUIVALENT, ROOT, Score, read_equivalent, stale, table, tests_for

MODULE = """\
def first(values):
    index = 0
    while values[index] < 0:
        index += 1
    if len(values) > 3:
        return None
    return index
"""

TESTS = """\
import unittest

from counted.counting import first


class FirstTests(unittest.TestCase):
    def test_first(self):
        self.assertEqual([0, 1, 2], [first([-1] * n + [0]) for n in range(3)])
"""

TWICE = "def twice(number):\n    return number + number\n"

TWICE_TESTS = """\
import unittest

from counted.counting import twice


class TwiceTests(unittest.TestCase):
    def test_twice(self):
        self.assertEqual(6, twice(3))
"""

ENTRY = """\
# The reason is made up.
counted.counting first
while values[index] < 0:
while ((values[index]) <= (0)):
because
"""


class RunTests(SynchronousTestCase):
    """A run on a small module."""

    def run_mutants(self, module: str, tests: str, equivalent: str = "") -> tuple[int, str]:
        """Run the program; :return: its exit code and its output."""
        top = Path(self.mktemp()).absolute()
        package = top / "counted"
        package.mkdir(parents=True)
        for name, content in [
            ("__init__", ""),
            ("counting", module),
            ("test_counting", tests),
        ]:
            (package / (name + ".py")).write_text(content)
        listed = top / "equivalent.txt"
        listed.write_text(equivalent)
        command = [sys.executable, "-W", "ignore", "-m", "tests.mutants.run", "counted.counting"]
        command += ["--tests", "counted.test_counting", "--equivalent", str(listed)]
        done = subprocess.run(
            [*command, "--patience", "0.5"],
            cwd=top,
            env={"PYTHONPATH": f"{ROOT}:{top}", "PATH": "/usr/bin:/bin"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return done.returncode, done.stdout

    def test_survivors(self) -> None:
        """A defect that no test sees is reported; one that a test sees, or that hangs, is not."""
        code, output = self.run_mutants(MODULE, TESTS, ENTRY)
        self.assertEqual(1, code, output)
        # the seeded survivor
        self.assertIn(
            "counted/counting.py:5: first\n  - if len(values) > 3:\n  + if False:\n", output
        )
        # killed: a wrong result, an exception, an endless loop
        for after in ("return None\n", "index = 1", "while False", "pass"):
            self.assertNotIn("+ " + after, output)
        self.assertRegex(output, r"counted.counting +\d+ +\d+ +1 +\d\d\.\d %")

    def test_all_killed(self) -> None:
        """The program succeeds when the tests see every defect."""
        code, output = self.run_mutants(TWICE, TWICE_TESTS)
        self.assertEqual(0, code, output)
        self.assertIn("100.0 %", output)

    def test_failing_tests(self) -> None:
        """Tests that fail without a mutant end the program, and are shown."""
        code, output = self.run_mutants(MODULE, TESTS.replace("[0, 1", "[7, 1"))
        self.assertEqual(1, code)
        self.assertIn("FirstTests.test_first fails without a mutant", output)

    def test_stale_entry(self) -> None:
        """An equivalent mutant that the module no longer has is an error, and is shown."""
        code, output = self.run_mutants(TWICE, TWICE_TESTS, ENTRY)
        self.assertEqual(1, code)
        self.assertIn("no such mutant any more: counted.counting first", output)


class EquivalentTests(SynchronousTestCase):
    """The list of equivalent mutants."""

    def test_read(self) -> None:
        """Each entry has a module, a function, two lines and a reason."""
        key = (
            "counted.counting",
            "first",
            "while values[index] < 0:",
            "while ((values[index]) <= (0)):",
        )
        self.assertEqual({key: "because"}, read_equivalent(ENTRY))
        self.assertRaises(ValueError, read_equivalent, "a.module f\nbefore\nafter\n")

    def test_projects_list(self) -> None:
        """Each entry of the project's list is a mutant of today's source."""
        entries = read_equivalent(EQUIVALENT.read_text())
        self.assertEqual([], stale(entries, sorted({key[0] for key in entries})))


class TableTests(SynchronousTestCase):
    """The scores, for people."""

    def test_rows(self) -> None:
        """Equivalent mutants are left out of the score, and the last row is the sum."""
        text = table([Score("a", 10, 8, 2), Score("b", 10, 5, 0)])
        self.assertEqual(
            [
                ["a", "10", "8", "2", "100.0", "%"],
                ["b", "10", "5", "0", "50.0", "%"],
                ["all", "20", "13", "2", "72.2", "%"],
            ],
            [line.split() for line in text.splitlines()[1:]],
        )

    def test_tests_for(self) -> None:
        """A module's tests are those of its package."""
        self.assertEqual("tests.driver.lifecycle", tests_for("txstorage.driver.lifecycle"))
        self.assertEqual("tests.clouds.openstack", tests_for("txstorage.clouds.openstack.nova"))
        self.assertEqual("tests.clouds", tests_for("txstorage.clouds.values"))
