"""
Tests for ``txstorage.cli.settings_file``.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any, cast

import attr
import yaml
from twisted.internet import task
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.imports import ROOT
from txstorage.cli import settings_file
from txstorage.cli.app import App
from txstorage.cli.docker_plugin import command as plugin_command
from txstorage.cli.main import main
from txstorage.cli.running import IReactor
from txstorage.cli.serve import command
from txstorage.cli.settings_file import options_by_key
from txstorage.docker import PluginSettings
from txstorage.embedded.service import DEFAULT_NODES

from .support import runner

#: The examples of the packages.
EXAMPLES = os.path.join(ROOT, "packaging", "common")


def settings_in(text: str) -> Any:
    """:return: the settings of an example; each follows its # at once."""
    return yaml.safe_load("\n".join(re.findall("^#([a-z].*)$", text, re.MULTILINE)))


class SettingsTests(SynchronousTestCase):
    """The configuration file of ``serve``."""

    def setUp(self) -> None:
        self.path = os.path.abspath(self.mktemp())
        directory = os.path.abspath(self.mktemp())
        os.mkdir(directory)
        self.patch(settings_file, "DIRECTORY", directory)

    def invoke(self, text: str, *arguments: str) -> Any:
        """Run ``serve`` with a file, without serving; :return: the outcome and the options."""
        seen: list[Any] = []
        with open(self.path, "w") as opened:
            opened.write(text)
        self.patch(task, "react", lambda main: seen.append(main))
        self.patch(command, "run", lambda reactor, options, *more: options)
        self.patch(Deferred, "fromCoroutine", lambda options: options)
        result = runner().invoke(main, list(arguments))

        class Reactor:
            """Runs nothing."""

            def callWhenRunning(self, *call: Any) -> None:  # noqa: N802
                """See ``IReactorCore``."""

        return result, seen[0](Reactor()) if seen else None

    def served(self, text: str, *arguments: str) -> Any:
        """The options of a service with a file."""
        result, options = self.invoke(text, "serve", "--settings", self.path, *arguments)
        self.assertEqual(result.exit_code, 0, result.stderr)
        return options

    def refused(self, text: str, *before: str) -> Any:
        """The outcome of a service with a wrong file."""
        result, options = self.invoke(text, *before, "serve", "--settings", self.path)
        self.assertEqual((result.exit_code, options), (1, None), result.stderr)
        return result

    def test_every_option(self) -> None:
        """Each option can be given by its name, with hyphens or underscores."""
        accounts = os.path.abspath(self.mktemp())
        with open(accounts, "w") as opened:
            opened.write("users: {u: {projects: {p: reader}}}")
        values: dict[str, Any] = {
            "user": ["t:p:member"],
            "accounts": accounts,
            "state-dir": "/s",
            "host": "0.0.0.0",
            "port": 1,
            "node": ["a", "b"],
            "tls": True,
            "tls-cert": "/c",
            "tls-key": "/k",
            "devices": "file",
            "root-volumes": "hidden",
            "transition-delay": 0.5,
            "max-volumes": 3,
            "max-snapshots": 7,
            "max-gigabytes": 4,
            "max-backups": 2,
            "max-backup-gigabytes": 1,
            "page-size": 5,
            "token-lifetime": 6.0,
            "ec2-port": 8,
            "ec2-region": "r",
            "ec2-zone": ["z"],
            "ec2-rate": 9.0,
            "ec2-lag": 10.0,
            "ec2-optimizing": 11.0,
            "ec2-cooldown": 12.0,
            "ec2-reuse": 13.0,
            "ec2-attachments": 5,
            "ec2-deny": ["CopyVolumes"],
            "test-routes": True,
        }
        self.assertEqual(set(options_by_key(command.serve)), set(values))
        del values["tls"]
        for text in (json.dumps(values), json.dumps(values).replace("e-", "e_")):
            options = self.served(text)
            self.assertEqual((options.state_dir, options.host, options.port), ("/s", "0.0.0.0", 1))
            self.assertEqual((options.nodes, options.devices), (("a", "b"), "file"))
            self.assertEqual(options.root_volumes, "hidden")
            self.assertEqual([user.name for user in options.users], ["t", "u"])
            self.assertEqual((options.tls_cert, options.tls_key), ("/c", "/k"))
            self.assertEqual(sorted(options.behaviour.values()), [0.5, 1, 2, 3, 4, 5, 6.0, 7])
            self.assertEqual((options.ec2_port, options.test_routes), (8, True))
            given = ["r", ("z",), 9.0, 10.0, 11.0, 12.0, 13.0, 5, ("CopyVolumes",)]
            self.assertEqual([*options.ec2.values()], given)
        self.assertTrue(self.served("tls: true\n").tls)

    def test_example(self) -> None:
        """
        The example of the packages changes nothing; it has each option, and with its default value.
        """
        with open(os.path.join(EXAMPLES, "serve.yml.example")) as opened:
            text = opened.read()
        self.assertEqual(self.served(text), self.served(""))
        settings = settings_in(text)
        self.assertEqual({*settings, "state-dir"}, set(options_by_key(command.serve)))
        # The service generates no certificate when it is given one.
        del settings["tls-cert"], settings["tls-key"]
        # There is no other user than the first one.
        self.assertEqual(len(self.served("user: " + json.dumps(settings.pop("user"))).users), 2)
        del settings["accounts"]
        # Without a port there is no EC2 face, and no option of one.
        options = attr.evolve(self.served(json.dumps(settings)), nodes=(), ec2_port=None)
        self.assertEqual(settings["node"], list(DEFAULT_NODES))
        self.assertEqual(options, self.served(""))

    def test_precedence(self) -> None:
        """The command line takes precedence; one node needs no list; an empty file is none."""
        options = self.served("port: 1\nnode: a\n", "--port", "2")
        self.assertEqual((options.port, options.nodes), (2, ("a",)))
        self.assertEqual(self.served("").port, 8780)

    def test_default_file(self) -> None:
        """The file at its default place is used if it is there."""
        result, options = self.invoke("", "serve")
        self.assertEqual(options.port, 8780)
        with open(os.path.join(settings_file.DIRECTORY, "serve.yml"), "w") as opened:
            opened.write("port: 7\n")
        result, options = self.invoke("", "serve")
        self.assertEqual(options.port, 7)

    def test_wrong(self) -> None:
        """An error names the file and the key, in the format of all errors, and says what to do."""
        for text, words in (
            ("prot: 1\n", ("prot", "no such option", "did you mean port?")),
            ("nodes: [a]\n", ("nodes", "no such option", "did you mean node?")),
            ("port: 1\nhost: a\nport: 2\n", ("line 3 repeats the key 'port'",)),
            ("port: many\n", ("port", "many")),
            ("port: 70000\n", ("port", "70000")),
            ("devices: tape\n", ("devices", "tape")),
            ("node: {a: b}\n", ("node",)),
            ("recover: true\n", ("recover", "no such option")),
            ("[]\n", ("must be a mapping",)),
            ("{", ("can't read",)),
        ):
            result = self.refused(text)
            self.assertTrue(result.stderr.startswith("Error: "), result.stderr)
            for word in (*words, self.path):
                self.assertIn(word, result.stderr)
        self.assertIn(
            "What to do: use one of: accounts, devices, ec2-", self.refused("x: 1\n").stderr
        )
        document = json.loads(self.refused("x: 1\n", "--json").stdout)
        self.assertEqual(document["error"]["kind"], "InvalidConfiguration")

    def test_missing(self) -> None:
        """A file that is named and missing is an error."""
        self.path = "/no/such/serve.yml"
        result = runner().invoke(main, ["serve", "--settings", self.path])
        self.assertEqual(result.exit_code, 1)
        self.assertIn("/no/such/serve.yml: No such file", result.stderr)


