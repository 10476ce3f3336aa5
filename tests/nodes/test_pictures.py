"""Tests for ``docs/demonstration_picture.py``, and for the pictures that it made."""

from __future__ import annotations

import os
import re
import socket
import sys

from twisted.trial.unittest import SynchronousTestCase

from tests.cli.demo.test_picture import demo_picture
from tests.helpers.imports import ROOT

from ..acceptance.demo import FlockerDemonstration
from ..docker.demo import DockerDemonstration
from .demonstration import title_of

sys.modules.setdefault("demo_picture", demo_picture)
sys.path.insert(0, os.path.join(ROOT, "docs"))
try:
    import demonstration_picture
finally:
    sys.path.pop(0)

#: Bytes that a picture in a README may have.
SMALL = 40000
#: The demonstrations by make's targets.
DEMONSTRATIONS = {"demo-docker": DockerDemonstration, "demo-flocker": FlockerDemonstration}


class PictureTests(SynchronousTestCase):
    """The pictures of all demonstrations."""

    def setUp(self) -> None:
        self.pictures = {}
        for target in demonstration_picture.DEMONSTRATIONS:
            with open(demonstration_picture.path_of(target), encoding="utf-8") as opened:
                self.pictures[target] = opened.read()

    def test_steps(self) -> None:
        """A picture shows every step of its demonstration, with the same rows after each."""
        for target, picture in self.pictures.items():
            lines = demo_picture.shown(picture)
            self.assertIn("make " + target, lines[0])
            shown = [line for line in lines if line.startswith("ok ")]
            self.assertEqual(
                [title_of(step) for step in DEMONSTRATIONS[target].STEPS],
                [re.sub(r"^ok \d+\.\d s ", "", line) for line in shown],
            )
            rows = {found for line in lines for found in re.findall(r"(\d+) rows, MD5 (\w+)", line)}
            [(number, _)] = rows
            self.assertEqual(str(DEMONSTRATIONS[target].ROWS), number)

    def test_asks_nobody(self) -> None:
        """A picture is small, and refers to nothing external, and to no path of the machine."""
        for picture in self.pictures.values():
            addresses = set(re.findall(r"\w+://[^\s\"<]+|url\([^#][^)]*\)|@\S+", picture))
            self.assertEqual({"http://www.w3.org/2000/svg"}, addresses)
            text = "\n".join(demo_picture.shown(picture))
            self.assertEqual([], re.findall(r"(?<![\w.:/])/\w[\w/.-]*", text))
            self.assertNotIn(socket.gethostname(), text.split())
            self.assertLess(len(picture), SMALL)


class ScriptTests(SynchronousTestCase):
    """``make picture-docker`` and ``make picture-flocker``."""

    def test_steps_only(self) -> None:
        """The lines about the machines are not part of the picture."""
        printed = "--- making the root\n  ok   1.0 s  Create\n               rows\nWARNING: x\n"
        self.assertEqual(
            "  ok   1.0 s  Create\n               rows\n", demonstration_picture.steps(printed)
        )
