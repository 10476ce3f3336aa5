"""
The steps that Buildbot has not: whether a build can be done here, trial with its
counts, and what a success certifies.
"""

from __future__ import annotations

from buildbot.process.build import Build
from buildbot.process.buildstep import BuildStep, ShellMixin
from buildbot.process.logobserver import LogLineObserver
from buildbot.process.results import FAILURE, SKIPPED, SUCCESS
from twisted.internet.defer import inlineCallbacks

from .counts import Counted

#: The property that says why a build is skipped.
MISSING = "missing"

#: What a command is stopped with, so that it clears up: a service, devices.
GENTLY = {"interruptSignal": "TERM", "sigtermTime": 120}


def possible(step: BuildStep) -> bool:
    """:return: whether all is there that the build needs."""
    return not step.getProperty(MISSING)


def complete(step: BuildStep) -> bool:
    """:return: whether the build ran all tests, not some that were named."""
    return possible(step) and not step.getProperty("tests")


class CertifyingBuild(Build):
    """A build that is not successful when it was skipped."""

    def allStepsDone(self):
        """Run the command; Buildbot calls this method."""
        missing = self.getProperty(MISSING, None)
        if missing and self.results == SUCCESS:
            self.results = SKIPPED
            return self.buildFinished(["skipped:", missing], SKIPPED)
        return super().allStepsDone()


class _Command(ShellMixin, BuildStep):
    """A command whose environment is not shown, and that is not killed at once."""

    def __init__(self, **options):
        options = {"logEnviron": False, **GENTLY, **options}
        super().__init__(**self.setupShellMixin(options))
        self.said = ""

    def getResultSummary(self):
        """Run the command; Buildbot calls this method."""
        return {"step": self.said} if self.said else super().getResultSummary()


class Needs(_Command):
    """
    Look for what a build needs, and let the rest be skipped if something is missing.

    :param here: what is missing already as far as the master knows.
    """

    name = "needs"
    haltOnFailure = True

    def __init__(self, here=(), **options):
        super().__init__(**options)
        self._here = list(here)

    @inlineCallbacks
    def run(self):
        """Run the command; Buildbot calls this method."""
        command = yield self.makeRemoteShellCommand(collectStdout=True)
        yield self.runCommand(command)
        missing = self._here + command.stdout.splitlines()
        if command.results() != SUCCESS or not missing:
            self.said = "nothing is missing" if not missing else ""
            return command.results()
        self.said = "; ".join(missing)
        self.setProperty(MISSING, self.said, self.name)
        return SKIPPED


class TrialObserver(LogLineObserver):
    """
    Counts tests while they run: the one observer of all steps that run trial.
    """

    def __init__(self):
        super().__init__()
        self.counted = Counted()

    def outLineReceived(self, line):
        """Run the command; Buildbot calls this method."""
        self.counted.line(line)
        self.step.setProgress("tests", self.counted.ended)


class Trial(_Command):
    """
    A command that runs trial, once or more.

    It succeeds when the command does and at least one test passed.  The counts
    are its summary, its statistics, and the properties ``tests_passed``,
    ``tests_failed`` and ``tests_skipped``; the names of what failed are a log.
    """

    name = "trial"
    progressMetrics = (*BuildStep.progressMetrics, "tests")

    def __init__(self, **options):
        super().__init__(**options)
        self.observer = TrialObserver()
        self.addLogObserver("stdio", self.observer)

    @inlineCallbacks
    def run(self):
        """Run the command; Buildbot calls this method."""
        command = yield self.makeRemoteShellCommand()
        yield self.runCommand(command)
        yield from self._show_counts()
        if command.results() == SUCCESS and not self.observer.counted.plausible():
            return FAILURE
        return command.results()

    def _show_counts(self):
        counted = self.observer.counted
        self.said = str(counted)
        for outcome, number in counted.counts.items():
            self.setStatistic(outcome, number)
            self.setProperty("tests_" + outcome, number, self.name)
        if counted.failed:
            yield self.addCompleteLog("failed", "\n".join(counted.failed) + "\n")

    def getBuildResultSummary(self):
        """Show the counts with the build; Buildbot calls this method."""
        return {"step": self.said, "build": self.said}


class Statement(_Command):
    """State what this build certifies the driver against."""

    name = "certified"

    @inlineCallbacks
    def run(self):
        """Run the command; Buildbot calls this method."""
        command = yield self.makeRemoteShellCommand(collectStdout=True)
        yield self.runCommand(command)
        if command.results() == SUCCESS and command.stdout:
            self.said = command.stdout.splitlines()[0]
            self.setProperty("certified", command.stdout, self.name)
        return command.results()
