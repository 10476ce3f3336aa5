"""
Tests of the page that ``txstorage serve`` shows, in a browser: while a demonstration runs, with
hostile names, for a keyboard and a screen reader, narrow and wide, light and dark.

``make test-buildbot`` runs these tests.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

from selenium.webdriver.common.keys import Keys
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase, TestCase

from tests.cli.support import sweep
from tests.helpers.loops import detach_below
from txstorage.cli.app import App
from txstorage.cli.demo import command as demo_module
from txstorage.cli.demo.command import demonstrate
from txstorage.cli.demo.embedded_process import EmbeddedServiceProcess

from .check_pages import CONTRAST, CONTRASTS, NARROW, WIDE
from .window import Window

READY = "txstorage ready: "
#: A name of this machine's loopback that a browser takes for another site's.
OTHER_NAME = "other.test"
#: The texts of a table's rows, as lists of the cells' texts.
ROWS = """
return [...document.querySelectorAll("#" + arguments[0] + " tbody tr")].map(
    row => [...row.cells].map(cell => cell.innerText.split("\\n").join(" "))
);
"""
#: Parts of the page that reach beyond the window.
TOO_WIDE = """
const width = document.documentElement.clientWidth;
const boxes = [document.documentElement, document.body, ...document.querySelectorAll("section")];
return [...document.querySelectorAll("body *")].filter(
    part => part.getBoundingClientRect().right > width + 1
).concat(
    boxes.filter(box => box.scrollWidth > box.clientWidth + 1)
).map(part => part.outerHTML.slice(0, 99));
"""
FOCUSED = """
const part = document.activeElement, style = getComputedStyle(part);
const box = part.getBoundingClientRect();
return [part.className || part.id, box.top >= 0, style.outlineStyle, parseInt(style.outlineWidth)];
"""
CONNECTION = "return document.getElementById('connection').textContent"
NEWS = "return document.getElementById('news').textContent"
#: Shows a state as if the service had sent it.
SHOW = "show(arguments[0])"
HOSTILE = [
    "<script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    '"><svg onload=window.hacked=1>',
    "</table></main><h1>hacked</h1>",
    "&lt;b&gt; {{1}} ${1} \u202egnol",
    "x" * 255,
]


def volume(number: int, status: str = "available", **more: Any) -> dict[str, Any]:
    """A volume of a state."""
    return {
        "id": f"00000000-0000-4000-8000-{number:012}",
        "name": f"volume-{number}",
        "size": 2**30,
        "growing": None,
        "status": status,
        "holder": "node-1",
        "device": "/dev/loop12345",
        "created": 1.5e9,
        **more,
    }


def transition(number: int, to: str = "available") -> dict[str, Any]:
    """A transition of a state."""
    return {
        "kind": "volume",
        "id": volume(number)["id"],
        "name": f"volume-{number}",
        "from": "creating",
        "to": to,
        "time": 2e9 + number,
        "holder": "",
        "reason": "full" if to == "error" else "",
    }


def full_state() -> dict[str, Any]:
    """A state with everything in it, and long names."""
    statuses = ("available", "in-use", "attaching", "error", "error_extending")
    volumes = [volume(number, status) for number, status in enumerate(statuses)]
    volumes.append(volume(9, name="long" * 63, holder="host" * 20, device="/dev/" + "x" * 250))
    request = {"time": 1.5e9, "method": "GET", "path": "/volume" * 36, "id": "req-" + "0" * 36}
    return {
        "disk": {"promised": 2**40, "used": 2**33, "free": 2**36},
        "nodes": {
            "total": 150,
            "matching": 150,
            "rows": [
                {
                    "id": volume(50)["id"],
                    "name": "node" * 15,
                    "status": status,
                    "volumes": {"rows": volumes, "total": 20, "matching": 20},
                }
                for status in ("ACTIVE", "SHUTOFF")
            ],
        },
        "volumes": {"rows": volumes, "total": 1000, "matching": 900},
        "snapshots": {
            "rows": [dict(each, volume=each["id"]) for each in volumes],
            "total": 6,
            "matching": 6,
        },
        "transitions": {"rows": [transition(1), transition(2, "error")]},
        "requests": {
            "rows": [
                dict(request, status=status, id=request["id"] + str(status))
                for status in (200, 404, None)
            ],
        },
    }


class PageOpened:
    """Base: a browser on the page."""

    window: Window

    def open(self, url: str, width: int = WIDE, mode: str = "light", *more: str) -> Window:
        """
        Open the page in a new window.

        :param url: any of the service.
        """
        self.window = Window("", width, mode, *more)
        self.addCleanup(self.window.close)  # type: ignore[attr-defined]
        parts = urlsplit(url)
        self.window.chrome.get(f"{parts.scheme}://{parts.netloc}/")
        return self.window

    def live(self) -> None:
        """Wait until the page shows the state."""
        self.window.until(lambda: self.window.run(CONNECTION) == "Live")

    def rows(self, table: str) -> list[list[str]]:
        """Return the texts of a table's rows."""
        found: list[list[str]] = self.window.run(ROWS, table)
        return found

    def until_rows(self, table: str, condition: Any) -> list[list[str]]:
        """Wait until the rows of a table fulfil a condition."""
        self.window.until(lambda: condition(self.rows(table)))
        return self.rows(table)

    def complaints(self) -> list[str]:
        """Return the messages in the browser's console since the last call."""
        return [each["message"] for each in self.window.chrome.get_log("browser")]


