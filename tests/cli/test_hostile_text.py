"""
Tests of texts from the cloud that try to control the terminal, in each command that shows them.
"""

from __future__ import annotations

import json
import os
from unittest import mock

from txstorage.embedded.apis import volume_views

from .support import CommandTestCase
from .test_terminal import unsafe_in

HOSTILE = "a\x1b]52;c;aGk=\x07\x1b[2J\x9b31m\u202eb\n  forged  line"


class HostileTextTests(CommandTestCase):
    """A volume whose name and type are hostile, in a cloud with such types."""

    def setUp(self) -> None:
        super().setUp()
        patched = mock.patch.dict(volume_views.VOLUME_TYPES, {HOSTILE: "id"})
        patched.start()
        self.addCleanup(patched.stop)
        self.volume = self.create()
        database = self.cloud.store._database
        database.execute("UPDATE volumes SET name = ?, volume_type = ?", HOSTILE, HOSTILE)
        database.execute("INSERT INTO metadata VALUES (?, ?, ?)", self.volume, "key", HOSTILE)

    def assert_safe(self, *arguments: str, shown: bool = True, exit_code: int = 0) -> None:
        """
        Check both outputs of a command, for people and as JSON.

        :param shown: whether the hostile text is a part of the output.
        """
        result = self.txstorage(*arguments)
        self.assertEqual(exit_code, result.exit_code, result.stderr)
        printed = result.stdout + result.stderr
        self.assertEqual(set(), unsafe_in(printed))
        self.assertNotIn("\n  forged", printed)
        self.assertEqual(shown, "\\x1b]52" in "".join(printed.split()), printed)
        document = self.txstorage("--json", *arguments).stdout
        self.assertEqual(set(), unsafe_in(document))
        self.assertEqual(shown, json.dumps(HOSTILE)[1:9] in document)

    def test_list(self) -> None:
        """``volumes list`` prints the characters' escapes, and one line for each volume."""
        self.assert_safe("volumes", "list")

    def test_show(self) -> None:
        """``volumes show`` prints the escapes of the name, the type and the labels."""
        self.assert_safe("volumes", "show", self.volume)

    def test_attach(self) -> None:
        """``volumes attach`` prints the device's path, and the JSON only safe text."""
        result = self.txstorage("--json", "volumes", "attach", self.volume)
        self.assertEqual(set(), unsafe_in(result.stdout + result.stderr))
        self.assertTrue(os.path.exists(json.loads(result.stdout)["device_path"]))

    def test_doctor(self) -> None:
        """``doctor`` prints the escapes of a volume type's name."""
        self.assert_safe("doctor")
