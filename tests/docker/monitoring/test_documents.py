"""The documentation of the metrics: the registry, the table of the page, and the dashboard."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator

from prometheus_client import ProcessCollector
from twisted.trial.unittest import SynchronousTestCase

from tests.helpers.imports import ROOT
from txstorage.docker.monitoring import METRICS, PROCESS
from txstorage.docker.monitoring.metrics import Metrics
from txstorage.docker.monitoring.state import StateCollector

DOCS = os.path.join(ROOT, "docs")
# as Sphinx's configuration does
sys.path.append(DOCS)

from rendering import tables  # noqa: E402

_PARTS = ("_bucket", "_sum", "_count")
_METRIC = re.compile(r"\b(?:txstorage|process)_\w+")


def text_of(name: str) -> str:
    """:return: a file of the documentation."""
    with open(os.path.join(DOCS, name), encoding="utf-8") as opened:
        return opened.read()


def metric_in(name: str) -> str:
    """:return: the metric of a name in an expression."""
    for part in _PARTS:
        whole = name[: -len(part)]
        if name.endswith(part) and any(
            each.kind == "histogram" and each.name == whole for each in METRICS
        ):
            return whole
    return name


def registered() -> dict[str, tuple[str, tuple[str, ...]]]:
    """:return: the types and the labels of the registry's metrics, by their names."""
    metrics = Metrics()
    state = StateCollector(lambda: [], lambda: [], lambda: "here", lambda: 3.0, lambda: "")
    metrics.registry.register(state)
    ProcessCollector(registry=metrics.registry)
    labels = {each._name: tuple(each._labelnames) for each in metrics._instruments.values()}
    found = {}
    for each in metrics.registry.collect():
        end = "_total" if each.type == "counter" else ""
        samples = [tuple(sample.labels) for sample in each.samples]
        of_metric = labels.get(each.name, samples[0] if samples else ())
        found[each.name + end] = each.type, of_metric
    return found


class MetricsTests(SynchronousTestCase):
    """The metrics."""

    def test_registry(self) -> None:
        """The registry has the defined metrics, with their types and labels, and no other."""
        defined = {each.name: (each.kind, each.labels) for each in METRICS}
        found = registered()
        self.assertEqual(set(PROCESS), set(found) - set(defined))
        self.assertEqual(defined, {name: found[name] for name in found if name in defined})

    def test_names(self) -> None:
        """The names follow Prometheus' conventions; the meanings are sentences."""
        for each in METRICS:
            self.assertRegex(each.name, r"^txstorage_[a-z_]+$")
            self.assertEqual(each.kind == "counter", each.name.endswith("_total"), each.name)
            self.assertEqual(
                each.kind == "histogram",
                bool(re.search("(call|operation|request)_seconds$", each.name)),
            )
            self.assertTrue(each.meaning.endswith("."), each.name)

    def test_page(self) -> None:
        """The page shows the table, which has a row for each metric."""
        self.assertIn(".. metrics-table::", text_of("docker.rst"))
        _, *rows = tables.rows_of_metrics()
        names = [name for row in rows for name in re.findall("``(.*?)``", row[0])]
        self.assertEqual([*(each.name for each in METRICS), *PROCESS], names)

    def test_expressions_of_the_page(self) -> None:
        """Metrics in the page's text exist."""
        known = {each.name for each in METRICS}
        names = set(re.findall(r"\btxstorage_\w+", text_of("docker.rst")))
        self.assertTrue(names)
        self.assertEqual(set(), set(map(metric_in, names)) - known)


class DashboardTests(SynchronousTestCase):
    """``docs/docker-dashboard.json``."""

    def setUp(self) -> None:
        self.dashboard = json.loads(text_of("docker-dashboard.json"))

    def expressions(self) -> Iterator[str]:
        """Yield the expressions of the panels and of the variables."""
        for panel in self.dashboard["panels"]:
            for target in panel["targets"]:
                yield target["expr"]
        for variable in self.dashboard["templating"]["list"]:
            if variable["type"] == "query":
                yield variable["query"]["query"]

    def test_metrics(self) -> None:
        """Each metric in an expression exists, and each metric is shown."""
        shown = {metric_in(name) for each in self.expressions() for name in _METRIC.findall(each)}
        self.assertEqual({each.name for each in METRICS} | set(PROCESS), shown)

    def test_parts(self) -> None:
        """A histogram stands in expressions with a part, and the other metrics without."""
        histograms = {each.name for each in METRICS if each.kind == "histogram"}
        for each in self.expressions():
            for name in _METRIC.findall(each):
                self.assertNotIn(name, histograms, each)

    def test_labels(self) -> None:
        """Expressions group by labels that their metric has, or that Prometheus adds."""
        labels = {each.name: each.labels for each in METRICS}
        for each in self.expressions():
            [name] = _METRIC.findall(each)
            for grouped in re.findall(r"by \((.*?)\)", each):
                known = {"instance", "le", *labels.get(metric_in(name), ())}
                self.assertLessEqual(set(grouped.split(", ")), known, each)

    def test_legends(self) -> None:
        """A legend shows labels that its expression keeps."""
        for panel in self.dashboard["panels"]:
            for target in panel["targets"]:
                words = set(re.findall(r"{{(\w+)}}", target["legendFormat"])) - {"instance"}
                [*grouped] = re.findall(r"by \((.*?)\)", target["expr"])
                kept = set(", ".join(grouped).split(", "))
                self.assertLessEqual(words, kept, target)

    def test_layout(self) -> None:
        """Panels have ids and titles of their own, and do not overlap."""
        panels = self.dashboard["panels"]
        for key in ("id", "title"):
            self.assertEqual(len(panels), len({each[key] for each in panels}))
        taken: set[tuple[int, int]] = set()
        for each in panels:
            at = each["gridPos"]
            self.assertLessEqual(at["x"] + at["w"], 24)
            cells = {(at["x"] + i, at["y"] + j) for i in range(at["w"]) for j in range(at["h"])}
            self.assertEqual(set(), cells & taken, each["title"])
            taken |= cells
