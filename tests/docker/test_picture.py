"""Tests for ``docs/docker_picture.py``, and for the picture that it made."""

from __future__ import annotations

import os
import re
import socket
import sys

from twisted.trial.unittest import SynchronousTestCase

from tests.cli.demo.test_picture import demo_picture
from tests.helpers.imports import ROOT

from ..nodes.demonstration import title_of
from .demo import DockerDemonstration

sys.modules.setdefault("demo_picture", demo_picture)
sys.path.insert(0, os.path.join(ROOT, "docs"))
try:
    import docker_picture
finally:
    sys.path.pop(0)

#: Bytes that a picture in a README may have.
SMALL = 40000


class PictureTests(SynchronousTestCase):
    """``docs/docker.svg``."""

    def setUp(self) -> None:
        with open(docker_picture.PICTURE, encoding="utf-8") as opened:
            self.picture = opened.read()
        self.lines = demo_picture.shown(self.picture)

    def test_steps(self) -> None:
        """The picture shows every step of the demonstration, with the same rows after each."""
        shown = [line for line in self.lines if line.startswith("ok ")]
        self.assertEqual(
            [title_of(step) for step in DockerDemonstration.STEPS],
            [re.sub(r"^ok \d+\.\d s ", "", line) for line in shown],
        )
        rows = {digest for line in self.lines for digest in re.findall(r"MD5 (\w+)", line)}
        self.assertEqual(1, len(rows), self.lines)

    def test_asks_nobody(self) -> None:
        """The picture is small, and refers to nothing external, and to no path of the machine."""
        addresses = set(re.findall(r"\w+://[^\s\"<]+|url\([^#][^)]*\)|@\S+", self.picture))
        self.assertEqual({"http://www.w3.org/2000/svg"}, addresses)
        text = "\n".join(self.lines)
        self.assertEqual([], re.findall(r"(?<![\w.:/])/\w[\w/.-]*", text))
        self.assertNotIn(socket.gethostname(), text.split())
        self.assertLess(len(self.picture), SMALL)


class ScriptTests(SynchronousTestCase):
    """``make picture-docker``."""

    def test_steps_only(self) -> None:
        """The lines about the machines are not part of the picture."""
        printed = "--- making the root\n  ok   1.0 s  Create\n               rows\nWARNING: x\n"
        self.assertEqual(
            "  ok   1.0 s  Create\n               rows\n", docker_picture.steps(printed)
        )
