"""Tests for :mod:`txstorage.cli.docker_plugin.checking`, ``--check`` and the doctor's step."""

from __future__ import annotations

import os
from typing import Any

from txstorage.cli import settings_file
from txstorage.cli.docker_plugin import checking
from txstorage.docker.diagnosis import CheckResult, Surroundings
from txstorage.filesystem import Options

from ..support import CommandTestCase


class CheckTests(CommandTestCase):
    """The checks of this machine, whose outcomes the test chooses."""

    def setUp(self) -> None:
        super().setUp()
        self.patch(settings_file, "DIRECTORY", os.path.abspath(self.mktemp()))
        os.mkdir(settings_file.DIRECTORY)
        self.seen: list[Surroundings] = []
        self.findings = {
            "programs": CheckResult("ok", "all"),
            "sockets": CheckResult("ok", "living"),
        }

        def examine(surroundings: Surroundings) -> dict[str, CheckResult]:
            self.seen.append(surroundings)
            return dict(self.findings)

        self.patch(checking, "examine", examine)
        self.patch(checking, "concerns", lambda surroundings: True)

    def check(self, *arguments: str, exit_code: int = 0) -> dict[str, Any]:
        """:return: the findings of ``docker-plugin --check``, by their names."""
        document = self.document("docker-plugin", "--check", *arguments, exit_code=exit_code)
        self.assertEqual(exit_code == 0, document["ok"])
        return {step["name"]: step for step in document["steps"]}

    def step(self, exit_code: int = 0) -> Any:
        """:return: the finding of the doctor's step."""
        [found] = [
            each
            for each in self.document("doctor", exit_code=exit_code)["steps"]
            if each["name"] == "docker"
        ]
        return found

    def test_well(self) -> None:
        """The cloud's volumes are looked for on this machine, in the chosen places."""
        labels = {"docker-name": "pg", "docker-fs": "xfs"}
        self.cloud.store.set_metadata(self.create(), labels, replace=False)
        found = self.check("--state-dir", "/s", "--fs", "btrfs")
        self.assertEqual(["cloud", "programs", "sockets"], list(found))
        [at] = self.seen
        self.assertEqual({"pg": Options("xfs")}, at.volumes)
        self.assertEqual(("/s/journal.sqlite", "/s/mounts"), (at.journal, at.mounts))
        self.assertEqual("btrfs", at.kind)

    def test_problem(self) -> None:
        """A failure has its remedy, and counts for the exit code, in both commands."""
        self.findings["sockets"] = CheckResult("fail", "dead", "remove it")
        found = self.check(exit_code=1)["sockets"]
        self.assertEqual(("fail", "dead", "remove it"),
                         (found["outcome"], found["detail"], found["remedy"]))  # fmt: skip
        self.assertIn("What to do: remove it", self.txstorage("docker-plugin", "--check").stdout)
        step = self.step(exit_code=1)
        self.assertEqual(("fail", "dead", "remove it"),
                         (step["outcome"], step["detail"], step["remedy"]))  # fmt: skip

    def test_warning(self) -> None:
        """A warning is a warning of the doctor's, too."""
        self.findings["sockets"] = CheckResult("warning", "doubtful", "look")
        self.assertEqual("warning", self.step()["outcome"])

    def test_no_cloud(self) -> None:
        """Without the cloud, the machine is checked with the journal's volumes."""
        self.patch(checking, "known_volumes", lambda path: {"pg": Options("xfs")})
        self.write_config(password="wrong")
        found = self.check(exit_code=1)
        self.assertEqual(("fail", "ok"), (found["cloud"]["outcome"], found["sockets"]["outcome"]))
        self.assertEqual({"pg": Options("xfs")}, self.seen[-1].volumes)
        os.unlink(self.config)
        self.assertEqual("fail", self.check(exit_code=1)["cloud"]["outcome"])

    def test_doctor(self) -> None:
        """The doctor uses the settings of this machine's plugin, and shows all findings."""
        path = os.path.join(settings_file.DIRECTORY, "docker-plugin.yml")
        with open(path, "w") as opened:
            opened.write("state-dir: /state\nfs: xfs\nluks-key-file: /key\n")
        self.assertEqual("all; living", self.step()["detail"])
        [at] = self.seen
        self.assertEqual(("/state/journal.sqlite", "/state/mounts"), (at.journal, at.mounts))
        self.assertEqual(("xfs", "/key"), (at.kind, at.key_file))

    def test_not_concerned(self) -> None:
        """On a machine without an engine, the step is skipped."""
        self.patch(checking, "concerns", lambda surroundings: False)
        self.assertEqual("skipped", self.step()["outcome"])
        self.assertEqual([], self.seen)
