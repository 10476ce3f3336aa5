"""Tests of the examples in the documentation."""

from __future__ import absolute_import, division, print_function

import io
import os
import re
import subprocess
import sys
import textwrap

from twisted.python.filepath import FilePath
from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.imports import ROOT


def read(*path):
    """:return: a file of the project, as text."""
    with io.open(os.path.join(ROOT, *path), encoding="utf-8") as source:
        return source.read()


def files_of(page):
    """:return: dict of the names of the page's Python files to their contents."""
    found = re.findall(
        r"^\.\. code-block:: python\n   :caption: (.*)\n\n((?:   .*\n|\n)+)", page, re.MULTILINE
    )
    return {name: textwrap.dedent(content) for name, content in found}


class TestingADriverTests(SynchronousTestCase):
    """docs/testing-a-driver.rst, whose commands tests.documents executes, on each Python."""

    def run_example(self, more=u""):
        """
        Run the page's tests with the page's command, in the environment that runs this.

        :param more: lines to add to the driver.
        :return: trial's output.
        """
        page = read("docs", "testing-a-driver.rst")
        files = files_of(page)
        files["mydriver.py"] += more
        files["reference.py"] = read("tests", "testing", "reference.py")
        directory = FilePath(self.mktemp())
        directory.makedirs()
        for name, content in files.items():
            directory.child(name).setContent(content.encode("utf-8"))
        [command] = re.findall(r"^   \$ (python -m .*)$", page, re.MULTILINE)
        activated = os.path.dirname(sys.executable) + os.pathsep + os.defpath
        process = subprocess.Popen(
            ["sh", "-c", command],
            cwd=directory.path,
            env={"PATH": activated},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        output, _ = process.communicate()
        return output.decode("utf-8")

    def test_right(self):
        """The example tests a correct driver, which passes."""
        output = self.run_example()
        [passed] = re.findall(r"PASSED \(successes=(\d+)\)", output) or [output]
        self.assertGreater(int(passed), 40)

    def test_wrong(self):
        """A driver that is wrong fails."""
        wrong = u"    def list_volumes(self):\n        return self.wait([])\n"
        self.assertIn("FAILED (", self.run_example(wrong))

    def test_proxy(self):
        """The example of the proxy leads a client through the proxy."""
        page = read("docs", "testing-a-driver.rst")
        lines = re.findall(r"^   >>> (.*)$", page, re.MULTILINE)
        names = {}
        exec("\n".join(lines), names)
        self.addCleanup(names["proxy"].stop)
        self.assertTrue(names["auth_url"].startswith(u"http://127.0.0.1:"), names["auth_url"])
        self.assertTrue(names["auth_url"].endswith(u"/v3"), names["auth_url"])

    def test_short(self):
        """The example needs no more than about ten lines, as the page promises."""
        example = files_of(read("docs", "testing-a-driver.rst"))["test_mydriver.py"]
        self.assertLess(len([line for line in example.splitlines() if line.strip()]), 15)
