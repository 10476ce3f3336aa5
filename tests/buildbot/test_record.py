"""Tests of the recorded results: statements, badges, and the words of the pages that show them."""

from __future__ import annotations

import os
import re
import shutil
from unittest.mock import patch

import record
from certification import badge, machines
from twisted.trial.unittest import SynchronousTestCase

from tests.acceptance.cluster import SETUPS
from tests.openstack.progress import RigError
from tests.run import ROOT

BUILDERS = record.recordable()
#: The output of each part of a run of the acceptance tests.
OUTPUTS = [
    f"--- {part}\n...\n12 passed, 0 failed, 1 skipped\n"
    for part in (BUILDERS["acceptance"].certificate.whole)
]
STATEMENT = "2031-01-02: txstorage 0.1.0 (abc1234) against x\n  Python\n"


def content(*path: str) -> str:
    with open(os.path.join(ROOT, *path), encoding="utf-8") as opened:
        return opened.read()


class RecordedTests(SynchronousTestCase):
    """The recorded results in the README and docs/certification.rst."""

    def test_builders(self) -> None:
        """The functional tests and the acceptance tests have a recorded badge."""
        self.assertEqual({"functional", "acceptance"}, set(BUILDERS))

    def test_badge(self) -> None:
        """Each badge is its statement's, and refers to nothing outside."""
        for name, builder in BUILDERS.items():
            image = content("docs", badge.image_name(name))
            files = record.files_of(builder, content("docs", badge.text_name(name)))
            self.assertEqual(files[badge.image_name(name)], image)
            addresses = re.findall(r"[a-z]+://[^\s\"')<]+", image)
            self.assertEqual(["http://www.w3.org/2000/svg"], addresses)

    def test_words(self) -> None:
        """The words name the tests, the result, the day and the commit, on each page, too."""
        for name, builder in BUILDERS.items():
            statement = content("docs", badge.text_name(name))
            words = badge.words_of(builder.certificate.label, statement)
            shape = r": (not run|(passed|failed), \d{4}-\d\d-\d\d, [0-9a-f]{7,})"
            self.assertRegex(words, f"^{re.escape(builder.certificate.label)}{shape}$")
            for page in record.PAGES:
                shown = rf"{re.escape(badge.image_name(name))}\n   :alt: {re.escape(words)}\n"
                self.assertRegex(content(page), shown)

    def test_statement(self) -> None:
        """A statement gives the date, the commit, the system and the counts, or that none ran."""
        for name, builder in BUILDERS.items():
            said = content("docs", badge.text_name(name))
            if said != badge.NOT_RUN:
                against = re.escape(builder.certificate.against)
                first = rf"\d{{4}}-\d\d-\d\d: txstorage \S+ \([0-9a-f]{{7,}}\) against {against}"
                self.assertRegex(said, "^" + first)
                self.assertRegex(said, r"\n  \d+ passed, \d+ failed(, \d+ skipped)?\n$")


class BadgeTests(SynchronousTestCase):
    """The words and the colours of badges."""

    def test_passed(self) -> None:
        """A success shows the day and the commit, and is green; skipped tests do not change it."""
        for counts in ("  5 passed, 0 failed\n", "  15 passed, 0 failed, 2 skipped\n"):
            self.assertEqual("passed, 2031-01-02, abc1234", badge.result_of(STATEMENT + counts))
            self.assertIn("#4c1", badge.badge("x", STATEMENT + counts))

    def test_failed(self) -> None:
        """A failure, or a run without counts or passed tests, is never shown as passed."""
        failures = ("  5 passed, 1 failed", "  5 passed, 10 failed, 0 skipped", "", "passed")
        for counts in (*failures, "  0 passed, 0 failed, 9 skipped", "  05 passed, 0 failed"):
            statement = f"{STATEMENT}{counts}\n"
            self.assertEqual("failed, 2031-01-02, abc1234", badge.result_of(statement), counts)
            self.assertIn("#e05d44", badge.badge("x", statement))
        self.assertEqual("failed", badge.result_of("no run\n"))

    def test_not_run(self) -> None:
        """Without a recorded run, the badge says so, in grey."""
        self.assertEqual("x: not run", badge.words_of("x", badge.NOT_RUN))
        image = badge.badge("x", badge.NOT_RUN)
        self.assertIn("#9f9f9f", image)
        self.assertNotIn("passed", image)

    def test_pages(self) -> None:
        """Only the words of the named badge are replaced in a page."""
        page = ".. image:: docs/{}.svg\n   :alt: {}\n   :target: t\n"
        before = page.format("a", "old") + page.format("b", "old")
        after = page.format("a", r"new \1") + page.format("b", "old")
        self.assertEqual(after, badge.with_words(before, "a.svg", r"new \1"))


