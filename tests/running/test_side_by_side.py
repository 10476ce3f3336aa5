"""Tests of several Pythons' tests side by side, as ``make test`` runs them."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from typing import Any, Callable

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests import progress, run
from tests import side_by_side as together
from tests.run import jobs
from tests.side_by_side import Processes, Turns, side_by_side

#: The jobs of the running Python.
OWN = ["3, part 1", "3, part 2"]
#: The arguments of a job.
Show = Callable[[str], None]


def counts(**some: int) -> dict[str, int]:
    return dict({"passed": 0, "failed": 0, "skipped": 0}, **some)


class Printed(SynchronousTestCase):
    """Base: keeps the printed lines."""

    def setUp(self) -> None:
        self.lines: list[str] = []
        self.patch(together, "show", self.lines.append)
        self.patch(together, "say", lambda text: self.lines.append("--- " + text))


class TurnsTests(Printed):
    """``Turns``."""

    def test_first_as_it_comes(self) -> None:
        """The first job's lines are shown at once, the others' when the first has ended."""
        turns = Turns(3)
        turns.show(1, "second\n")
        turns.show(0, "first\n")
        self.assertEqual(["first\n"], self.lines)
        turns.end(0, "0 ended")
        self.assertEqual(["first\n", "--- 0 ended", "second\n"], self.lines)
        turns.show(1, "continues\n")
        turns.show(2, "third\n")
        self.assertEqual("continues\n", self.lines[-1])

    def test_ended_before_its_turn(self) -> None:
        """The end of a job is reported at once, and its output shown whole when it is its turn."""
        turns = Turns(3)
        for line in "ab":
            turns.show(2, line)
            turns.show(1, line.upper())
        turns.end(1, "1 ended")
        self.assertEqual(["--- 1 ended"], self.lines)
        turns.end(0, "0 ended")
        self.assertEqual(["--- 1 ended", "--- 0 ended", "AB", "ab"], self.lines)
        turns.end(2, "2 ended")
        self.assertEqual("--- 2 ended", self.lines[4])


class SideBySideTests(Printed):
    """``side_by_side``."""

    def test_at_once(self) -> None:
        """At most the given number of jobs run at once, and their results keep the jobs' order."""
        both = threading.Barrier(2, timeout=60)

        def job(show: Show) -> dict[str, int]:
            return counts(passed=both.wait() + 1)

        made = side_by_side([("a", job), ("b", job)], 2)
        self.assertEqual([1, 2], sorted(each["passed"] for each in made))

    def test_times(self) -> None:
        """The running jobs are named with their times again and again, until they end."""
        self.patch(progress, "AGAIN", 0.001)
        named = threading.Event()

        def say(text: str) -> None:
            self.lines.append(text)
            if "a for" in text and "b for" in text:
                named.set()

        self.patch(together, "say", say)
        waiting = ("a", lambda show: counts(passed=int(named.wait(60))))
        made = side_by_side([waiting, ("b", waiting[1])], 2)
        self.assertEqual([counts(passed=1)] * 2, made)
        pattern = r"(?m)^running: a for \d+ s, b for \d+ s$"
        self.assertRegex("\n".join(self.lines), pattern)
        self.assertNotIn("running", "".join(self.lines).split(" 1 passed")[-1])

    def test_one_at_a_time(self) -> None:
        """With one core the jobs run one after the other, in order."""
        ran = []

        def job(name: str) -> Any:
            return lambda show: (ran.append(name), show(name), counts(passed=1))[-1]

        side_by_side([(name, job(name)) for name in "abc"], 1)
        self.assertEqual(["a", "b", "c"], ran)

    def test_one_breaks(self) -> None:
        """A job that raises counts as failed and reports its error; the other jobs count."""

        def broken(show: Show) -> dict[str, int]:
            raise ZeroDivisionError("no environment")

        made = side_by_side([("a", broken), ("b", lambda show: counts(passed=2))], 2)
        self.assertEqual([counts(failed=1), counts(passed=2)], made)
        said = "".join(self.lines)
        self.assertIn("ZeroDivisionError: no environment", said)
        self.assertRegex(said, r"--- a: 0 passed, 1 failed, 0 skipped in \d+ s")
        self.assertRegex(said, r"--- b: 2 passed, 0 failed, 0 skipped in \d+ s")

    def test_interrupted(self) -> None:
        """
        Ctrl-C ends the jobs and their processes, starts no more, and is raised again when all have
        ended.
        """
        processes = Processes()
        self.patch(together, "PROCESSES", processes)
        begun: list[str] = []
        ended: list[int] = []
        script = "import signal; print('ready', flush=True); signal.pause()"

        def interrupt() -> None:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

        both = threading.Barrier(2, action=interrupt, timeout=60)

        def job(show: Show) -> dict[str, int]:
            process = processes.start([sys.executable, "-c", script])
            assert process.stdout is not None
            begun.append(process.stdout.readline())
            both.wait()
            process.stdout.read()
            process.stdout.close()
            ended.append(processes.wait(process))
            return counts(passed=1)

        before = signal.getsignal(signal.SIGINT)
        self.addCleanup(signal.signal, signal.SIGINT, before)
        three = [(name, job) for name in "abc"]
        self.assertRaises(KeyboardInterrupt, side_by_side, three, 2)
        self.assertEqual(["ready\n"] * 2, begun)
        self.assertEqual([-signal.SIGTERM] * 2, ended)
        self.assertRaises(KeyboardInterrupt, processes.start, [sys.executable, "--version"])
        self.assertRaises(KeyboardInterrupt, processes.adopt, object())

    def test_adopted(self) -> None:
        """An object with processes of its own ends them together with the others."""
        processes = Processes()
        ended: list[str] = []

        class Parent:
            def terminate(self) -> None:
                ended.append("all")

        processes.adopt(Parent())
        self.assertEqual([], ended)
        processes.end()
        self.assertEqual(["all"], ended)


