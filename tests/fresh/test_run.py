"""Tests of the judgements about make's targets on a fresh machine."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.fresh.run import advised, demonstrated, demonstrated_on_ec2, without_make
from tests.targets import outcome

ADVICE = (
    "ensurepip, with which /usr/bin/python3.11 makes environments, is missing: install it"
    " (apt-get install python3.11-venv)\n"
)
MAKES = "make: *** [Makefile:24: environment] Error 1\n"
INSTALLED = "--- installing python3.11-venv with apt-get\n"
MOVED = "ok      0.35 s  attach it to node-1  /dev/loop0\n"


class JudgementTests(SynchronousTestCase):
    """The outcomes of make in a root."""

    def test_advised(self) -> None:
        """A user gets one line, which names the package, and a failure."""
        self.assertTrue(advised(ADVICE, 2))
        for output, code in [
            (ADVICE, 0),
            ("", 2),
            ("Traceback (most recent call last):\n" + ADVICE, 2),
            (ADVICE.replace("-venv", ""), 2),
        ]:
            self.assertFalse(advised(output, code), output)

    def test_make(self) -> None:
        """The line of counts is the last one, also where make reports the failure after it."""
        output = without_make(["--- end\n", "5 passed, 2 failed, 1 skipped\n", MAKES])
        self.assertEqual({"passed": 5, "failed": 2, "skipped": 1}, outcome(output, 2))

    def test_demonstrated(self) -> None:
        """As root, the installation is reported, and the devices are real."""
        self.assertTrue(demonstrated(INSTALLED + MOVED, 0))
        for output, code in [(INSTALLED + MOVED, 2), (MOVED, 0), (INSTALLED, 0)]:
            self.assertFalse(demonstrated(output, code), output)

    def test_demonstrated_on_ec2(self) -> None:
        """On EC2, the volume's id is EC2's, and the devices are real."""
        created = "ok      0.11 s  create a volume of 1 GiB  vol-c533053b073445079\n"
        self.assertTrue(demonstrated_on_ec2(created + MOVED, 0))
        for output, code in [(created + MOVED, 2), (MOVED, 0), (created, 0)]:
            self.assertFalse(demonstrated_on_ec2(output, code), output)
