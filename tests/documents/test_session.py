"""Tests of the shell for documents, and of the comparison."""

from __future__ import annotations

import glob
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.documents.blocks import ROOT, Block
from tests.documents.output import Learned
from tests.documents.session import Mistake, Session, until_gone
from tests.run import ENVIRONMENT

ONE = "0b1f1d7c-52a4-4c1e-9f3a-6d2f5c8e9a10"
OTHER = "7e0d8c11-90ab-4d2f-8c55-1a2b3c4d5e6f"
THIRD = "7c1d1f0b-a452-1e4c-9f3a-6d2f5c8e9a10"


class LearnedTests(SynchronousTestCase):
    """The comparison of outputs."""

    def test_same(self) -> None:
        """Lines are compared exactly, except for blanks at their ends."""
        learned = Learned()
        self.assertTrue(learned.matches("a.b\nc\n", "a.b  \nc\n\n"))
        self.assertFalse(learned.matches("a.b\nc\n", "a.b\n"))
        self.assertFalse(learned.matches("a.b\n", "a.b\nc\n"))
        self.assertFalse(learned.matches("a.b\n", "a-b\n"))

    def test_nothing(self) -> None:
        """Output where the document shows none is a mistake."""
        self.assertTrue(Learned().matches("", ""))
        self.assertFalse(Learned().matches("", "error\n"))

    def test_anything(self) -> None:
        """Dots match anything within a line, and any lines when they stand alone."""
        learned = Learned()
        self.assertTrue(learned.matches("took ... s\n", "took 0.31 s\n"))
        self.assertFalse(learned.matches("took ... s\n", "took 0.31\ns\n"))
        self.assertTrue(learned.matches("...\nend\n", "end\n"))
        self.assertTrue(learned.matches("a\n...\nend\n", "a\nb\nc\nend\n"))
        self.assertFalse(learned.matches("a\n...\nend\n", "a\nb\nc\n"))

    def test_names(self) -> None:
        """An id differs between runs, and is the same within one."""
        learned = Learned()
        self.assertTrue(learned.matches(f"made {ONE}, {ONE}", f"made {OTHER}, {OTHER}"))
        self.assertEqual(f"destroy {OTHER}", learned.typed(f"destroy {ONE}"))
        self.assertTrue(learned.matches(ONE, OTHER))
        self.assertFalse(learned.matches(ONE, THIRD))
        self.assertFalse(Learned().matches(f"{ONE} {ONE}", f"{OTHER} {THIRD}"))

    def test_kinds(self) -> None:
        """A device stands for a device, not for an id; a port for a port, EC2's id for EC2's."""
        learned = Learned()
        self.assertFalse(learned.matches("/dev/loop0", ONE))
        self.assertTrue(learned.matches("/dev/loop0", "/dev/loop17"))
        self.assertEqual("mount /dev/loop17", learned.typed("mount /dev/loop0"))
        self.assertTrue(learned.matches("http://127.0.0.1:41234/v3", "http://127.0.0.1:35555/v3"))
        self.assertTrue(learned.matches("vol-0c52f03b073445079", "vol-af5b211ae70f41be8"))
        self.assertEqual("show vol-af5b211ae70f41be8", learned.typed("show vol-0c52f03b073445079"))

    def test_examples(self) -> None:
        """An example address stands for another address."""
        learned = Learned({"https://cloud.example": "http://127.0.0.1:5"})
        self.assertEqual("curl http://127.0.0.1:5/a", learned.typed("curl https://cloud.example/a"))
        self.assertTrue(learned.matches("at https://cloud.example/a", "at http://127.0.0.1:5/a"))

    def test_devices(self) -> None:
        """A device keeps its last value."""
        learned = Learned()
        self.assertTrue(learned.matches("/dev/loop0 /dev/loop0", "/dev/loop3 /dev/loop4"))
        self.assertEqual("mount /dev/loop4", learned.typed("mount /dev/loop0"))
        self.assertTrue(learned.matches("/dev/loop0", "/dev/loop5"))
        self.assertEqual("mount /dev/loop5", learned.typed("mount /dev/loop0"))

    def test_not_learned(self) -> None:
        """A failed comparison learns nothing."""
        learned = Learned()
        self.assertFalse(learned.matches(f"{ONE}\nend", f"{OTHER}\nelse"))
        self.assertEqual({}, learned.names)

    def test_times(self) -> None:
        """A time may always differ."""
        shown = "at 2026-11-23T00:20:31.971707"
        self.assertTrue(Learned().matches(shown, "at 2031-01-02T03:04:05.1"))
        self.assertFalse(Learned().matches(shown, "at noon"))