class DemonstrationTests(PageOpened, TestCase):
    """The page while a demonstration runs."""

    timeout = 300

    def setUp(self) -> None:
        self.directory = os.path.realpath(tempfile.mkdtemp(prefix="txstorage-test-"))
        self.addCleanup(sweep, self.directory)
        self.patch(tempfile, "tempdir", self.directory)
        # trial changes the directory, from which children would import.
        environment = mock.patch.dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
        environment.start()
        self.addCleanup(environment.stop)
        test = self

        class Service(EmbeddedServiceProcess):
            async def start(self) -> str:
                test.url = await super().start()
                return test.url

        self.patch(demo_module, "EmbeddedServiceProcess", Service)
        self.seen: list[str] = []
        self.failed = False

    def look(self, step: str) -> None:
        """Look at the page when a step begins; meanwhile the demonstration waits."""
        look = {
            "create a volume of 1 GiB": self.empty,
            "attach it to node-1": self.created,
            "check that the device is blank": lambda: self.attached("node-1"),
            "attach it to node-2": lambda: self.attached(""),
            "read them back": lambda: self.attached("node-2"),
            "clean up": self.gone,
        }.get(step)
        if look is not None and not self.failed:
            # The demonstration cleans up after a failure, too.
            self.failed = True
            look()
            self.failed = False
            self.seen.append(step)

    def empty(self) -> None:
        self.open(self.url)
        nodes = self.until_rows("nodes", len)
        self.assertEqual([row[0].split()[0] for row in nodes], ["node-1", "node-2"])
        self.assertEqual(self.rows("volumes"), [])

    def created(self) -> None:
        ((name, size, status, holder, _),) = self.until_rows("volumes", len)
        self.assertEqual((size, status, holder), ("1 GiB", "available", "–"))
        self.assertTrue(name.startswith("flocker-"))

    def attached(self, node: str) -> None:
        """Check that the volume is on a node with its device, or, without a name, on none."""

        def is_there(rows: list[list[str]]) -> bool:
            place, _, device = rows[0][3].partition(" ")
            return (place, bool(device)) == (node or "–", bool(node))

        device = self.until_rows("volumes", is_there)[0][3].partition(" ")[2]
        self.assertEqual(device.startswith("/dev/loop"), bool(node) and os.geteuid() == 0)
        for name, power, volumes in self.rows("nodes"):
            self.assertEqual(power, "ACTIVE")
            self.assertEqual(volumes.startswith(device or "–"), name.startswith(node or "node"))

    def gone(self) -> None:
        self.until_rows("volumes", lambda rows: not rows)
        endings = [row[2] for row in self.until_rows("transitions", len)]
        self.assertIn("deleting → gone", endings)
        moves = [each for each in endings if each.startswith("attaching → in-use")]
        self.assertEqual(sorted(each.split()[-1] for each in moves), ["node-1", "node-2"])
        requests = self.rows("requests")
        self.assertTrue(all("req-" in row[1] for row in requests))
        self.assertIn("202", [row[2] for row in requests])
        self.window.until(lambda: "gone" in self.window.run(NEWS))
        self.assertEqual(self.complaints(), [])

    async def test_demo(self) -> None:
        """
        A volume appears, is on one node and then on the other with its device, and disappears, with
        neither an error nor a violation of the policy; at the end the page shows that it is alone.
        """
        app = App(json=True, environ={})
        await Deferred.fromCoroutine(demonstrate(app, reactor, self.look))  # type: ignore[arg-type]
        self.assertEqual(len(self.seen), 6)
        self.window.until(lambda: "Connection lost" in self.window.run(CONNECTION))


