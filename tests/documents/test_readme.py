"""Tests of the numbers in the README and in a guide that records have, too."""

from __future__ import annotations

import re

from twisted.trial.unittest import SynchronousTestCase

from tests.clients.records import load
from tests.clients.suites import SUITES, Suite
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
        tempest, volumes, identity = map(load, ("tempest", "interop-volumes", "interop-identity"))
        self.assertEqual(
            [int(number) for number in said.groups()],
            [tempest.tests, tempest.counted, volumes.passed, volumes.tests, identity.tests],
        )
        self.assertEqual(identity.passed, identity.tests)

    def test_guide(self) -> None:
        """The guide's table has a row for each suite, with the recorded numbers."""
        guide = text_of("docs/testing-with-serve.rst").partition("Other people's suites")[2]
        rows = re.findall(r"\* - [^\n]+\n     - (\d+)\n     - (\d+)\n     - (\d+)\n", guide)
        suites = [load(each.name) for each in SUITES if isinstance(each, Suite)]
        self.assertEqual(
            [tuple(map(int, row)) for row in rows],
            [(each.tests, each.passed, each.counted) for each in suites],
        )
