"""The documentation that is rendered from the code agrees with the code."""

from __future__ import annotations

import json
import os
import re
import sys
import unittest
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import attr
import click
from treq.testing import StubTreq
from twisted.internet.task import Clock
from twisted.trial.runner import TestLoader
from twisted.trial.unittest import SynchronousTestCase

import txstorage
import txstorage.testing
from benchmarks.__main__ import QUESTIONS
from tests.contract import record
from tests.contract.suite import SUITE
from tests.helpers.imports import layer_of, modules
from txstorage import _log, clouds, errors, interfaces
from txstorage._configuration.environment.openstack import CLIENT_VARIABLES
from txstorage._configuration.keys import KEYS
from txstorage._http.bounds import Bounds
from txstorage.cli.main import main
from txstorage.driver import lifecycle
from txstorage.driver.operations import BlockDeviceDriver
from txstorage.embedded.testing import in_memory_cloud
from txstorage.flocker.blocking import BlockingDriver

from .blocks import ROOT

DOCS = os.path.join(ROOT, "docs")
# as Sphinx's configuration does
sys.path.append(DOCS)

from rendering import commands, drawing, parts, performance, promises, routes, tables  # noqa: E402
from rendering.interfaces import lines_of_interface  # noqa: E402


def page(name: str) -> str:
    """A page's source."""
    with open(os.path.join(DOCS, name), encoding="utf-8") as source:
        return source.read()


class PerformanceTests(SynchronousTestCase):
    """The recorded figures of ``make bench``."""

    def test_each_question(self) -> None:
        """Each question has its table on the page, with a line for each recorded row."""
        shown = re.findall(r"^\.\. performance-table:: (\w+)$", page("performance.rst"), re.M)
        self.assertEqual(set(QUESTIONS), set(shown))
        rows = performance.recorded()["rows"]
        for name in QUESTIONS:
            _, *lines = performance.rows_of_question(name)
            expected = [row["client"] for row in rows if row["question"] == name]
            self.assertNotEqual([], expected)
            for client, line in zip_longest(expected, lines, fillvalue=()):
                self.assertIn(client, line)

    def test_each_run(self) -> None:
        """The page describes the run of each question that was measured alone, and no others."""
        shown = re.findall(r"^\.\. performance-run::(.*)$", page("performance.rst"), re.M)
        alone = performance.recorded().get("runs", {})
        self.assertEqual(["", *alone], [name.strip() for name in shown])
        for name, run in alone.items():
            self.assertIn(f"of txstorage at ``{run['commit']}``", *performance.lines_of_run(name))
        self.assertEqual([], list(performance.lines_of_run("lists")))


class BoundsTests(SynchronousTestCase):
    """The limits of answers."""

    def test_every_bound(self) -> None:
        """Each bound has a row with its limit, and the page shows the table."""
        _, *rows = tables.rows_of_bounds()
        fields = [field.name for field in attr.fields(Bounds)]
        self.assertEqual([f"``{name}``" for name in fields], [row[0] for row in rows])
        self.assertIn("4,194,304 bytes", [row[1] for row in rows])
        self.assertIn(".. bounds-table::", page("security.rst"))


class WingsTests(SynchronousTestCase):
    """The wings, and the wings that each uses."""

    def test_every_module(self) -> None:
        """Each module stands in one wing of the table, or beside the wings in a row."""
        _, *rows = tables.rows_of_wings()
        named = {row[0].strip("`"): set(re.findall(r"``(.*?)``", row[2])) for row in rows}
        listed = {wing + "." + room for wing, within in named.items() for room in within}
        self.assertEqual({name for name, _ in modules()}, listed | set(named))

    def test_purposes(self) -> None:
        """Each wing's docstring gives a purpose."""
        for wing in (*parts.WINGS, *parts.GROUND):
            self.assertRegex(parts.purpose(wing), r"\S.*\.$", wing)

    def test_ground(self) -> None:
        """Every other wing uses the ground, and the ground uses none of them."""
        ground = set(parts.GROUND)
        users = {one for one, other in parts.imports() if other in ground} - ground
        self.assertEqual(set(parts.WINGS), users)
        self.assertEqual(ground, ground | {b for a, b in parts.imports() if a in ground})

    def test_handed(self) -> None:
        """Objects handed down at run time are found, although the driver imports none of them."""
        chain = {("flocker", "driver"), ("driver", "clouds"), ("clouds", "_http")}
        self.assertLessEqual(chain | {("driver", "_devices")}, parts.handed())
        self.assertEqual(set(), parts.handed() & parts.imports())

    def test_table(self) -> None:
        """The table and the drawing have the same arrows."""
        _, *rows = tables.rows_of_wings()
        listed = {
            ((wing.strip("`"), other), kind)
            for wing, _, _, *columns in rows
            for kind, column in zip(("imports", "handed"), columns)
            for other in column.split(", ")
            if other
        }
        self.assertEqual(set(drawing.arrows()), listed)


