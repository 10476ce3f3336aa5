"""
Tests of ``make bench``, and its quick form: the requests and the connections of life cycles, which
do not depend on the machine, are compared with bounds.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attr
from twisted.trial.unittest import SynchronousTestCase

from benchmarks import __main__ as program
from benchmarks import bench, plots
from benchmarks.__main__ import QUESTIONS, RECORD, merged, parsed
from benchmarks.bench import Column, Table, Target, fewest_requests, lines_of
from benchmarks.questions.ec2 import by_kind, derived, looks
from benchmarks.running import (
    CLIENTS,
    Failed,
    Figures,
    Row,
    environment,
    fake_cloud,
    median_of,
    run_client,
)
from benchmarks.services import ec2_service
from tests.documents.blocks import of_suite
from tests.run import ROOT

#: Volumes of each case below.
COUNT = 30


@attr.s(frozen=True, auto_attribs=True)
class Bounds:
    """
    The most that the life cycles of :data:`COUNT` volumes may cost.

    :ivar delay: seconds of a transition.
    """

    delay: float
    requests: int
    lists: int
    gets: int
    connections: int


#: The bounds, by the number of servers.  A faster driver lowers them; nothing may raise them.  The
#: transitions of the first take several looks, which a list shares; the others take one look.
BOUNDS = {
    30: Bounds(delay=0.5, requests=275, lists=55, gets=90, connections=60),
    3: Bounds(delay=0.02, requests=290, lists=45, gets=120, connections=60),
}


class RequestsTests(SynchronousTestCase):
    """The requests and the connections of whole life cycles on the fake cloud."""

    def check(self, servers: int) -> None:
        """Compare the figures with the bounds."""
        bounds = BOUNDS[servers]
        with fake_cloud(delay=bounds.delay, servers=servers, serial=True) as cloud:
            found = run_client(sys.executable, CLIENTS["txstorage"][0], {"count": COUNT}, cloud)
        self.assertEqual((COUNT, []), (found["ended"], found["errors"]))
        routes = found["by_route"]
        mutations = {name: number for name, number in routes.items() if name[:3] != "GET"}
        expected = (
            "POST volumes",
            "POST attachments",
            "DELETE attachments/ID",
            "DELETE volumes/ID",
        )
        self.assertEqual(dict.fromkeys(expected, COUNT), mutations)
        self.assertLessEqual(routes["GET volumes/detail"], bounds.lists, routes)
        self.assertLessEqual(routes.get("GET volumes/ID", 0), bounds.gets, routes)
        self.assertLessEqual(found["requests"], bounds.requests, routes)
        self.assertLessEqual(found["connections"], bounds.connections)

    def test_a_server_each(self) -> None:
        """Life cycles on a server each stay within the bounds."""
        self.check(30)

    def test_few_servers(self) -> None:
        """Life cycles on few servers stay within the bounds."""
        self.check(3)


#: The most that the life cycles of a hundred volumes on ten instances of EC2 may cost.
EC2_BOUNDS = {"requests": 770, "DescribeVolumes": 350, "DescribeInstances": 20, "connections": 120}


class EC2RequestsTests(SynchronousTestCase):
    """The requests and the connections of whole life cycles on the EC2 face."""

    def test_hundred(self) -> None:
        """A hundred life cycles at once stay within the bounds."""
        with ec2_service(servers=10, delay=0.5) as cloud:
            found = run_client(sys.executable, CLIENTS["txstorage"][0], {"count": 100}, cloud)
        self.assertEqual((100, []), (found["ended"], found["errors"]))
        actions = found["by_route"]
        changes = {name: actions[name] for name in actions if not name.startswith("Describe")}
        expected = ("CreateVolume", "AttachVolume", "DetachVolume", "DeleteVolume")
        self.assertEqual(dict.fromkeys(expected, 100), changes)
        for name, bound in EC2_BOUNDS.items():
            self.assertLessEqual({**found, **actions}[name], bound, (name, found))
        self.assertGreater(found["connections"], 0)


class EC2QuestionTests(SynchronousTestCase):
    """The question about EC2."""

    def test_looks(self) -> None:
        """The last look is the first one that does not come before the end of a transition."""
        found = [looks(seconds, 1.0, 2.0, 2.0) for seconds in (0, 1.5, 1.6, 4.0, 4.1, 8.5, 8.6)]
        self.assertEqual([1, 1, 2, 2, 3, 3, 4], found)

    def test_derived(self) -> None:
        """The volumes of a batch share their looks, and the instances of one their description."""
        one, most, more = derived(1, 1), derived(500, 50), derived(501, 51)
        self.assertEqual((4, 2), (one["changes"], one["DescribeInstances"]))
        self.assertEqual(2000 + one["requests"] - 4, most["requests"])
        self.assertEqual(2 * one["DescribeVolumes"], more["DescribeVolumes"])
        self.assertEqual(4, more["DescribeInstances"])

    def test_by_kind(self) -> None:
        """The requests that change something are counted together."""
        routes = {"CreateVolume": 2, "CreateTags": 3, "DescribeVolumes": 4, "DescribeTags": 9}
        figures = by_kind(Row("ec2", {}, "x", {"by_route": routes})).figures
        self.assertEqual(5, figures["changes"])
        self.assertEqual((4, 0), (figures["DescribeVolumes"], figures["DescribeInstances"]))
        self.assertEqual({"errors": ["e"]}, by_kind(Row("ec2", {}, "x", {"errors": ["e"]})).figures)


class RecordTests(SynchronousTestCase):
    """The recorded figures."""

    def document(self, name: str, machine: str) -> dict[str, Any]:
        """The document of a run that answered one question."""
        row = vars(Row(name, {}, "txstorage", {"cpu": machine}))
        return {"machine": machine, "rows": [row], "targets": [{"question": name}]}

    def test_merged(self) -> None:
        """One question's figures replace those of before, and the others' stay."""
        former = self.document("lists", "old")
        for machine in ("new", "newer"):
            former = merged(former, self.document("ec2", machine), ["ec2"])
        self.assertEqual("old", former["machine"])
        self.assertEqual({"ec2": "newer"}, former["runs"])
        found = [(row["question"], row["figures"]["cpu"]) for row in former["rows"]]
        self.assertEqual([("lists", "old"), ("ec2", "newer")], found)
        self.assertEqual(["lists", "ec2"], [each["question"] for each in former["targets"]])

    def test_written(self) -> None:
        """A chosen question is written into the recorded document; without a choice, it is all."""
        path = os.path.join(os.path.abspath(self.mktemp()), "performance.json")
        os.mkdir(os.path.dirname(path))
        self.patch(program, "RECORD", path)
        self.patch(program, "say", lambda text: None)
        written = []
        for names in (None, ["ec2"], None):
            program.record(self.document("ec2" if names else "lists", "machine"), names)
            with open(path, encoding="utf-8") as opened:
                written.append([row["question"] for row in json.load(opened)["rows"]])
        self.assertEqual([["lists"], ["lists", "ec2"], ["lists"]], written)


class CommandTests(SynchronousTestCase):
    """The program."""

    def test_options(self) -> None:
        """The program accepts the options in the documents."""
        commands = [
            shlex.split(command)
            for of_page in of_suite("bench").values()
            for block in of_page
            for command, _ in block.commands
        ]
        self.assertEqual(3, len(commands))
        options = [
            parsed(shlex.split(words[2].partition("=")[2] if len(words) > 2 else ""))
            for words in commands
        ]
        self.assertEqual([3, 1, 3], [each.runs for each in options])
        self.assertEqual([None, None, ["life_cycles"]], [each.only for each in options])

    def test_measured(self) -> None:
        """One question is measured: its table is printed, and its figures are written."""
        path = os.path.abspath(self.mktemp())
        options = ["--quick", "--no-peers", "--only", "one_life_cycle", "--json", path]
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks", *options],
            cwd=ROOT,
            env={**environment(), "TXSTORAGE_RECORD": ""},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.assertEqual(0, done.returncode, done.stdout)
        self.assertIn("\nclient     requests", done.stdout)
        with open(path, encoding="utf-8") as opened:
            document = json.load(opened)
        mine, floor = (Row(**row) for row in document["rows"])
        self.assertEqual(("txstorage", "treq"), (mine.client, floor.client))
        self.assertEqual(mine.figures["by_route"], floor.figures["by_route"])
        self.assertEqual(1, floor.figures["ended"])

    def test_failed(self) -> None:
        """A client that ends without figures leaves its error in the table, and no figures."""

        def attempt() -> Figures:
            raise Failed("it did not begin")

        steps: list[str] = []

        @contextmanager
        def step(text: str) -> Iterator[None]:
            steps.append(text)
            yield

        self.patch(bench, "step", step)
        found = bench.Bench(parsed([])).repeat("nothing", attempt)
        self.assertEqual(({"errors": ["it did not begin"]}, ["nothing, 1 of 3"]), (found, steps))


class TableTests(SynchronousTestCase):
    """The tables of figures."""

    def table(self) -> Table:
        """A table of two clients in two cases."""
        return Table(
            Row("question", {"N": count}, client, {"cpu": cpu})
            for count, client, cpu in [
                (1, "mine", 3.0),
                (1, "floor", 2.0),
                (10, "mine", 5.0),
                (10, "floor", 1.0),
            ]
        )

    def test_median(self) -> None:
        """Each figure is the median of the runs, whichever run it comes from."""
        runs = [
            {"wall": 3, "cpu": 1, "errors": ["c"]},
            {"wall": 1, "cpu": 2, "errors": ["a"]},
            {"wall": 2, "cpu": 9, "errors": ["b"]},
        ]
        self.assertEqual({"wall": 2, "cpu": 2, "errors": ["b"]}, median_of(runs))

    def test_ratios(self) -> None:
        """A ratio is to the figure of the same case."""
        lines = list(lines_of(self.table().cells([Column("cpu", "CPU", "{:.1f}", "floor")])))
        self.assertEqual("10  mine    5.0 (5.00x)", lines[3])
        self.assertEqual("10  floor   1.0", lines[4])
        self.assertEqual(1.5, self.table().ratio("mine", "floor", "cpu", N=1))
        self.assertIs(None, self.table().ratio("mine", "nobody", "cpu", N=1))

    def test_targets(self) -> None:
        """A target is met up to its bound, and no target is met without a figure."""
        found = [Target("", value, 1.5).outcome for value in (1.5, 1.51, None)]
        self.assertEqual(["met", "missed", "not measured"], found)

    def test_fewest_requests(self) -> None:
        """The limit has four mutations for each volume, and four lists of all pages."""
        self.assertEqual([8, 404, 4008], [fewest_requests(count) for count in (1, 100, 1000)])

    def test_questions(self) -> None:
        """Each question is one module, and each module is a question."""
        modules = os.listdir(os.path.join(ROOT, "benchmarks", "questions"))
        names = {name[: -len(".py")] for name in modules if name.endswith(".py")}
        self.assertEqual(set(QUESTIONS), names - {"__init__"})


class PlotsTests(SynchronousTestCase):
    """The plots of docs/performance.rst."""

    def document(self, **figures: Any) -> dict[str, Any]:
        """A recorded document with life cycles of one and of a hundred volumes."""
        rows = [
            vars(Row("life_cycles", {"N": count, "T": delay}, "treq", {"cpu": cpu, **figures}))
            for count, delay, cpu in [(100, 2.0, 10.0), (1, 2.0, 1.0), (1, 0.2, 5.0)]
        ]
        return {"rows": rows}

    def test_recorded(self) -> None:
        """The plots show the recorded figures."""
        with open(RECORD, encoding="utf-8") as opened:
            expected = plots.drawings(json.load(opened))
        self.assertEqual(len(plots.PLOTS), len(expected))
        for name, drawn in expected.items():
            with open(os.path.join(os.path.dirname(RECORD), name), encoding="utf-8") as opened:
                self.assertEqual(drawn, opened.read(), name)

    def test_series(self) -> None:
        """A line has the points of the longest transition time, in order."""
        self.assertEqual({"treq": [(1, 1.0), (100, 10.0)]}, plots.series(self.document(), "cpu"))

    def test_failed(self) -> None:
        """A line has no point for a case in which something failed."""
        self.assertEqual({}, plots.series(self.document(failed=1), "cpu"))

    def test_places(self) -> None:
        """The axes are logarithmic: a hundred stands twice as far from one as ten does."""
        scale = plots.Scale(1, 100, 0, 50)
        self.assertEqual([0, 25, 50], [scale.at(value) for value in (1, 10, 100)])
        self.assertEqual([1, 10, 100], list(scale.ticks()))

    def test_colours(self) -> None:
        """A plot has the colours of both preferences."""
        [drawn] = [text for name, text in plots.drawings(self.document()).items() if "cpu" in name]
        for colour in plots.COLOURS["treq"]:
            self.assertIn(colour, drawn)
        self.assertIn("@media (prefers-color-scheme: dark)", drawn)
