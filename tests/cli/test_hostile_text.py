"""
Tests of texts that try to control the terminal: from the cloud, in each command that shows them;
in each argument and option of each command; and in tracebacks and log messages.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from threading import Timer
from unittest import mock

import click
from twisted.trial.unittest import SynchronousTestCase

from txstorage.cli.main import main
from txstorage.cli.resources.confirmation import confirm
from txstorage.cli.shell.completion import NODE
from txstorage.cli.shell.options import GlobalOption

from ..helpers.imports import ROOT
from .support import CommandTestCase, runner
from .test_terminal import unsafe_in

HOSTILE = "a\x1b]52;c;aGk=\x07\x1b[2J\x9b31m\u202eb\n  forged  line"


class HostileTextTests(CommandTestCase):
    """A volume whose name and type are hostile, in a cloud with such types."""

    def setUp(self) -> None:
        super().setUp()
        self.cloud.store.types.add(HOSTILE)
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

    def test_snapshots(self) -> None:
        """Each command that shows a snapshot prints the escapes of its name and its labels."""
        made = self.document("snapshots", "create", self.volume, "name")["snapshot_id"]
        database = self.cloud.store._database
        database.execute("UPDATE snapshots SET name = ?", HOSTILE)
        database.execute("INSERT INTO snapshot_metadata VALUES (?, ?, ?)", made, "key", HOSTILE)
        self.assert_safe("snapshots", "list", "--columns", "name,labels")
        self.assert_safe("snapshots", "show", made)
        self.assert_safe("snapshots", "show", HOSTILE)
        self.assert_safe("volumes", "show", self.volume)

    def test_ambiguous_snapshots(self) -> None:
        """The error of an ambiguous word for snapshots has the escapes of their names."""
        for name in ("a", "b"):
            self.document("snapshots", "create", self.volume, name)
        self.cloud.store._database.execute("UPDATE snapshots SET name = ?", HOSTILE)
        self.assert_safe("snapshots", "show", HOSTILE, exit_code=1)

    def test_attach(self) -> None:
        """``volumes attach`` prints the device's path, and the JSON only safe text."""
        result = self.txstorage("--json", "volumes", "attach", self.volume)
        self.assertEqual(set(), unsafe_in(result.stdout + result.stderr))
        self.assertTrue(os.path.exists(json.loads(result.stdout)["device_path"]))

    def test_doctor(self) -> None:
        """``doctor`` prints the escapes of a volume type's name."""
        self.assert_safe("doctor")


