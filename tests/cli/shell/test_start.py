"""
The imports of the command: the help needs little, and no command but its own needs the server.
"""

from __future__ import annotations

import os
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.imports import ROOT

SCRIPT = """\
import sys
from txstorage.cli.main import main
try:
    main(sys.argv[1:], prog_name="txstorage")
finally:
    print("\\n" + " ".join(sys.modules), file=sys.stderr)
"""

#: Packages that take long to import.
SLOW = ("twisted", "txstorage.embedded", "klein", "treq", "eliot", "rich", "yaml", "OpenSSL")
SERVER = ("txstorage.embedded", "klein", "werkzeug", "jsonschema")


def imported(*arguments: str) -> set[str]:
    """The modules that a command has imported when it ends, and the packages that contain them."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OS_", "TXSTORAGE_", "COVERAGE"))
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, *arguments],
        env={**environment, "PYTHONPATH": ROOT, "TXSTORAGE_CONFIG": "/no/such/file"},
        capture_output=True,
        text=True,
    )
    return set(done.stderr.splitlines()[-1].split())


class ImportsTests(SynchronousTestCase):
    """``sys.modules`` at a command's end."""

    def test_help(self) -> None:
        """The version and the help pages need neither Twisted nor what stands on it."""
        for arguments in (
            ["--version"],
            ["--help"],
            ["volumes", "--help"],
            ["volumes", "list", "--help"],
            ["volumes", "attach", "--help"],
        ):
            modules = imported(*arguments)
            self.assertIn("txstorage.cli.main", modules)
            self.assertEqual(modules.intersection(SLOW), set(), arguments)

    def test_server(self) -> None:
        """Only the server's commands import the server."""
        for arguments in (["volumes", "list"], ["volumes", "show", "x"], ["doctor"]):
            modules = imported(*arguments)
            self.assertIn("txstorage._assembly", modules)
            self.assertEqual(modules.intersection(SERVER), set(), arguments)
        self.assertIn("txstorage.embedded", imported("serve", "--help"))
