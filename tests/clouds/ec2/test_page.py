"""
Tests of the statements of ``docs/ec2.rst``.
"""

from __future__ import annotations

import json
import re

import yaml
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.documents.blocks import Block, of_suite, text_of
from txstorage._assembly import volume_service
from txstorage._configuration.configuration import Configuration
from txstorage.clouds.ec2 import EC2Service
from txstorage.clouds.ec2.codec.operations import SERVICES
from txstorage.clouds.ec2.states import volume_status

PAGE = "docs/ec2.rst"


def blocks_in(language: str) -> list[Block]:
    """:return: the page's blocks in a language."""
    return [block for block in of_suite("ec2")[PAGE] if block.language == language]


class PageTests(SynchronousTestCase):
    """The configurations, the policy and the tables."""

    def test_configurations(self) -> None:
        """Each configuration selects EC2."""
        found = [yaml.safe_load(block.text)["dataset"] for block in blocks_in("yaml")]
        self.assertEqual(3, len(found))
        for section in found:
            configuration = Configuration.from_mapping(section, {})
            service = volume_service(Clock(), configuration, agent=object())
            self.assertIsInstance(service, EC2Service)

    def test_policy(self) -> None:
        """The policy allows the operations that the client has, and no other."""
        [block] = blocks_in("json")
        [statement] = json.loads(block.text)["Statement"]
        # The client can't encode an operation that is not in its model.
        self.assertEqual(
            sorted("ec2:" + name for name in SERVICES["ec2"].operations), statement["Action"]
        )

    def test_states(self) -> None:
        """Each row of the table is what the client makes of the states."""
        table = text_of(PAGE).split("\nStates\n", 1)[1].split("\nDevices\n", 1)[0]
        rows = re.findall(r"   \* - (.*)\n     - (.*)\n     - (.*)\n", table)[1:]
        checked = 0
        for volume, attachment, expected in rows:
            for state in re.findall(r"``([\w-]+)``", volume):
                attachments = re.findall(r"``([\w-]+)``", attachment)
                wanted = state if expected == "the same" else expected.strip("`")
                self.assertEqual(wanted, volume_status(state, attachments), (state, attachments))
                checked += 1
        self.assertEqual(12, checked)
