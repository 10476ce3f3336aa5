"""Tests of the program before runc on the tests' nodes."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from tests.nodes.trees.runtime import NAMES, limited, present

SETS = {"bounding": ["CAP_CHOWN", "CAP_SYS_RESOURCE"], "ambient": ["CAP_SYS_RESOURCE"]}
LESS = {"bounding": ["CAP_CHOWN"], "ambient": []}


class LimitedTests(SynchronousTestCase):
    """The capabilities that a container keeps."""

    def test_present(self) -> None:
        """The names of a mask are those of its bits."""
        self.assertEqual({"CAP_CHOWN", "CAP_SYS_RESOURCE"}, present(1 | 1 << 24))
        self.assertEqual(41, len(NAMES))
        self.assertEqual(set(), present(0))

    def test_bundle(self) -> None:
        """Nothing of a bundle's configuration changes but the capabilities."""
        bundle = {"root": {"path": "rootfs"}, "process": {"args": ["sh"], "capabilities": SETS}}
        kept = limited(bundle, {"CAP_CHOWN"})
        self.assertEqual({"args": ["sh"], "capabilities": LESS}, kept["process"])
        self.assertEqual(bundle["root"], kept["root"])

    def test_process(self) -> None:
        """A process that joins a container is limited, too."""
        process = {"args": ["sh"], "capabilities": SETS}
        self.assertEqual({"args": ["sh"], "capabilities": LESS}, limited(process, {"CAP_CHOWN"}))

    def test_run(self) -> None:
        """The program changes the files that its options name, and becomes runc."""
        bundle, process = self.mktemp(), self.mktemp()
        os.mkdir(bundle)
        config = os.path.join(bundle, "config.json")
        absent = {"process": {"capabilities": {"bounding": ["CAP_CHOWN", "CAP_OF_TOMORROW"]}}}
        for path, content in [(config, absent), (process, absent["process"])]:
            with open(path, "w", encoding="utf-8") as opened:
                json.dump(content, opened)
        start = "import sys; from tests.nodes.trees import runtime; runtime.RUNC = sys.argv[1]; "
        words = ["--log", "l", "create", "--bundle", bundle, "--process", process, "name"]
        done = subprocess.run(
            [sys.executable, "-c", start + "runtime.main(sys.argv[2:])", "/bin/echo", *words],
            env=dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path)),
            capture_output=True,
            text=True,
        )
        self.assertEqual((" ".join(words) + "\n", ""), (done.stdout, done.stderr))
        for path in (config, process):
            with open(path, encoding="utf-8") as opened:
                self.assertNotIn("TOMORROW", opened.read())
