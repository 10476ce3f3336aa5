"""The common parts of the tests of the EC2 face."""

from __future__ import annotations

import re
from typing import Any

from botocore.credentials import Credentials
from treq.testing import StubTreq
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.apis.ec2.face import QueryAPI
from txstorage.embedded.apis.ec2.ids import INSTANCE
from txstorage.embedded.settings import EC2Settings
from txstorage.embedded.testing import BASE_URL, InMemoryCloud, in_memory_cloud

from . import codec

KEY, SECRET = "AKIATXSTORAGE0000000", "open wheat"
MISSING = "vol-0123456789abcdef0"
ZONE, OTHER_ZONE = EC2Settings().zones


class Refused(Exception):
    """
    A refused request.

    :ivar code: EC2's.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, code, message)
        self.status, self.code, self.message = status, code, message


class EC2Case(SynchronousTestCase):
    """Tests with a cloud in memory, whose requests and answers pass through botocore."""

    #: Whether each answer comes at once.
    at_once = True
    settings: dict[str, Any] = {}
    ec2: dict[str, Any] = {}

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1000.5)
        self.use(self.make())

    def make(self, **more: Any) -> InMemoryCloud:
        """Make a cloud."""
        # botocore signs with its own clock.
        given = {"secret_access_key": SECRET, "clock_skew": 1e12, **self.ec2, **more}
        cloud = in_memory_cloud(self.clock, ec2=EC2Settings(**given), **self.settings)
        self.addCleanup(cloud.close)
        return cloud

    def use(self, cloud: InMemoryCloud) -> None:
        """Use this cloud from now on."""
        self.cloud = cloud
        self.context = cloud.application.ec2
        self.treq = StubTreq(QueryAPI(self.context, BASE_URL))
        self.credentials: Credentials | None = Credentials(KEY, SECRET)

    # -- exchanges -------------------------------------------------------------

    def send(self, action: str, service: str = "ec2", **parameters: Any) -> tuple[int, bytes]:
        """Send an action, and return the status and the body."""
        region = self.context.ec2.region
        request = codec.request_for(
            service, action, BASE_URL + "/", region, self.credentials, parameters
        )
        return self.exchange(request.method, request.url, headers_of(request), request.body)

    def exchange(
        self, method: str, url: str, headers: dict[str, str], body: Any
    ) -> tuple[int, bytes]:
        """Make one exchange."""
        asked = self.treq.request(method, url, headers=headers, data=body or None)
        got: list[Any] = []
        asked.addCallback(lambda response: got.append(response) or response)
        if not got and not self.at_once:
            # The service waits for the end of a transition.
            self.settle()
            self.treq.flush()
        response = self.successResultOf(asked)
        return response.code, self.successResultOf(response.content())

    def call(self, action: str, service: str = "ec2", **parameters: Any) -> dict[str, Any]:
        """
        Call an action, and check that botocore knows each member of the answer.

        :raises Refused: the service refuses it.
        """
        status, body = self.send(action, service, **parameters)
        answer = codec.parsed(service, action, status, body)
        if status >= 300:
            error = answer["Error"]
            self.assertTrue(re.search(b"RequestI[dD]>[0-9a-f-]{36}<", body), body)
            raise Refused(status, error["Code"], error["Message"])
        self.assertEqual(codec.invented(service, action, body), [], body)
        del answer["ResponseMetadata"]
        return answer

    def refused(self, code: str, action: str, service: str = "ec2", **parameters: Any) -> Refused:
        """Call an action that is refused with a code."""
        refused = self.assertRaises(Refused, self.call, action, service, **parameters)
        self.assertEqual(refused.code, code, refused)
        return refused

    # -- resources -------------------------------------------------------------

    def node(self, name: str = "node-1") -> str:
        """Return the id of an instance."""
        return INSTANCE.of(self.cloud.nodes[name])

    def create(self, **more: Any) -> str:
        """Make an available volume."""
        asked = {"AvailabilityZone": ZONE, "Size": 1, **more}
        volume_id: str = self.call("CreateVolume", **asked)["VolumeId"]
        self.settle()
        return volume_id

    def settle(self) -> None:
        """Let every transition happen."""
        self.clock.pump([self.cloud.settings.transition_delay] * 4)

    def volume(self, volume_id: str) -> dict[str, Any]:
        """Return a volume."""
        [found] = self.call("DescribeVolumes", VolumeIds=[volume_id])["Volumes"]
        volume: dict[str, Any] = found
        return volume

    def state(self, volume_id: str) -> tuple[str, ...]:
        """Return a volume's state, and that of its attachment, if any."""
        volume = self.volume(volume_id)
        return (volume["State"], *(each["State"] for each in volume["Attachments"]))

    def attach(self, volume_id: str, device: str = "/dev/xvdba", node: str = "node-1") -> Any:
        """Request an attach."""
        return self.call(
            "AttachVolume", VolumeId=volume_id, InstanceId=self.node(node), Device=device
        )

    def ids(self, **parameters: Any) -> list[str]:
        """Return the ids of the volumes that a describe lists, without root volumes."""
        found = self.call("DescribeVolumes", **parameters)["Volumes"]
        return [each["VolumeId"] for each in found if not self._is_root(each)]

    def _is_root(self, volume: dict[str, Any]) -> bool:
        return any(each["DeleteOnTermination"] for each in volume["Attachments"])


def headers_of(request: Any) -> dict[str, str]:
    """Return the headers of botocore's request; the client makes the length itself."""
    return {
        name: value.decode("ascii") if isinstance(value, bytes) else str(value)
        for name, value in request.headers.items()
        if name.lower() != "content-length"
    }
