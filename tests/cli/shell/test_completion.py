"""
Tests for ``txstorage.cli.shell.completion``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any
from unittest import mock
from uuid import uuid4

from click import Context
from click.shell_completion import BashComplete, ShellComplete
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.imports import ROOT
from txstorage.cli.main import main
from txstorage.cli.shell import completion
from txstorage.cli.shell.completion import matching_items
from txstorage.clouds.openstack.service import OpenStackService

from ..support import CommandTestCase


class MatchingItemsTests(SynchronousTestCase):
    """``matching_items``."""

    def values(self, words: list[completion.Word], incomplete: str) -> list[str]:
        """The words that are offered."""
        return [each.value for each in matching_items(words, incomplete)]

    def test_beginnings(self) -> None:
        """Without a beginning, ids are offered; with one, the ids and names that begin so."""
        words = [("abc1", "flocker-1", ""), ("abd2", "", ""), ("ffff", "abx", "")]
        self.assertEqual(self.values(words, ""), ["abc1", "abd2", "ffff"])
        self.assertEqual(self.values(words, "AB"), ["abc1", "abd2"])
        self.assertEqual(self.values(words, "ab"), ["abc1", "abd2", "abx"])
        self.assertEqual(self.values(words, "flo"), ["flocker-1"])

    def test_hostile_names(self) -> None:
        """A name that would be several words, or a command, is not offered."""
        words = [("a1", name, "") for name in ("a b", "a\nplain,b", "a$(x)", "a;b")]
        self.assertEqual(self.values(words, "a"), ["a1"])


class CloudTests(CommandTestCase):
    """Words of the cloud."""

    def setUp(self) -> None:
        super().setUp()
        self.volume = self.create()

    def offered(self, *words: str, incomplete: str = "") -> list[str]:
        """The words that a shell is offered."""
        args = ["--config", self.config, *words]
        made = ShellComplete(main, {"obj": self.app()}, "txstorage", "_TXSTORAGE_COMPLETE")
        return [each.value for each in made.get_completions(args, incomplete)]

    def test_volumes(self) -> None:
        """Ids and names of the cluster's volumes are offered to each command with a volume."""
        other = self.document("volumes", "create", "1GiB", "--cluster-id", str(uuid4()))
        self.assertNotEqual(other["volume_id"], self.volume)
        name = self.document("volumes", "show", self.volume)["name"]
        for command in ("show", "attach", "detach", "path", "destroy", "rm"):
            self.assertEqual(self.offered("volumes", command), [self.volume])
        self.assertEqual(self.offered("volumes", "show", incomplete=self.volume[:3]), [self.volume])
        self.assertEqual(self.offered("volumes", "show", self.volume), [self.volume])
        self.assertEqual(self.offered("volumes", "show", incomplete=name[:10]), [name])

    def test_more_places_for_volumes(self) -> None:
        """Volumes are offered to the commands for copies, growth and snapshots, too."""
        for words in (
            ["volumes", "grow"],
            ["volumes", "create", "--clone"],
            ["snapshots", "create"],
            ["snapshots", "list", "--volume"],
        ):
            self.assertEqual(self.offered(*words), [self.volume])

    def test_snapshots(self) -> None:
        """Ids and names of the cluster's snapshots are offered to each command with a snapshot."""
        made = self.document("snapshots", "create", self.volume, "nightly")["snapshot_id"]
        cluster = ["--cluster-id", str(uuid4())]
        volume = self.document("volumes", "create", "1GiB", *cluster)["volume_id"]
        self.document("snapshots", "create", volume, "nightly", *cluster)
        for words in (
            ["snapshots", "show"],
            ["snapshots", "destroy"],
            ["snapshots", "rm"],
            ["volumes", "create", "--from-snapshot"],
        ):
            self.assertEqual(self.offered(*words), [made])
            self.assertEqual(self.offered(*words, incomplete=made[:3]), [made])
            self.assertEqual(self.offered(*words, incomplete="nig"), ["nightly"])

    def test_default_names(self) -> None:
        """The default name of a snapshot is offered: no shell has to quote it."""
        name = self.document("snapshots", "create", self.volume)["name"]
        self.assertEqual(self.offered("snapshots", "show", incomplete=name[:12]), [name])

    def test_nodes(self) -> None:
        """Names of nodes are offered, and an id to its beginning."""
        for option in (["attach", self.volume, "--to"], ["list", "--attached-to"]):
            self.assertCountEqual(self.offered("volumes", *option), ["node-1", "node-2"])
            self.assertEqual(
                self.offered("volumes", *option, incomplete=self.node[:8]), [self.node]
            )

    def test_commands_and_options(self) -> None:
        """Commands and options are offered, the global ones at each place."""
        self.assertEqual(self.offered("volumes", incomplete="de"), ["destroy", "detach"])
        self.assertEqual(self.offered(incomplete="vol"), ["volumes"])
        for words in ([], ["volumes"], ["volumes", "list"], ["doctor"]):
            self.assertIn("--json", self.offered(*words, incomplete="--"))

    def test_errors(self) -> None:
        """No error is printed or raised, whatever it is; there are just no words."""
        self.write_config(password="wrong")
        with mock.patch.object(sys, "stderr") as printed:
            self.assertEqual(self.offered("volumes", "show"), [])
            self.write_config(cluster_id=None)
            self.assertEqual(self.offered("volumes", "show"), [])
            self.config = "/no/such/file"
            self.assertEqual(self.offered("volumes", "show"), [])
        self.assertEqual(printed.mock_calls, [])

    def test_slow_cloud(self) -> None:
        """A cloud that does not answer is not awaited for long."""
        silent: Any = mock.Mock(side_effect=lambda labels: Deferred())
        begin = self.clock.seconds()
        with mock.patch.object(OpenStackService, "list_volumes", silent):
            self.assertEqual(self.offered("volumes", "show"), [])
        self.assertEqual(silent.call_count, 1)
        self.assertLess(self.clock.seconds() - begin, completion.PATIENCE + 0.5)

    def test_limit(self) -> None:
        """Even when the process itself is stuck, it ends; no other process does."""
        with mock.patch.object(completion.threading, "Timer") as timer:
            self.offered("volumes", "show")
        timer.assert_called_once_with(completion.LIMIT, os._exit, (0,))
        timer.return_value.start.assert_called_once_with()
        timer.return_value.cancel.assert_called_once_with()


