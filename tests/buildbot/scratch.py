"""
A scratch clone of the checkout, in which a test can be broken.
"""

from __future__ import annotations

import ast
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.run import ROOT

_NAMED = ["-c", "user.name=test-buildbot", "-c", "user.email=test-buildbot@localhost"]


def git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], check=True, stdout=subprocess.PIPE, universal_newlines=True
    ).stdout.strip()


def cloned(directory: str) -> None:
    """
    Clone the checkout, with what in it was not committed yet, as far as it is not ignored.

    :param directory: where to; not there yet.
    """
    git("clone", "--quiet", "--no-hardlinks", ROOT, directory)
    here = ["--git-dir", os.path.join(directory, ".git"), "--work-tree", ROOT]
    git(*here, "add", "--all")
    if git(*here, "status", "--porcelain"):
        git(*_NAMED, *here, "commit", "--quiet", "--message", "What is not committed yet")
    git("-C", directory, "reset", "--quiet", "--hard")


def first_test(source: str) -> tuple[str, int, int]:
    """
    :param source: of a module with tests.
    :return: the name of its first test, with its class; the line, from 1, of its
        first statement after the docstring; and how far that is indented.
    """
    for suite in ast.parse(source).body:
        for function in getattr(suite, "body", ()) if isinstance(suite, ast.ClassDef) else ():
            if isinstance(function, ast.FunctionDef) and function.name.startswith("test_"):
                body = [each for each in function.body if not _is_text(each)]
                name = "{}.{}".format(suite.name, function.name)
                return name, body[0].lineno, body[0].col_offset
    raise LookupError("there is no test")


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def with_broken_test(source: str) -> tuple[str, str]:
    """:return: a module whose first test fails, and the name of that test."""
    name, line, indentation = first_test(source)
    lines = source.splitlines(keepends=True)
    lines.insert(line - 1, " " * indentation + 'raise AssertionError("broken on purpose")\n')
    return "".join(lines), name


def break_test(directory: str, module: str, tag: str) -> str:
    """
    Break the first test of a module, in a commit that is on no branch.

    :param directory: of a clone.
    :param module: such as ``"tests.driver.test_labels"``.
    :param tag: what the commit is called.
    :return: the test's name.
    """
    path = os.path.join(directory, *module.split(".")) + ".py"
    with _commit(directory):
        with open(path, encoding="utf-8") as source:
            broken, name = with_broken_test(source.read())
        with open(path, "w", encoding="utf-8") as source:
            source.write(broken)
        git(*_NAMED, "-C", directory, "commit", "--quiet", "--all", "--message", "Break " + name)
        git("-C", directory, "tag", tag)
    return "{}.{}".format(module, name)


def change(directory: str, branch: str) -> None:
    """Commit a change, of nothing, on a branch that is made for it."""
    message = ["--message", "Change nothing"]
    with _commit(directory):
        git(*_NAMED, "-C", directory, "commit", "--quiet", "--allow-empty", *message)
        git("-C", directory, "branch", branch)


@contextmanager
def _commit(directory: str) -> Iterator[None]:
    """To be used around a commit, after which all is as it was before."""
    before = git("-C", directory, "rev-parse", "--abbrev-ref", "HEAD")
    before = before if before != "HEAD" else git("-C", directory, "rev-parse", "HEAD")
    git("-C", directory, "checkout", "--quiet", "--detach")
    try:
        yield
    finally:
        git("-C", directory, "checkout", "--quiet", before)