def commands_running() -> Iterator[bytes]:
    """Yield the arguments of each process, with a NUL after each argument."""
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as opened:
                yield opened.read()
        except (FileNotFoundError, ProcessLookupError):
            # the process has ended
            continue


class SessionTests(SynchronousTestCase):
    """The shell."""

    def setUp(self) -> None:
        if os.geteuid() != 0:
            raise SkipTest("only root may make namespaces")
        self.session = Session()
        self.addCleanup(self.session.close)

    def execute(self, text: str, language: str = "console", **options: Any) -> None:
        """Execute a block with that text."""
        self.session.execute(Block("some.rst", 7, language, text, **options))

    def refused(self, text: str, **options: Any) -> str:
        """The mistake that a wrong block raises."""
        mistake = self.assertRaises(Mistake, self.execute, text, **options)
        self.assertIn("some.rst, line 7", str(mistake))
        return str(mistake)

    def test_goes_on(self) -> None:
        """The directory and the variables stay for the next block."""
        self.execute("$ cd /var/tmp\n$ WORD=yes\n")
        self.execute("$ echo $PWD $WORD\n/var/tmp yes\n")

    def test_goes_on_in_lines(self) -> None:
        """A command can have several lines, and does not read the lines after it."""
        self.execute("$ cat - <<END\n> here\n> END\nhere\n$ cat\n$ echo still\nstill\n")

    def test_typed_to_python(self) -> None:
        """Lines with prompts are typed to the command, which prints the others."""
        self.execute(
            "$ python3 -i -q\n"
            ">>> word = 'here'\n>>> word.upper()\n'HERE'\n"
            ">>> for letter in word[:2]:\n...     print(letter)\n...\nh\ne\n"
            ">>> print('three\\nlines\\nnow')\n...\nnow\n"
        )
        self.refused("$ python3 -i -q\n>>> 1 + 1\n3\n")

    def test_no_environment(self) -> None:
        """No virtual environment is activated, and no variable of the tests is there."""
        path = f"{sys.prefix}/bin:/usr/sbin:/usr/bin:bin:/bin"
        self.patch(os, "environ", {**os.environ, "TXSTORAGE_SOMETHING": "yes", "PATH": path})
        session = Session()
        self.addCleanup(session.close)
        session.execute(Block("some.rst", 7, "console", "$ echo $PATH\n/usr/sbin:/usr/bin:/bin\n"))
        session.execute(Block("some.rst", 7, "console", "$ env | grep -c TXST\n0\n", fails=True))

    def test_terminals(self) -> None:
        """
        A command in the background and the other commands have different terminals, which begin in
        the checkout.
        """
        self.execute("$ cd /var/tmp; export WORD=first\n")
        self.execute(
            "$ pwd; echo ${WORD-none}; exec sleep 1000\n" + f"{ROOT}\nnone\n", background=True
        )
        self.execute(f"$ pwd; echo ${{WORD-none}}; export WORD=second\n{ROOT}\nnone\n")
        self.execute("$ echo ${WORD-none}; exec sleep 1000\nnone\n", background=True)
        self.execute("$ echo $WORD; jobs -rp | wc -l\nsecond\n2\n")

    def test_wrong_output(self) -> None:
        """Different output is a mistake, which shows it."""
        self.assertIn("hello", self.refused("$ echo hello\ngoodbye\n"))

    def test_wrong_status(self) -> None:
        """A failing command is a mistake, unless the block expects it; then success is."""
        self.assertIn("ended with 3", self.refused("$ (exit 3)\n"))
        self.execute("$ (exit 3)\n", fails=True)
        self.refused("$ true\n", fails=True)

    def test_file(self) -> None:
        """A block with a name is a file, with the values learned before."""
        self.session.learned.names[ONE] = OTHER
        self.execute(f"id: {ONE}\n", "yaml", caption="/var/tmp/some.yml")
        self.execute(f"$ cat /var/tmp/some.yml\nid: {ONE}\n")

    def test_background(self) -> None:
        """A command in the background must print the shown output; it is ended at the end."""
        self.execute("$ echo ready; exec sleep 1000\nready\n", background=True)
        self.execute("$ jobs -rp | wc -l\n1\n")

    def test_interrupted(self) -> None:
        """
        A command in the background is ended as by Ctrl-C, and the next command finds it ended.
        """
        text = "$ trap 'echo over > /var/tmp/end; exit' INT; echo ready; sleep 1000; true\nready\n"
        self.execute(text, background=True)
        self.execute("$ cat /var/tmp/end; jobs -rp\nover\n", ctrl_c=True)

    def test_interrupted_in_turn(self) -> None:
        """Of two commands in the background, the later is interrupted first."""
        for word in ("first", "second"):
            trap = f"trap 'echo {word} >> /var/tmp/end; exit' INT"
            self.execute(f"$ {trap}; echo ready; sleep 1000; true\nready\n", background=True)
        self.execute("$ cat /var/tmp/end\nsecond\n", ctrl_c=True)
        self.execute("$ cat /var/tmp/end\nsecond\nfirst\n", ctrl_c=True)

    def test_interrupted_at_end(self) -> None:
        """The session's end interrupts it too, and waits for it."""
        session = Session()
        witness = self.mktemp()
        trap = f"trap 'sleep 0.2; echo over > {os.path.abspath(witness)}; exit' INT"
        text = f"$ {trap}; echo ready; sleep 1000; true\nready\n"
        session.execute(Block("some.rst", 7, "console", text, background=True))
        session.close()
        self.assertTrue(os.path.exists(witness))

    def test_background_ends(self) -> None:
        """A background command that ends before its output is complete is a mistake."""
        self.assertIn("did not get", self.refused("$ echo broken\nready\n", background=True))

    def test_apart(self) -> None:
        """The session can neither reach nor see anything outside."""
        self.execute("$ ls /var/tmp ~\n/var/tmp:\nhome\n\n/var/tmp/home:\n")
        self.execute("$ echo > /dev/tcp/192.0.2.1/80\n...unreachable...\n...\n", fails=True)

    def test_changed(self) -> None:
        """Changes to the machine's directories stay in the session."""
        other = self.mktemp()
        os.makedirs(os.path.join(other, "inner"))
        session = Session({"WORD": "yes"}, changed=[os.path.realpath(other), "/etc"])
        self.addCleanup(session.close)
        inside = f"$ cd {os.path.realpath(other)} && echo $WORD > inner/new && cat inner/new\nyes\n"
        session.execute(Block("some.rst", 7, "console", inside))
        session.execute(Block("some.rst", 7, "console", "$ mkdir /etc/some-document\n"))
        self.assertEqual([], os.listdir(os.path.join(other, "inner")))
        self.assertFalse(os.path.exists("/etc/some-document"))

    def test_outside(self) -> None:
        """A session can use the machine's network."""
        listening = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listening.close)
        typed = f"$ echo > /dev/tcp/127.0.0.1/{listening.getsockname()[1]}\n"
        block = Block("some.rst", 7, "console", typed)
        session = Session(outside=True)
        self.addCleanup(session.close)
        session.execute(block)
        self.assertRaises(Mistake, self.session.execute, block)

    def test_mounted_outside(self) -> None:
        """A volume that was mounted outside before is not kept in use by the session."""
        directory = os.path.abspath(self.mktemp())
        os.mkdir(directory)
        image = os.path.join(directory, "image")
        mounted = os.path.join(directory, "mnt")
        self.addCleanup(subprocess.run, ["umount", "--quiet", mounted], check=False)
        shell = (
            f"truncate --size 8M {image} && mkfs.ext2 -q {image} && "
            f"mkdir {mounted} && mount -o loop {image} {mounted}"
        )
        subprocess.run(["sh", "-c", shell], check=True)
        session = Session()
        self.addCleanup(session.close)
        session.execute(Block("some.rst", 7, "console", "$ true\n"))
        subprocess.run(["umount", mounted], check=True)
        until_gone(image)

    def test_environment(self) -> None:
        """The environment of the tests can't be changed."""
        if not os.path.exists(ENVIRONMENT):
            raise SkipTest("there is none: the tests run in that of another version")
        self.execute("$ touch .venv/new\n...Read-only...\n", fails=True)

    def test_leaves_nothing(self) -> None:
        """Files, processes and loop devices are gone at the end."""
        session = Session()
        text = (
            "$ truncate --size 1M /var/tmp/image\n"
            "$ losetup --find --show /var/tmp/image\n/dev/loop0\n"
            "$ sleep 54321 & until grep --quiet 54321 /proc/$!/cmdline; do true; done; echo\n"
        )
        session.execute(Block("some.rst", 7, "console", text))
        self.assertIn(b"sleep\x0054321\x00", list(commands_running()))
        device = session.learned.names["/dev/loop0"]
        self.assertEqual(0, subprocess.call(["losetup", device], stdout=subprocess.DEVNULL))
        session.close()
        self.assertNotEqual(0, subprocess.call(["losetup", device], stderr=subprocess.DEVNULL))
        self.assertFalse(os.path.exists(session.scratch))
        self.assertNotIn(b"sleep\x0054321\x00", list(commands_running()))