class ArchitectureTests(SynchronousTestCase):
    """The architecture page's statements about threads and modules."""

    def test_threads(self) -> None:
        """The modules that the page lists use threads, and no others do."""
        [wings] = re.findall(r"further threads:\n\n(.*?)\n\n", page("architecture.rst"), re.DOTALL)
        using = set()
        for name, path in modules():
            with open(path, encoding="utf-8") as source:
                if re.search(r"\b(deferToThread\w*|Thread)\(", source.read()):
                    using.add("{}.py".format(name.replace(".", "/")))
        self.assertEqual(using, set(re.findall(r"^- ``(\S+)``", wings, re.MULTILINE)))

    def test_modules(self) -> None:
        """Each module that the page names exists."""
        named = set(re.findall(r"``((?:\w+/)*\w+\.py)``", page("architecture.rst")))
        self.assertGreater(len(named), 8)
        known = [path for _, path in modules()]
        for name in named:
            there = any(path.endswith("/" + name) for path in known)
            self.assertTrue(there or os.path.exists(os.path.join(ROOT, name)), name)


class DrawingTests(SynchronousTestCase):
    """The drawing of the wings."""

    def test_arrows(self) -> None:
        """The drawing has the imports and the objects handed over, and no other arrow."""
        arrow = r'^    "(\w+)" -> "(\w+)"(?! \[style=invis)'
        drawn = re.findall(arrow, drawing.drawing(), re.MULTILINE)
        edges = {edge for edge in parts.imports() | parts.handed() if set(edge) <= set(parts.WINGS)}
        self.assertEqual(sorted(edges), sorted(drawn))

    def test_boxes(self) -> None:
        """Each wing has a box with its name, and those of one layer stand in one row."""
        source = drawing.drawing()
        for wing in (*parts.WINGS, *parts.GROUND):
            self.assertRegex(source, r"(<b>{0}</b>|>{0}: )".format(re.escape(wing)))
        row = ("_http", "_configuration", "clouds", "_devices", "driver")
        self.assertIn("{ rank=same; %s }" % "; ".join(map('"{}"'.format, row)), source)

    def test_downwards(self) -> None:
        """Each import leads to a lower layer."""
        for (one, other), kind in drawing.arrows():
            if kind == "imports":
                self.assertLess(layer_of(one), layer_of(other), (one, other))


