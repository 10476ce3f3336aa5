"""Tests of the agent that searches for devices in a guest."""

from __future__ import absolute_import, division, print_function

import json

from twisted.internet.task import Clock
from twisted.python.filepath import FilePath
from twisted.test.proto_helpers import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from tests.guests import agent
from tests.guests.agent import PAUSE, TEXT, Agent, loaded
from txstorage._devices.finder import DeviceFinder
from txstorage.errors import DeviceNotFound

SIZE = 4 * TEXT


class AgentTests(SynchronousTestCase):
    """An agent whose devices are files."""

    def setUp(self):
        self.directory = FilePath(self.mktemp())
        self.directory.makedirs()
        self.clock = Clock()
        finder = DeviceFinder(self.clock, directory=self.directory)
        self.agent = Agent(self.clock, finder, finder)
        self.transport = StringTransport()
        self.agent.makeConnection(self.transport)
        self.replies()

    def replies(self):
        """:return: list of the replies since the last call."""
        lines = self.transport.value().splitlines()
        self.transport.clear()
        return [json.loads(line.decode("ascii")) for line in lines]

    def request(self, **request):
        """:return: list of the replies to a request, and of the others since the last call."""
        self.agent.dataReceived(json.dumps(request).encode("ascii") + b"\n")
        return self.replies()

    def search(self, call):
        return self.request(id=1, call=call, volume="v", size=SIZE)

    def make(self, size=SIZE):
        """
        Make the device.

        :return: the result of a search for it.
        """
        path = self.directory.child("v")
        path.setContent(b"first".ljust(size - TEXT, b"\0") + b"last".ljust(TEXT, b"\0"))
        return {"path": path.path, "size": size, "first": "first", "last": "last"}

    def test_find(self):
        """A device is reported with its size and the texts on it, or an error with its name."""
        [reply] = self.search("find")
        self.assertEqual((1, "DeviceNotFound"), (reply["id"], reply["error"]))
        self.assertIn("v", reply["message"])
        found = self.make()
        self.assertEqual([{"id": 1, "result": found}], self.search("find"))

    def test_names(self):
        """The names that a cloud gives devices reach the search."""
        seen = []

        def find(finder, volume, size, report=None, names=None):
            seen.append(names)
            raise DeviceNotFound(volume, "none")

        self.patch(DeviceFinder, "find", find)
        self.patch(DeviceFinder, "wait_until_present", find)
        names = {"v": "/dev/sdf"}
        for call in ("find", "wait_until_present"):
            self.request(id=1, call=call, volume="v", size=SIZE, names=names)
        self.assertEqual([names, names], seen)

    def test_wait(self):
        """A wait reports each outcome once until it ends."""
        for call in ("wait_until_present", "wait_for_event"):
            [look] = self.search(call)
            self.assertEqual("DeviceNotFound", look["look"]["error"])
            self.clock.pump([1, 1])
            self.assertEqual([], self.replies())
            found = self.make()
            self.clock.advance(1)
            self.assertEqual([{"id": 1, "result": found}], self.replies())
            self.directory.child("v").remove()

    def test_grow_and_leave(self):
        """The waits for a larger device and for none end when the device is so."""
        self.make(SIZE - TEXT)
        [look] = self.request(id=1, call="wait_until_grown", volume="v", size=2 * SIZE + 2**30)
        self.assertEqual("DeviceNotGrown", look["look"]["error"])
        [look] = self.request(id=2, call="wait_until_gone", volume="v", size=SIZE)
        self.assertEqual("DeviceStillPresent", look["look"]["error"])
        self.directory.child("v").remove()
        self.clock.advance(1)
        self.assertEqual({"id": 2, "result": None}, self.replies()[-1])

    def test_cancel(self):
        """A cancelled wait fails, and looks no more."""
        self.search("wait_until_present")
        replies = self.request(id=2, call="cancel", search=1)
        self.assertEqual([1, 2], sorted(reply["id"] for reply in replies))
        self.assertIn("CancelledError", [reply.get("error") for reply in replies])
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_leaving(self):
        """A device that is found and has no content any more is an outcome of a watch."""
        self.make()
        self.patch(agent, "TEXT", 2 * SIZE)
        [look] = self.search("watch")
        self.assertEqual("EnvironmentError", look["look"]["error"])
        self.request(id=2, call="stop", search=1)

    def test_watch(self):
        """A watch reports each change, and the number of its looks when it is stopped."""
        found = self.make()
        self.assertEqual([{"id": 1, "look": found}], self.search("watch"))
        self.clock.pump([PAUSE, PAUSE])
        self.directory.child("v").remove()
        self.clock.pump([PAUSE, PAUSE])
        [look] = self.replies()
        self.assertEqual("DeviceNotFound", look["look"]["error"])
        replies = self.request(id=2, call="stop", search=1)
        self.assertIn({"id": 1, "result": 5}, replies)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_defect(self):
        """An unexpected exception is a reply, and is logged with its traceback."""
        [reply] = self.request(id=1, call="find", volume=None)
        self.assertEqual("TypeError", reply["error"])
        self.assertEqual(1, len(self.flushLoggedErrors(TypeError)))

    def test_ready(self):
        """The first line of an agent has the version of Python."""
        transport = StringTransport()
        Agent(self.clock, None, None).makeConnection(transport)
        self.assertEqual(["ready"], list(json.loads(transport.value().decode("ascii"))))

    def test_loaded(self):
        """The files that a guest needs include the search and the reactor."""
        paths = loaded()
        for end in ("/txstorage/_devices/finder.py", "/twisted/internet/reactor.py"):
            self.assertTrue([path for path in paths if path.startswith("/") and end in path], end)
