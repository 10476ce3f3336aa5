"""
Tests of the statements of ``docs/ec2.rst``.
"""

from __future__ import annotations

import json
import re
from importlib import import_module
from pkgutil import iter_modules

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
SUITE = "tests.whole.ec2_failures"
#: The form of a report's name in the suite's docstrings.
REPORT = re.compile(r"[\w/-]+#[0-9]+")


def reports() -> dict[str, set[str]]:
    """:return: the reports that the docstring of each of the suite's tests names."""
    found = {}
    for module in iter_modules(import_module(SUITE).__path__, SUITE + "."):
        for kind in vars(import_module(module.name)).values():
            if isinstance(kind, type) and kind.__module__ == module.name:
                for name, test in vars(kind).items():
                    if name.startswith("test_"):
                        place = f"{module.name}.{kind.__name__}.{name}"[len(SUITE) + 1 :]
                        found[place] = set(REPORT.findall(test.__doc__))
    return found


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

    def test_failures(self) -> None:
        """Each report of a failure is of the row's tests, and each of the suite's has a row."""
        table = text_of(PAGE).split("\nFailures in the field\n", 1)[1]
        tests, listed = reports(), set()
        rows = re.findall(r"   \* - (.*)\n     - (.*)\n     - (.*(?:\n       .*)*)\n", table)[1:]
        for _, known, named in rows:
            found = set()
            for name in re.findall(r"``([\w.]+)``", named):
                of_name = [each for each in tests if (each + ".").startswith(name + ".")]
                self.assertNotEqual([], of_name, name)
                found |= {report for each in of_name for report in tests[each]}
            self.assertEqual(set(REPORT.findall(known)), found)
            listed |= found
        self.assertEqual(set().union(*tests.values()), listed)
        self.assertEqual((13, 20), (len(rows), len(listed)))