class RoutesTests(SynchronousTestCase):
    """The routes and answers of the embedded service."""

    def setUp(self) -> None:
        self.routes: dict[str, routes.Route] = {
            f"{route.service} {route.method} {route.path}": route for route in routes.routes()
        }

    def test_all(self) -> None:
        """Every route is listed once, except the one that only leads to the services."""
        self.assertEqual(record.routes() - {"none GET /"}, set(self.routes))
        self.assertEqual(len(routes.routes()), len(self.routes))

    def test_errors(self) -> None:
        """The errors that the contract's tests saw at a route are listed with it."""
        checked, known = 0, record.errors()
        for test, names in _compared():
            about = [name for name in names if name in self.routes]
            if len(about) != 1:
                continue
            route = self.routes[about[0]]
            listed = {*route.errors, *routes.errors_of_all(route.service)}
            seen = {name for name in {*names} - {*about} if known[name].service == route.service}
            self.assertEqual(set(), seen - listed, test)
            checked += len(seen)
        self.assertGreater(checked, 50)

    def test_no_error_forgotten(self) -> None:
        """Every error is listed somewhere."""
        listed = {name for route in self.routes.values() for name in route.errors}
        for service in ("identity", "volume", "compute", "image"):
            listed.update(routes.errors_of_all(service))
        self.assertEqual(set(record.errors()), listed)

    def test_told_apart(self) -> None:
        """An error of one route alone is not listed with the others."""
        having = [name for name, route in self.routes.items() if "NOT_DELETABLE" in route.errors]
        path = "volume {} /v3/<project_id>/volumes/<volume_id>"
        # The action deletes by force.
        self.assertEqual([path.format("DELETE"), path.format("POST") + "/action"], having)

    def test_answers(self) -> None:
        """
        Each route, unless it is of what never exists or is never allowed, has a successful answer,
        whose body is named, and each has a purpose.
        """
        for name, route in self.routes.items():
            if not re.match(record.NEVER, name):
                self.assertTrue(route.answers and max(route.answers) < 400, name)
            self.assertTrue(route.purpose.endswith("."), name)
        named = {name for name, route in self.routes.items() if any(route.answers.values())}
        without = {name.split()[1] for name in set(self.routes) - named}
        self.assertEqual({"GET", "POST", "PUT", "PATCH", "DELETE"}, without)
        self.assertNotIn("volume POST /v3/<project_id>/volumes/<volume_id>/action", named)

    def test_answered(self) -> None:
        """The listed answer of each route that needs no id is an administrator's real one."""
        cloud = in_memory_cloud(Clock(), roles=("admin", "member"))
        self.addCleanup(cloud.close)
        client = StubTreq(cloud.resource)
        user = {"name": cloud.credentials["username"], "domain": {"id": "default"}}
        user["password"] = cloud.credentials["password"]
        identity = {"methods": ["password"], "password": {"user": user}}
        scope = {
            "project": {"name": cloud.credentials["project_name"], "domain": {"id": "default"}}
        }
        login = json.dumps({"auth": {"identity": identity, "scope": scope}}).encode("ascii")
        headers = {"Content-Type": "application/json"}
        where = cloud.credentials["auth_url"].replace("/identity/v3", "/{}{}")
        url = where.format("identity", "/v3/auth/tokens")
        issued = self.successResultOf(client.post(url, data=login, headers=headers))
        answers = self.routes["identity POST /v3/auth/tokens"].answers
        self.assertEqual(set(answers[issued.code]), set(self.successResultOf(issued.json())))
        headers = {"X-Auth-Token": issued.headers.getRawHeaders("x-subject-token")[0]}
        headers["OpenStack-API-Version"] = "volume 3.71"
        asked = 0
        for name, route in self.routes.items():
            path = route.path.replace("/v3/<project_id>", "/v3")
            if route.method != "GET" or "<" in path or "/auth/" in path:
                continue
            if re.match(record.NEVER, name):
                continue
            url, asked = where.format(route.service, path), asked + 1
            got = self.successResultOf(client.get(url, headers=headers, allow_redirects=False))
            self.assertIn(got.code, route.answers, name)
            content = self.successResultOf(got.content())
            body = json.loads(content) if content else ()
            self.assertEqual(set(route.answers[got.code]), set(body), name)
        self.assertGreater(asked, 10)

    def test_since(self) -> None:
        """Routes that a microversion added name it."""
        path = "volume {} /v3/<project_id>/attachments"
        self.assertEqual("3.27", self.routes[path.format("POST")].since)
        action = path.format("POST") + "/<attachment_id>/action"
        self.assertEqual("3.44", self.routes[action].since)
        self.assertEqual("", self.routes["compute GET /v2.1/servers/detail"].since)

    def test_lines(self) -> None:
        """Each route is on the page, with its answers and its own errors by status."""
        text = "\n".join(routes.lines_of_routes("volume"))
        self.assertIn(
            "``DELETE /volume/v3/<project_id>/snapshots/<snapshot_id>``\n"
            "    Begin to delete a snapshot.\n\n"
            "    Answers with 202. Errors: 400: ``SNAPSHOT_NOT_DELETABLE``; 404: ``NO_SNAPSHOT``\n",
            text,
        )
        self.assertIn("    Answers with 200 (``limits``).\n", text)
        self.assertIn("Answers with 204. Since microversion 3.44. Errors: ", text)
        self.assertNotIn("UNAUTHENTICATED", text)

    def test_common(self) -> None:
        """Errors that any route can return are listed once, with the microversions."""
        [versions, common] = routes.lines_of_common_errors("compute")
        self.assertEqual(
            "Microversions 2.1 to 2.104, in ``OpenStack-API-Version`` or "
            "``X-OpenStack-Nova-API-Version``.",
            versions,
        )
        self.assertIn("401: ``UNAUTHENTICATED``; ", common)
        self.assertEqual(1, len(list(routes.lines_of_common_errors("identity"))))

    def test_refusals(self) -> None:
        """Each error has a row with its message."""
        services = ("identity", "volume", "compute", "image")
        every = [row for service in services for row in list(routes.rows_of_refusals(service))[1:]]
        self.assertEqual(len(record.errors()), len(every))
        self.assertIn(("``NO_VOLUME``", "404", "``Volume … could not be found.``"), every)
        self.assertIn(("``NO_ROUTE``", "404", "(a page without any)"), every)

    def test_page(self) -> None:
        """The page has all services."""
        for kind in ("http-common-errors", "http-routes", "http-errors"):
            found = re.findall(rf"^\.\. {kind}:: (\w+)$", page("http.rst"), re.MULTILINE)
            self.assertEqual(["identity", "volume", "compute", "image"], found)


