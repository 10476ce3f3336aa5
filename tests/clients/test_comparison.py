"""Tests of the comparison of what commands print."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from .commands import Command, Printed
from .comparison import Difference, differences, judge, made_alike

SHOWN = """
+-------+-------+
| Field | Value |
+-------+-------+
| id    | {}    |
| name  | {}    |
+-------+-------+
"""
LISTED = """
+----+------+
| ID | Name |
+----+------+
| 2  | b    |
| {} | a    |
+----+------+
"""
ID = "11111111-2222-3333-4444-555555555555"


def printed(output: str = "", errors: str = "", code: int = 0, words: str = "show x") -> Printed:
    """Return the end of a command."""
    return Printed(Command(words, ()), code, output, errors)


def compared(ours: Printed, theirs: Printed, program: str = "openstack") -> list[str]:
    """Return the names of the differences, where the clouds have one name each."""
    found = differences(program, ours, theirs, ({"txstorage": "NAME"}, {"demo": "NAME"}))
    return [each.name for each in found]


class ComparisonTests(SynchronousTestCase):
    """Tests of differences."""

    def test_made_anew(self) -> None:
        """Ids, times, addresses, secrets and a cloud's own names are no difference; parts are."""
        for text, expected in (
            (f"volume {ID} of {'a' * 32}", "volume ID of ID"),
            ("2026-11-28T08:00:00.000000 2026-11-28T08:00:00Z", "TIME TIME"),
            (f"http://127.0.0.1:8780/volume/v3/{'a' * 32}/volumes/{ID}", "URL/volumes/ID"),
            ("http://[::1]:1/v2.1/servers", "URL/servers"),
            (f"gAAAA{'x' * 100}==", "SECRET"),
            ("txstorage of txstorage-1", "NAME of txstorage-1"),
            ("/dev/vdb", "/dev/db"),
        ):
            self.assertEqual(made_alike(text, {"txstorage": "NAME"}), expected)

    def test_rows(self) -> None:
        """The rows of a table are compared by their names, however wide the columns are."""
        ours = printed(SHOWN.format(ID, "txstorage"))
        self.assertEqual(compared(ours, ours), ["openstack show x: name"])
        theirs = printed(SHOWN.format(ID.replace("1", "2"), "demo".ljust(20)))
        self.assertEqual(compared(ours, theirs), [])
        other = printed(SHOWN.format("x", "demo").replace("name", "nick"))
        self.assertEqual(
            compared(ours, other),
            ["openstack show x: id", "openstack show x: nick", "openstack show x: name"],
        )

    def test_lists(self) -> None:
        """A list's columns and rows are compared, in their order, which cinder's lists lack."""
        ours, theirs = printed(LISTED.format("1")), printed(LISTED.format("3"))
        self.assertEqual(compared(ours, theirs), ["openstack show x: rows"])
        other = LISTED.format("1").replace("Name", "Nick")
        self.assertEqual(compared(ours, printed(other)), ["openstack show x: columns"])
        turned = LISTED.format("1").splitlines()
        turned[4], turned[5] = turned[5], turned[4]
        swapped = printed("\n".join(turned))
        self.assertEqual(compared(ours, swapped), ["openstack show x: rows"])
        self.assertEqual(compared(ours, swapped, "cinder"), [])

    def test_errors(self) -> None:
        """The exit code and the words of an error are compared."""
        ours = printed(errors=f"No volume {ID}.\n", code=1)
        self.assertEqual(compared(ours, printed(errors=f"No volume  {ID}.", code=1)), [])
        theirs = printed(errors="None.", code=2)
        expected = ["openstack show x: exit code", "openstack show x: text"]
        self.assertEqual(compared(ours, theirs), expected)

    def test_new_volumes(self) -> None:
        """The status of a new volume is no difference; later, it is one."""
        table = "| Field | Value |\n| status | {} |\n"
        ours, theirs = table.format("creating"), table.format("available")
        for words, expected in (("volume create a", []), ("volume show a", ["status"])):
            found = compared(printed(ours, words=words), printed(theirs, words=words))
            self.assertEqual([name.rpartition(": ")[2] for name in found], expected)

    def test_judged(self) -> None:
        """New differences are problems, and so are known ones that exist no longer."""
        found = [Difference("openstack a", part, "1", "2") for part in ("rows", "one_x", "two_x")]
        known = {"because": ["openstack a: *_x", "openstack b: rows"]}
        self.assertEqual(
            judge(found, known),
            [
                "openstack a: rows\n  here: '1'\n  there: '2'",
                "openstack b: rows: there is no difference any more",
            ],
        )
        self.assertEqual(judge(found, {"because": ["openstack a: *"]}), [])
