"""Tests of the sums of make's targets."""

from twisted.trial.unittest import SynchronousTestCase

from tests.targets import outcome


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