class OfBuildTests(SynchronousTestCase):
    """The statement of a build."""

    def test_certified(self) -> None:
        """The statement has the day of the build's end, in UTC, the certificate and the counts."""
        counts = {"passed": 5, "failed": 0, "skipped": 2}
        properties = {"tests_" + name: [number, "trial"] for name, number in counts.items()}
        properties["certified"] = ["txstorage 1 (abc1234) against x\n  y\n", "certified"]
        build = {"properties": properties, "complete_at": 1763942399, "state_string": ""}
        said = "2025-11-23: txstorage 1 (abc1234) against x\n  y\n  5 passed, 0 failed, 2 skipped\n"
        self.assertEqual(said, record.of_build(build))

    def test_not_certified(self) -> None:
        """A build that certifies nothing is not recorded; the error has the build's result."""
        build = {"properties": {}, "complete_at": 0, "state_string": "skipped: no root"}
        error = self.assertRaises(RigError, record.of_build, build)
        self.assertIn("skipped: no root", str(error))


class OfLogsTests(SynchronousTestCase):
    """The statement of a run by hand."""

    builder = BUILDERS["acceptance"]

    def test_parts(self) -> None:
        """The parts of the acceptance tests are the set-ups of agents."""
        self.assertEqual(list(SETUPS), list(machines.SETUPS))
        source = content("tests", "acceptance", "run.py")
        self.assertIn('say(f"Flocker\'s acceptance tests, agents: {setup}")', source)

    def test_counts(self) -> None:
        """The counts of the parts add up; of one output, the last line of counts is the run's."""
        summed = {"passed": 36, "failed": 0, "skipped": 3}
        self.assertEqual(summed, record.of_output(self.builder, OUTPUTS))
        whole = "".join(OUTPUTS) + "36 passed, 0 failed, 3 skipped\n"
        self.assertEqual(summed, record.of_output(self.builder, [whole]))

    def test_part(self) -> None:
        """Output without a part of the run, which the error names, is not recorded."""
        error = self.assertRaises(RigError, record.of_output, self.builder, OUTPUTS[:2])
        self.assertIn("agents: mixed", str(error))

    def test_cut(self) -> None:
        """Output that does not come to its line of counts is not recorded."""
        cut = [*OUTPUTS[:2], OUTPUTS[2].replace("12 passed", "passed")]
        self.assertRaises(RigError, record.of_output, self.builder, cut)

    def logs(self, time: float) -> list[str]:
        """:return: the paths of files with the output, which ended at a time."""
        paths = []
        for text in OUTPUTS:
            path = self.mktemp()
            with open(path, "w", encoding="utf-8") as opened:
                opened.write(text)
            os.utime(path, (time, time))
            paths.append(path)
        return paths

    def git(self, committed: str) -> None:
        """Pretend that the commit was made at a time."""
        replaced = patch.object(record, "output", lambda *_: committed)
        replaced.start()
        self.addCleanup(replaced.stop)

    def test_statement(self) -> None:
        """The statement has the day of the end, the commit that ran, and the counts."""
        self.git("1000")
        said = record.of_logs(self.builder, self.logs(86400), "HEAD")
        self.assertRegex(said, r"^1970-01-02: txstorage \S+ \([0-9a-f]+\) against Flocker's acc")
        self.assertTrue(said.endswith("\n  36 passed, 0 failed, 3 skipped\n"), said)

    def test_older_than_the_commit(self) -> None:
        """Output that ended before the commit was made is not that commit's."""
        self.git("1000")
        logs = self.logs(999)
        error = self.assertRaises(RigError, record.of_logs, self.builder, logs, "abc1234")
        self.assertIn("older than abc1234", str(error))

    def test_unknown_commit(self) -> None:
        """A commit that the repository lacks is not recorded."""
        logs = self.logs(86400)
        error = self.assertRaises(RigError, record.of_logs, self.builder, logs, "no-such")
        self.assertIn("no commit no-such", str(error))

    def test_written(self) -> None:
        """Recording writes the statement, the badge, and the words of both pages."""
        root = self.mktemp()
        os.makedirs(os.path.join(root, "docs"))
        for page in record.PAGES:
            shutil.copy(os.path.join(ROOT, page), os.path.join(root, page))
        statement = STATEMENT + "  5 passed, 1 failed, 0 skipped\n"
        record.write(self.builder, statement, root)
        words = "Flocker's acceptance tests: failed, 2031-01-02, abc1234"
        for name in ("docs/status-acceptance.svg", *record.PAGES):
            with open(os.path.join(root, name), encoding="utf-8") as opened:
                self.assertIn(words, opened.read())
        with open(os.path.join(root, "docs/status-acceptance.txt"), encoding="utf-8") as opened:
            self.assertEqual(statement, opened.read())
