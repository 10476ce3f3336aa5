"""Tests of the comparison of what commands print."""

from __future__ import annotations

import os

import yaml
from twisted.trial.unittest import SynchronousTestCase

from ..run import content
from .commands import DATA, Command, Commands, Printed
from .comparison import (
    HERE,
    THERE,
    Difference,
    Known,
    differences,
    judge,
    lines,
    load,
    made_alike,
)

ID = "11111111-2222-3333-4444-555555555555"
SHOWN = """
+-------+-------+
| Field | Value |
+-------+-------+
| id    | {}    |
| name  | {}    |
|       | more  |
+-------+-------+
"""
LISTED = """
+----+------+
| ID | Name |
+----+------+
| b  | 2    |
| {} | 1    |
+----+------+
"""
LISTS = os.path.join(DATA, "commands")


def printed(output: str = "", errors: str = "", code: int = 0, words: str = "show x") -> Printed:
    """:return: the end of a command."""
    return Printed(Command(words, ()), code, output, errors)


def compared(ours: Printed, theirs: Printed, program: str = "openstack") -> list[str]:
    """:return: the differences, where the clouds have one name each."""
    made = (lines(program, ours, {"txstorage": "NAME"}), lines(program, theirs, {"demo": "NAME"}))
    return [f"{each.side}: {each.line}" for each in differences("show x", *made)]


class LinesTests(SynchronousTestCase):
    """Tests of what is compared."""

    def test_made_anew(self) -> None:
        """Ids, times, addresses, secrets and a cloud's own names are alike; parts of words stay."""
        for text, expected in (
            (f"volume {ID} of {'a' * 32}", "volume ID of ID"),
            (f"{'a' * 56} {'b' * 16} req-{ID}", "HOST KEY REQUEST"),
            ("2026-11-28T08:00:00.000000 2026-11-28T08:00:00Z", "TIME TIME"),
            ("2026-11-28T08:00:00-00:00 2026-11-28 08:00:00", "TIME TIME"),
            (f"http://127.0.0.1:8780/volume/v3/{'a' * 32}/volumes/{ID}", "URL/volumes/ID"),
            ("http://[::1]:1/v2.1/servers", "URL/servers"),
            (f"gAAAA{'x' * 100}==", "SECRET"),
            ("adminPass | J6ha6_eNtGmn", "adminPass | SECRET"),
            ("no adminPass | J6ha6_eNtGmn", "no adminPass | J6ha6_eNtGmn"),
            ("txstorage of  txstorage-1", "NAME of txstorage-1"),
            ("/dev/vdb and /dev/sdb", "/dev/db and /dev/db"),
            ("quota is 1000G", "quota is 1000G"),
        ):
            self.assertEqual(made_alike(text, {"txstorage": "NAME"}), expected)

    def test_longer_names(self) -> None:
        """A name that contains another one is replaced as a whole."""
        names = {"host": "HOST", "host@pool": "POOL"}
        self.assertEqual(made_alike("host@pool on host", names), "POOL on HOST")

    def test_fields(self) -> None:
        """A field of a table is a line, with all lines of its value, however wide columns are."""
        ours = printed(SHOWN.format(ID, "txstorage"))
        self.assertEqual(
            lines("openstack", ours, {"txstorage": "NAME"}),
            ["exit code 0", "id | ID", "name | NAME more"],
        )
        theirs = printed(SHOWN.format(ID.replace("1", "2"), "demo".ljust(20)))
        self.assertEqual(compared(ours, theirs), [])
        other = printed(SHOWN.format("x", "demo").replace("name", "nick"))
        self.assertEqual(
            compared(ours, other),
            ["here: id | ID", "here: name | NAME more", "there: id | x", "there: nick | NAME more"],
        )

    def test_lists(self) -> None:
        """A list's columns and rows are compared, in their order, which cinder's lists lack."""
        ours, theirs = printed(LISTED.format("c")), printed(LISTED.format("d"))
        self.assertEqual(compared(ours, theirs), ["here: c | 1", "there: d | 1"])
        other = LISTED.format("c").replace("Name", "Nick")
        self.assertEqual(compared(ours, printed(other)), ["here: ID | Name", "there: ID | Nick"])
        turned = LISTED.format("c").splitlines()
        turned[4], turned[5] = turned[5], turned[4]
        swapped = printed("\n".join(turned))
        self.assertEqual(compared(ours, swapped), ["here: another order"])
        self.assertEqual(compared(ours, swapped, "cinder"), [])

    def test_numbers(self) -> None:
        """A row that is printed twice differs from one that is printed once."""
        twice = LISTED.format("c").replace("| b  | 2    |", "| b  | 2    |\n| b  | 2    |")
        self.assertEqual(compared(printed(LISTED.format("c")), printed(twice)), ["there: b | 2"])

    def test_errors(self) -> None:
        """The exit code and the words of an error are compared."""
        ours = printed(errors=f"No volume {ID}.\n", code=1)
        self.assertEqual(compared(ours, printed(errors=f"No volume  {ID}.", code=1)), [])
        theirs = printed(errors="None.", code=2)
        self.assertEqual(
            compared(ours, theirs),
            ["here: exit code 1", "here: No volume ID.", "there: exit code 2", "there: None."],
        )

    def test_racing(self) -> None:
        """The state of a new volume is ignored in what the client asks for after the creation."""
        table = "| Property | Value |\n| status | {} |\n"
        ours, theirs = table.format("creating"), table.format("available")
        different = ["here: status | creating", "there: status | available"]
        for program, words, expected in (
            ("cinder", "create 1", []),
            ("cinder", "show a", different),
            ("openstack", "create 1", different),
        ):
            found = compared(printed(ours, words=words), printed(theirs, words=words), program)
            self.assertEqual(found, expected)


