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
import gc, sys
from txstorage.cli.main import main
collections = []
gc.callbacks.append(lambda phase, info: collections.append((phase, info["generation"])))
try:
    main(sys.argv[1:], prog_name="txstorage")
finally:
    full = collections.count(("start", 2))
    print("\\n", full, gc.isenabled(), gc.get_freeze_count(), file=sys.stderr)
    print(" ".join(sys.modules), file=sys.stderr)
"""

#: Packages that take long to import.
SLOW = (
    "twisted",
    "txstorage.embedded",
    "klein",
    "treq",
    "eliot",
    "rich",
    "yaml",
    "OpenSSL",
    "cryptography",
    "asyncio",
    "ssl",
)
#: Packages that only the server needs.
SERVER = ("txstorage.embedded", "klein", "werkzeug", "jsonschema", "prometheus_client")
#: Modules that only a terminal, a file clouds.yaml or os-brick needs.
RARE = ("rich.progress", "rich.live", "pygments", "openstack", "keystoneauth1", "os_brick")


def started(*arguments: str, script: str = SCRIPT, **variables: str) -> list[str]:
    """The lines that a script prints when a command has ended."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OS_", "TXSTORAGE_", "COVERAGE"))
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, *arguments],
        env={**environment, "PYTHONPATH": ROOT, "TXSTORAGE_CONFIG": "/no/such/file", **variables},
        capture_output=True,
        text=True,
    )
    return done.stderr.splitlines()[-2:]


def imported(*arguments: str, **variables: str) -> set[str]:
    """The modules that a command has imported when it ends, and the packages that contain them."""
    return set(started(*arguments, **variables)[1].split())


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
            ["volumes", "create", "--help"],
            ["snapshots", "--help"],
            ["snapshots", "list", "--help"],
        ):
            modules = imported(*arguments)
            self.assertIn("txstorage.cli.main", modules)
            self.assertEqual(modules.intersection(SLOW), set(), arguments)

    def test_completion(self) -> None:
        """The completion of a command's name, and a shell's script, need none of it either."""
        for variables in (
            {"_TXSTORAGE_COMPLETE": "zsh_source"},
            {
                "_TXSTORAGE_COMPLETE": "bash_complete",
                "COMP_WORDS": "txstorage vol",
                "COMP_CWORD": "1",
            },
        ):
            modules = imported(**variables)
            self.assertIn("click.shell_completion", modules)
            self.assertEqual(modules.intersection(SLOW), set(), variables)

    def test_server(self) -> None:
        """Only the server's commands import the server."""
        for arguments in (
            ["volumes", "list"],
            ["volumes", "show", "x"],
            ["snapshots", "list"],
            ["snapshots", "create", "x"],
            ["doctor"],
        ):
            modules = imported(*arguments)
            self.assertIn("txstorage._assembly", modules)
            self.assertEqual(modules.intersection(SERVER + RARE), set(), arguments)
        self.assertIn("txstorage.embedded", imported("serve", "--help"))

    def test_garbage(self) -> None:
        """No collection goes through the modules, during the imports and later."""
        full, enabled, frozen = started("volumes", "list")[0].split()
        self.assertEqual((full, enabled), ("0", "True"))
        # Thousands of modules' objects are left out of later collections.
        self.assertGreater(int(frozen), 50_000)

    def test_garbage_within_a_program(self) -> None:
        """A program that calls a command, as a test does, keeps its garbage collector."""
        script = SCRIPT.replace("main(", "CliRunner().invoke(main, ").replace(
            ', prog_name="txstorage"', ""
        )
        imports = "from click.testing import CliRunner\n"
        _, enabled, frozen = started("volumes", "list", script=imports + script)[0].split()
        self.assertEqual((enabled, frozen), ("True", "0"))
