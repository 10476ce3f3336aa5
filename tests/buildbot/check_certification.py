"""
Tests of a running Buildbot: its builds, and their results for programs and for people.

``make test-buildbot`` starts it.  The first test that needs a build starts all builds at once.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess

import record
from certification.badge import image_name, text_name
from certification.plan import builders
from certification.schedulers import LOOK, STABLE, scheduler_name
from certification.settings import Settings
from installation import Installation, surroundings
from rest import Rest
from twisted.trial.unittest import SkipTest, SynchronousTestCase
from worker.needs import missing

from tests.documents.blocks import of_suite
from tests.documents.output import Learned
from tests.openstack.progress import until
from tests.run import ROOT

from . import browser, scratch

#: The unit tests that the build runs.
UNIT = (
    "tests.driver.lifecycle.test_volumes",
    "tests.driver.test_create",
    "tests._http.test_client",
    "tests.driver.test_labels",
)
#: The tests of nodes that the build of the Docker plugin runs.
MACHINES = ("tests.nodes.check_nodes",)
#: The module in which a test is broken.
MODULE = "tests.driver.test_labels"
BROKEN = "broken"
#: A branch for the commit; of all the builds that it starts, one is kept.
CHANGED, KEPT = "changed", "lint"
#: The least number of functional tests, many of which come from a suite.
FUNCTIONAL = 150
#: Seconds, for all builds, and until a change is noticed.
PATIENCE, NOTICED = 1800, 3 * (LOOK + STABLE)

#: Set to record this run's pictures and texts for the documentation.
RECORD = "TXSTORAGE_RECORD"
PAGE = "docs/certification.rst"

SUCCESS, FAILURE, SKIPPED = 0, 2, 3


class Certification:
    """A running Buildbot, and the builds that were started on it."""

    def __init__(self) -> None:
        directory = os.environ.get("TXSTORAGE_BUILDBOT")
        if directory is None:
            raise SkipTest("TXSTORAGE_BUILDBOT names no Buildbot; see make test-buildbot")
        self.settings = Settings.load(directory)
        self.rest = Rest(self.settings.url)
        self.unit = "python-" + self.settings.version
        self._begun = False
        self._requests: dict[str, int] = {}
        self._builds: dict[str, dict] = {}
        self._built_by_change: list[str] | None = None

    def begin(self) -> None:
        """Start the builds; those of one builder run in this order."""
        self._begun = True
        self.force("lint")
        self.force(self.unit, tests=" ".join(UNIT))
        self.force("functional")
        for builder in ("flocker", "acceptance", "guests", "ec2"):
            self.force(builder)
        self.force("docker", tests=" ".join(MACHINES))

    def force(self, builder: str, key: str = "", **properties: str) -> None:
        request = self.rest.force(builder, scheduler_name(builder), **properties)
        self._requests[key or builder] = request

    def build(self, key: str) -> dict:
        """:return: one of the builds, once it is complete."""
        if not self._begun:
            self.begin()
        if key == BROKEN and key not in self._requests:
            self.build(self.unit)  # its badge is looked at first
            self.broken_test = scratch.break_test(self.settings.repository, MODULE, BROKEN)
            self.force(self.unit, BROKEN, branch=BROKEN, tests=MODULE)
        if key == CHANGED and key not in self._requests:
            self.change()
        if key not in self._builds:
            until(key + " is built", lambda: self._is_complete(key), PATIENCE, interval=1)
        return self._builds[key]

    def change(self) -> list[str]:
        """
        Commit a change, and cancel all of its builds but one.

        :return: the names of the builders that were to build it.
        """
        if self._built_by_change is None:
            scratch.change(self.settings.repository, CHANGED)
            noticed = self.rest.requests_of
            until("a change is noticed", lambda: bool(noticed(CHANGED)), NOTICED, interval=1)
            self._built_by_change = sorted(noticed(CHANGED))
            for builder, request in noticed(CHANGED).items():
                if builder != KEPT:
                    self.rest.cancel(request)
            self._requests[CHANGED] = noticed(CHANGED)[KEPT]
        return self._built_by_change

    def _is_complete(self, key: str) -> bool:
        build = self.rest.build(self._requests[key])
        if build is not None:
            self._builds[key] = build
        return build is not None

    def picture(self, name: str) -> str:
        """:return: the path of a file that the documentation shows, when it is recorded."""
        if os.environ.get(RECORD):
            return os.path.join(ROOT, "docs", name)
        return self.settings.path(name)

    def page(self, build: dict) -> str:
        """:return: the address of a build's page."""
        return "{}#/builders/{builderid}/builds/{number}".format(self.rest.url, **build)


_running: list[Certification] = []


def tests_in(modules: tuple[str, ...]) -> int:
    """:return: the number of tests defined in some modules."""
    number = 0
    for module in modules:
        with open(os.path.join(ROOT, *module.split(".")) + ".py", encoding="utf-8") as source:
            tree = ast.parse(source.read())
        functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
        number += sum(function.name.startswith("test_") for function in functions)
    return number


