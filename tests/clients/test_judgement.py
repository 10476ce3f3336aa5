"""Tests of the comparison of suites with their records, and of the records themselves."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from . import records
from .execution import Outcome
from .judgement import causes, judge, part_of, table, vacuous_in
from .records import UNEXPLAINED, Record
from .suites import SUITES, Suite

RECORD = Record(2, {"no groups": ["a.groups"]}, ["a.vacuous"])
PASSED = [Outcome(name, name, "passed", "") for name in ("a.one", "a.two", "a.vacuous")]
GROUPS = Outcome("a.groups", "a.groups", "failed", "E: e", ("GET /volume/v3/groups 404 {}",))


class JudgementTests(SynchronousTestCase):
    """Tests of judging a suite's outcomes."""

    def test_as_recorded(self) -> None:
        """An outcome as recorded is not a problem; a vacuous test passes, but does not count."""
        found = judge([*PASSED, GROUPS], RECORD, None)
        self.assertEqual((found.problems, found.news), ((), ()))
        self.assertEqual((found.total, found.passed, found.counted), (4, 3, 2))
        self.assertEqual(found.counts, {"passed": 2, "failed": 0, "skipped": 2})

    def test_unexpected_failure(self) -> None:
        """A test that fails or is skipped without a recorded reason is a problem, by its name."""
        for result in ("failed", "skipped"):
            new = Outcome("a.new", "a.new", result, "why")
            found = judge([*PASSED, GROUPS, new], RECORD, None)
            [problem] = found.problems
            self.assertIn("a.new", problem)
            self.assertIn("why", problem)
            self.assertEqual(found.counts["failed"], 1)

    def test_lower_number(self) -> None:
        """A number below the recorded one is a problem, also when no test fails."""
        found = judge([*PASSED[1:], GROUPS], RECORD, None)
        self.assertEqual(found.problems, ("1 tests count, 2 did",))

    def test_new_vacuous(self) -> None:
        """A test that is seen to pass without routes no longer counts."""
        found = judge([*PASSED, GROUPS], RECORD, ["a.two", "a.vacuous"])
        self.assertEqual(found.counted, 1)
        self.assertEqual(found.problems, ("1 tests count, 2 did",))
        self.assertEqual(found.vacuous, ("a.two", "a.vacuous"))

    def test_news(self) -> None:
        """A test that passes although it is recorded not to is named, and is not a problem."""
        passes = Outcome("a.groups", "a.groups", "passed", "")
        found = judge([*PASSED, passes], RECORD, None)
        self.assertEqual(found.problems, ())
        self.assertEqual(found.news, ("a.groups passes now",))

    def test_vacuous(self) -> None:
        """A test that passes without routes is vacuous, unless it is about the remaining ones."""
        about_tokens = "tempest.api.identity.v3.test_tokens.TokensV3Test.test_create_token"
        outcomes = [*PASSED[:1], GROUPS, Outcome(about_tokens, about_tokens, "passed", "")]
        self.assertEqual(vacuous_in(outcomes), ["a.one"])

    def test_part(self) -> None:
        """A suite within another one has the outcomes whose attributes it names."""
        whole = Outcome("a.one", "a.one[id-1,smoke]", "passed", "")
        suite = Suite("part", "Part", (), 1, only=("id-1",))
        self.assertEqual(part_of([*PASSED, whole], suite), [whole])

    def test_causes(self) -> None:
        """Tests that one answer stops are counted together, whatever ids it has."""
        ids = ("0b0bb0a0-5c3e-4d6c-9d3e-2f9d3f0d8d6e", "1b0bb0a0-5c3e-4d6c-9d3e-2f9d3f0d8d6e")
        outcomes = [
            Outcome(each, each, "failed", each, (f"PUT /volume/v3/volumes/{each} 404 {{}}",))
            for each in ids
        ]
        found = causes(judge([*outcomes, GROUPS], Record(), None))
        expected = ["   2 PUT /volume/v3/volumes/ID 404 {}", "   1 GET /volume/v3/groups 404 {}"]
        self.assertEqual(found, expected)

    def test_table(self) -> None:
        """The table has a line for each suite, with its own numbers and the recorded one."""
        _, line = table([("Suite", 9, judge([*PASSED, GROUPS], RECORD, None))])
        self.assertEqual(line.split(), ["Suite", "4", "3", "1", "2", "2", "9"])


class RecordTests(SynchronousTestCase):
    """Tests of the records."""

    def test_renewed(self) -> None:
        """
        A new record keeps the reasons of what still does not pass, and leaves what is new
        unexplained.
        """
        new = RECORD.renewed(5, {"a.groups": "seen", "a.new": "seen"}, None)
        self.assertEqual(new.counted, 5)
        self.assertEqual(new.reasons, {"no groups": ["a.groups"], UNEXPLAINED: ["a.new"]})
        self.assertEqual(new.vacuous, RECORD.vacuous)
        self.assertEqual(RECORD.renewed(6, {}, ["a.one"]), Record(6, {}, ["a.one"]))

    def test_saved(self) -> None:
        """A saved record is loaded again; without a file, a record is empty."""
        self.patch(records, "PLACE", self.mktemp())
        self.assertEqual(records.load("suite"), Record())
        records.save("suite", RECORD)
        self.assertEqual(records.load("suite"), RECORD)

    def test_recorded(self) -> None:
        """Each suite has a record, in which every test that does not pass has one reason."""
        for suite in SUITES:
            record = records.load(suite.name)
            names = [name for some in record.reasons.values() for name in some]
            self.assertTrue(record.counted or names, suite.name)
            self.assertEqual(len(names), len(set(names)), suite.name)
            self.assertNotIn(UNEXPLAINED, record.reasons, suite.name)
            self.assertEqual(set(names) & set(record.vacuous), set(), suite.name)