def commands(
    command: click.Command = main, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield the path of each command and group, and the command."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from commands(command.get_command(context, name), (*path, name))


def options_of(path: tuple[str, ...], command: click.Command) -> list[click.Option]:
    """Return the options of a command; the global ones are those of the first group."""
    options = [each for each in command.params if isinstance(each, click.Option)]
    return [each for each in options if not path or not isinstance(each, GlobalOption)]


def takes_any_text(option: click.Option) -> bool:
    """Check that no text is a wrong value of an option."""
    return option.type in (click.STRING, NODE) or isinstance(option.type, click.Path)


def arguments_of(command: click.Command) -> list[str]:
    """Return a hostile value for each argument of a command."""
    return [HOSTILE for each in command.params if isinstance(each, click.Argument)]


def wrong_usages() -> Iterator[list[str]]:
    """Yield command lines, each with hostile text in a place where it is wrong."""
    for path, command in commands():
        yield [*path, "--" + HOSTILE]
        yield [*path, "-" + HOSTILE]
        if isinstance(command, click.Group):
            yield [*path, HOSTILE]
        else:
            yield [*path, *arguments_of(command), HOSTILE]
        for each in options_of(path, command):
            if not takes_any_text(each):
                yield [*path, *arguments_of(command), f"{each.opts[0]}={HOSTILE}"]


def free_texts() -> Iterator[list[str]]:
    """
    Yield command lines with hostile text in an argument, or in an option that takes any text.

    ``serve`` and ``docker-plugin`` would start a service, and a filter of ``list`` lets nothing
    pass.
    """
    for path, command in commands():
        if path in (("docker-plugin",), ("serve",), ("snapshots", "list"), ("volumes", "list")):
            continue
        if arguments_of(command):
            yield [*path, *arguments_of(command)]
        for each in options_of(path, command):
            if takes_any_text(each):
                rest = ["volumes", "list"] if not path else arguments_of(command)
                yield [*path, f"{each.opts[0]}=/no/such/{HOSTILE}", *rest]


class HostileArgumentTests(CommandTestCase):
    """Each command with hostile text on its command line."""

    def assert_safe(self, arguments: list[str]) -> str:
        """Return the output, on standard error, of a command that must fail safely."""
        result = self.txstorage(*arguments)
        self.assertNotEqual(0, result.exit_code, arguments)
        printed = result.stdout + result.stderr
        self.assertEqual(set(), unsafe_in(printed), arguments)
        self.assertNotIn("\n  forged", printed, arguments)
        self.assertIn("Error: ", result.stderr, arguments)
        document = self.txstorage("--json", *arguments)
        self.assertEqual("", document.stderr, arguments)
        self.assertEqual(set(), unsafe_in(document.stdout), arguments)
        self.assertIn("error", json.loads(document.stdout), arguments)
        shown: str = result.stderr
        return shown

    def test_wrong_usage(self) -> None:
        """Unknown commands, unknown options and wrong values are printed with visible escapes."""
        shown = [(each, self.assert_safe(each)) for each in wrong_usages()]
        # A flag's error does not have the value.
        self.assertGreater(len([1 for _, text in shown if "\\x1b" in text]), len(shown) // 2)

    def test_free_text(self) -> None:
        """Volume ids, server ids and paths are printed with visible escapes."""
        tried = list(free_texts())
        names = ("--config", "--log", "--profile", "--to", "show", "path", "destroy", "snapshots")
        for name in names:
            self.assertTrue(any(name in " ".join(each) for each in tried), name)
        for each in tried:
            self.assert_safe(each)
        self.assertIn("\\x1b]52", self.assert_safe(["volumes", "show", HOSTILE]))

    def test_question(self) -> None:
        """The question before a volume is destroyed has the visible escapes of its id."""
        asking = click.Command("ask", callback=lambda: confirm("volume", [HOSTILE]))
        result = runner().invoke(asking, input="n\n")
        self.assertIn("Destroy volume a\\x1b]52;", result.stderr)
        self.assertNotIn("\n  forged", result.stderr)
        self.assertEqual(set(), unsafe_in(result.stderr))

    def test_progress(self) -> None:
        """The display of an operation in progress, on a terminal, has only its own sequences."""
        with mock.patch.dict(os.environ, {"FORCE_COLOR": "1", "COLUMNS": "200"}):
            result = self.txstorage("volumes", "detach", HOSTILE)
        self.assertIn("Detaching volume a\\x1b]52;", result.stderr)
        for each in ("\x1b]", "\x9b", "\u202e", "\n  forged"):
            self.assertNotIn(each, result.stderr)

    def test_usage_is_kept(self) -> None:
        """An error of usage names the command's usage and help, as click's own does."""
        shown = self.assert_safe(["volumes", "show", "--bogus"])
        self.assertIn("Usage: main volumes show [OPTIONS] VOLUME...\n", shown)
        self.assertIn("volumes show --help' for help.\n\nError: No such option", shown)


class ProcessTests(SynchronousTestCase):
    """Whole processes, whose standard error Python and Twisted also write to."""

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a Python, whose input is open."""
        return subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="surrogateescape",
            cwd=os.path.abspath(ROOT),
        )

    def printed(self, process: subprocess.Popen[str]) -> str:
        """Return the output of a process, which must be safe."""
        killer = Timer(60, process.kill)
        killer.start()
        self.addCleanup(killer.cancel)
        with process:
            assert process.stdin and process.stdout
            printed = process.stdout.readline()
            # The end of its input also ends it.
            process.stdin.close()
            printed += process.stdout.read()
        self.assertEqual(set(), unsafe_in(printed), printed)
        return printed

    def test_serve(self) -> None:
        """``serve`` prints a hostile address, node, path and certificate with visible escapes."""
        state = os.path.abspath(self.mktemp())
        common = ["-m", "txstorage.cli", "serve", "--until-input-ends", "--port", "0"]
        running = [
            self.start(*common, "--devices", "file", *each)
            for each in (
                ["--state-dir", state + "1", "--host", HOSTILE],
                ["--state-dir", state + "2", "--node", HOSTILE],
                ["--state-dir", state + "3", "--tls-cert", HOSTILE, "--tls-key", HOSTILE],
                ["--state-dir", "/proc/" + HOSTILE],
            )
        ]
        for each in running:
            printed = self.printed(each)
            self.assertIn("\\x1b]52", printed)
            self.assertNotIn("\n  forged", printed)

    def test_tracebacks(self) -> None:
        """
        Tracebacks of the main thread and of others, warnings, and Twisted's log messages are
        printed with visible escapes.
        """
        script = f"""
import gc, threading, warnings
from txstorage.cli.main import main
from twisted.internet.defer import fail
from twisted.logger import Logger
hostile = {HOSTILE!r}

def raises(*_):
    raise RuntimeError(hostile)

class Unraisable:
    __del__ = raises

@main.command()
def broken():
    fail(RuntimeError(hostile))
    gc.collect()
    Logger().critical("{{text}}", text=hostile)
    warnings.warn(hostile)
    thread = threading.Thread(target=raises)
    thread.start()
    thread.join()
    Unraisable()
    gc.collect()
    raises()

main(["broken"])
"""
        process = self.start("-W", "default", "-c", script)
        printed = self.printed(process)
        self.assertEqual(1, process.returncode)
        for text in ("Unhandled error in Deferred", "UserWarning", "Thread-1", "Exception ignored"):
            self.assertIn(text, printed)
        self.assertEqual(6, printed.count("\\x1b]52"), printed)