class JudgeTests(SynchronousTestCase):
    """Tests of the known differences."""

    def known(self, **changes: object) -> Known:
        """:return: a known difference."""
        entry = {"reason": "r", "commands": "show x", HERE: "size | 1", THERE: "size | *"}
        return Known.of({**entry, **changes})

    def test_new(self) -> None:
        """A difference is a problem, unless its command, its side and its line are known."""
        size = Difference("show x", HERE, "size | 1")
        other = Difference("show x", THERE, "size | 2 of 3")
        self.assertEqual(judge([size, other], [self.known()]), [])
        for found in (
            Difference("show xy", HERE, "size | 1"),
            Difference("show x", THERE, "name | 1"),
            Difference("show x", HERE, "size | 12"),
        ):
            text = f"{found.command}: only {found.side}: {found.line}"
            self.assertEqual(judge([size, other, found], [self.known()]), [text])

    def test_gone(self) -> None:
        """Each known line of each command has to differ."""
        size = Difference("show x", HERE, "size | 1")
        end = " (this difference no longer exists; remove it)"
        self.assertEqual(judge([size], [self.known()]), ["show x: only there: size | *" + end])
        both = self.known(commands=["show x", "show y"], there=[])
        self.assertEqual(judge([size], [both]), ["show y: only here: size | 1" + end])

    def test_wrong(self) -> None:
        """An entry without lines, or with a word that means nothing, is an error."""
        self.assertRaises(ValueError, Known.of, {"reason": "r", "commands": "show x"})
        self.assertRaises(ValueError, self.known, their="size | 2")


class FilesTests(SynchronousTestCase):
    """Tests of the lists of commands, and of the known differences."""

    def test_lists(self) -> None:
        """Each list has known differences, of its own commands, and no command twice."""
        names = sorted(name[: -len(".txt")] for name in os.listdir(LISTS) if name.endswith(".txt"))
        with open(os.path.join(LISTS, "differences.yaml"), encoding="utf-8") as opened:
            self.assertEqual(sorted(yaml.safe_load(opened)), names)
        for name in names:
            program = name.partition("-")[0]
            every = Commands(name, name, program, 0).every()
            typed = {f"{program} {command.words}" for command in every}
            named = {command for known in load(name) for command in known.commands}
            self.assertEqual(named - typed, set())
            self.assertTrue(all(known.reason for known in load(name)))

    def test_clients(self) -> None:
        """A real OpenStack comes with the clients of the releases that are compared with it."""
        ours, real = (
            {line for line in text.splitlines() if line.startswith(("python-", "openstacksdk"))}
            for text in content(
                os.path.join("tests", "clients", "requirements.txt"),
                os.path.join("tests", "openstack", "requirements.txt"),
            )
        )
        programs = ("python-openstackclient", "python-cinderclient", "openstacksdk")
        compared = {line for line in ours if line.startswith(programs)}
        self.assertEqual(len(compared), 3)
        self.assertEqual(compared - real, set())
