"""Tests of the mutants that are made of a module."""

from __future__ import annotations

import ast
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from .mutations import mutants_of

LIFECYCLE = Path(__file__).parents[2] / "txstorage" / "driver" / "lifecycle" / "volumes.py"


def changed(source: str) -> list[str]:
    """:return: the changed lines of a source's mutants."""
    return [mutant.after for mutant in mutants_of(source.encode())]


class MutantsTests(SynchronousTestCase):
    """The defects of each kind of code."""

    def test_kinds(self) -> None:
        """Each kind of code is changed in these ways."""
        for source, expected in [
            ("x = a < b", ["x = ((a) <= (b))", "x = ((a) >= (b))"]),
            ("x = a is None", ["x = ((a) is not (None))"]),
            ("x = a in b", ["x = ((a) not in (b))"]),
            ("x = a and b", ["x = ((a) or (b))", "x = ((b))", "x = ((a))"]),
            ("x = not a", ["x = (a)"]),
            ("x = a + b", ["x = (a - b)"]),
            ("x = a if b else c", ["x = (c)", "x = (a)", "x = a if True else c"]),
            ("x = 2", ["x = 3", "x = 0"]),
            ("x = 0", ["x = 1"]),
            ("x = True", ["x = False"]),
            ("x = u'status'", ["x = 'statusXX'"]),
            ("x = (a, b)", ["x = (b,)", "x = (a,)"]),
            ("x = [a]", ["x = []"]),
            ("x = lambda a: b", ["x = (lambda a: None)"]),
            ("f(a)", ["pass"]),
            ("a.b = c", ["pass"]),
            ("a += b", ["pass"]),
            ("raise a", ["pass"]),
            ("def f():\n    return a", ["return None"]),
            ("while a:\n    break", ["while True:", "while False:", "continue"]),
        ]:
            found = changed(source)
            self.assertEqual(expected, found[: len(expected)], source)

    def test_untouched(self) -> None:
        """Wording, imports, exports and what only a type checker reads are not changed."""
        for source in (
            '"""A docstring."""',
            "def f():\n    '''Word.'''",
            "x = u'the volume to be attached'",
            "import a.b",
            "from a import b",
            "MYPY = False\nif MYPY:\n    x = 1",
            "__all__ = ['a', 'b']",
        ):
            self.assertEqual([], changed(source), source)

    def test_real_module(self) -> None:
        """Each mutant of a real module compiles, and differs from it in the line that it names."""
        source = LIFECYCLE.read_bytes()
        found = mutants_of(source)
        self.assertGreater(len(found), 200)
        for mutant in found:
            ast.parse(mutant.source)
            self.assertNotEqual(mutant.before, mutant.after)
            self.assertIn(mutant.line, mutant.lines)

    def test_place(self) -> None:
        """A mutant has its function, and the lines of its statement without the body's."""
        source = "class A:\n    def f(self):\n        if (a and\n            b):\n            c()\n"
        by_line = {mutant.line: mutant for mutant in mutants_of(source.encode())}
        self.assertEqual("A.f", by_line[3].scope)
        self.assertEqual(range(3, 5), by_line[3].lines)
        self.assertEqual(range(5, 6), by_line[5].lines)
        self.assertTrue(by_line[3].in_function)
        self.assertFalse(mutants_of(b"x = 1")[0].in_function)
