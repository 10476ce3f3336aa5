"""The common parts of the tests: the whole driver, on the embedded service's EC2 face in memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from treq.testing import RequestTraversalAgent
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.python.filepath import FilePath
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http import datetimeToString
from twisted.web.resource import Resource

from tests.clouds.ec2.support import codec, form_of
from tests.helpers.child import ec2_id
from tests.helpers.sysfs import FakeSysfs
from tests.helpers.wire import Seen
from txstorage._assembly import block_device_driver, drivers
from txstorage._assembly import ec2 as assembly
from txstorage._devices import block_devices
from txstorage._devices.finder import DeviceFinder
from txstorage.clouds.ec2 import EC2Session
from txstorage.driver.operations import BlockDeviceDriver
from txstorage.embedded.apis.ec2.face import QueryAPI
from txstorage.embedded.settings import EC2Settings
from txstorage.embedded.testing import BASE_URL, in_memory_cloud

GIB = 2**30
CLUSTER = UUID("c0ffee00-0000-4000-8000-000000000001")
SECRET = "wheat"
ZONE, OTHER_ZONE = EC2Settings().zones

#: Seconds of a step of the clock, and the virtual time that no operation needs.
_STEP = 0.25
_PATIENCE = 600.0

#: A request's parameters to the answer; ``None`` lets the embedded service answer.
Step = Callable[[dict[str, str]], Any]


class ScriptedFace(Resource):
    """
    The embedded service's EC2 face, with scripted answers before its own.

    :ivar forms: the parameters of each request so far.
    :ivar script: by action, the next answers, each used once: an ``Answer``, ``None`` for the
        service's own, or a :data:`Step`.
    :ivar rules: by action, a :data:`Step` for all requests that the script has no answer for.
    """

    isLeaf = True

    def __init__(self, face: Resource, now: Callable[[], float]) -> None:
        super().__init__()
        self._face = face
        self._now = now
        self.forms: list[dict[str, str]] = []
        self.script: dict[str, list[Any]] = {}
        self.rules: dict[str, Step] = {}

    def render(self, request: Any) -> Any:
        """See ``IResource``."""
        form = form_of(Seen(request))
        self.forms.append(form)
        planned = self.script.get(form["Action"])
        request.setHeader(b"date", datetimeToString(self._now()))
        step = planned.pop(0) if planned else self.rules.get(form["Action"])
        answer = step(form) if callable(step) else step
        return self._face.render(request) if answer is None else answer.write(request)

    def of(self, action: str) -> list[dict[str, str]]:
        """Return the parameters of each request with an action."""
        return [form for form in self.forms if form["Action"] == action]

    def count(self, action: str) -> int:
        """Return the number of requests with an action."""
        return len(self.of(action))


class CodecOfTests:
    """Loads botocore's model once for all tests."""

    @staticmethod
    def load(service: str) -> Any:
        """Return the codec of a service."""
        return codec(service)


