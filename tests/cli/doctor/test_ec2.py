"""
``txstorage`` on the EC2 face of the embedded service.
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any
from uuid import uuid4

import yaml
from twisted.trial.unittest import SynchronousTestCase

from ...helpers.child import python_3
from ...helpers.imports import ROOT
from ...whole.test_ec2 import service


class EC2Tests(SynchronousTestCase):
    """The command line, with an ``agent.yml`` of EC2."""

    def setUp(self) -> None:
        self.path = self.mktemp()
        section = {"backend": "txstorage", **service().ec2_configuration()}
        self.write(section, cluster_id=str(uuid4()))

    def write(self, section: dict[str, Any], **changes: str) -> None:
        """Write the file."""
        self.section = {**section, **changes}
        with open(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
            yaml.safe_dump({"version": 1, "dataset": self.section}, opened)

    def run_command(self, *words: str) -> tuple[int, Any]:
        """:return: the exit code, and the document that the command prints."""
        done = subprocess.run(
            [python_3(), "-m", "txstorage.cli", "--json", "--config", self.path, *words],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": ROOT},
        )
        return done.returncode, json.loads(done.stdout)

    def test_doctor(self) -> None:
        """The doctor finds the node and the volumes, and leaves out what only OpenStack has."""
        code, found = self.run_command("doctor")
        outcomes = {step["name"]: step["outcome"] for step in found["steps"]}
        del outcomes["docker"]
        self.assertEqual(
            {
                **dict.fromkeys(("file", "keys", "secrets"), "ok"),
                **{"TLS": "skipped", "credentials": "ok", "permissions": "ok", "zone": "ok"},
                **dict.fromkeys(("clock", "cluster id", "instance id", "instance"), "ok"),
                **dict.fromkeys(("attachments", "list volumes"), "ok"),
                **{"device names": outcomes["device names"], "device discovery": "skipped"},
            },
            outcomes,
            found,
        )
        self.assertEqual(0, code)

    def test_wrong_key(self) -> None:
        """A refused access key fails with the remedy, and does not show the secret."""
        self.write(self.section, secret_access_key="b" * 40)
        code, found = self.run_command("doctor")
        [step] = [each for each in found["steps"] if each["name"] == "credentials"]
        self.assertEqual((1, "fail"), (code, step["outcome"]))
        self.assertIn("check the secret access key", step["remedy"])
        self.assertNotIn("b" * 40, json.dumps(found))

    def test_volumes(self) -> None:
        """A volume is created, listed and destroyed."""
        code, made = self.run_command("volumes", "create", "1GiB")
        self.assertEqual(0, code)
        self.assertTrue(made["volume_id"].startswith("vol-"))
        _, listed = self.run_command("volumes", "list")
        self.assertEqual(
            [made["volume_id"]], [each["volume_id"] for each in listed["volumes"]], listed
        )
        code, _ = self.run_command("volumes", "destroy", "--yes", made["volume_id"])
        self.assertEqual(0, code)