class PluginSettingsTests(SynchronousTestCase):
    """The configuration file of ``docker-plugin``."""

    def settings(self, text: str) -> Any:
        """:return: the settings of a plugin with a file, which does not run."""
        path = os.path.abspath(self.mktemp())
        with open(path, "w") as opened:
            opened.write(text)
        seen: list[Any] = []
        self.patch(plugin_command, "run", lambda app, reactor, settings: seen.append(settings))
        app = App(run=lambda work: work(cast(IReactor, None)))
        result = runner().invoke(main, ["docker-plugin", "--settings", path], obj=app)
        self.assertEqual((result.exit_code, result.output), (0, ""))
        return seen[0]

    def test_example(self) -> None:
        """
        The example of the packages changes nothing; it has each option, and with its default value.
        """
        with open(os.path.join(EXAMPLES, "docker-plugin.yml.example")) as opened:
            text = opened.read()
        default = PluginSettings()
        self.assertEqual(self.settings(text), default)
        settings = settings_in(text)
        known = set(options_by_key(plugin_command.docker_plugin))
        self.assertEqual({*settings, "socket"}, known)
        self.assertEqual(settings.pop("mounts"), os.path.join(default.state_dir, "mounts"))
        # Those without a default.
        self.assertEqual(settings.pop("metrics"), "127.0.0.1:9108")
        self.assertEqual(settings.pop("luks-key-file"), "/etc/txstorage/luks.key")
        self.assertEqual(self.settings(json.dumps(settings)), default)

    def test_changed(self) -> None:
        """A setting counts."""
        self.assertEqual(self.settings("size: 3GiB\n").defaults.size, 3 * 2**30)
