"""
Tests for ``docs/demo_picture.py``, and for the picture that it made.
"""

from __future__ import annotations

import os
import re
import socket
import sys
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.embedded.support import no_loop_devices
from tests.helpers.imports import ROOT

#: Bytes that a picture in a README may have.
SMALL = 40000


def script() -> ModuleType:
    """``docs/demo_picture.py``, which is in no package."""
    spec = spec_from_file_location("demo_picture", os.path.join(ROOT, "docs", "demo_picture.py"))
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


demo_picture = script()


def says(text: str, code: int = 0) -> list[str]:
    """A command that prints something, and how it ends."""
    return [sys.executable, "-c", f"print({text!r}); raise SystemExit({code})"]


class PictureTests(SynchronousTestCase):
    """``docs/demo.svg``."""

    def setUp(self) -> None:
        with open(demo_picture.PICTURE, encoding="utf-8") as opened:
            self.picture = opened.read()

    def test_shows_what_the_demo_prints(self) -> None:
        """The picture shows the current output of the demo, except for times, ids and devices."""
        why = no_loop_devices()
        if why:
            raise SkipTest("the picture is of a demo with loop devices: " + why)
        today = demo_picture.drawn(demo_picture.run())
        lines, now = [demo_picture.masked(demo_picture.shown(p)) for p in (self.picture, today)]
        self.assertEqual(lines, now, "make picture makes it anew")
        self.assertIn("ok TIME attach it to node-2 DEVICE", lines)
        self.assertEqual(self.size(today), self.size(self.picture))

    def size(self, picture: str) -> str:
        """Its width and height."""
        [size] = re.findall('viewBox="([^"]+)"', picture)
        return str(size)

    def test_asks_nobody(self) -> None:
        """The picture refers to nothing external, such as a font."""
        addresses = set(re.findall(r"\w+://[^\s\"<]+|url\([^#][^)]*\)|@\S+", self.picture))
        own = {each for each in addresses if each.startswith("http://127.0.0.1:")}
        self.assertEqual({"http://www.w3.org/2000/svg"}, addresses - own)

    def test_shows_nothing_of_the_machine(self) -> None:
        """The picture is small, and contains no path or name of the machine that drew it."""
        text = "\n".join(demo_picture.shown(self.picture))
        paths = set(re.findall(r"(?<![\w.:/])/\w[\w/.-]*", text))
        self.assertEqual({"/dev/loop"}, {path.rstrip("0123456789") for path in paths})
        self.assertNotIn(socket.gethostname(), text)
        self.assertLess(len(self.picture), SMALL)


class ScriptTests(SynchronousTestCase):
    """``make picture``."""

    def setUp(self) -> None:
        self.path = self.mktemp()
        with open(self.path, "w", encoding="utf-8") as opened:
            opened.write("the former one")

    def refused(self, command: list[str]) -> str:
        """Why it makes no picture of this, and leaves the former one."""
        error = self.assertRaises(demo_picture.NotShown, demo_picture.main, self.path, command)
        with open(self.path, encoding="utf-8") as opened:
            self.assertEqual("the former one", opened.read())
        return str(error)

    def test_drawn(self) -> None:
        """
        The terminal's content is drawn: its colours, its blanks, and characters that are special in
        XML.
        """
        demo_picture.main(self.path, says("\x1b[32mok\x1b[0m  <a & b>  /dev/loop7\n\nend"))
        with open(self.path, encoding="utf-8") as opened:
            picture = opened.read()
        self.assertEqual(
            ["$ txstorage demo", "ok <a & b> /dev/loop7", "", "end", ""],
            demo_picture.shown(picture),
        )
        self.assertRegex(picture, "fill: #56d364")

    def test_failed(self) -> None:
        """A failed demo is not drawn, and the error contains its output."""
        message = self.refused(says("FAIL  attach it  /dev/loop0", 1))
        self.assertIn("FAIL  attach it", message)

    def test_complaint(self) -> None:
        """A failed demo's standard error is part of the error."""
        command = [sys.executable, "-c", "raise SystemExit('no room')"]
        self.assertIn("no room", self.refused(command))

    def test_without_devices(self) -> None:
        """Neither is one that had to do with regular files."""
        self.assertIn("root", self.refused(says("node-1  /tmp/x/devices/1")))

    def test_terminal(self) -> None:
        """The demo has a terminal of a certain width, however it is started."""
        look = (
            "import os, sys; print(os.get_terminal_size().columns, sys.stdout.isatty(),"
            " os.environ['TERM'], 'COLUMNS' in os.environ, '/dev/loop0')"
        )
        self.patch(os, "environ", dict(os.environ, COLUMNS="20"))
        printed = demo_picture.run([sys.executable, "-c", look])
        self.assertEqual("84 True xterm-256color False /dev/loop0\n", printed)