def _compared() -> Iterator[tuple[str, tuple[str, ...]]]:
    """The contract's tests, each with the routes and errors that it compares."""
    for case in SUITE:
        for name in dir(case):
            if name.startswith("test"):
                names = getattr(getattr(case, name), "compares", ())
                yield f"{case.__name__}.{name}", names


class TablesTests(SynchronousTestCase):
    """Tables rendered from the code's tables."""

    def test_keys(self) -> None:
        """Each key has a row, with its synonyms, its default and its variables."""
        rows = {row[0].split("\n")[0]: row for row in tables.rows_of_keys()}
        self.assertEqual({"key", *(f"| ``{key.name}``" for key in KEYS)}, set(rows))
        names, _, _, variables = rows["| ``project_name``"]
        self.assertEqual("| ``project_name``\n| ``tenant_name``", names)
        self.assertIn("| ``OS_TENANT_NAME``", variables.split("\n"))
        self.assertTrue(rows["| ``timeout``"][1].endswith(" Default: ``110.0``."))

    def test_client_variables(self) -> None:
        """Each variable of OpenStack's clients is in one row, with its outcome and its reason."""
        _, *rows = tables.rows_of_client_variables()
        listed = [
            (name.strip("| `"), outcome, reason)
            for names, outcome, reason in rows
            for name in names.split("\n")
        ]
        wanted = [(each.name, each.outcome, each.reason) for each in CLIENT_VARIABLES]
        self.assertEqual(sorted(wanted), sorted(listed))

    def test_operations(self) -> None:
        """Each status of each operation is in one row, with the cells of the code."""
        every = dict(lifecycle.TABLES, grow=lifecycle.growth.GROW)
        for operation, table in lifecycle.snapshots.TABLES.items():
            every[operation + " snapshot"] = table
        for operation, table in every.items():
            _, *rows = tables.rows_of_operation(operation)
            listed = {
                name.strip("| `"): cells for names, *cells in rows for name in names.split("\n")
            }
            wanted = {
                status: [cell.name.lower().replace("_", " ") for cell in cells]
                for status, cells in table.items()
            }
            self.assertEqual(wanted, listed)
            self.assertEqual(len(table), sum(len(row[0].split("\n")) for row in rows))

    def test_refusals(self) -> None:
        """Each refusal has a row; only a conflict is repeated until the deadline."""
        _, *rows = tables.rows_of_refusals()
        self.assertEqual(len(lifecycle.REFUSALS), len(rows))
        for (kind, limit), (name, often) in zip(lifecycle.REFUSALS, rows):
            self.assertIn(kind.__name__, name)
            self.assertEqual(limit is None, often == "until the operation's deadline")

    def test_errors(self) -> None:
        """Each error has a row with its meaning and its remedy."""
        _, *rows = tables.rows_of_errors()
        wanted = [f":class:`~txstorage.errors.{name}`" for name in errors.__all__]
        self.assertEqual(wanted, [row[0] for row in rows])
        for row in rows:
            self.assertTrue(all(row), row)
        found = {name: row[2] for name, row in zip(errors.__all__, rows)}
        self.assertIn("On EC2: ", found["DeviceUnidentified"])
        self.assertIn("``lsblk -o NAME,SIZE,SERIAL``", found["DeviceUnidentified"])
        self.assertNotIn("EC2", found["DeviceAmbiguous"])

    def test_builders(self) -> None:
        """Each builder has a row with its times; one that needs a secret names it."""
        _, *rows = tables.rows_of_builders()
        found = {row[0].strip("`"): row for row in rows}
        self.assertLessEqual({"lint", "python-2.7", "functional", "docs"}, set(found))
        self.assertEqual("at every change, every night", found["functional"][2])
        self.assertEqual("by hand only", found["cloud"][2])
        self.assertIn("cloud-password", found["cloud"][3])

    def test_certificates(self) -> None:
        """Each part that is certified has a row, with the builders in the columns of systems."""
        head, *rows = tables.rows_of_certificates()
        found = {row[0]: dict(zip(head[1:], row[1:])) for row in rows}
        self.assertEqual(
            "``openstack``", found["the contract, asynchronous"]["OpenStack, loop devices"]
        )
        self.assertEqual("none", found["the Docker volume plugin"]["an existing cloud"])
        for row in rows:
            self.assertEqual(len(head), len(row))

    def test_literals(self) -> None:
        """Quoted words and addresses are literal; apostrophes stay, and so does other text."""
        text = "the project's 'a b' or 'c', and users' http://U:P@h:1; can't"
        marked = "the project's ``a b`` or ``c``, and users' ``http://U:P@h:1``; can't"
        self.assertEqual(marked, tables.with_literals(text))
        for rows in (tables.rows_of_errors(), tables.rows_of_keys()):
            cells = " ".join(cell for row in rows for cell in row)
            self.assertNotRegex(re.sub("``.*?``", "", cells), r"://|--|(?<!\w)'")

    def test_log(self) -> None:
        """Each action and each message has a row, and each of its fields a description."""
        rows = [*list(tables.rows_of_actions())[1:], *list(tables.rows_of_messages())[1:]]
        names = {
            f"``{name}``"
            for kind in vars(_log).values()
            for name in (getattr(kind, "action_type", ""), getattr(kind, "message_type", ""))
            if isinstance(name, str) and name
        }
        self.assertEqual(names, {row[0] for row in rows})
        for _, purpose, *fields in rows:
            self.assertTrue(purpose.endswith("."), purpose)
            for line in "\n".join(filter(None, fields)).splitlines():
                self.assertRegex(line, r"^\| ``\w+``: .+\.$")

    def test_log_fields(self) -> None:
        """Eliot's own fields are not repeated; an action's final fields are listed separately."""
        rows = {row[0]: row for row in tables.rows_of_actions()}
        _, _, begin, end = rows["``txstorage:http``"]
        self.assertEqual(["method", "request_id", "service", "url"], re.findall("``(.*?)``", begin))
        self.assertEqual(["service_request_id", "status"], re.findall("``(.*?)``", end))

    def test_list_table(self) -> None:
        """Rows become a list-table, whose cells may have several lines."""
        lines = tables.table_of(lambda name: [("a", name), ("b", "| 1\n| 2")])("c")
        self.assertEqual(
            [
                ".. list-table::",
                "   :header-rows: 1",
                "   :class: generated",
                "",
                "   * - a",
                "     - c",
                "   * - b",
                "     - | 1",
                "       | 2",
            ],
            list(lines),
        )


