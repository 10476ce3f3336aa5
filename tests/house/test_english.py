"""
The rules for prose that a program can check: how a docstring opens, and phrases to avoid.

A docstring names the thing and then says what it does, so it opens with a noun or an imperative
verb.  ``make lint`` runs these tests.
"""

from __future__ import absolute_import, division, print_function

import ast
import io
import os
import re

from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.imports import ROOT

#: The words that no docstring opens with.
OPENERS = ("What", "How", "Where", "Who", "Whose", "Which", "Whether", "That")
#: The directories whose Python sources are read.
SOURCES = ("txstorage", "tests", "docs", "buildbot", "packaging", "benchmarks")
#: Archaic or unclear phrases in code, comments and documentation: ``there is no volume`` is plain
#: English, and ``this is no volume`` is not.
PHRASES = (
    r"be it|those who|whoever|go(?:es)? on|(?:is|are|was|were|be|been) told|tells?(?!\()|"
    r"(?<!there )(?:is|was) no (?!longer|more|better|matter|harm|other|room|second|such)[a-z]+"
)

_PHRASE = re.compile(r"\b(?:{})\b".format(PHRASES), re.IGNORECASE)
_OPENER = re.compile(r"(?:{})\b".format("|".join(OPENERS)), re.IGNORECASE)
_WITH_DOCSTRINGS = (ast.Module, ast.ClassDef, ast.FunctionDef) + tuple(
    getattr(ast, name) for name in ("AsyncFunctionDef",) if hasattr(ast, name)
)


def sources(*suffixes):
    """Yield the paths of the project's sources whose names have one of the suffixes."""
    for top in SOURCES:
        for directory, inside, files in os.walk(os.path.join(ROOT, top)):
            inside[:] = sorted(name for name in inside if name not in ("_build", "__pycache__"))
            for name in sorted(files):
                if name.endswith(suffixes):
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
        for path in sources(".py"):
            with open(path, "rb") as opened:
                source = opened.read()
            try:
                found += [(os.path.relpath(path, ROOT),) + each for each in misopened(source)]
                seen += 1
            except SyntaxError:
                continue  # Python 2 can't read the Python 3 modules; Python 3 reads them all
        self.assertGreater(seen, 150)
        self.assertEqual([], found)


class PhraseTests(SynchronousTestCase):
    """Code and documentation are in plain English."""

    def test_found(self):
        """Each phrase is found as words of their own, and similar ones are left alone."""
        for text in ("the rest goes on", "the clock is no clock", "Those who", "it tells"):
            self.assertTrue(_PHRASE.search(text), text)
        for text in ("there is no clock", "is no longer", "opened.tell()", "to go wrong"):
            self.assertFalse(_PHRASE.search(text), text)

    def test_none(self):
        """No line of the project has such a phrase."""
        found, seen = [], 0
        for path in sources(".py", ".rst", ".js", ".html"):
            if path == os.path.splitext(os.path.abspath(__file__))[0] + ".py":
                continue
            with io.open(path, encoding="utf-8") as opened:
                for number, line in enumerate(opened, 1):
                    seen += 1
                    if _PHRASE.search(line):
                        found.append((os.path.relpath(path, ROOT), number, line.strip()))
        self.assertGreater(seen, 50000)
        self.assertEqual([], found)
