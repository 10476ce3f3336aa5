"""Tests of the fake cloud that the benchmarks run on."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from benchmarks.cloud.api import read_filters
from benchmarks.cloud.http import Rate
from benchmarks.cloud.refusals import Refused
from benchmarks.cloud.servers import Cloud
from benchmarks.cloud.volumes import Filters, Volume, Volumes
from benchmarks.running import FakeCloud, fake_cloud


class Timers:
    """The timers of a ``Clock``, under the name that asyncio gives them."""

    def __init__(self, clock: Clock) -> None:
        self.call_later = clock.callLater


class StateTests(SynchronousTestCase):
    """The states of volumes, two seconds each."""

    def setUp(self) -> None:
        """Make a cloud on a clock."""
        self.clock = Clock()

    def cloud(self, serial: bool = False) -> Cloud:
        """A cloud with two servers."""
        volumes = Volumes("http://cloud.example", "project", self.clock.seconds)
        return Cloud(Timers(self.clock), volumes, 2, 2.0, serial)

    def available(self, cloud: Cloud) -> Volume:
        """A volume that can be attached."""
        volume = cloud.create("name", 1, {})
        self.clock.advance(2)
        return volume

    def test_life_cycle(self) -> None:
        """A volume goes through the statuses of a life cycle, and is gone in the end."""
        cloud = self.cloud()
        server = next(iter(cloud.servers))
        volume = cloud.create("name", 1, {})
        seen = [volume.status]
        for change in (
            lambda: None,
            lambda: cloud.attach(server, volume.volume_id),
            lambda: cloud.detach(server, volume.volume_id),
            lambda: cloud.delete(volume.volume_id),
        ):
            change()
            seen.append(volume.status)
            self.clock.advance(2)
            seen.append(volume.status)
        self.assertEqual(
            ["creating", "creating", "available", "attaching", "in-use", "detaching"]
            + ["available", "deleting", "deleting"],
            seen,
        )
        self.assertEqual(0, len(cloud.volumes))
        self.assertEqual({}, cloud.server(server).attachments)
        self.assertRaises(Refused, cloud.volume, volume.volume_id)

    def ends_of_attaches(self, serial: bool) -> list[str]:
        """The statuses of two volumes of one server when one attach can have ended."""
        cloud = self.cloud(serial)
        server = next(iter(cloud.servers))
        volumes = [self.available(cloud) for _ in range(2)]
        for volume in volumes:
            cloud.attach(server, volume.volume_id)
        self.clock.advance(2)
        return [volume.status for volume in volumes]

    def test_serial(self) -> None:
        """A server carries out one attach at a time, if it is to, and otherwise all at once."""
        self.assertEqual(["in-use", "attaching"], self.ends_of_attaches(True))
        self.assertEqual(["in-use", "in-use"], self.ends_of_attaches(False))

    def test_in_turn(self) -> None:
        """A volume whose turn has not come is reserved; other servers do not wait."""
        cloud = self.cloud(serial=True)
        one, other = cloud.servers
        volumes = [self.available(cloud) for _ in range(3)]
        for volume, server in zip(volumes, (one, one, other)):
            cloud.attach(server, volume.volume_id)
        statuses = [volume.status for volume in volumes]
        self.assertEqual(["attaching", "reserved", "attaching"], statuses)

    def test_refused(self) -> None:
        """A volume is attached once and detached once, and an attached one is not deleted."""
        cloud = self.cloud()
        server = next(iter(cloud.servers))
        volume = self.available(cloud)
        cloud.attach(server, volume.volume_id)
        self.clock.advance(2)
        for act in (
            lambda: cloud.attach(server, volume.volume_id),
            lambda: cloud.delete(volume.volume_id),
        ):
            self.assertEqual(400, self.assertRaises(Refused, act).status)
        self.assertEqual("in-use", volume.status)
        cloud.detach(server, volume.volume_id)
        again = self.assertRaises(Refused, cloud.detach, server, volume.volume_id)
        self.assertEqual((400, "detaching"), (again.status, volume.status))

    def test_seconds(self) -> None:
        """The times of a volume have no fractions, as Cinder's do on MySQL."""
        cloud = self.cloud()
        self.clock.advance(0.9)
        volume = cloud.create("name", 1, {})
        self.clock.advance(2)
        self.assertEqual("1970-01-01T00:00:00.000000", volume.created)
        self.assertEqual("1970-01-01T00:00:02.000000", volume.updated)

    def test_encoded(self) -> None:
        """A change shows in the encoded volume, and later microversions have more members."""
        cloud = self.cloud()
        volume = cloud.create("name", 1, {})
        before = json.loads(volume.encoded((3, 0)))
        self.clock.advance(2)
        after = json.loads(volume.encoded((3, 0)))
        self.assertEqual(("creating", "available"), (before["status"], after["status"]))
        self.assertNotIn("volume_type_id", after)
        self.assertIn("volume_type_id", json.loads(volume.encoded((3, 63))))


