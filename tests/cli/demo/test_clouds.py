"""
Tests for ``txstorage.cli.demo.clouds``: the demonstration on the clouds besides OpenStack.
"""

from __future__ import annotations

import os
import stat
import sys
from typing import Any
from unittest import mock

from twisted.internet import reactor
from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase

from txstorage.cli.demo.clouds import CLOUDS, ec2_dataset
from txstorage.cli.demo.embedded_process import ServiceNotStarted
from txstorage.embedded.settings import EC2Settings
from txstorage.errors import InvalidConfiguration

from .support import DemoTestCase

KEYS = "[default]\naws_access_key_id = ID\naws_secret_access_key = SECRET\n"
AGENT = {
    "backend": "txstorage",
    "auth_url": "http://127.0.0.1:1/identity/v3",
    "password_file": "/state/password",
    "cluster_id": "7b0c",
    "instance_id": "d9a13f6d-cacd-4346-891b-a8bca95f5a8d",
    "device_directory": "/state/devices",
    "profiles": {"gold": "gold"},
}


class EC2Tests(DemoTestCase):
    """The demonstration on EC2's API."""

    async def test_story(self) -> None:
        """The steps are those on OpenStack, with EC2's ids, and nothing is left behind."""
        modes: list[int] = []

        def look(name: str) -> None:
            if name == "destroy it":
                for directory, _, names in os.walk(self.directory):
                    modes.extend(
                        stat.S_IMODE(os.stat(os.path.join(directory, each)).st_mode)
                        for each in names
                        if each.startswith("ec2-node-")
                    )

        document = (await self.show(look, "ec2")).document
        self.assertEqual(self.names, self.expected())
        self.assertTrue(all(step["ok"] for step in document["steps"]))
        self.assertRegex(document["volume_id"], "vol-[0-9a-f]{17}$")
        self.assertRegex(document["steps"][0]["detail"], r"http://127\.0\.0\.1:[0-9]+$")
        self.assertGreater(document["requests"], 10)
        self.assertEqual(modes, [0o600, 0o600])
        self.assert_clean()

    async def test_interrupted(self) -> None:
        """Wherever it is interrupted, nothing is left behind."""
        for step in ("start the embedded service", "attach it to node-1", "destroy it"):
            calls: list[Any] = []

            def interrupt(name: str) -> None:
                if name == step:
                    reactor.callLater(0, lambda: calls[0].cancel())

            calls.append(self.show(interrupt, "ec2"))
            await self.assertFailure(calls[0], CancelledError)
            self.assertEqual(self.names[-1], "clean up")
            self.assert_clean()

    async def test_without_botocore(self) -> None:
        """Without botocore, the error names the extra, and nothing is left behind."""
        names = [name for name in sys.modules if name.partition(".")[0] == "botocore"]
        missing = mock.patch.dict(sys.modules, dict.fromkeys(["botocore", *names]))
        missing.start()
        self.addCleanup(missing.stop)
        error = await self.assertFailure(self.show(cloud="ec2"), InvalidConfiguration)
        self.assertIn("botocore is not installed", error.message)
        self.assertEqual("pip install 'txstorage[ec2]'", error.remedy)
        self.assert_clean()


class ConfigurationTests(SynchronousTestCase):
    """``ec2_dataset``."""

    def output(self) -> str:
        """The line that the service prints about its EC2 face, with a file of keys."""
        path = os.path.abspath(self.mktemp())
        with open(path, "w") as opened:
            opened.write(KEYS)
        values = f"AWS_ENDPOINT_URL=http://x:1 AWS_SHARED_CREDENTIALS_FILE={path}"
        return f"# ec2: {values}\n# node-1: /state/agent-node-1.yml\n"

    def test_keys(self) -> None:
        """The configuration has EC2's keys, and of OpenStack's those that mean the same."""
        self.assertEqual(
            ec2_dataset(AGENT, self.output()),
            {
                "backend": "txstorage",
                "cluster_id": "7b0c",
                "device_directory": "/state/devices",
                "auth_plugin": "ec2",
                "region": EC2Settings().region,
                "zone": EC2Settings().zones[0],
                "access_key_id": "ID",
                "secret_access_key": "SECRET",
                "ec2_endpoint": "http://x:1",
                "instance_id": "i-d9a13f6dcacd43468",
            },
        )

    def test_no_face(self) -> None:
        """A service without an EC2 face is an error."""
        self.assertRaises(ServiceNotStarted, ec2_dataset, AGENT, "# devices: loop devices\n")
        self.assertEqual(CLOUDS["openstack"].options, ())
