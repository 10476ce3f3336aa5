"""
Tests for ``txstorage.cli.app`` and ``txstorage.cli.main``.
"""

from __future__ import annotations

import json
import os
import stat
from typing import Any
from unittest import mock

import eliot
from rich.text import Text
from twisted.internet.defer import succeed
from twisted.trial.unittest import SynchronousTestCase

from txstorage.cli import app as _app
from txstorage.cli.app import App, CommandResult, ObservedService
from txstorage.cli.main import main
from txstorage.cli.shell.options import log_to
from txstorage.clouds import Volume

from .support import CommandTestCase, runner


class SourceTests(SynchronousTestCase):
    """The source of the configuration."""

    def test_order(self) -> None:
        """--config, then $TXSTORAGE_CONFIG, then the default file, then the environment."""
        there = self.mktemp()
        open(there, "w").close()
        environ = {"TXSTORAGE_CONFIG": "variable"}
        for app, source in (
            (App(config="option", environ=environ, default_config=there), "option"),
            (App(environ=environ, default_config=there), "variable"),
            (App(environ={}, default_config=there), there),
            (App(environ={}, default_config=self.mktemp()), None),
        ):
            self.assertEqual(app.source(), source)

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
        """A reader that has seen enough is no error; click ends without a word."""
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


class ObservedServiceTests(SynchronousTestCase):
    """``ObservedService``."""

    def test_tells_the_status(self) -> None:
        """The status of each returned volume is observed, and the volume is passed on."""
        volume, seen = Volume("v", "attaching", 1), []
        service = mock.Mock()
        service.get_volume.side_effect = lambda volume_id: succeed(volume)
        observed = ObservedService(service, seen.append)
        self.assertIs(self.successResultOf(observed.get_volume("v")), volume)
        self.assertEqual(seen, ["attaching"])
        self.assertIs(observed.delete_volume, service.delete_volume)


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
