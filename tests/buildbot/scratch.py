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
    Clone the checkout, with its uncommitted changes, except ignored files.

    :param directory: the clone's path; nothing is there yet.
    """
    git("clone", "--quiet", "--no-hardlinks", ROOT, directory)
    here = ["--git-dir", os.path.join(directory, ".git"), "--work-tree", ROOT]
    git(*here, "add", "--all")
    if git(*here, "status", "--porcelain"):
        git(*_NAMED, *here, "commit", "--quiet", "--message", "What is not committed yet")
    git("-C", directory, "reset", "--quiet", "--hard")


def first_test(source: str) -> tuple[str, int, int]:
    """
    :param source: the source of a module with tests.
    :return: the name of its first test, with its class; the line, from 1, of that test's first
        statement
        after the docstring; and the indentation of that line.
    """
    for suite in ast.parse(source).body:
        for function in getattr(suite, "body", ()) if isinstance(suite, ast.ClassDef) else ():
            if isinstance(function, ast.FunctionDef) and function.name.startswith("test_"):
                body = [each for each in function.body if not _is_text(each)]
                name = f"{suite.name}.{function.name}"
                return name, body[0].lineno, body[0].col_offset
    raise LookupError("there is no test")


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def with_broken_test(source: str) -> tuple[str, str]:
    """:return: the module with its first test broken, and the name of that test."""
    name, line, indentation = first_test(source)
    lines = source.splitlines(keepends=True)
    lines.insert(line - 1, " " * indentation + 'raise AssertionError("broken on purpose")\n')
    return "".join(lines), name


def break_test(directory: str, module: str, tag: str) -> str:
    """
    Break the first test of a module, in a commit that is on no branch.

    :param directory: the clone's path.
    :param module: such as ``"tests.driver.test_labels"``.
    :param tag: the commit's tag.
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
    return f"{module}.{name}"


def change(directory: str, branch: str) -> None:
    """Commit an empty change, on a new branch."""
    message = ["--message", "Change nothing"]
    with _commit(directory):
        git(*_NAMED, "-C", directory, "commit", "--quiet", "--allow-empty", *message)
        git("-C", directory, "branch", branch)


@contextmanager
def _commit(directory: str) -> Iterator[None]:
    """A context for a commit, which restores the branch afterwards."""
    before = git("-C", directory, "rev-parse", "--abbrev-ref", "HEAD")
    before = before if before != "HEAD" else git("-C", directory, "rev-parse", "HEAD")
    git("-C", directory, "checkout", "--quiet", "--detach")
    try:
        yield
    finally:
        git("-C", directory, "checkout", "--quiet", before)