class FailureCase(SynchronousTestCase):
    """
    Tests of a driver in virtual time.

    :cvar ec2: changes of the embedded service's :class:`EC2Settings`.
    :cvar changes: changes of the driver's configuration.
    """

    ec2: dict[str, Any] = {}
    changes: dict[str, Any] = {}

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(time.time())
        self.patch(assembly, "ServiceCodec", CodecOfTests)
        session = partial(EC2Session, wall_clock=self.wall_clock, jitter=lambda: 0.5)
        self.patch(assembly, "EC2Session", session)
        self.start(**self.ec2)

    def wall_clock(self) -> float:
        """Return the time that the node's own clock shows."""
        return self.clock.seconds()

    def start(self, **ec2: Any) -> None:
        """Start a service, and a driver for its first node."""
        given = {"secret_access_key": SECRET, "clock_skew": 1e12, "cooldown": 0.0, **ec2}
        self.settings = EC2Settings(**given)
        self.cloud = in_memory_cloud(self.clock, ec2=self.settings, transition_delay=2.0)
        self.addCleanup(self.cloud.close)
        self.face = ScriptedFace(QueryAPI(self.cloud.application.ec2, BASE_URL), self.clock.seconds)
        self.agent: Any = RequestTraversalAgent(self.face)
        self.here, self.there = self.node("node-1"), self.node("node-2")
        self.driver = self.make_driver(**self.changes)

    def node(self, name: str) -> str:
        """Return the id of an instance."""
        return ec2_id("i", self.cloud.nodes[name])

    def make_driver(self, **changes: Any) -> BlockDeviceDriver:
        """Return a driver of a new process; ``None`` removes a key of its configuration."""
        given = {
            "auth_plugin": "ec2",
            "region": self.settings.region,
            "zone": ZONE,
            "access_key_id": self.settings.access_key_id,
            "secret_access_key": SECRET,
            "ec2_endpoint": BASE_URL,
            "instance_id": self.here,
            "device_directory": self.cloud.devices_directory,
            **changes,
        }
        chosen = {key: value for key, value in given.items() if value is not None}
        return block_device_driver(self.clock, CLUSTER, agent=self.agent, **chosen)

    # -- time ------------------------------------------------------------------

    def outcome(self, d: Deferred[Any]) -> Any:
        """Return the result of a Deferred, after as much time as it takes; a ``Failure``, too."""
        results: list[Any] = []
        d.addBoth(results.append)
        until = self.clock.seconds() + _PATIENCE
        while not results and self.clock.seconds() < until:
            self.agent.flush()
            self.clock.advance(_STEP)
        self.assertTrue(results, "The operation never ends")
        return results[0]

    def get(self, d: Deferred[Any]) -> Any:
        """Return the result of a Deferred that succeeds."""
        result = self.outcome(d)
        if isinstance(result, Failure):
            result.raiseException()
        return result

    def error(self, d: Deferred[Any], kind: type[Exception], *texts: str) -> Any:
        """Return the error of a Deferred, whose message and remedy have some texts."""
        result = self.outcome(d)
        self.assertIsInstance(result, Failure)
        self.assertIsInstance(result.value, kind)
        for text in texts:
            self.assertIn(text, str(result.value))
        return result.value

    def let_pass(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.pump([_STEP] * int(seconds / _STEP))
        self.agent.flush()

    # -- the state of the cloud ------------------------------------------------

    def create(self, size: int = GIB) -> str:
        """Make a volume; return its id."""
        volume_id: str = self.get(self.driver.create_volume(uuid4(), size)).blockdevice_id
        return volume_id

    def attach(self, volume_id: str, node: str | None = None) -> Any:
        """Attach a volume, to this node by default."""
        return self.get(self.driver.attach_volume(volume_id, node or self.here))

    def attached(self) -> str:
        """Make a volume that is attached to this node; return its id."""
        volume_id = self.create()
        self.attach(volume_id)
        return volume_id

    def state(self, volume_id: str) -> tuple[str, str | None, str | None]:
        """Return the service's own status of a volume, its instance, and its device's name."""
        [found] = [
            each
            for each in self.cloud.store.volumes()
            if ec2_id("vol", each.volume_id) == volume_id
        ]
        attachment = found.attachment
        if attachment is None:
            return found.status, None, None
        return found.status, ec2_id("i", attachment.server_id), attachment.device

    def volumes(self) -> list[str]:
        """Return the ids of all volumes but the root volumes."""
        every = self.cloud.store.volumes()
        return [ec2_id("vol", each.volume_id) for each in every if not each.root]


class DeviceCase(FailureCase):
    """
    Tests of a driver on a node with a kernel of its own.

    :ivar sysfs: the node's :class:`~tests.helpers.sysfs.FakeSysfs`.
    """

    changes = {"device_directory": None}

    def setUp(self) -> None:
        self.sysfs = FakeSysfs(self.mktemp())
        self.dev = FilePath(self.mktemp())
        self.patch(drivers, "DeviceFinder", self.finder)
        # No node of a device can be made without one.
        self.patch(block_devices, "check_node", lambda volume_id, device, path: None)
        super().setUp()

    def finder(self, reactor: Any, directory: Any = None) -> DeviceFinder:
        """Return a finder of the node's devices."""
        self.assertIs(directory, None)
        return DeviceFinder(reactor, self.sysfs.root, self.dev, events=lambda changed: lambda: None)

    def nvme(self, name: str, volume_id: str, size: int = GIB) -> None:
        """Have the kernel show an NVMe device of EBS."""
        serial = volume_id.replace("-", "").encode("ascii")
        files = [
            ("device/serial", serial + b"\n"),
            ("device/model", b"Amazon Elastic Block Store\n"),
        ]
        self.sysfs.add(name, size=size, number="259:%d" % len(name), files=files)
