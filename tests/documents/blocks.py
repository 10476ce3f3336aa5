"""
The blocks of the documents: commands to type, and the contents of files.

A block is a ``code-block`` directive.  A block of language ``console`` is a session in a shell:
``$`` begins a command, ``>`` continues it, and the lines below are its output; among them, ``>>>``
begins a line that is typed to the command, a Python, and ``...`` continues it.  A block of another
language with a ``:caption:`` is the file of that name.

Comments before a block direct its execution::

    .. in: SUITE       executed by one of SUITES, not by tests.documents
    .. background      its command keeps running, in a terminal of its own, while the next ones run
    .. fails           its last command fails
    .. ctrl-c          before it, the last command that runs in the background is interrupted
"""

from __future__ import annotations

import glob
import os
import re
import textwrap
from collections.abc import Iterator

import attr

from tests.run import ROOT

#: The suites that execute blocks, and the places where they do.
SUITES = {
    "documents": "tests/documents/test_documents.py",
    # CI runs these commands anyway
    "ci": "tests/documents/test_documents.py",
    # an agent.yml, or its dataset section
    "configuration": "tests/documents/test_documents.py",
    # users of the embedded service, in options and in a file
    "accounts": "tests/embedded/accounts/test_declarations.py",
    # policies of a cloud's operator
    "rules": "tests/cli/test_openstack_page.py",
    "buildbot": "tests/buildbot/check_certification.py",
    "faults": "tests/faults/test_run.py",
    "bench": "tests/running/test_benchmarks.py",
    "docker": "tests/docker/check_documents.py",
    # configurations and a policy
    "ec2": "tests/clouds/ec2/test_page.py",
    "flocker": "tests/flocker/page.py",
    "managed": "tests/docker/check_managed.py",
    "openstack": "tests/openstack/check_documents.py",
    "packages": "tests/packages/check_documents.py",
}

_COMMENT = re.compile(r"\s*\.\. (?P<key>in: (?P<suite>\S+)|background|fails|ctrl-c)$")
_BLOCK = re.compile(r"(?P<indent>\s*)\.\. code-block:: (?P<language>\S+)$")
_OPTION = re.compile(r"\s+:(\w+): (.*)$")


@attr.s(frozen=True, auto_attribs=True)
class Block:
    """
    One block of a document.

    :ivar page: the document's path, from the root of the project.
    :ivar line: the number of its first line, from 1.
    :ivar language: such as ``console``.
    :ivar text: its content, without indentation.
    :ivar suite: the one of :data:`SUITES` that executes it.
    :ivar background: whether its one command keeps running, in a terminal of its own.
    :ivar fails: whether its last command fails.
    :ivar ctrl_c: whether to interrupt the command in the background first.
    :ivar caption: the name of its file.
    """

    page: str
    line: int
    language: str
    text: str
    suite: str = "documents"
    background: bool = False
    fails: bool = False
    ctrl_c: bool = False
    caption: str | None = None

    @property
    def commands(self) -> list[tuple[str, str]]:
        """The commands of a session, each with the output that the document shows."""
        commands: list[tuple[str, str]] = []
        for line in self.text.splitlines():
            if line.startswith("$ "):
                commands.append((line[2:], ""))
            elif not commands:
                raise ValueError(f"{self.page}:{self.line}: a session begins with a command")
            elif line.startswith("> ") and not commands[-1][1]:
                commands[-1] = (commands[-1][0] + "\n" + line[2:], "")
            else:
                commands[-1] = (commands[-1][0], commands[-1][1] + line + "\n")
        return commands


def dialogue(shown: str) -> tuple[str, str]:
    """
    Divide the lines below a command.

    :return: the lines that are typed to the command, and those that it prints.
    """
    typed: list[str] = []
    printed: list[str] = []
    inside = False
    for line in shown.splitlines():
        if line.startswith(">>> ") or (inside and line.startswith("...")):
            typed.append(line[4:])
            inside = line.startswith("... ") or line.endswith(":")
        else:
            printed.append(line)
            inside = False
    return _lines(typed), _lines(printed)


def _lines(lines: list[str]) -> str:
    return "".join(line + "\n" for line in lines)


def pages() -> list[str]:
    """The documents, by their paths from the root of the project."""
    places = ["*.rst", "newsfragments/README.rst", "docs/**/*.rst"]
    found = [
        path for place in places for path in glob.glob(os.path.join(ROOT, place), recursive=True)
    ]
    names = (os.path.relpath(path, ROOT) for path in found)
    return sorted(name for name in names if not name.startswith(("CHANGELOG", "docs/_build")))


def text_of(*path: str) -> str:
    """A file of the project, by its path from the root."""
    with open(os.path.join(ROOT, *path), encoding="utf-8") as opened:
        return opened.read()


def blocks(page: str) -> list[Block]:
    """The blocks of a document, in order."""
    return list(_parsed(page, text_of(page).splitlines()))


def of_suite(suite: str) -> dict[str, list[Block]]:
    """The blocks that a suite has to execute, by document, without documents that have none."""
    found = {page: [block for block in blocks(page) if block.suite == suite] for page in pages()}
    return {page: of_page for page, of_page in found.items() if of_page}


def _parsed(page: str, lines: list[str]) -> Iterator[Block]:
    said: dict[str, object] = {}
    for number, line in enumerate(lines):
        comment, start = _COMMENT.match(line), _BLOCK.match(line)
        if comment:
            key = comment["key"].split(":")[0]
            said.update(
                {"suite": comment["suite"]} if key == "in" else {key.replace("-", "_"): True}
            )
        elif start:
            inside = _indented(lines[number + 1 :], len(start["indent"]))
            options = _options(inside)
            text = textwrap.dedent("\n".join(inside[len(options) :])).strip("\n") + "\n"
            # plain docutils, which reads the README, has no captions
            caption = options.get("caption", options.get("name"))
            yield Block(page, number + 1, start["language"], text, caption=caption, **said)
            said = {}
        elif line.strip():
            said = {}


def _indented(lines: list[str], indent: int) -> list[str]:
    """The lines before the first that is not indented deeper."""
    inside = []
    for line in lines:
        if line.strip() and len(line) - len(line.lstrip()) <= indent:
            break
        inside.append(line)
    return inside


def _options(lines: list[str]) -> dict[str, str]:
    options = {}
    for line in lines:
        option = _OPTION.match(line)
        if option is None:
            break
        options[option[1]] = option[2]
    return options
