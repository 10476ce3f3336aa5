"""The completions and the man pages of the ``.deb``, used by the programs that they are for."""

import os
import shutil

from .support import PackagesTestCase

HERE = os.path.dirname(os.path.abspath(__file__))
#: The shells, each with the command that prints the offers at the end of a command line.
SHELLS = {
    "bash": ["bash", "/root/offers.bash"],
    "fish": ["fish", "--command", "complete --do-complete $argv[1]"],
    "zsh": ["zsh", "-f", "/root/offers.zsh"],
}
#: The number of times that a patient user of a busy machine presses Tab.
PRESSES = 10


class ShellsTests(PackagesTestCase):
    """A machine that has the shells, the package, and the running service."""

    def setUp(self):
        super().setUp()
        self.machine = self.root("shells")
        self.install(self.machine)
        for name in ("offers.bash", "offers.zsh"):
            shutil.copy(os.path.join(HERE, "shells", name), self.machine.within("root", name))

    def offered(self, shell, line):
        """:return: the words that a shell offers, without descriptions."""
        lines = self.machine.run([*SHELLS[shell], line]).splitlines()
        return sorted(each.partition("\t")[0].strip() for each in lines if each.strip())

    def offers(self, line, *words):
        """Each shell offers just these words; a busy service's are not awaited for long."""
        for shell in SHELLS:
            for _ in range(PRESSES):
                offered = self.offered(shell, line)
                if offered:
                    break
            self.assertEqual((shell, sorted(words)), (shell, offered))

    def test_commands(self):
        """Each shell finds its completion by itself, and offers commands and options."""
        self.offers("txstorage vol", "volumes")
        self.offers("txstorage volumes de", "destroy", "detach")
        self.offers("txstorage volumes list --sor", "--sort")

    def test_descriptions(self):
        """fish shows whole descriptions, with their commas."""
        shown = self.machine.run([*SHELLS["fish"], "txstorage vol"])
        self.assertIn("volumes\tList, create, grow, attach, detach and destroy", shown)

    def test_words_of_the_service(self):
        """Each shell offers the volumes and nodes of the machine's own service."""
        self.start(self.machine)
        volumes = [self.machine.txstorage("volumes create 1GiB")["volume_id"] for _ in "ab"]
        self.offers("txstorage volumes show ", *volumes)
        self.offers("txstorage volumes show " + volumes[0][:8], volumes[0])
        self.offers("txstorage volumes attach --to node-", "node-1", "node-2")

    def test_man_pages(self):
        """``man`` finds the page of each command, and shows it without complaints."""
        for name in os.listdir(self.machine.within("usr/share/man/man1")):
            page = name.partition(".1")[0]
            if page.startswith("txstorage"):
                shown = self.machine.run(["sh", "-c", 'man --warnings "$0" 2>&1', page])
                self.assertIn("OPTIONS", shown, page)
                self.assertNotIn("warning", shown, page)
        self.assertIn("--sort COLUMN", self.machine.run("man txstorage-volumes-list"))
