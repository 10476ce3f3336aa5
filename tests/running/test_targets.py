"""
Tests of how the targets of make are summed.
"""

from twisted.trial.unittest import SynchronousTestCase

from tests.targets import outcome


class OutcomeTests(SynchronousTestCase):
    """What a target's output and exit code say."""

    def test_line(self):
        """The last line counts."""
        output = "1 passed, 1 failed, 1 skipped\n--- more\n30 passed, 0 failed, 2 skipped\n\n"
        self.assertEqual({"passed": 30, "failed": 0, "skipped": 2}, outcome(output, 0))

    def test_failed(self):
        """What failed is counted once, by the line."""
        self.assertEqual(
            {"passed": 3, "failed": 2, "skipped": 0}, outcome("3 passed, 2 failed, 0 skipped\n", 2)
        )

    def test_exit_code(self):
        """A target that failed is never taken for one that did not."""
        self.assertEqual(1, outcome("3 passed, 0 failed, 0 skipped\n", 2)["failed"])

    def test_no_line(self):
        """One that did not get to its line failed, also when it says that all is well."""
        for output in ["", "\n", "all is well\n", "3 passed, 0 failed, 0 skipped\nend\n"]:
            self.assertEqual({"failed": 1}, outcome(output, 0), output)
