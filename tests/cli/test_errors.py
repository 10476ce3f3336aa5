"""
Tests for ``txstorage.cli.errors``.
"""

from __future__ import annotations

import json
import signal

from twisted.internet.error import CannotListenError
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
        """The system's message is passed on, with the place, and with the remedy of its cause."""
        error = PermissionError(13, "Permission denied", "/x")
        self.assertEqual(
            explain(error).as_text(),
            "Error: /x can't be used: Permission denied\n"
            "What to do: run as root, or as a user who may use it",
        )
        # What is full may be standard output.
        full = explain(OSError(28, "No space left on device"))
        self.assertEqual((full.message[-23:], full.remedy), ("No space left on device", ""))

    def test_ports(self) -> None:
        """A port or a socket that can't be opened is named, with the remedy of its cause."""
        taken = OSError(98, "Address already in use")
        found = explain(CannotListenError("127.0.0.1", 9108, taken))
        self.assertEqual(
            found.message, "Can't listen on 127.0.0.1 port 9108: Address already in use"
        )
        self.assertEqual(found.remedy, "stop the program that uses it, or give another")
        missing = OSError(2, "No such file or directory")
        found = explain(CannotListenError(None, b"/no/x.sock", missing))
        self.assertEqual(found.message, "Can't listen on /no/x.sock: No such file or directory")
        self.assertEqual(found.remedy, "correct the path")
        elsewhere = OSError(99, "Cannot assign requested address")
        found = explain(CannotListenError("192.0.2.1", 1, elsewhere))
        self.assertEqual(found.remedy, "give an address of this machine")

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
