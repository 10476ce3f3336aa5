"""
Tests for ``txstorage.cli.app`` and ``txstorage.cli.main``.
"""

from __future__ import annotations

import json
import os
import stat
from typing import Any
from unittest import mock

import attr
import click
import eliot
from rich.text import Text
from twisted.trial.unittest import SynchronousTestCase

from txstorage.cli import app as _app
from txstorage.cli.app import SEARCH_PATH, App, CommandResult, default_state_dir
from txstorage.cli.main import main
from txstorage.cli.resources import confirmation as _confirmation
from txstorage.cli.shell.options import log_to
from txstorage.errors import InvalidConfiguration

from .support import CommandTestCase, runner


class SourceTests(SynchronousTestCase):
    """The source of the configuration."""

    def test_order(self) -> None:
        """
        --config, then $TXSTORAGE_CONFIG, then the first file of the search path, then the
        environment, then the embedded service's default directory.
        """
        first, second, directory = self.mktemp(), self.mktemp(), self.mktemp()
        app = App(environ={}, search_path=(first, second), state_dir=directory)
        self.assertIs(app.source(), None)
        os.mkdir(directory)
        self.assertIs(app.source(), None)
        for name in ("agent-node-2.yml", "agent-node-1.yml", "agent.yml"):
            open(os.path.join(directory, name), "w").close()
        self.assertEqual(app.source(), os.path.join(directory, "agent-node-1.yml"))
        given = attr.evolve(app, environ={"OS_AUTH_URL": "https://k"})
        self.assertIs(given.source(), None)
        for path in (second, first):
            open(path, "w").close()
            self.assertEqual((app.source(), given.source()), (path, path))
        variable = attr.evolve(app, environ={"TXSTORAGE_CONFIG": "variable"})
        self.assertEqual(variable.source(), "variable")
        self.assertEqual(attr.evolve(variable, config="option").source(), "option")

    def test_default_order(self) -> None:
        """Flocker's file comes before the package's, and no file of another user is read."""
        self.assertEqual(SEARCH_PATH, ("/etc/flocker/agent.yml", "/etc/txstorage/agent.yml"))
        self.assertEqual(App().search_path, SEARCH_PATH)
        self.assertEqual(App().state_dir, default_state_dir())

    def test_nothing(self) -> None:
        """The error names each place that was searched."""
        app = App(environ={}, search_path=("/no/a.yml", "/no/b.yml"), state_dir="/no/state")
        error = self.assertRaises(InvalidConfiguration, app.configuration)
        for place in ("/no/a.yml", "/no/b.yml", "/no/state/agent-*.yml"):
            self.assertIn(place, error.message)

    def test_environment_is_not_shown(self) -> None:
        """An app's repr does not hold the environment, where secrets may be."""
        self.assertNotIn("s3cr3t", repr(App(environ={"OS_PASSWORD": "s3cr3t"})))


