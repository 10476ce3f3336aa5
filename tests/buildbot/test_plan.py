"""Tests of the plan of builds: its rows, their locks, and the matrix of what they certify."""

from __future__ import annotations

import os
from importlib import import_module

from certification import matrix, plan
from certification.builder import LOCKS, LOOP_DEVICES, NODES
from twisted.trial.unittest import SynchronousTestCase
from worker import needs

from tests.run import ROOT, VERSIONS_3

BUILDERS = {builder.name: builder for builder in plan.builders("3.11")}
CERTIFYING = {name: row.certificate for name, row in BUILDERS.items() if row.certificate}


class PlanTests(SynchronousTestCase):
    """The rows of the plan."""

    def test_versions(self) -> None:
        """All tests run on 2.7 and on each supported Python 3."""
        self.assertEqual(["2.7", *VERSIONS_3], list(plan.VERSIONS))
        self.assertLessEqual({"python-" + version for version in plan.VERSIONS}, set(BUILDERS))

    def test_changed_versions(self) -> None:
        """A change is tested on 2.7, on the oldest Python 3 and on the newest."""
        self.assertEqual(("2.7", VERSIONS_3[0], VERSIONS_3[-1]), plan.CHANGED_VERSIONS)

    def test_names(self) -> None:
        """No two builders have the same name."""
        self.assertEqual(len(plan.builders("3.11")), len(BUILDERS))

    def test_secret(self) -> None:
        """Only builders that declare a secret get one, and only by hand."""
        with_secret = [builder for builder in BUILDERS.values() if builder.secret]
        self.assertEqual([BUILDERS["cloud"]], with_secret)
        self.assertFalse(BUILDERS["cloud"].at_changes or BUILDERS["cloud"].at_night)

    def test_parameters(self) -> None:
        """No parameter has the name of one of Buildbot's own."""
        names = {parameter.name for row in BUILDERS.values() for parameter in row.parameters}
        theirs = {"username", "reason", "priority", "owner", "branch", "revision", "tests"}
        self.assertEqual(set(), names & theirs)

    def test_machines_are_slow(self) -> None:
        """Builders that boot machines run at night, not at every change."""
        for builder in BUILDERS.values():
            if NODES in builder.locks:
                self.assertFalse(builder.at_changes, builder.name)
                self.assertTrue(builder.at_night, builder.name)


class LocksTests(SynchronousTestCase):
    """The locks of a worker's loop devices, ports and machines."""

    def test_known(self) -> None:
        """Each lock of a builder exists, and each lock is used."""
        self.assertEqual(set(LOCKS), {lock for row in BUILDERS.values() for lock in row.locks})

    def test_tests_never_meet(self) -> None:
        """Builders of tests with loop devices hold their lock."""
        for builder in BUILDERS.values():
            if builder.tests:
                self.assertIn(LOOP_DEVICES, builder.locks, builder.name)

    def test_machines_never_meet(self) -> None:
        """The builders that boot machines hold the lock of nodes, and no other builder does."""
        found = {row.name for row in BUILDERS.values() if NODES in row.locks}
        self.assertEqual({"acceptance", "docker", "guests"}, found)


class NeedsTests(SynchronousTestCase):
    """The requirements of builders, and the existence of the tests that they run."""

    def test_known(self) -> None:
        """Each requirement of a builder is one that can be checked."""
        for builder in BUILDERS.values():
            for need in builder.needs:
                self.assertIn(need.split()[0], needs.NEEDS)

    def test_flocker(self) -> None:
        """Only the builders of Flocker's own tests require a Flocker."""
        found = {row.name for row in BUILDERS.values() if "flocker" in row.needs}
        self.assertEqual({"acceptance", "flocker"}, found)

    def test_scripts_exist(self) -> None:
        """The files, modules and targets that commands name exist, or are required."""
        for builder in BUILDERS.values():
            for part in builder.command:
                if part.endswith(".py"):
                    self.assertTrue(os.path.exists(os.path.join(ROOT, part)), part)
            if builder.command[0] == "make":
                self.exists(builder, "target " + builder.command[-1])
            for module in builder.selection:
                if self.exists(builder, "module " + module):
                    import_module(module)

    def exists(self, builder: plan.Builder, need: str) -> bool:
        """:return: whether this commit has something that a builder runs; else it requires it."""
        absent = needs.missing([need])
        self.assertTrue(not absent or need in builder.needs, (builder.name, absent))
        return not absent

    def test_ec2(self) -> None:
        """The EC2 builder requires each of its modules, so that it never certifies a part."""
        builder = BUILDERS["ec2"]
        modules = {need.split()[1] for need in builder.needs if need.startswith("module ")}
        self.assertEqual(set(plan.EC2_TESTS), modules)
        self.assertEqual(plan.EC2_TESTS, builder.selection)

    def test_names_of_tests(self) -> None:
        """No names of tests are appended to a target of make."""
        for builder in BUILDERS.values():
            self.assertFalse(builder.takes_names and builder.command[0] == "make", builder.name)


class MatrixTests(SynchronousTestCase):
    """The matrix of the parts and the systems."""

    def test_every_certificate(self) -> None:
        """Each certifying builder is in the cells of its parts and its system, and in no other."""
        found = {
            (name, part, system)
            for part, cells in matrix.rows(BUILDERS.values())
            for system, names in zip(matrix.SYSTEMS, cells)
            for name in names
        }
        expected = {
            (name, part, each.system) for name, each in CERTIFYING.items() for part in each.parts
        }
        self.assertEqual(expected, found)

    def test_known(self) -> None:
        """Each part and each system is certified by some builder."""
        parts = {part for each in CERTIFYING.values() for part in each.parts}
        self.assertEqual(set(matrix.PARTS), parts)
        self.assertEqual(set(matrix.SYSTEMS), {each.system for each in CERTIFYING.values()})

    def test_lint(self) -> None:
        """A build without tests certifies nothing."""
        for name in CERTIFYING:
            self.assertTrue(BUILDERS[name].tests, name)
