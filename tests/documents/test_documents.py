"""The commands of the documents, executed."""

from __future__ import annotations

import os
import re
from typing import Any, Callable

import yaml
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.documents.blocks import SUITES, Block, blocks, of_suite, pages, text_of
from tests.documents.session import Session, obstacle
from txstorage._configuration.configuration import Configuration

#: The keys that a block about something else omits.
COMMON = {
    "auth_url": "http://cloud.example/v3",
    "username": "u",
    "password": "p",
    "project_name": "p",
}


def follow(page: str) -> None:
    """
    Execute all blocks of a document, in one shell.

    :raises Mistake: an outcome differs from the document's.
    """
    session = Session()
    try:
        for block in blocks(page):
            if block.suite == "documents":
                session.execute(block)
    finally:
        session.close()


class DocumentsTests(SynchronousTestCase):
    """Each document is followed from its top to its end, in a test of its own."""

    def setUp(self) -> None:
        if obstacle():
            raise SkipTest(obstacle())


def _test_of(page: str) -> Callable[[Any], None]:
    def test(self: Any) -> None:
        follow(page)

    test.__doc__ = f"The commands of {page} print the output that it shows."
    return test


for _page in of_suite("documents"):
    setattr(DocumentsTests, "test_" + re.sub(r"\W", "_", _page[: -len(".rst")]), _test_of(_page))


class EachBlockTests(SynchronousTestCase):
    """Every block is executed by some suite."""

    def each(self, check: Callable[[Block], bool]) -> list[str]:
        """:return: the blocks that fail the check."""
        return [
            f"{block.page}:{block.line}"
            for page in pages()
            for block in blocks(page)
            if not check(block)
        ]

    def test_suites(self) -> None:
        """Each block's suite exists, and each suite has blocks."""
        self.assertEqual([], self.each(lambda block: block.suite in SUITES))
        self.assertEqual([], [suite for suite in SUITES if not of_suite(suite)])

    def test_modules(self) -> None:
        """Each suite's module exists and asks for its blocks."""
        for suite, module in SUITES.items():
            self.assertIn(f'of_suite("{suite}")', text_of(module), suite)

    def test_executed(self) -> None:
        """The blocks of this suite are sessions with commands, or files."""
        self.assertEqual(
            [],
            self.each(
                lambda block: (
                    block.suite != "documents"
                    or bool(block.caption or (block.language == "console" and block.commands))
                )
            ),
        )

    def test_background(self) -> None:
        """A block in the background has one command: its terminal is its own."""
        self.assertEqual(
            [], self.each(lambda block: not block.background or len(block.commands) == 1)
        )

    def test_no_bare_blocks(self) -> None:
        """The documents have no literal blocks but these, which no test would find."""
        bare = re.compile(r"^(?!\s*\.\. ).*::$", re.MULTILINE)
        for page in pages():
            self.assertEqual([], bare.findall(text_of(page)), page)

    def test_configurations(self) -> None:
        """A configuration has keys and values that the driver accepts."""
        for of_page in of_suite("configuration").values():
            for block in of_page:
                section = dict(yaml.safe_load(block.text)["dataset"])
                self.assertEqual("txstorage", section.pop("backend"))
                Configuration.from_mapping(self.complete(section))

    def complete(self, section: dict[str, Any]) -> dict[str, Any]:
        """
        The section, completed with the keys that the document omits, and with files that exist.
        """
        for key, value in section.items():
            if key.endswith("_file"):
                section[key] = self.mktemp()
                with open(section[key], "w", encoding="utf-8") as file:
                    file.write(value)
        given = {key.replace("_file", "") for key in section}
        if "cloud" in given:
            cloud = {"auth": COMMON, "region_name": "RegionOne"}
            self.write_clouds({"clouds": {section["cloud"]: cloud}})
        if given & {"cloud", "application_credential_id"}:
            return section
        return {**{key: value for key, value in COMMON.items() if key not in given}, **section}

    def write_clouds(self, clouds: dict[str, Any]) -> None:
        """Define these clouds for one test."""
        path = self.mktemp()
        with open(path, "w", encoding="utf-8") as file:
            yaml.safe_dump(clouds, file)
        self.patch(os, "environ", {**os.environ, "OS_CLIENT_CONFIG_FILE": path})

    def test_ci(self) -> None:
        """CI makes the targets that the documents leave to CI."""
        script = text_of(".ci", "run")
        [targets] = re.findall(r"-m tests.targets (.*)$", script, re.MULTILINE)
        commands = {
            command
            for of_page in of_suite("ci").values()
            for block in of_page
            for command, _ in block.commands
        }
        made = {"make " + target for target in re.split(r"[ +]", targets)}
        self.assertEqual(set(), commands - made)