class PromisesTests(SynchronousTestCase):
    """The tests of the promises."""

    def test_says_something(self) -> None:
        """Each named test exists and has a docstring."""
        for name in promises.names():
            self.assertTrue(promises.property_of(name), name)

    def test_collected(self) -> None:
        """
        Trial finds each test; a test that ``make`` runs elsewhere is in a module of the right name.
        """
        loader = TestLoader()
        for name in promises.names():
            if ".check_" in name:
                self.assertRegex(name, r"^tests\.(openstack|flocker)\.check_\w+\.\w+Tests\b")
            else:
                suite = loader.loadByName(name)
                self.assertGreater(suite.countTestCases(), 0, name)
                self.assertEqual([], _broken(suite), name)

    def test_references(self) -> None:
        """References in a test's docstring are shown as text, since tests are not documented."""
        text = promises.property_of("tests.embedded.test_disk.WritePrivateTests")
        self.assertEqual("Tests of ``write_private``.", text)

    def test_missing(self) -> None:
        """A test that is missing, or has no docstring, is an error that names it."""
        for name in (
            "tests.nowhere.Tests",
            "tests.driver.test_create.Tests",
            "tests.driver.test_attach.AttachTests.test_nothing",
            "tests.driver.test_create",
        ):
            error = self.assertRaises(LookupError, promises.property_of, name)
            self.assertIn(name, str(error))

    def test_inherited(self) -> None:
        """A test that a class inherits is found."""
        text = promises.property_of("tests.flocker.check_cluster.StockAgentTests.test_life")
        self.assertTrue(text.startswith("Datasets are created"))

    def test_page(self) -> None:
        """The page has every promise, with its tests and their docstrings below."""
        shown = re.findall(r"^\.\. promises:: (.*)$", page("promises.rst"), re.MULTILINE)
        self.assertEqual(list(promises.PROMISES), shown)
        [promise, test, *_] = promises.lines_of_promises("Waiting")
        self.assertFalse(promise.startswith(" "))
        self.assertTrue(test.startswith("    - ``tests.driver.polling."))