class OutputTests(CommandTestCase):
    """The output of results and errors."""

    def say(self, answer: CommandResult, **options: Any) -> Any:
        """The output and the exit code."""
        app, printed, code = App(**options), [], 0
        with mock.patch.object(
            _app.click, "echo", lambda text, err=False, nl=True: printed.append(text)
        ):
            try:
                app.say(answer)
            except SystemExit as exit:
                code = exit.code
        return printed, code

    def test_text(self) -> None:
        """Text is printed as it is."""
        self.assertEqual(self.say(CommandResult({}, "[x]")), (["[x]"], 0))

    def test_json(self) -> None:
        """Machines get the document."""
        printed, code = self.say(CommandResult({"a": 1}, "x", ok=False), json=True)
        self.assertEqual((json.loads(printed[0]), code), ({"a": 1}, 1))

    def test_nowhere_to_write(self) -> None:
        """A result that can't be written is an error, without a traceback."""
        app = App(run=lambda operation: CommandResult({}, "shown"))
        printed: list[str] = []

        def echo(text: str, err: bool = False, nl: bool = True) -> None:
            if not err:
                raise OSError(28, "No space left on device")
            printed.append(text)

        with mock.patch.object(_app.click, "echo", echo):
            end = self.assertRaises(SystemExit, app.perform, None)
        self.assertEqual((end.code, len(printed)), (1, 1))
        self.assertIn("No space left on device", printed[0])

    def test_reader_gone(self) -> None:
        """A reader that has seen enough is not an error; click ends without a word."""
        app = App(run=lambda operation: CommandResult({}, "shown"))
        with mock.patch.object(_app.click, "echo", mock.Mock(side_effect=BrokenPipeError)):
            self.assertRaises(BrokenPipeError, app.perform, None)

    def test_usage_for_machines(self) -> None:
        """With --json wrong usage is one JSON document as well, and still 2."""
        for arguments in (
            ["--json", "bogus"],
            ["--json", "--cluster-id", "x", "volumes", "list"],
            ["--json", "volumes", "create", "big"],
            ["--json", "volumes", "destroy", "v"],
        ):
            result = runner().invoke(main, arguments)
            self.assertEqual((result.exit_code, result.stderr), (2, ""), arguments)
            error = json.loads(result.stdout)["error"]
            self.assertIn("--help", error["remedy"])
            self.assertTrue(error["message"])
        self.assertIn("volumes destroy --help", error["remedy"])

    def test_rich(self) -> None:
        """Without a terminal, lines are not broken at its width."""
        with self.app().console().capture() as captured:
            console = self.app().console()
        self.assertEqual(captured.get(), "")
        self.assertGreaterEqual(console.width, 200)
        self.assertEqual(console.render_str("x"), Text("x"))

    def test_terminal_keeps_its_width(self) -> None:
        """On a terminal, its own width counts."""
        with mock.patch.dict(os.environ, {"FORCE_COLOR": "1", "COLUMNS": "60"}):
            self.assertEqual(App().console().width, 60)

    def test_machines_see_no_progress(self) -> None:
        """With --json nothing is drawn, terminal or not."""
        with mock.patch.dict(os.environ, {"FORCE_COLOR": "1"}):
            self.assertFalse(App(json=True).progress_console().is_terminal)
            self.assertTrue(App().progress_console().is_terminal)


class KeyboardTests(CommandTestCase):
    """Ctrl-C outside the reactor."""

    def test_exit_code(self) -> None:
        """Before or after the reactor runs, and at a prompt, the exit code is 130, too."""

        def interrupt(*args: Any) -> Any:
            raise KeyboardInterrupt()

        def abort(*args: Any, **more: Any) -> Any:
            # As click does.
            try:
                interrupt()
            except KeyboardInterrupt:
                raise click.Abort() from None

        for command in (["volumes", "list"], ["doctor"], ["demo"], ["--json", "doctor"]):
            app = attr.evolve(self.app(), run=interrupt)
            result = runner().invoke(main, command, obj=app)
            self.assertEqual(result.exit_code, 130, command)
            self.assertIn("Interrupted by SIGINT", result.stdout + result.stderr)
            self.assertNotIn("bug", result.stdout + result.stderr)
        volume = self.create()
        with mock.patch.object(_confirmation, "is_interactive", lambda: True):
            with mock.patch.object(click, "confirm", abort):
                self.assertEqual(self.txstorage("volumes", "destroy", volume).exit_code, 130)
            declined = self.txstorage("volumes", "destroy", volume, input="n\n")
            self.assertEqual(declined.exit_code, 1)


class LogTests(CommandTestCase):
    """``--log``."""

    def setUp(self) -> None:
        super().setUp()
        destinations = list(eliot.Logger._destinations._destinations)
        self.addCleanup(setattr, eliot.Logger._destinations, "_destinations", destinations)

    def test_written(self) -> None:
        """The story of an operation is in the file, which only its owner can read."""
        path = self.mktemp()
        open(path, "w").close()
        os.chmod(path, 0o644)
        self.assertEqual(self.txstorage("--log", path, "volumes", "list").exit_code, 0)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        with open(path) as log:
            types = [json.loads(line).get("action_type") for line in log]
        self.assertIn("txstorage:http", types)

    def test_new_file(self) -> None:
        """A new file is made for the owner alone."""
        path = self.mktemp()
        previous = os.umask(0)
        self.addCleanup(os.umask, previous)
        log_to(path)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)

    def test_no_such_directory(self) -> None:
        """A file that can't be made is an error that names it."""
        result = self.txstorage("--log", "/no/such/directory/log", "volumes", "list")
        self.assertNotEqual(result.exit_code, 0)
        self.assertIn("/no/such/directory/log", result.stderr)