class CertificationTestCase(SynchronousTestCase):
    """Base: a Buildbot, its builds and its pages."""

    def setUp(self) -> None:
        if not _running:
            _running.append(Certification())
        self.bot = _running[0]

    def build_of(self, key: str, results: int) -> dict:
        """:return: a build that ended as expected."""
        build = self.bot.build(key)
        self.assertEqual(results, build["results"], self.story(build))
        return build

    def story(self, build: dict) -> str:
        """:return: a description of a build that ended differently."""
        said = [build["state_string"]]
        for step in self.bot.rest.steps(build).values():
            said.append("{name}: {state_string}".format(**step))
            if step["results"] not in (SUCCESS, SKIPPED, None):
                said += self.bot.rest.log(step, "stdio").splitlines()[-40:]
        return "\n".join(said)

    def counted(self, build: dict) -> tuple[int, int]:
        """:return: the numbers of tests that passed and that failed."""
        return tuple(build["properties"]["tests_" + o][0] for o in ("passed", "failed"))


class BuildsTests(CertificationTestCase):
    """Builds that were started by hand, through the REST API."""

    def test_lint(self) -> None:
        """The build of this checkout's lint succeeds."""
        self.build_of("lint", SUCCESS)

    def test_unit(self) -> None:
        """The build counts as many passed unit tests as the requested modules define."""
        build = self.build_of(self.bot.unit, SUCCESS)
        passed, failed = self.counted(build)
        self.assertGreaterEqual(passed, tests_in(UNIT))
        self.assertEqual(0, failed)
        said = f"{passed} passed, 0 failed"
        self.assertIn(said, self.bot.rest.steps(build)["trial"]["state_string"])
        self.assertIn(said, build["state_string"])

    def test_named_tests_do_not_certify(self) -> None:
        """A build of only some tests certifies nothing."""
        self.assertNotIn("certified", self.bot.build(self.bot.unit)["properties"])

    def test_functional(self) -> None:
        """The functional tests pass on loop devices, and the build certifies that."""
        build = self.build_of("functional", SUCCESS)
        passed, failed = self.counted(build)
        self.assertGreater(passed, FUNCTIONAL)
        self.assertEqual(0, failed)
        statement = build["properties"]["certified"][0]
        self.assertIn("against the embedded service with loop devices", statement)
        self.assertIn("Twisted", statement)

    def test_skipped(self) -> None:
        """A build without its requirements is skipped, with the reason, and is not a success."""
        if os.environ.get("FLOCKER_PYTHON"):
            raise SkipTest("FLOCKER_PYTHON is set, and Flocker's builders have all that they need")
        for builder in ("flocker", "acceptance"):
            build = self.build_of(builder, SKIPPED)
            self.assertIn("skipped: no Flocker at hand", build["state_string"])

    def test_not_in_this_commit(self) -> None:
        """A build whose tests the commit lacks is skipped; with them, it succeeds."""
        for row in builders(self.bot.settings.version):
            absent = missing([need for need in row.needs if need.startswith(("module", "target"))])
            if absent:
                build = self.build_of(row.name, SKIPPED)
                self.assertEqual("skipped: " + "; ".join(absent), build["state_string"])
            elif row.name == "ec2":
                self.build_of(row.name, SUCCESS)

    def test_machines(self) -> None:
        """Nodes boot, reboot and are powered off in a build, which certifies nothing by itself."""
        build = self.build_of("docker", SUCCESS)
        passed, failed = self.counted(build)
        self.assertGreaterEqual(passed, tests_in(MACHINES))
        self.assertEqual(0, failed)
        self.assertNotIn("certified", build["properties"])

    def test_one_at_a_time(self) -> None:
        """The tests of builds that hold the same lock do not overlap."""
        builds = [self.bot.build(key) for key in ("functional", "docker", self.bot.unit)]
        # a build may begin, and then wait for its locks: the tests are what must not meet
        steps = [self.bot.rest.steps(build)["trial"] for build in builds]
        periods = sorted((step["started_at"], step["complete_at"]) for step in steps)
        for (_, end), (begin, _) in zip(periods, periods[1:]):
            self.assertLessEqual(end, begin)

    def test_a_broken_test(self) -> None:
        """A broken test fails the build, which names the test."""
        build = self.build_of(BROKEN, FAILURE)
        name = self.bot.broken_test
        self.assertEqual(1, self.counted(build)[1])
        self.assertIn("1 failed", build["state_string"])
        self.assertIn(name, build["state_string"])
        trial = self.bot.rest.steps(build)["trial"]
        self.assertEqual([name], self.bot.rest.log(trial, "failed").split())

    def test_names_only(self) -> None:
        """A request with anything but names of tests is refused."""
        self.bot.build("lint")
        self.assertRaises(
            OSError, self.bot.rest.force, "functional", "by-hand-functional", tests="-x"
        )


class ChangesTests(CertificationTestCase):
    """Builds of what was committed."""

    def test_every_change(self) -> None:
        """Soon after a commit, each builder for changes builds it."""
        rows = builders(self.bot.settings.version)
        self.assertEqual(sorted(row.name for row in rows if row.at_changes), self.bot.change())


