"""
Tests of an installed client, run one after the other in the clients' environment: the program that
:mod:`tests.clients.execution` starts.

Its input is an object with ``packages`` (names of packages or modules of tests), ``only`` (a list
of texts, of which a test's id must contain one; empty for all) and ``without`` (texts that no id
may contain).  It writes a line with an object for each test: ``id``, ``whole`` (the id with
tempest's attributes), ``outcome`` (``passed``, ``failed`` or ``skipped``), ``reason``, and when the
test ``begun`` and ``ended``, in seconds since the epoch.
"""

import importlib
import json
import pkgutil
import re
import sys
import time
import unittest
import warnings

#: An attribute that tempest adds to a test's name.
ATTRIBUTES = re.compile(r"\[[^\]]*\]$")
#: The name of what stands for a class whose preparation failed or was skipped.
OF_CLASS = re.compile(r"(?:setUpClass|tearDownClass|setUpModule) \((.*)\)$")
#: The line of a traceback that names the error.
NAMED = re.compile(r"(\w+\.)+\w+: |\w+(Error|Exception|Failed): ")
#: Characters of a reason.
LONGEST = 300


def modules(package):
    """:return: the names of a package's modules of tests, or its own, when it is a module."""
    path = getattr(importlib.import_module(package), "__path__", None)
    if path is None:
        return [package]
    found = [module.name for module in pkgutil.walk_packages(path, package + ".")]
    return [name for name in found if name.rpartition(".")[2].startswith("test_")]


def flat(suite):
    """Yield the tests of a suite."""
    for each in suite:
        if isinstance(each, unittest.TestSuite):
            yield from flat(each)
        else:
            yield each


def chosen(order):
    """:return: the suite that an order names."""
    names = [name for package in order["packages"] for name in modules(package)]
    tests = flat(unittest.defaultTestLoader.loadTestsFromNames(names))
    only, without = order["only"], order["without"]
    return [
        test
        for test in tests
        if (not only or any(text in test.id() for text in only))
        and not any(text in test.id() for text in without)
    ]


def last_line(error):
    """:return: an error's kind and text, on one line."""
    kind, value, _ = error
    text = " ".join(str(value).split())
    return f"{kind.__name__}: {text}"[:LONGEST]


class Written(unittest.TestResult):
    """A result that writes each outcome to an open file."""

    def __init__(self, file, tests):
        super().__init__()
        self._file = file
        self._left = {ATTRIBUTES.sub("", test.id()): test.id() for test in tests}
        self._failed = set()
        self._begun = time.time()

    def startTest(self, test):
        super().startTest(test)
        self._begun = time.time()

    def _write(self, test, outcome, reason=""):
        name = ATTRIBUTES.sub("", test.id())
        of_class = OF_CLASS.match(name)
        # What a class can't prepare, none of its tests can use.
        prefix = of_class.group(1) + "." if of_class else None
        names = [each for each in self._left if each.startswith(prefix)] if prefix else [name]
        for each in sorted(names):
            whole = self._left.pop(each, each)
            line = {"id": each, "whole": whole, "outcome": outcome, "reason": reason}
            line.update(begun=self._begun, ended=time.time())
            self._file.write(json.dumps(line) + "\n")
        self._file.flush()

    def addSuccess(self, test):
        self._write(test, "passed")

    def addError(self, test, err=None, details=None):
        self._write(test, "failed", self._reason(err, details))

    addFailure = addError

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self._write(test, "failed", self._reason(err, None))

    def addSkip(self, test, reason=None, details=None):
        if reason is None and details and "reason" in details:
            reason = details["reason"].as_text()
        self._write(test, "skipped", str(reason)[:LONGEST])

    def addExpectedFailure(self, test, err=None, details=None):
        self._write(test, "passed")

    def addUnexpectedSuccess(self, test, details=None):
        self._write(test, "failed", "unexpected success")

    @staticmethod
    def _reason(err, details):
        if err is not None:
            return last_line(err)
        texts = [text.as_text() for name, text in (details or {}).items() if "traceback" in name]
        lines = [line for line in "\n".join(texts).splitlines() if line.strip()]
        # The lines that name the error; what follows one is the rest of its text.
        errors = [line for line in lines if NAMED.match(line)]
        return " ".join(" ".join(errors[-1:] or lines[-1:]).split())[:LONGEST]


def main(path):
    warnings.simplefilter("ignore")
    tests = chosen(json.load(sys.stdin))
    with open(path, "w", encoding="utf-8") as file:
        unittest.TestSuite(tests).run(Written(file, tests))


if __name__ == "__main__":
    main(*sys.argv[1:])