class RunTrialTests(Printed):
    """``run_trial``."""

    def run_script(self, script: str) -> dict[str, int]:
        command = [sys.executable, "-c", script]
        return run.run_trial(command, "x", [], show=self.lines.append)

    def setUp(self) -> None:
        Printed.setUp(self)
        self.patch(run, "say", lambda text, show: show(text))
        self.addCleanup(signal.signal, signal.SIGINT, signal.getsignal(signal.SIGINT))

    def test_counts(self) -> None:
        """The output of trial is shown line by line, and counted."""
        made = self.run_script("print('Ran 3 tests in 1s\\n\\nPASSED (skips=1, successes=2)')")
        self.assertEqual(counts(passed=2, skipped=1), made)
        self.assertEqual("PASSED (skips=1, successes=2)\n", self.lines[-1])

    def test_apart(self) -> None:
        """The mounts of a run are its own, where the kernel allows it."""
        namespace = "/proc/self/ns/mnt"
        self.run_script(f"import os; print(os.readlink({namespace!r}))")
        if not run.apart():
            raise SkipTest("mount namespaces need root")
        self.assertNotEqual(os.readlink(namespace), self.lines[-1].strip())
        self.assertIn("mnt:[", self.lines[-1])

    def test_crash(self) -> None:
        """A run that ends before its summary, or fails after it, counts as failed."""
        self.assertEqual(counts(failed=1), self.run_script("print('x')"))
        bad = "print('Ran 1 tests in 1s\\nPASSED (successes=1)'); raise SystemExit(3)"
        self.assertEqual(counts(passed=1, failed=1), self.run_script(bad))


class JobsTests(SynchronousTestCase):
    """``jobs``."""

    def names(self, **options: Any) -> list[str]:
        given = dict({"tests": [], "all": False, "only": None}, **options)
        return [name for name, _ in jobs(argparse.Namespace(**given))]

    def test_names(self) -> None:
        """The default is this Python and 2.7; ``--all`` is each Python once; ``--only`` is one."""
        own = "{}.{}".format(*sys.version_info)
        others = [version for version in run.VERSIONS_3 if version != own]
        self.assertEqual([*OWN, "2.7"], self.names())
        self.assertEqual([*OWN, *others, "2.7"], self.names(all=True))
        self.assertEqual(["3", "2.7"], self.names(tests=["tests.some"]))
        for version in ("2.7", *run.VERSIONS_3):
            self.assertEqual([version], self.names(only=version))

    def test_parts(self) -> None:
        """Each module of tests is in one of the parts."""
        modules = run.modules_of_tests()
        dealt = run.parts("3", [], modules)
        self.assertEqual(modules, sorted(name for some in dealt.values() for name in some))
        self.assertIn(__name__, modules)