class ListTests(SynchronousTestCase):
    """The lists of volumes."""

    def setUp(self) -> None:
        """Make three volumes, one each second, and a fourth of another cluster."""
        self.clock = Clock()
        self.volumes = Volumes("http://cloud.example", "project", self.clock.seconds)
        self.made = []
        for name, cluster in [("a", "1"), ("b", "1"), ("c", "1"), ("d", "2")]:
            volume = self.volumes.add(name, 1, {"cluster": cluster, "name": name})
            volume.change(self.clock.seconds(), "available", None)
            self.made.append(volume)
            self.clock.advance(1)

    def names(self, filters: Filters, marker: Volume | None = None) -> list[str]:
        """The names of the selected volumes."""
        return [volume.name for volume in self.volumes.select(filters, marker)]

    def test_labels(self) -> None:
        """A list has the volumes with all labels, the newest first."""
        self.assertEqual(["d", "c", "b", "a"], self.names(Filters()))
        self.assertEqual(["c", "b", "a"], self.names(Filters({"cluster": "1"})))
        self.assertEqual(["b"], self.names(Filters({"cluster": "1", "name": "b"})))
        self.assertEqual([], self.names(Filters({"cluster": "2", "name": "b"})))

    def test_marker(self) -> None:
        """A page begins after its marker, also after a volume of another list."""
        self.assertEqual(["b", "a"], self.names(Filters({"cluster": "1"}), self.made[2]))
        self.assertEqual(["a"], self.names(Filters({"cluster": "1"}), self.made[1]))

    def test_removed(self) -> None:
        """A volume that was removed is in no list."""
        self.volumes.remove(self.made[1])
        self.assertEqual(["c", "a"], self.names(Filters({"cluster": "1"})))

    def test_query(self) -> None:
        """The filters of a query are Cinder's; those of times need their microversion."""
        query = {"metadata": '{"cluster": "1"}', "updated_at": "gte:1970-01-01T00:00:01"}
        self.assertEqual(["c", "b"], self.names(read_filters(query, (3, 60))))
        self.assertRaises(Refused, read_filters, query, (3, 59))
        self.assertEqual([], self.names(read_filters({"status": "in-use"}, (3, 0))))

    def test_unknown(self) -> None:
        """A parameter that the fake cloud lacks is refused, instead of making a list longer."""
        self.assertRaises(Refused, read_filters, {"bootable": "false"}, (3, 71))


class RateTests(SynchronousTestCase):
    """The limit of the rate."""

    def test_slots(self) -> None:
        """Requests wait for their turns; an idle time is not made up for."""
        rate = Rate(10)
        found = [rate.slot(now) for now in (1.0, 1.0, 1.0, 5.0, 5.0)]
        self.assertEqual([1.0, 1.1, 1.2, 5.0, 5.1], [round(slot, 6) for slot in found])

    def test_none(self) -> None:
        """Without a limit, no request waits."""
        rate = Rate(0)
        self.assertEqual([1.0, 1.0], [rate.slot(1.0) for _ in range(2)])