class SecretsTests(CertificationTestCase):
    """Secrets stay out of logs."""

    def test_worker_password(self) -> None:
        """The worker's password is in no log, of the master or the worker."""
        password = self.bot.settings.secret("worker-password")
        for name in ("master", "worker", "buildbot"):
            with open(self.bot.settings.path("log", name + ".log")) as log:
                self.assertNotIn(password, log.read())


class BadgeTests(CertificationTestCase):
    """The status images."""

    def image(self, builder: str) -> str:
        """:return: a builder's badge, as served."""
        return self.bot.rest.fetch(f"plugins/badges/{builder}.svg")

    def badge(self, builder: str) -> list[str]:
        """:return: the texts of a builder's badge, each once."""
        image = self.image(builder)
        return list(dict.fromkeys(re.findall(r">\s*([^<>\s][^<>]*?)\s*</text>", image)))

    def test_success(self) -> None:
        """The badge of a successful build shows success."""
        for builder in ("lint", "functional"):
            self.build_of(builder, SUCCESS)
            self.assertEqual(["txstorage", "success"], self.badge(builder))

    def test_recorded(self) -> None:
        """
        The badge and the statement can be shown without a Buildbot: they name the day and the
        commit, and reveal nothing of this machine.
        """
        build = self.build_of("functional", SUCCESS)
        statement = record.of_build(build)
        builder = record.recordable()["functional"]
        files = record.files_of(builder, statement)
        self.assertEqual({text_name("functional"), image_name("functional")}, set(files))
        self.assertIn(f">passed, {statement[:10]}, ", files[image_name("functional")])
        for text in files.values():
            for place in (ROOT, "127.0.0.1", "localhost", os.uname().nodename):
                self.assertNotIn(place, text)
        if os.environ.get(RECORD):
            self.assertIn(scratch.git("-C", ROOT, "rev-parse", "--short", "HEAD"), statement)
            record.write(builder, statement)

    def test_then_failure(self) -> None:
        """After a failure, the badge shows the failure."""
        self.build_of(BROKEN, FAILURE)
        self.assertEqual(["txstorage", "failure"], self.badge(self.bot.unit))


class PageTests(CertificationTestCase):
    """The pages in a browser."""

    def shown(self, url: str, *expected: str, picture: str | None = None) -> None:
        """Each text is in a page, or in a document that the page refers to."""
        page = browser.opened(url, *expected, picture=picture)
        for each in expected:
            self.assertIn(each, page + browser.text_of(page))

    def test_build(self) -> None:
        """A build's page shows its steps, with their counts and the certification."""
        build = self.bot.build("functional")
        passed = f"{self.counted(build)[0]} passed, 0 failed"
        certified = "against the embedded service with loop devices"
        picture = self.bot.picture("buildbot.png")
        self.shown(self.bot.page(build), passed, certified, "SUCCESS", picture=picture)

    def test_broken_build(self) -> None:
        """A failed build's page names the test."""
        self.shown(self.bot.page(self.bot.build(BROKEN)), self.bot.broken_test, "FAILURE")

    def test_finished_builds(self) -> None:
        """The first page shows the finished builds, with their results and a link to each."""
        builds = [self.bot.build(key) for key in ("lint", "functional", BROKEN)]
        links = ["#/builders/{builderid}/builds/{number}".format(**build) for build in builds]
        results = [build["state_string"] for build in builds]
        self.shown(self.bot.rest.url, *links, *results)

    def test_views(self) -> None:
        """The grid and the console show a commit, with a link to its build."""
        build = self.build_of(CHANGED, SUCCESS)
        link = "/builders/{builderid}/builds/{number}".format(**build)
        for view in ("grid", "console"):
            self.shown(self.bot.rest.url + "#/" + view, "Change nothing", link)


class DocumentTests(CertificationTestCase):
    """docs/certification.rst."""

    def typed(self, command: str) -> str:
        """:return: the output of a command, which succeeds."""
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=ROOT,
            # with another Python, make would replace the environment that runs this
            env=dict(surroundings(os.environ), PYTHON=self.bot.settings.python),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
        )
        self.assertEqual(0, done.returncode, done.stdout)
        return done.stdout

    def test_followed(self) -> None:
        """
        The page's commands print the shown output; the REST query goes to this Buildbot, since the
        page's
        own one built nothing.
        """
        installation = Installation()
        if installation.is_up():
            raise SkipTest("make buildbot is up, and who started it would miss it")
        self.build_of("functional", SUCCESS)
        [page] = of_suite("buildbot")
        self.assertEqual(PAGE, page)
        self.addCleanup(installation.stop)
        learned = Learned()
        port = f":{self.bot.settings.web_port}/"
        for block in of_suite("buildbot")[page]:
            for command, shown in block.commands:
                if command.startswith("curl"):
                    command = re.sub(r":\d+/", port, command)
                came = self.typed(learned.typed(command))
                self.assertTrue(learned.matches(shown, came), command + "\n" + came)