def _broken(suite: Any) -> list[Any]:
    """Trial's stand-ins for tests that it can't load."""
    if isinstance(suite, unittest.TestSuite):
        return [each for part in suite for each in _broken(part)]
    return [suite] if type(suite).__name__ == "ErrorHolder" else []


class APITests(SynchronousTestCase):
    """The public API."""

    def test_complete(self) -> None:
        """The page has every public name, by itself or with its module."""
        source = page("api.rst")
        whole = re.findall(r"automodule:: (\S+)\n   :members:\n   :imported-", source)
        self.assertEqual(["txstorage.errors", "txstorage.testing"], whole)
        shown = set(re.findall(r"^\.\. \w+:: (\S+)$", source, re.MULTILINE))
        names = {name.rpartition(".")[2] for name in shown}
        public = {*txstorage.__all__, *interfaces.__all__, *clouds.__all__}
        self.assertEqual(set(), public - names)

    def test_documented(self) -> None:
        """Every public object has a docstring, and every operation documents its Deferred."""
        things = [getattr(errors, name) for name in errors.__all__]
        things += [getattr(txstorage.testing, name) for name in txstorage.testing.__all__]
        things += [getattr(interfaces, name) for name in interfaces.__all__]
        things += [txstorage.block_device_driver, txstorage.blocking_driver]
        for thing in [*things, BlockDeviceDriver, BlockingDriver]:
            self.assertTrue(vars(thing).get("__doc__") or thing.__doc__, thing)
        for name, operation in vars(BlockDeviceDriver).items():
            if not name.startswith("_"):
                self.assertIn(":return:", self.docstring(name, operation), name)

    def docstring(self, name: str, operation: Any) -> str:
        """Return the docstring of an operation, or of the interface that it refers to."""
        text = str(operation.__doc__)
        refers = re.fullmatch(r"See ``(\w+)``\.", text)
        return str(getattr(interfaces, refers[1])[name].__doc__) if refers else text

    def test_interface(self) -> None:
        """An interface is shown with the signatures and docstrings of its members."""
        lines = list(lines_of_interface("txstorage.clouds.IVolumeService"))
        self.assertEqual(".. py:currentmodule:: txstorage.clouds", lines[0])
        self.assertIn("    .. py:attribute:: allocation_unit", lines)
        self.assertIn("    .. py:method:: get_volume(volume_id)", lines)
        self.assertIn("        :param dict labels: text to text.", lines)
        self.assertNotIn("    ", lines)

    def test_elsewhere(self) -> None:
        """Docstrings that refer elsewhere are not shown."""
        lines = list(lines_of_interface("txstorage.interfaces.IBlockDeviceAsyncAPI"))
        self.assertEqual([], [line for line in lines if "py:method" in line])


class CommandLineTests(SynchronousTestCase):
    """The command line."""

    def test_page(self) -> None:
        """The page shows all commands with all their options."""
        shown = ".. click:: txstorage.cli.main:main\n   :prog: txstorage\n   :nested: full\n"
        self.assertIn(shown, page("command-line.rst"))

    def test_options(self) -> None:
        """An option that a text mentions is literal; the heading of an option is unchanged."""
        lines = [
            ".. option:: --yes",
            "   With --recover: do not ask, as ``--yes`` a well-known--x.",
        ]
        context = click.Context(click.Command("c"))
        commands.literal_options(None, context, lines)
        self.assertEqual(
            [
                ".. option:: --yes",
                "   With ``--recover``: do not ask, as ``--yes`` a well-known--x.",
            ],
            lines,
        )

    def test_documented(self) -> None:
        """Each command and each option has a help text."""
        seen = 0
        for command in _commands(main):
            self.assertTrue(command.help, command.name)
            for option in command.params:
                seen += 1
                if isinstance(option, click.Option):
                    self.assertTrue(option.help, (command.name, option.name))
        self.assertGreater(seen, 20)


def _commands(command: Any) -> Iterator[click.Command]:
    yield command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from _commands(command.get_command(context, name))
