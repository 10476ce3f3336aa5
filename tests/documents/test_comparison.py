"""The README's table of drivers is true of txstorage."""

from __future__ import annotations

import ast
import csv
import re

from twisted.trial.unittest import SynchronousTestCase

from tests.documents.blocks import text_of

#: Cells that are true only while a feature is missing, and a sign of the feature.
NO_RELEASE = "none yet"


def table() -> list[list[str]]:
    """The README's table: for each row a list of cells, each a text with single blanks."""
    [block] = re.findall(r"^\.\. csv-table::\n((?:   .*\n|\n)+)", text_of("README.rst"), re.M)
    _, lines = block.split("\n\n", 1)
    rows = csv.reader(lines.strip("\n").splitlines(keepends=True), skipinitialspace=True)
    return [[" ".join(cell.split()) for cell in row] for row in rows]


def explained() -> list[list[str]]:
    """The table of docs/comparison.rst, without its header."""
    _, block = text_of("docs", "comparison.rst").split("   :header-rows: 1\n")
    rows = re.split(r"^   \* - ", block, flags=re.M)[2:]
    return [
        [" ".join(cell.split()) for cell in re.split(r"^     - ", row, flags=re.M)] for row in rows
    ]


def defined(module: str) -> set[str]:
    """The names in a module of tests: the module, its classes, and their own methods."""
    found = {module}
    for node in ast.parse(text_of(*module.split(".")[:-1], module.split(".")[-1] + ".py")).body:
        if isinstance(node, ast.ClassDef):
            name = f"{module}.{node.name}"
            kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
            found |= {name} | {
                f"{name}.{each.name}" for each in node.body if isinstance(each, kinds)
            }
    return found


class ComparisonTests(SynchronousTestCase):
    """README.rst and docs/comparison.rst."""

    def test_each_row_is_explained(self) -> None:
        """Each row of the table has a row of sources, in the same order."""
        self.assertEqual([row[0] for row in table()], [row[0] for row in explained()])
        self.assertGreater(len(table()), 15)

    def test_whole(self) -> None:
        """No cell of either table is empty."""
        for rows, width in ((table(), 5), (explained(), 3)):
            for row in rows:
                self.assertEqual((width, True), (len(row), all(row)), row)

    def test_shown_by_tests(self) -> None:
        """The tests given for txstorage's cells exist."""
        for row in explained():
            names = re.findall(r"``(tests(?:\.\w+)+)``", row[2])
            self.assertTrue(names or row[0] == "latest release", row[0])
            for name in names:
                [module] = re.findall(r"^tests(?:\.[a-z0-9_]+)*\.(?:test|check)_\w+", name)
                self.assertIn(name, defined(module))

    def test_dated(self) -> None:
        """Both tables have the same date."""
        days = [
            re.findall(r"as of (\d{4}-\d\d-\d\d)", text, re.I)
            for text in (text_of("README.rst"), text_of("docs", "comparison.rst"))
        ]
        self.assertEqual(1, len(days[0]))
        self.assertEqual(*days)

    def test_not_there_yet(self) -> None:
        """The features that the table lists as missing are missing."""
        _, releases = text_of("CHANGELOG.rst").split(".. release notes start here\n")
        [latest] = [row[1] for row in table() if row[0] == "latest release"]
        self.assertEqual(bool(releases.strip()), latest != NO_RELEASE)
