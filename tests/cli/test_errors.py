"""
Tests for ``txstorage.cli.errors``.
"""

from __future__ import annotations

import json
import signal

from twisted.trial.unittest import SynchronousTestCase

from txstorage.cli.errors import explain
from txstorage.cli.running import CommandInterrupted
from txstorage.errors import InvalidConfiguration, InvalidSize
from txstorage.interfaces import (
    AlreadyAttachedVolume,
    UnattachedVolume,
    UnknownInstanceID,
    UnknownVolume,
    VolumeException,
)


class ExplainTests(SynchronousTestCase):
    """An error for people and for machines."""

    def test_volume_exceptions(self) -> None:
        """Flocker's own exceptions hold but an id; they get a sentence and a remedy."""
        for kind in (UnknownVolume, AlreadyAttachedVolume, UnattachedVolume):
            explanation = explain(kind("some-volume"))
            self.assertIn("some-volume", explanation.message)
            self.assertNotEqual(explanation.remedy, "")
            self.assertEqual((explanation.kind, explanation.exit_code), (kind.__name__, 1))

    def test_other_volume_exception(self) -> None:
        """An unknown exception about a volume is reported with the volume."""
        explanation = explain(VolumeException("some-volume"))
        self.assertEqual(explanation.message, "VolumeException on volume some-volume")
        self.assertEqual(explanation.as_text(), "Error: VolumeException on volume some-volume")

    def test_errors_that_explain_themselves(self) -> None:
        """Our own errors have a message and a remedy, which are used."""
        for error in (InvalidSize("too small"), InvalidConfiguration("region", "is bad", "do x")):
            explanation = explain(error)
            self.assertEqual(
                explanation.as_text(),
                f"Error: {error.message}\nWhat to do: {error.remedy}",
            )

    def test_instance_id(self) -> None:
        """The error of a node without an instance id contains the remedy."""
        self.assertIn("instance_id", explain(UnknownInstanceID("driver")).remedy)

    def test_operating_system(self) -> None:
        """The system's message is passed on."""
        error = FileNotFoundError(2, "No such file or directory", "/x")
        self.assertIn("/x", explain(error).message)

    def test_interrupted(self) -> None:
        """
        An interruption has the exit code that shells use for its signal, and says what the cloud
        was already asked for.
        """
        for number, name, code in (
            (signal.SIGINT, "SIGINT", 130),
            (signal.SIGTERM, "SIGTERM", 143),
            (signal.SIGHUP, "SIGHUP", 129),
        ):
            explanation = explain(CommandInterrupted(number))
            self.assertEqual(explanation.exit_code, code)
            self.assertEqual(explanation.message, f"Interrupted by {name}")
        explanation = explain(CommandInterrupted(), "destroy volume v (accepted)")
        self.assertIn("already asked to: destroy volume v (accepted)", explanation.message)
        self.assertIn("resumes", explanation.remedy)

    def test_bug(self) -> None:
        """Any other exception is reported as a bug."""
        explanation = explain(KeyError("x"))
        self.assertEqual(explanation.message, "KeyError: 'x'")
        self.assertIn("bug", explanation.remedy)

    def test_json(self) -> None:
        """For machines: kind, message and remedy."""
        self.assertEqual(
            json.loads(explain(InvalidSize("too small")).as_json()),
            {
                "error": {
                    "kind": "InvalidSize",
                    "message": "too small",
                    "remedy": InvalidSize.remedy,
                }
            },
        )