class ServiceTestCase(PageOpened, SynchronousTestCase):
    """Base: a service of its own."""

    def setUp(self) -> None:
        self.directory = os.path.realpath(tempfile.mkdtemp(prefix="txstorage-test-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.addCleanup(detach_below, self.directory)
        self.environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
        self.environment["TXSTORAGE_CONFIG"] = os.path.join(self.directory, "agent-node-1.yml")
        self.service: Any = None
        self.addCleanup(self.end)
        self.begin()

    def begin(self, port: int = 0) -> None:
        """Start the service."""
        command = [sys.executable, "-W", "ignore", "-m", "txstorage.cli", "serve"]
        command += ["--state-dir", self.directory, "--port", str(port), "--devices", "file"]
        self.service = subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, universal_newlines=True
        )
        ready = next(line for line in self.service.stdout if line.startswith(READY))
        self.url = ready[len(READY) :].strip()

    def end(self) -> None:
        """Stop the service."""
        if self.service is not None:
            self.service.terminate()
            self.service.communicate()
            self.service = None

    def command(self, *arguments: str) -> str:
        """Run a command of txstorage, and return its output."""
        return subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "txstorage.cli", *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            universal_newlines=True,
            check=True,
        ).stdout


class SafetyTests(ServiceTestCase):
    """The page against hostile names and other sites."""

    def test_hostile_names(self) -> None:
        """Markup in a name is shown as it was written, and nothing of it takes effect."""
        window = self.open(self.url)
        self.live()
        rows = [volume(number, name=name) for number, name in enumerate(HOSTILE)]
        everywhere = {"rows": rows, "total": 6, "matching": 6}
        state = full_state()
        state["volumes"] = everywhere
        state["nodes"]["rows"][0].update(name=HOSTILE[0], status=HOSTILE[1], volumes=everywhere)
        state["snapshots"]["rows"] = [dict(each, volume=each["name"]) for each in rows]
        hostile = dict(transition(3), name=HOSTILE[2], reason=HOSTILE[0], holder=HOSTILE[1])
        state["transitions"]["rows"] = [dict(hostile, **{"from": HOSTILE[3], "to": HOSTILE[0]})]
        state["requests"]["rows"][0].update(method=HOSTILE[0], path=HOSTILE[1], status=HOSTILE[3])
        window.run(SHOW, state)
        shown = window.run(
            "return [...document.querySelectorAll('#volumes th')].slice(5).map("
            "cell => cell.firstChild.firstChild.textContent)"
        )
        self.assertEqual(shown, HOSTILE)
        strange = (
            "return document.querySelectorAll('main script, main img, main svg, main b').length"
        )
        self.assertEqual(window.run(strange), 0)
        self.assertEqual(window.run("return document.querySelectorAll('h1').length"), 1)
        self.assertIsNone(window.run("return window.hacked ?? null"))
        self.assertEqual(self.complaints(), [])

    def test_policy(self) -> None:
        """The policy is in force: no picture of another host, no markup from a script."""
        window = self.open(self.url)
        self.live()
        window.run("document.body.append(Object.assign(new Image(), {src: 'https://host.test/x'}))")
        window.until(lambda: any("Content Security Policy" in each for each in self.complaints()))
        refused = window.run(
            "try { document.body.innerHTML = '<b>x</b>'; } catch (error) { return error.name; }"
        )
        self.assertEqual(refused, "TypeError")

    def test_rebinding(self) -> None:
        """Under a name of another site, the browser asks for a login, and with it gets the page."""
        port = urlsplit(self.url).port
        mapped = f"host-resolver-rules=MAP {OTHER_NAME} 127.0.0.1"
        window = self.open(f"http://{OTHER_NAME}:{port}/", WIDE, "light", mapped)
        self.assertEqual(window.run("return document.querySelectorAll('table').length"), 0)
        with open(os.path.join(self.directory, "password"), encoding="ascii") as opened:
            password = opened.read().strip()
        window.chrome.get(f"http://txstorage:{password}@{OTHER_NAME}:{port}/")
        self.live()
        self.assertEqual(len(self.until_rows("nodes", len)), 2)

    def test_other_site(self) -> None:
        """The script of another site on this machine can't listen to the events."""
        port = urlsplit(self.url).port
        window = self.open(f"http://127.0.0.1:{port}/")
        outcome = window.chrome.execute_async_script(
            "const done = arguments[1], source = new EventSource(arguments[0]);"
            "source.onmessage = () => done('read'); source.onerror = () => done('refused');",
            f"http://localhost:{port}/page/events",
        )
        self.assertEqual(outcome, "refused")


