"""
Tests of the parts made for Buildbot, with Buildbot's own doubles of its worker and its master.
``make test-buildbot`` runs them in Buildbot's environment.
"""

from __future__ import annotations

import os
import warnings
from typing import Any

from buildbot.locks import WorkerLock
from buildbot.process.results import FAILURE, SKIPPED, SUCCESS
from buildbot.test.reactor import TestReactorMixin
from buildbot.test.steps import ExpectShell, TestBuildStepMixin
from certification.builder import LOCKS, SECRET
from certification.builders import configs
from certification.configuration import configured
from certification.plan import builders
from certification.schedulers import TESTS, all_of_them, asked_for
from certification.settings import CLOUD_PASSWORD, WORKER_PASSWORD, Settings
from certification.steps import MISSING, CertifyingBuild, Needs, Statement, Trial
from twisted.internet.defer import inlineCallbacks
from twisted.trial.unittest import SynchronousTestCase, TestCase

# Buildbot's doubles turn its libraries' warnings about each other into errors
warnings.filterwarnings("ignore")

PASSED = """\
tests.test_x
  T
    test_a ...                                                             [OK]

{rule}
Ran 1 tests in 0.003s

PASSED (successes=1)
""".format(rule="-" * 79)
FAILED = """\
    test_a ...                                                           [FAIL]

{double}
[FAIL]
Traceback (most recent call last):
twisted.trial.unittest.FailTest: no

tests.test_x.T.test_a
{rule}
Ran 1 tests in 0.003s

FAILED (failures=1)
""".format(rule="-" * 79, double="=" * 79)


class StepsTests(TestBuildStepMixin, TestReactorMixin, TestCase):
    """Steps, run against a double of the worker."""

    def setUp(self) -> Any:
        self.setup_test_reactor()
        return self.setup_test_build_step()

    def prepare(self, step: Any, output: str, status: int) -> None:
        self.setup_step(step)
        self.get_nth_step(0).command = ["x"]
        shell = ExpectShell(workdir="wkdir", command=["x"], log_environ=False)
        shell.args.update(interruptSignal="TERM", sigtermTime=120)
        self.expect_commands(shell.stdout(output).exit(status))

    @inlineCallbacks
    def test_passed(self) -> Any:
        """The counts are the summary, statistics and properties."""
        self.prepare(Trial(command=["x"]), PASSED, 0)
        said = "1 passed, 0 failed, 0 skipped"
        self.expect_outcome(result=SUCCESS, state_string=said)
        self.expect_property("tests_passed", 1)
        self.expect_property("tests_failed", 0)
        yield self.run_step()
        self.assertEqual(1, self.get_nth_step(0).getStatistic("passed"))
        self.assertEqual(said, self.get_nth_step(0).getBuildResultSummary()["build"])

    def test_failed(self) -> Any:
        """Failed tests are named in the summary and in a log."""
        self.prepare(Trial(command=["x"]), FAILED, 1)
        name = "tests.test_x.T.test_a"
        said = "0 passed, 1 failed, 0 skipped: " + name
        self.expect_outcome(result=FAILURE, state_string=said)
        self.expect_log_file("failed", name + "\n")
        return self.run_step()

    def test_no_tests(self) -> Any:
        """A command that succeeds without a passed test has failed."""
        self.prepare(Trial(command=["x"]), "0 passed, 0 failed, 0 skipped\n", 0)
        self.expect_outcome(result=FAILURE, state_string="no tests ran to their end")
        return self.run_step()

    def test_failed_without_tests(self) -> Any:
        """A failing command counts as failed, regardless of the tests' results."""
        self.prepare(Trial(command=["x"]), PASSED, 1)
        self.expect_outcome(result=FAILURE)
        return self.run_step()

    def test_nothing_missing(self) -> Any:
        """With all requirements there, the build continues."""
        self.prepare(Needs(command=["x"]), "", 0)
        self.expect_outcome(result=SUCCESS, state_string="nothing is missing")
        self.expect_no_property(MISSING)
        return self.run_step()

    def test_missing(self) -> Any:
        """A missing requirement, of the worker or of the master, is the reason of the skip."""
        self.prepare(Needs(here=["no secret"], command=["x"]), "no root\nno Python\n", 0)
        said = "no secret; no root; no Python"
        self.expect_outcome(result=SKIPPED, state_string=said)
        self.expect_property(MISSING, said)
        return self.run_step()

    def test_needs_broken(self) -> Any:
        """A failing check of the requirements is a failure."""
        self.prepare(Needs(command=["x"]), "Traceback\n", 1)
        self.expect_outcome(result=FAILURE)
        self.expect_no_property(MISSING)
        return self.run_step()

    def test_statement(self) -> Any:
        """The whole statement is a property; its first line is shown."""
        self.prepare(Statement(command=["x"]), "against x\n  with y\n", 0)
        self.expect_outcome(result=SUCCESS, state_string="against x")
        self.expect_property("certified", "against x\n  with y\n")
        return self.run_step()


