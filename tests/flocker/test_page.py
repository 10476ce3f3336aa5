"""
Tests of :mod:`tests.flocker.page`, on every machine.
"""

from __future__ import annotations

import os
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from .page import variables_of


class VariablesTests(SynchronousTestCase):
    """The variables of the page's commands."""

    def variables(self, flocker_path: str) -> dict[str, str]:
        given = {**os.environ, "PYTHONPATH": "/the/driver", "FLOCKER_PATH": flocker_path}
        return variables_of(given, "/the/journal")

    def path_of(self, variables: dict[str, str]) -> list[str]:
        """Return the path that Python searches for modules of a program elsewhere."""
        program = self.mktemp()
        os.mkdir(program)
        program = os.path.abspath(os.path.join(program, "program.py"))
        with open(program, "w") as opened:
            opened.write("import os, sys\nprint('\\n'.join(map(os.path.abspath, sys.path)))")
        command = [sys.executable, "-W", "ignore", program]
        return subprocess.check_output(command, env=variables, text=True).splitlines()

    def test_inside(self) -> None:
        """
        For a Flocker in its Python's own environment, no path is set: an empty one would put the
        current directory on the path, and pip would find the checkout there.
        """
        variables = self.variables("")
        self.assertNotIn("PYTHONPATH", variables)
        self.assertNotIn(os.getcwd(), self.path_of(variables))
        self.assertEqual(variables["JOURNAL"], "/the/journal")

    def test_outside(self) -> None:
        """A Flocker that is elsewhere is on the path, and the driver is not."""
        path = self.path_of(self.variables("/a/flocker"))
        self.assertIn("/a/flocker", path)
        self.assertNotIn("/the/driver", path)