class LiveTests(ServiceTestCase):
    """The page and its service over time."""

    def test_filter(self) -> None:
        """The field filters while a person types; the text below the table counts the rest."""
        ids = [self.command("--json", "volumes", "create", "1GiB").split('"')[3] for _ in range(2)]
        window = self.open(self.url)
        self.assertEqual(len(self.until_rows("volumes", lambda rows: len(rows) == 2)), 2)
        window.one("#filter").send_keys(ids[0][:13])
        ((name, *_),) = self.until_rows("volumes", lambda rows: len(rows) == 1)
        self.assertIn(ids[0], name)
        self.assertEqual(window.one("#volumes + .more").text, "1 do not match the filter.")
        window.one("#filter").send_keys("no such id")
        self.until_rows("volumes", lambda rows: not rows)
        self.assertEqual(window.one("#volumes + .more").text, "None matches the filter.")
        self.assertEqual(self.complaints(), [])

    def test_restart(self) -> None:
        """The page connects again by itself when the service is back."""
        window = self.open(self.url)
        self.live()
        port = urlsplit(self.url).port
        assert port is not None
        self.end()
        window.until(lambda: "Connection lost" in window.run(CONNECTION))
        self.begin(port)
        self.live()
        self.command("volumes", "create", "1GiB")
        self.until_rows("volumes", len)


