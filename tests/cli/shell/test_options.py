"""
Tests for ``txstorage.cli.shell.options``.
"""

from __future__ import annotations

import itertools
import json
import os
from uuid import uuid4

from twisted.trial.unittest import SynchronousTestCase

from txstorage.cli.main import main
from txstorage.cli.shell import wants_json

from ..support import CLUSTER, CommandTestCase, keep_destinations, runner


class PlacesTests(CommandTestCase):
    """The places in which a global option may stand."""

    def setUp(self) -> None:
        super().setUp()
        keep_destinations(self)

    def test_each_option_in_each_place(self) -> None:
        """Each option has the same effect before the group, before the command and after it."""
        volume = self.create()
        log = self.mktemp()
        options = {
            ("--json",): lambda result: json.loads(result.stdout),
            ("--log", log): lambda result: self.assertGreater(os.path.getsize(log), 0),
            ("-v",): lambda result: self.assertIn("GET ", result.stderr),
            ("--verbose",): lambda result: self.assertIn("GET ", result.stderr),
            ("--cluster-id", str(CLUSTER)): lambda result: self.assertIn(volume, result.stdout),
            ("--config", self.config): lambda result: self.assertIn(volume, result.stdout),
        }
        words = ["volumes", "list"]
        for (option, check), place in itertools.product(options.items(), range(3)):
            arguments = [*words[:place], *option, *words[place:]]
            if option[0] != "--config":
                arguments += ["--config", self.config]
            if os.path.exists(log):
                os.unlink(log)
            result = self.invoke(*arguments)
            self.assertEqual(result.exit_code, 0, (arguments, result.stderr))
            check(result)

    def test_the_last_one_counts(self) -> None:
        """The option after the command replaces the one before."""
        volume = self.create()
        other = str(uuid4())
        for first, second, there in ((other, str(CLUSTER), True), (str(CLUSTER), other, False)):
            result = self.txstorage("--cluster-id", first, "volumes", "ls", "--cluster-id", second)
            self.assertEqual(volume in result.stdout, there, result.stderr)

    def test_wrong_usage_for_machines(self) -> None:
        """With --json after wrong words, the error is a JSON document."""
        for arguments in (
            ["volumes", "list", "--bogus", "--json"],
            ["volumes", "--json", "bogus"],
            ["volumes", "create", "big", "--json"],
        ):
            result = runner().invoke(main, arguments)
            self.assertEqual((result.exit_code, result.stderr), (2, ""), arguments)
            self.assertIn("message", json.loads(result.stdout)["error"])

    def test_log_that_cannot_be_written(self) -> None:
        """After the command, too, the error names the file; with --json as JSON."""
        path = "/no/such/directory/log"
        result = self.txstorage("volumes", "list", "--log", path)
        self.assertNotEqual(result.exit_code, 0)
        self.assertIn(path, result.stderr)
        result = self.txstorage("volumes", "list", "--log", path, "--json")
        self.assertIn(path, json.loads(result.stdout)["error"]["message"])

    def test_help(self) -> None:
        """The help of a command names the options in one line, that of txstorage explains each."""
        shown = " ".join(self.invoke("volumes", "list", "--help").stdout.split())
        self.assertIn("--config, --cluster-id, --json, --log, --verbose As before", shown)
        self.assertNotIn("Append an Eliot log", shown)
        self.assertIn("Append an Eliot log", " ".join(self.invoke("--help").stdout.split()))


class WantsJSONTests(SynchronousTestCase):
    """``wants_json``."""

    def test_arguments(self) -> None:
        """Behind ``--`` there are no options."""
        for arguments, wanted in (
            ([], False),
            (["volumes", "--json"], True),
            (["volumes", "show", "--", "--json"], False),
            (["--json", "--"], True),
        ):
            self.assertEqual(wants_json(arguments), wanted)
