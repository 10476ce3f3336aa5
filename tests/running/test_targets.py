"""Tests of the sums of make's targets."""

import os
import sys

from twisted.trial.unittest import SynchronousTestCase

from tests import run, targets
from tests.targets import outcome

#: Tests that fail in trial's several ways, and one that passes.
FAILING = """
from twisted.trial.unittest import SynchronousTestCase


class SomeTests(SynchronousTestCase):
    def test_error(self):
        raise KeyError("passes")

    def test_failure(self):
        self.fail("first\\n\\n" + "=" * 79 + "\\nand\\nmore")

    def test_same_failure(self):
        self.fail("first\\n\\n" + "=" * 79 + "\\nand\\nmore")

    def test_passes(self):
        pass

    def test_skipped(self):
        pass

    test_skipped.skip = "a reason"

    def test_todo(self):
        pass

    test_todo.todo = "not yet"
"""


class OutcomeTests(SynchronousTestCase):
    """A target's counts, from its output and its exit code."""

    def test_line(self):
        """The last line of counts is used."""
        output = "1 passed, 1 failed, 1 skipped\n--- more\n30 passed, 0 failed, 2 skipped\n\n"
        self.assertEqual({"passed": 30, "failed": 0, "skipped": 2}, outcome(output, 0))

    def test_failed(self):
        """A failure is counted once, from the line of counts."""
        self.assertEqual(
            {"passed": 3, "failed": 2, "skipped": 0}, outcome("3 passed, 2 failed, 0 skipped\n", 2)
        )

    def test_exit_code(self):
        """A target that failed never counts as passed."""
        self.assertEqual(1, outcome("3 passed, 0 failed, 0 skipped\n", 2)["failed"])

    def test_no_line(self):
        """A target without a line of counts failed, regardless of its exit code."""
        for output in ["", "\n", "all is well\n", "3 passed, 0 failed, 0 skipped\nend\n"]:
            self.assertEqual({"failed": 1}, outcome(output, 0), output)


class FailedTests(SynchronousTestCase):
    """The names of the tests that failed, at the end of each output."""

    def test_names(self):
        """Each test that failed in a run of trial is named once, and no other."""
        directory = self.mktemp()
        os.mkdir(directory)
        with open(os.path.join(directory, "failing.py"), "w") as module:
            module.write(FAILING)
        lines = []
        command = [sys.executable, "-m", "twisted.trial"]
        path = [os.path.abspath(directory), run.ROOT]
        counts = run.run_trial(
            command, "failing", ["failing", "absent_module"], path, show=lines.append
        )
        self.assertEqual({"passed": 1, "failed": 5, "skipped": 1}, counts)
        expected = ["absent_module"]
        expected += [
            "failing.SomeTests.test_" + each
            for each in ("error", "failure", "same_failure", "todo")
        ]
        self.assertEqual(
            ["--- failed: {}, on failing\n".format(name) for name in expected],
            [line for line in lines if line.startswith("--- failed: ")],
        )

    def test_repeated(self):
        """The names are repeated after all targets, where a cut log still shows them."""
        make = self.mktemp()
        with open(make, "w") as script:
            script.write("#!/bin/sh\necho '--- failed: tests.some, on 3'\n")
            script.write("echo '1 passed, 1 failed, 0 skipped'\n")
        os.chmod(make, 0o755)
        lines = []
        self.patch(os, "environ", dict(os.environ, MAKE=os.path.abspath(make)))
        self.patch(sys, "argv", ["targets", "first", "second"])
        self.patch(targets, "show", lines.append)
        self.patch(targets, "say", lambda text: lines.append("--- " + text + "\n"))
        self.assertEqual(1, targets.main())
        said = "".join(lines).split("--- first: ")[1]
        self.assertEqual(2, said.count("--- failed: tests.some, on 3\n"), said)
