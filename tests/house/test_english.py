"""
The rules for prose that a program can check: how a docstring opens.

A docstring names the thing and then says what it does, so it opens with a noun or an imperative
verb.  ``make lint`` runs these tests.
"""

from __future__ import absolute_import, division, print_function

import ast
import os
import re

from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.imports import ROOT

#: The words that no docstring opens with.
OPENERS = ("What", "How", "Where", "Who", "Whose", "Which", "Whether", "That")
#: The directories whose Python sources are read.
SOURCES = ("txstorage", "tests", "docs", "buildbot", "packaging", "benchmarks")

_OPENER = re.compile(r"(?:{})\b".format("|".join(OPENERS)), re.IGNORECASE)
_WITH_DOCSTRINGS = (ast.Module, ast.ClassDef, ast.FunctionDef) + tuple(
    getattr(ast, name) for name in ("AsyncFunctionDef",) if hasattr(ast, name)
)


def sources():
    """Yield the paths of the project's Python sources."""
    for top in SOURCES:
        for directory, inside, files in os.walk(os.path.join(ROOT, top)):
            inside[:] = sorted(name for name in inside if name not in ("_build", "__pycache__"))
            for name in sorted(files):
                if name.endswith(".py"):
                    yield os.path.join(directory, name)


def docstrings(source):
    """
    Yield ``(line number, docstring)`` of a module and of all that it defines.

    :param source: the module's source, text or bytes.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, _WITH_DOCSTRINGS):
            docstring = ast.get_docstring(node)
            if docstring:
                yield getattr(node, "lineno", 1), docstring


def misopened(source):
    """:return: ``(line number, first line)`` of each docstring that opens with a banned word."""
    return [
        (line, docstring.splitlines()[0])
        for line, docstring in docstrings(source)
        if _OPENER.match(docstring)
    ]


class DocstringTests(SynchronousTestCase):
    """Docstrings name the thing first."""

    def test_found(self):
        """A banned opener is found in a module, a class, a method and a function."""
        source = (
            '"""What it is."""\n'
            'class A(object):\n    """Where it is."""\n'
            '    def b(self):\n        """That it is."""\n'
            'def c():\n    """whether it is."""\n'
            'def d():\n    """Whatever; Thatch; Shows where."""\n'
        )
        self.assertEqual([1, 2, 4, 6], sorted(line for line, _ in misopened(source)))

    def test_none(self):
        """No docstring of the project opens with a banned word."""
        found, seen = [], 0
        for path in sources():
            with open(path, "rb") as opened:
                source = opened.read()
            try:
                found += [(os.path.relpath(path, ROOT),) + each for each in misopened(source)]
                seen += 1
            except SyntaxError:
                continue  # Python 2 can't read the Python 3 modules; Python 3 reads them all
        self.assertGreater(seen, 150)
        self.assertEqual([], found)