class ReadingTests(ServiceTestCase):
    """The page for all people."""

    def full(self, width: int, mode: str = "light") -> Window:
        """Open the page, with everything in it."""
        window = self.open(self.url, width, mode)
        self.live()
        # No event of the service may come in between.
        window.run("source.close()")
        window.run(SHOW, full_state())
        return window

    def test_width(self) -> None:
        """Nothing is wider than the window, however long the names are."""
        for width in (NARROW, 640, 1024, 1200, WIDE):
            window = self.full(width)
            self.assertEqual(window.run("return innerWidth"), width)
            self.assertEqual(window.run(TOO_WIDE), [], width)
            window.close()

    def test_bounded(self) -> None:
        """The texts below the tables say how many rows there are besides those shown."""
        window = self.full(WIDE)
        more = "return document.querySelector(arguments[0] + ' + .more').textContent"
        self.assertEqual(
            window.run(more, "#volumes"),
            "894 more; filter to find them. 100 do not match the filter.",
        )
        self.assertEqual(window.run(more, "#nodes"), "148 more; filter to find them.")
        self.assertTrue(self.rows("nodes")[0][2].endswith("14 more"))

    def test_contrast(self) -> None:
        """All texts have enough contrast in both modes, and the background follows the mode."""
        selectors = ["h1", "h2", "label", "input", ".skip", "#connection", "dt", "dd", "thead th"]
        selectors += ["tbody th", "td", ".id", ".time", ".size", ".good", ".busy", ".bad"]
        selectors += [".reason", ".more", "code", "li"]
        for mode, darkest, brightest in (("light", 200, 256), ("dark", 0, 60)):
            window = self.full(WIDE, mode)
            least = window.run(CONTRASTS, selectors)
            self.assertEqual(sorted(least), sorted(selectors))
            for selector, contrast in least.items():
                self.assertGreater(contrast, CONTRAST, (mode, selector))
            colour = window.run("return getComputedStyle(document.body).backgroundColor")
            for part in colour[len("rgb(") : -1].split(", "):
                self.assertIn(int(part), range(darkest, brightest), mode)
            window.close()

    def test_keyboard(self) -> None:
        """The tabulator leads to a link past the head, and to the filter; both are marked."""
        window = self.full(WIDE)
        keys = window.chrome.switch_to.active_element
        keys.send_keys(Keys.TAB)
        name, visible, style, thickness = window.run(FOCUSED)
        self.assertEqual((name, visible), ("skip", True))
        self.assertNotEqual(style, "none")
        self.assertGreaterEqual(thickness, 2)
        window.chrome.switch_to.active_element.send_keys(Keys.TAB)
        name, visible, style, thickness = window.run(FOCUSED)
        self.assertEqual((name, visible), ("filter", True))
        self.assertNotEqual(style, "none")
        self.assertGreaterEqual(thickness, 2)
        window.one("#filter").send_keys(Keys.SHIFT, Keys.TAB)
        window.chrome.switch_to.active_element.send_keys(Keys.ENTER)
        self.assertEqual(window.run(FOCUSED)[0], "content")

    def test_screen_reader(self) -> None:
        """At each width, a screen reader finds named tables, with headers for rows and columns."""
        for width in (NARROW, WIDE):
            window = self.full(width)
            window.chrome.execute_cdp_cmd("Accessibility.enable", {})
            nodes = window.chrome.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
            found: dict[str, list[str]] = {}
            for node in nodes:
                role, name = (node.get(key, {}).get("value", "") for key in ("role", "name"))
                found.setdefault(role, []).append(name)
            self.assertEqual(len(found["table"]), 5)
            self.assertIn("Nodes and servers, and the volumes attached to them", found["table"])
            self.assertEqual(len(found["columnheader"]), 3 + 5 + 5 + 3 + 3)
            self.assertEqual(len(found["rowheader"]), 2 + 6 + 6 + 2 + 3)
            self.assertEqual(len(found["row"]), 5 + 2 + 6 + 6 + 2 + 3)
            unscoped = "return document.querySelectorAll('th:not([scope])').length"
            self.assertEqual(window.run(unscoped), 0)
            self.assertIn("Filter volumes and snapshots", found["searchbox"])
            self.assertIn("search", found)
            self.assertIn("main", found)
            self.assertIn("Used part of the disk's room for volumes", found["meter"])
            self.assertEqual(found["heading"].count("txstorage"), 1)
            window.close()

    def test_news(self) -> None:
        """A transition is read out politely, and many at once in one sentence."""
        window = self.full(WIDE)
        self.assertEqual(window.run("return document.getElementById('news').ariaLive"), "polite")
        window.run(
            "window.times = []; new MutationObserver(() => times.push(performance.now()))"
            ".observe(document.getElementById('news'), {childList: true, characterData: true})"
        )
        window.run(SHOW, {"transitions": {"rows": [transition(3, "error")]}})
        window.until(lambda: "volume volume-3: error, full" in window.run(NEWS))
        number = 3
        while len(window.run("return times")) < 3:
            number += 1
            window.run(SHOW, {"transitions": {"rows": [transition(number)]}})
            self.assertLess(len(window.run(NEWS)), 200)
        self.assertGreater(number, 10)
        self.assertIn("transitions, the last ones", window.run(NEWS))
        first, second, third = window.run("return times")
        self.assertGreater(min(second - first, third - second), 2900)

    def test_motion(self) -> None:
        """A changed row is marked by a moving colour, unless the person prefers no motion."""
        window = self.full(WIDE)
        window.run(SHOW, {"volumes": {"rows": [volume(77)], "total": 1, "matching": 1}})
        animation = (
            "return getComputedStyle(document.querySelector('#volumes tbody tr')).animationName"
        )
        self.assertEqual(window.run(animation), "changed")
        window.prefer("light", "reduce")
        self.assertEqual(window.run(animation), "none")

    def test_kept_rows(self) -> None:
        """A row that has not changed stays, so that a selection in it does, too."""
        window = self.full(WIDE)
        row = "document.querySelector('#volumes tbody tr')"
        window.run(f"window.before = {row}")
        state = full_state()["volumes"]
        window.run(SHOW, {"volumes": dict(state, rows=[*state["rows"], volume(99)])})
        self.assertTrue(window.run(f"return window.before === {row}"))
        self.assertEqual(len(self.rows("volumes")), 7)
