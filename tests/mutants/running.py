"""
The tests' runs: once with the coverage of each test, and then once for each mutant, in a fork of a
process that has imported everything but the package and the tests.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import resource
import signal
import sys
import tempfile
import time
import unittest
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path

import coverage
import hypothesis

from .mutations import Mutant

#: The libraries that a mutant's process finds imported.  None of them imports a reactor.
_WARM = ("attr", "constantly", "eliot.testing", "treq.testing", "twisted.trial.unittest", "txaio")
#: Bytes of memory that a mutant may use.
_MEMORY = 4 * 2**30

_KILLED, _SURVIVED = 1, 0


@dataclass(frozen=True)
class Baseline:
    """
    A run of the tests without a mutant.

    :ivar dict seconds: the duration of each test, by its id.
    :ivar dict covering: line number to the ids of the tests that run the line; lines that run in
        an import have the empty id.
    """

    seconds: dict[str, float]
    covering: dict[int, set[str]]

    def tests_of(self, mutant: Mutant) -> list[str]:
        """
        :param Mutant mutant: the mutant.
        :return: the ids of the tests that can see it, the fastest first; none when no test runs
            the line.
        """
        ids = set().union(*(self.covering.get(line, ()) for line in mutant.lines))
        if "" in ids or not mutant.in_function:
            ids = set(self.seconds)
        return sorted(ids, key=lambda each: self.seconds[each])


class _Contexts(unittest.TestResult):
    """Records the coverage and the duration of each test."""

    def __init__(self, measured: coverage.Coverage) -> None:
        super().__init__()
        self._measured = measured
        self._began = 0.0
        self.seconds: dict[str, float] = {}

    def startTest(self, test: unittest.TestCase) -> None:
        """See ``TestResult``."""
        super().startTest(test)
        self._measured.switch_context(test.id())
        self._began = time.perf_counter()

    def stopTest(self, test: unittest.TestCase) -> None:
        """See ``TestResult``."""
        super().stopTest(test)
        self.seconds[test.id()] = time.perf_counter() - self._began
        self._measured.switch_context("")


def warm_up() -> None:
    """Import the libraries, and make the tests' examples the same in every run."""
    for name in _WARM:
        importlib.import_module(name)
    hypothesis.settings.register_profile(
        "mutants", derandomize=True, database=None, deadline=None, max_examples=50
    )
    hypothesis.settings.load_profile("mutants")


def _cases(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    for each in suite:
        if isinstance(each, unittest.TestSuite):
            yield from _cases(each)
        else:
            yield each


def _load(names: Sequence[str]) -> list[unittest.TestCase]:
    modules = []
    for name in names:
        module = importlib.import_module(name)
        modules.append(name)
        for path in getattr(module, "__path__", ()):
            modules += [f"{name}.{found.stem}" for found in sorted(Path(path).glob("test_*.py"))]
    return list(_cases(unittest.defaultTestLoader.loadTestsFromNames(modules)))


def measure(path: Path, tests: Sequence[str]) -> Baseline:
    """
    Run the tests without a mutant, in a fork.

    :param Path path: the module's source file.
    :param tests: the names of packages and modules of tests.
    :return: the :class:`Baseline`.
    :raises SystemExit: a test fails.
    """
    with tempfile.TemporaryDirectory() as directory:
        record = os.path.join(directory, "coverage")

        def run() -> int:
            measured = coverage.Coverage(
                data_file=record, include=[str(path)], branch=False, config_file=False
            )
            measured.start()
            result = _Contexts(measured)
            unittest.TestSuite(_load(tests)).run(result)
            measured.stop()
            measured.save()
            for case, trace in result.errors + result.failures:
                print(f"{case.id()} fails without a mutant:\n{trace}", flush=True)
            with open(record + ".seconds", "w") as stream:
                stream.writelines(f"{name} {spent}\n" for name, spent in result.seconds.items())
            return len(result.errors + result.failures) > 0

        if forked(run, 600):
            raise SystemExit("the tests fail without a mutant")
        data = coverage.CoverageData(record)
        data.read()
        with open(record + ".seconds") as stream:
            seconds = {name: float(spent) for name, spent in map(str.split, stream)}
        lines = data.contexts_by_lineno(str(path))
    return Baseline(seconds, {line: set(found) for line, found in lines.items()})


class _Mutated(SourceFileLoader):
    """
    Loads a mutant instead of the module.

    :param bytes mutant: the source.
    """

    def __init__(self, name: str, path: str, mutant: bytes) -> None:
        super().__init__(name, path)
        self._mutant = mutant

    def get_code(self, fullname: str):
        """See ``SourceLoader``; the cached byte code of the original is not used."""
        return compile(self._mutant, self.path, "exec", dont_inherit=True)


class _Finder:
    """A meta path finder for one mutated module."""

    def __init__(self, name: str, path: Path, mutant: bytes) -> None:
        self._name = name
        self._loader = _Mutated(name, str(path), mutant)

    def find_spec(self, name: str, path: object = None, target: object = None):
        """See ``MetaPathFinder``."""
        if name != self._name:
            return None
        return importlib.util.spec_from_file_location(name, self._loader.path, loader=self._loader)


def is_killed(
    name: str, path: Path, mutant: bytes, tests: Sequence[str], ids: Sequence[str], limit: float
) -> bool:
    """
    Run tests on a mutant, in a fork, until one fails.

    :param str name: the module's dotted name.
    :param Path path: the module's source file.
    :param bytes mutant: the mutated source.
    :param tests: the names of packages and modules of tests.
    :param ids: the ids of the tests to run, in this order.
    :param float limit: seconds after which the mutant counts as hanging.
    :return: whether a test failed, the import failed, or the time was over.
    """
    if not ids:
        return False

    def run() -> int:
        # A mutant's complaints are of no interest; its exit code is.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        sys.meta_path.insert(0, _Finder(name, path, mutant))
        wanted = {each.rpartition(".")[0].rpartition(".")[0] for each in ids}
        cases = {case.id(): case for case in _load(sorted(wanted) if len(ids) < 50 else tests)}
        result = unittest.TestResult()
        for each in ids:
            cases[each].run(result)
            if not result.wasSuccessful():
                return _KILLED
        return _SURVIVED

    return forked(run, limit) != _SURVIVED


def forked(function: Callable[[], int], limit: float) -> int:
    """
    Call a function in a fork of this process, in a directory of its own.

    :param function: returns the exit code.
    :param float limit: seconds after which the kernel ends the fork.
    :return: the exit code; not 0 when the function raises or does not end in time.
    """
    sys.stdout.flush()
    with tempfile.TemporaryDirectory() as directory:
        child = os.fork()
        if not child:
            code = 1
            try:
                # The default action of SIGALRM ends the process, however it loops.
                signal.signal(signal.SIGALRM, signal.SIG_DFL)
                signal.setitimer(signal.ITIMER_REAL, limit)
                os.chdir(directory)
                code = int(function())
                sys.stdout.flush()
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)
