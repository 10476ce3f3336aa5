"""Tests of the sums of make's targets."""

import os
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from tests import run
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

    def made(self, script, *arguments):
        """
        Run targets by a script in place of make.

        :return: the exit code, and the output.
        """
        make = self.mktemp()
        with open(make, "w") as opened:
            opened.write("#!/bin/sh\n" + script)
        os.chmod(make, 0o755)
        surroundings = dict(os.environ, MAKE=os.path.abspath(make), PYTHONPATH=run.ROOT)
        command = [sys.executable, "-m", "tests.targets", *arguments]
        done = subprocess.run(command, env=surroundings, stdout=subprocess.PIPE, cwd=run.ROOT)
        return done.returncode, done.stdout.decode("utf-8")

    def test_repeated(self):
        """The names are repeated after all targets, where a cut log still shows them."""
        script = "echo '--- failed: tests.some, on 3'\necho '1 passed, 1 failed, 0 skipped'\n"
        code, output = self.made(script, "first", "second")
        self.assertEqual(1, code)
        said = output.split("--- first: ")[1]
        self.assertEqual(2, said.count("--- failed: tests.some, on 3\n"), said)
        self.assertTrue(output.endswith("2 passed, 2 failed, 0 skipped\n"), output)

    def test_together(self):
        """Targets with a plus between them run at the same time, and their counts are summed."""
        place = self.mktemp()
        os.mkdir(place)
        # each waits until the other has begun, for at most ten seconds
        script = (
            'touch "{0}/$2"\n'
            "for turn in $(seq 1000); do\n"
            '    if [ -e "{0}/first" ] && [ -e "{0}/second" ]; then\n'
            "        echo '1 passed, 0 failed, 2 skipped'\n"
            "        exit\n"
            "    fi\n"
            "    sleep 0.01\n"
            "done\n"
        ).format(os.path.abspath(place))
        code, output = self.made(script, "first+second")
        self.assertEqual(0, code, output)
        self.assertTrue(output.endswith("2 passed, 0 failed, 4 skipped\n"), output)

    def test_error_after_counts(self):
        """An error that make prints after a target's counts does not hide them."""
        script = "echo '3 passed, 1 failed, 0 skipped'\necho 'make: Error 1' >&2\nexit 2\n"
        _, output = self.made(script, "first+second")
        self.assertTrue(output.endswith("6 passed, 2 failed, 0 skipped\n"), output)