class ShellTests(SynchronousTestCase):
    """The process that a shell starts."""

    def test_no_cloud(self) -> None:
        """Without a configuration, there are no words and no errors."""
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": ROOT,
            "TXSTORAGE_CONFIG": "/no/such/file",
            "_TXSTORAGE_COMPLETE": "bash_complete",
            "COMP_WORDS": "txstorage volumes show ab",
            "COMP_CWORD": "3",
        }
        done = subprocess.run(
            [sys.executable, "-m", "txstorage.cli"], env=environment, capture_output=True
        )
        self.assertEqual((done.stdout.strip(), done.stderr), (b"", b""))
        self.assertTrue(BashComplete.source_template)


class PathTests(SynchronousTestCase):
    """Options with the path of a file."""

    def test_files(self) -> None:
        """Each option whose value is a path lets the shell offer its files."""
        made = ShellComplete(main, {}, "txstorage", "_TXSTORAGE_COMPLETE")
        found = []
        for name in ("serve", "docker-plugin"):
            command = main.get_command(Context(main), name)
            assert command is not None
            for option in command.params:
                if option.metavar == "PATH":
                    offered = made.get_completions([name, option.opts[0]], "")
                    self.assertEqual([each.type for each in offered], ["file"], option.opts)
                    found.append(option.opts[0])
        self.assertEqual(found.count("--state-dir"), 2)
