"""The doctor against the EC2 face of a cloud in memory."""

from __future__ import annotations

import os
import time
from typing import Any

import yaml
from treq.testing import RequestTraversalAgent
from twisted.internet.task import Clock

from txstorage.cli.docker_plugin import checking
from txstorage.embedded.apis.ec2.face import QueryAPI
from txstorage.embedded.apis.ec2.ids import INSTANCE
from txstorage.embedded.settings import EC2Settings
from txstorage.embedded.testing import BASE_URL, in_memory_cloud

from ...support import CLUSTER, CommandTestCase

KEY, SECRET = EC2Settings().access_key_id, "open-wheat" * 4
REGION, ZONE = EC2Settings().region, EC2Settings().zones[0]


class EC2DoctorTestCase(CommandTestCase):
    """Base: a cloud in memory that speaks EC2's API, and an ``agent.yml`` for its first node."""

    def setUp(self) -> None:
        # The machine that the tests run on may have an engine.
        self.patch(checking, "concerns", lambda surroundings: False)
        super().setUp()

    def start_cloud(self, **settings: Any) -> None:
        """
        Start a cloud, and configure for it.

        :param settings: of the EC2 face.
        """
        self.clock = Clock()
        # Requests are signed with this machine's time.
        self.clock.advance(time.time())
        given = {"secret_access_key": SECRET, **settings}
        self.cloud = in_memory_cloud(self.clock, ec2=EC2Settings(**given))
        self.addCleanup(self.cloud.close)
        self.context = self.cloud.application.ec2
        self.agent = RequestTraversalAgent(QueryAPI(self.context, BASE_URL))
        self.node = INSTANCE.of(self.cloud.nodes["node-1"])
        self.config = os.path.abspath(self.mktemp())
        self.write_config()

    def write_config(self, **changes: Any) -> None:
        """Write the ``agent.yml`` anew; ``None`` drops a key."""
        dataset = {
            "backend": "txstorage",
            "auth_plugin": "ec2",
            "cluster_id": str(CLUSTER),
            "region": REGION,
            "zone": ZONE,
            "access_key_id": KEY,
            "secret_access_key": SECRET,
            "ec2_endpoint": BASE_URL,
            "instance_id": self.node,
            "device_directory": self.cloud.devices_directory,
            **changes,
        }
        dataset = {name: value for name, value in dataset.items() if value is not None}
        with open(self.config, "w") as opened:
            yaml.safe_dump({"version": 1, "dataset": dataset}, opened)
        os.chmod(self.config, 0o600)

    def diagnose(self, exit_code: int = 0) -> dict[str, Any]:
        """The findings by step."""
        document = self.document("doctor", exit_code=exit_code)
        self.assertNotIn(SECRET, str(document))
        return {step["name"]: step for step in document["steps"]}

    def finding(self, name: str, exit_code: int = 0) -> tuple[str, str, str]:
        """The outcome, the detail and the remedy of a step."""
        step = self.diagnose(exit_code)[name]
        return step["outcome"], step["detail"], step["remedy"]
