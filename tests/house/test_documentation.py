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

MY_DRIVER = u"""
from tests.testing.reference import AsynchronousReference, BlockingReference, Storage
from twisted.python.filepath import FilePath

class MyDriver(AsynchronousReference):
    def __init__(self, reactor, cluster_id):
        storage = Storage(FilePath(u"{}".format(cluster_id)))
        AsynchronousReference.__init__(self, reactor, BlockingReference(storage, cluster_id))
"""


def code_blocks(page):
    """:return: the page's blocks of Python, as text."""
    with io.open(os.path.join(ROOT, "docs", page), encoding="utf-8") as source:
        text = source.read()
    found = re.findall(r"^\.\. code-block:: python\n\n((?:   .*\n|\n)+)", text, re.MULTILINE)
    return [textwrap.dedent(block) for block in found]


class TestingADriverTests(SynchronousTestCase):
    """docs/testing-a-driver.rst."""

    def run_example(self, driver):
        """:return: trial's output for the example, run as a user would run it."""
        [example] = code_blocks("testing-a-driver.rst")
        directory = FilePath(self.mktemp())
        directory.makedirs()
        for name, content in [("mydriver", driver), ("test_mydriver", example)]:
            directory.child(name + ".py").setContent(content.encode("utf-8"))
        environment = dict(os.environ, PYTHONPATH=os.pathsep.join([directory.path, ROOT]))
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "twisted.trial", "test_mydriver"],
            cwd=directory.path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        output, _ = process.communicate()
        return output.decode("utf-8")

    def test_right(self):
        """The example tests a correct driver, which passes."""
        output = self.run_example(MY_DRIVER)
        [passed] = re.findall(r"PASSED \(successes=(\d+)\)", output) or [output]
        self.assertGreater(int(passed), 40)

    def test_wrong(self):
        """A driver that is wrong fails."""
        wrong = u"    def list_volumes(self):\n        return self.wait([])\n"
        self.assertIn("FAILED (", self.run_example(MY_DRIVER + wrong))

    def test_proxy(self):
        """The example of the proxy leads a client through the proxy."""
        path = os.path.join(ROOT, "docs", "testing-a-driver.rst")
        with io.open(path, encoding="utf-8") as source:
            lines = re.findall(r"^   >>> (.*)$", source.read(), re.MULTILINE)
        names = {}
        exec("\n".join(lines), names)
        self.addCleanup(names["proxy"].stop)
        self.assertTrue(names["auth_url"].startswith(u"http://127.0.0.1:"), names["auth_url"])
        self.assertTrue(names["auth_url"].endswith(u"/v3"), names["auth_url"])

    def test_short(self):
        """The example needs no more than about ten lines, as the page promises."""
        [example] = code_blocks("testing-a-driver.rst")
        self.assertLess(len([line for line in example.splitlines() if line.strip()]), 15)
