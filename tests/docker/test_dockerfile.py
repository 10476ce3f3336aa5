"""Tests of the Dockerfile, which no engine builds here; see also :mod:`.check_managed`."""

from __future__ import annotations

import re

from twisted.trial.unittest import SynchronousTestCase

from ..documents.blocks import of_suite, text_of
from ..documents.test_inline import unknown
from .dockerfile import changes, command, stages

#: The instructions of Dockerfiles, as Docker's reference lists them.
WORDS = (
    *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL"),
    *("ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
)


class DockerfileTests(SynchronousTestCase):
    """Tests of the stages."""

    def test_stages(self) -> None:
        """
        The stages are built on one another, and the last one, which is built by default, is the
        plugin's.
        """
        self.assertEqual(list(stages())[-3:], ["installed", "serve", "plugin"])
        for stage in ("serve", "plugin"):
            self.assertEqual(stages()[stage][0], ("FROM", f"installed AS {stage}"))

    def test_instructions(self) -> None:
        """Each line has an instruction that Docker knows."""
        words = {word for instructions in stages().values() for word, _ in instructions}
        self.assertEqual(words - set(WORDS), set())

    def test_commands(self) -> None:
        """The containers' commands exist, with their options."""
        for stage, name in (("serve", "serve"), ("plugin", "docker-plugin")):
            program, *words = command(stage)
            self.assertEqual((program, words[0]), ("/usr/bin/txstorage", name))
            self.assertIsNone(unknown(words))

    def test_serve(self) -> None:
        """The service is not root's; its port is exposed, and its health checked there."""
        words = command("serve")
        lines = "\n".join(changes("serve"))
        self.assertRegex(lines, r"(?m)^USER [1-9]\d*:[1-9]\d*$")
        port = words[words.index("--port") + 1]
        self.assertIn(f"EXPOSE {port}\n", lines)
        self.assertIn(f"http://127.0.0.1:{port}/healthcheck", lines)
        self.assertIn("--test-routes", words)
        directory = words[words.index("--state-dir") + 1]
        made = dict(stages()["serve"])["RUN"]
        owner = re.escape(dict(stages()["serve"])["USER"].partition(":")[0])
        self.assertRegex(made, rf"--owner {owner} .* {directory}$")

    def test_documented(self) -> None:
        """The pages build the stages that there are."""
        for page, stage in (("docs/docker.rst", None), ("docs/testing-with-serve.rst", "serve")):
            [block] = [each for each in of_suite("managed")[page] if each.language == "sh"]
            built = re.search(r"docker build (?:--target (\S+) )?--tag (\S+) dist", block.text)
            assert built is not None
            self.assertEqual(built[1], stage)
            self.assertIn(built[0], text_of("packaging/docker/Dockerfile"))
            self.assertTrue(block.text.count(built[2]) > 1)
