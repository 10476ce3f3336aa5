"""Tests of the facts in the README that other files have, too."""

from __future__ import annotations

import os
import re

import yaml
from twisted.trial.unittest import SynchronousTestCase

from tests.documents.blocks import text_of


class SuitesTests(SynchronousTestCase):
    """Tests of the numbers of other projects' suites."""

    def test_numbers(self) -> None:
        """The README has the numbers that ``make test-clients`` has recorded."""
        readme = " ".join(text_of("README.rst").split())
        said = re.search(
            r"Of tempest's (\d+) tests .* without an administrator, (\d+) pass, .* "
            r"(\d+) of the (\d+) tests for volumes and all (\d+) for Identity pass",
            readme,
        )
        assert said is not None
        tempest, volumes, identity = map(
            self.recorded, ("tempest", "interop-volumes", "interop-identity")
        )
        self.assertEqual(
            [int(number) for number in said.groups()],
            # What is vacuous passes, too, and counts in the guideline only.
            [
                sum(tempest),
                tempest[0],
                volumes[0] + volumes[2],
                sum(volumes),
                sum(identity),
            ],
        )
        self.assertEqual(identity[1:], (0, 0))

    def recorded(self, suite: str) -> tuple[int, int, int]:
        """:return: how many tests count, do not pass, and pass vacuously."""
        path = os.path.join("tests", "clients", "data", "records", suite + ".yaml")
        found = yaml.safe_load(text_of(path))
        failed = sum(map(len, found["not passed"].values()))
        return found["counted"], failed, len(found["vacuous"])
