"""docs/docker.rst, followed on a node with an engine: each command prints the shown output."""

import configparser
import time

import yaml

from ..documents.blocks import of_suite
from ..documents.output import Learned
from .engines import SOCKET, EngineTestCase

PAGE = "docs/docker.rst"
#: A clone, for a reader of the page.
CLONE = "/root/clone"
#: Seconds in which a command in the background gets to what is shown.
PATIENCE = 60


class PageTests(EngineTestCase):
    """The page."""

    def setUp(self):
        super().setUp()
        self.learned = Learned()
        self.background = []
        self.addCleanup(self.interrupt)
        self.first.run("systemctl stop txstorage-docker.socket txstorage-docker.service")
        self.first.run(f"mkdir -p {CLONE}/.venv && ln -sfn /opt/txstorage/bin {CLONE}/.venv/bin")
        self.addCleanup(self.first.run, f"rm -r {CLONE}")

    def interrupt(self):
        """Press Ctrl-C in the other terminals, the last first."""
        while self.background:
            log = self.background.pop()
            self.first.run(f"kill -INT $(cat {log}.pid); while kill -0 $(cat {log}.pid); do "
                           "sleep 0.1; done 2>/dev/null", check=False)  # fmt: skip

    def begin(self, command, shown):
        """Run a command in another terminal, until it has printed what is shown."""
        log = f"/tmp/terminal-{len(self.background)}"
        script = f"cd {CLONE}; echo $$ >{log}.pid; exec {self.learned.typed(command)} >{log} 2>&1"
        self.first.spawn(script)
        self.background.append(log)
        end = time.monotonic() + PATIENCE
        while not self.learned.matches(shown, self.first.run(f"cat {log}", check=False).output):
            self.assertLess(time.monotonic(), end, self.first.run(f"cat {log}", check=False).output)
            time.sleep(0.2)

    def follow(self, block):
        """Type the commands of a block."""
        if block.ctrl_c:
            self.interrupt()
        for command, shown in block.commands:
            if block.background:
                self.begin(command, shown)
                continue
            done = self.first.run(f"cd {CLONE}; {self.learned.typed(command)}", check=False)
            where = f"{PAGE}, line {block.line}: $ {command}\n{done.output}{done.errors}"
            self.assertEqual(0, done.code, where)
            self.assertTrue(self.learned.matches(shown, done.output), where)

    def test_followed(self):
        """Each command succeeds and prints the shown output, and the files can be read."""
        [page] = of_suite("docker")
        self.assertEqual(PAGE, page)
        readers = {
            "yaml": lambda text: self.assertIn("volumes", yaml.safe_load(text)),
            "ini": lambda text: self.assertIn(SOCKET, self.paths_in(text)),
            "dockerfile": lambda text: None,
        }
        for block in of_suite("docker")[page]:
            readers.get(block.language, lambda text, block=block: self.follow(block))(block.text)

    def paths_in(self, text):
        """:return: the paths in a configuration of Podman's."""
        parser = configparser.ConfigParser()
        parser.read_string(text)
        return [each.strip('"') for each in parser["engine.volume_plugins"].values()]