class Client:
    """A client of a running fake cloud."""

    def __init__(self, cloud: FakeCloud) -> None:
        self._base = cloud.ready["auth_url"].replace("/identity/v3", "")
        handlers: list[Any] = [urllib.request.ProxyHandler({})]
        if cloud.ready["authority"]:
            context = ssl.create_default_context(cafile=cloud.ready["authority"])
            handlers.append(urllib.request.HTTPSHandler(context=context))
        self._opener = urllib.request.build_opener(*handlers)
        self._token = ""
        self._token = self.ask("POST", "/identity/v3/auth/tokens", {})[1]["X-Subject-Token"]

    def ask(self, method: str, path: str, document: Any = None, **headers: str) -> tuple[Any, Any]:
        """Send a request; :return: the decoded body, and the headers."""
        url = path if path.startswith("http") else self._base + path
        data = None if document is None else json.dumps(document).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named["X-Auth-Token"] = self._token
        request = urllib.request.Request(url, data, named, method=method)
        with self._opener.open(request, timeout=30) as response:
            return json.loads(response.read() or b"null"), response.headers


class WireTests(SynchronousTestCase):
    """The fake cloud as a process."""

    @contextmanager
    def client(self, **options: Any) -> Iterator[tuple[Client, FakeCloud]]:
        """A client and its cloud, whose counters are at zero."""
        with fake_cloud(**options) as cloud:
            client = Client(cloud)
            cloud.reset()
            yield client, cloud

    def status(self, client: Client, *request: Any, **headers: str) -> int:
        """The status of a request that is refused."""
        refused = self.assertRaises(urllib.error.HTTPError, lambda: client.ask(*request, **headers))
        refused.close()
        return int(refused.code)

    def test_pages(self) -> None:
        """The links of a list lead through all pages, and each request is counted by its route."""
        with self.client(owned=5, others=3) as (client, cloud):
            labels = quote('{"flocker-cluster-id": "3f2b0f1e-58ab-4a1c-9a54-92dc8f5b1d3a"}')
            link, found = f"/volume/v3/volumes/detail?limit=2&metadata={labels}", []
            while link:
                page, _ = client.ask("GET", link)
                found.append([volume["id"] for volume in page["volumes"]])
                link = page.get("volumes_links", [{"href": ""}])[0]["href"]
            self.assertEqual([2, 2, 1], [len(ids) for ids in found])
            self.assertEqual(5, len({each for ids in found for each in ids}))
            self.assertEqual({"GET volumes/detail": 3}, cloud.counters()["requests"])

    def test_microversions(self) -> None:
        """A response names its microversion, and an unknown microversion is refused."""
        with self.client() as (client, _):
            path, name = "/volume/v3/volumes/detail", "OpenStack_API_Version"
            _, headers = client.ask("GET", path, **{name: "volume 3.60"})
            self.assertEqual("volume 3.60", headers["OpenStack-API-Version"])
            self.assertEqual(406, self.status(client, "GET", path, **{name: "volume 3.999"}))

    def test_refused(self) -> None:
        """A missing volume is Cinder's 404, and a request without a token a 401."""
        with self.client() as (client, _):
            self.assertEqual(404, self.status(client, "GET", "/volume/v3/volumes/none"))
            client._token = "wrong"
            self.assertEqual(401, self.status(client, "GET", "/volume/v3/volumes/none"))

    def test_handshakes(self) -> None:
        """Over TLS, each connection of a client that keeps none is a handshake."""
        with self.client(tls=True) as (client, cloud):
            for _ in range(3):
                client.ask("GET", "/volume/v3/volumes/detail")
            counted = cloud.counters()
            self.assertEqual((3, 3), (counted["connections"], counted["handshakes"]))

    def test_log(self) -> None:
        """The log has the requests as they were sent."""
        with self.client(log=True) as (client, cloud):
            client.ask("POST", "/volume/v3/volumes", {"volume": {"size": 1}})
            client.ask("GET", "/volume/v3/volumes/detail?limit=1")
            self.assertEqual(
                [
                    ["POST", "/volume/v3/volumes", '{"volume": {"size": 1}}'],
                    ["GET", "/volume/v3/volumes/detail?limit=1", ""],
                ],
                cloud.log(),
            )