class SkippedBuildTests(SynchronousTestCase):
    """The result of a build with skipped steps."""

    def ended(self, missing: str, results: int) -> tuple:
        class Build(CertifyingBuild):
            text: list[str] = []
            stopped_reason = None

            def __init__(self) -> None:
                self.results = results

            def getProperty(self, name: str, default: Any = None) -> Any:
                return {MISSING: missing}[name]

            def buildFinished(self, text: list[str], results: int) -> tuple:
                return " ".join(text), results

        return Build().allStepsDone()

    def test_skipped(self) -> None:
        """A build without its requirements is skipped, with the reason, and is not a success."""
        self.assertEqual(("skipped: no root", SKIPPED), self.ended("no root", SUCCESS))

    def test_not_skipped(self) -> None:
        """Other builds end as usual, also one that failed before it was skipped."""
        self.assertEqual(("build successful", SUCCESS), self.ended("", SUCCESS))
        self.assertEqual(("failed", FAILURE), self.ended("no root", FAILURE))


class ConfigurationTests(TestCase):
    """The master's configuration."""

    def setUp(self) -> None:
        directory = os.path.abspath(self.mktemp())
        self.settings = Settings(directory, "/src", "main", "/python", "3.11", 1, 2)
        os.makedirs(self.settings.secrets)
        self.write_secret(WORKER_PASSWORD, "hush-hush")

    def write_secret(self, name: str, value: str) -> None:
        with open(os.path.join(self.settings.secrets, name), "w") as secret:
            os.fchmod(secret.fileno(), 0o600)
            secret.write(value)

    def test_locks_are_shared(self) -> None:
        """All builders that need loop devices, or nodes, hold the same lock, each alone."""
        rows = {row.name: row for row in builders("3.11")}
        found: dict[str, set[int]] = {}
        for config in configs(self.settings):
            names = [access.lockid.name for access in config.locks]
            self.assertEqual(list(rows[config.name].locks), names)
            self.assertLessEqual({access.mode for access in config.locks}, {"exclusive"})
            for access in config.locks:
                found.setdefault(access.lockid.name, set()).add(id(access.lockid))
        self.assertEqual(set(LOCKS), set(found))
        self.assertEqual([1] * len(LOCKS), [len(locks) for locks in found.values()])

    def test_locks_are_of_a_worker(self) -> None:
        """A lock is a worker's, so that two workers can each boot machines at the same time."""
        for config in configs(self.settings):
            for access in config.locks:
                self.assertIsInstance(access.lockid, WorkerLock)

    def test_secrets(self) -> None:
        """The configuration holds the names of secrets, not their values."""
        self.write_secret(CLOUD_PASSWORD, "hush-hush")
        self.assertNotIn("hush-hush", repr(configured(self.settings)))

    def test_missing_secret(self) -> None:
        """Without a builder's secret, the step names the place for it."""
        [needs] = self.arguments_of("cloud", Needs)["here"]
        self.assertIn(self.settings.path("secrets", CLOUD_PASSWORD), needs)
        self.write_secret(CLOUD_PASSWORD, "x")
        self.assertEqual([], self.arguments_of("cloud", Needs)["here"])

    def test_secret_is_in_the_environment(self) -> None:
        """Only an existing secret is looked up, also for a step that is skipped."""
        self.assertNotIn(SECRET, self.arguments_of("cloud", Trial)["env"])
        self.write_secret(CLOUD_PASSWORD, "x")
        self.assertIn(SECRET, self.arguments_of("cloud", Trial)["env"])

    def arguments_of(self, name: str, step: type) -> dict:
        [config] = [each for each in configs(self.settings) if each.name == name]
        [made] = [each for each in config.factory.steps if each.step_class is step]
        return made.kwargs

    def test_loopback_only(self) -> None:
        """The pages and the worker's port are reachable from this machine only."""
        made = configured(self.settings)
        self.assertEqual("tcp:1:interface=127.0.0.1", made["www"]["port"])
        self.assertEqual("tcp:2:interface=127.0.0.1", made["protocols"]["pb"]["port"])

    def test_schedulers(self) -> None:
        """Builders that need minutes of a cloud run at night, quick builders at every change."""
        made = {each.name: each for each in all_of_them(self.settings)}
        changed = made["every-change"].builderNames
        self.assertIn("functional", changed)
        self.assertNotIn("openstack", changed)
        self.assertIn("openstack", made["nightly"].builderNames)
        self.assertNotIn("cloud", made["nightly"].builderNames)
        self.assertEqual(["cloud"], made["by-hand-cloud"].builderNames)

    def test_names_by_hand(self) -> None:
        """Only builders whose command takes names of tests ask for them."""
        for builder in builders("3.11"):
            fields = [each.name for each in asked_for(builder)]
            self.assertEqual(builder.takes_names, "tests" in fields, builder.name)
            self.assertLessEqual({each.name for each in builder.parameters}, set(fields))

    def test_tests_are_names(self) -> None:
        """A request by hand takes names of tests; nothing else gets into a command."""
        for good in ("", "tests", "tests.test_x.T.test_y", "tests.a  tests.b"):
            self.assertRegex(good, TESTS)
        for bad in ("--help", "tests --help", "tests; true", "$(true)", "/etc/passwd", "a\nb"):
            self.assertNotRegex(bad, TESTS)
