"""Tests of the service, from options to an open port, on the real reactor."""

from __future__ import annotations

import os
import sqlite3
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import attr
import treq
import yaml
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import Protocol
from twisted.trial.unittest import SynchronousTestCase, TestCase

from txstorage.embedded import opening, state_directory
from txstorage.embedded import service as serving
from txstorage.embedded.machine.devices import DeviceFailure, FileDevices, LoopDevices
from txstorage.embedded.machine.files import VolumeFiles
from txstorage.embedded.service import EmbeddedService, ServiceOptions, choose_devices, exposure
from txstorage.embedded.state_directory import ServeError
from txstorage.embedded.store.records import NewVolume
from txstorage.embedded.store.store import Store
from txstorage.embedded.tls import self_signed

from .support import no_loop_devices, temporary_directory


class ExposureTests(SynchronousTestCase):
    """Tests of the warning about clients that can reach the service."""

    def test_loopback(self) -> None:
        """On the loopback interface no other machine can reach the service."""
        for host in ("127.0.0.1", "127.1.2.3", "::1", "localhost"):
            self.assertEqual(exposure(ServiceOptions(state_dir="/s", host=host)), "")

    def test_others(self) -> None:
        """On other interfaces other machines can, and without TLS they can read the password."""
        for host in ("0.0.0.0", "192.0.2.1", "::", "storage.example"):
            options = ServiceOptions(state_dir="/s", host=host)
            self.assertIn(host, exposure(options))
            self.assertIn("without TLS", exposure(options))
            for safe in (attr.evolve(options, tls=True), attr.evolve(options, tls_cert="/c")):
                self.assertIn(host, exposure(safe))
                self.assertNotIn("without TLS", exposure(safe))


class ChooseDevicesTests(SynchronousTestCase):
    """Tests of the choice between loop devices and files."""

    def setUp(self) -> None:
        files = VolumeFiles(temporary_directory(self))
        self.loop = LoopDevices(None, files)
        self.regular = FileDevices(files, files.directory)
        self.patch(os, "geteuid", lambda: 0)
        self.probed(None)

    def probed(self, outcome: Any) -> None:
        """Return the trial of a loop device."""

        async def probe(self: Any) -> None:
            if outcome is not None:
                raise outcome

        self.patch(LoopDevices, "probe", probe)

    def choose(self, wanted: str, recorded: str = "") -> Any:
        """Return the chosen kind, and the reason."""
        choosing = choose_devices(wanted, recorded, self.loop, self.regular)
        backend, why = self.successResultOf(Deferred.fromCoroutine(choosing))
        return backend.kind, why

    def refused(self, wanted: str, recorded: str = "") -> str:
        """Return the reason of a refusal."""
        choosing = choose_devices(wanted, recorded, self.loop, self.regular)
        failure = self.failureResultOf(Deferred.fromCoroutine(choosing), ServeError)
        return str(failure.value)

    def test_works(self) -> None:
        """Loop devices are used where they work, unless files are requested."""
        self.assertEqual(self.choose("auto"), ("loop", "they work here"))
        self.assertEqual(self.choose("loop")[0], "loop")
        self.assertEqual(self.choose("file"), ("file", "as asked for"))

    def test_works_not(self) -> None:
        """
        On a machine without loop devices, files are used, with the reason; or the request for loop
        devices is refused.
        """
        self.probed(DeviceFailure("no device node"))
        self.assertEqual(
            self.choose("auto"), ("file", "loop devices can't be used: no device node")
        )
        self.assertIn("no device node", self.refused("loop"))

    def test_no_root(self) -> None:
        """Without root no loop device is tried."""
        self.probed(AssertionError("tried"))
        self.patch(os, "geteuid", lambda: 1000)
        self.assertEqual(
            self.choose("auto"), ("file", "loop devices can't be used: they require root")
        )

    def test_attached(self) -> None:
        """While volumes are attached, their kind of device is kept."""
        self.assertEqual(self.choose("auto", "file"), ("file", "as the attached volumes have"))
        self.assertEqual(self.choose("auto", "loop")[0], "loop")
        self.assertIn("detach them first", self.refused("file", "loop"))
        self.assertIn("detach them first", self.refused("loop", "file"))
        self.probed(DeviceFailure("no device node"))
        self.assertIn("no device node", self.refused("auto", "loop"))


class Client(Protocol):
    """A client's connection, whose answer and end can be waited for."""

    def __init__(self) -> None:
        self.answered: Deferred[None] = Deferred()
        self.ended: Deferred[None] = Deferred()

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 (Twisted's name)
        """See ``IProtocol``."""
        if not self.answered.called:
            self.answered.callback(None)

    def connectionLost(self, reason: Any = None) -> None:  # noqa: N802 (Twisted's name)
        """See ``IProtocol``."""
        self.ended.callback(None)


class ServiceTests(TestCase):
    """Tests of :class:`EmbeddedService`."""

    def setUp(self) -> None:
        self.directory = temporary_directory(self)
        self.options = ServiceOptions(state_dir=self.directory, devices="file")

    async def start(self, **changes: Any) -> EmbeddedService:
        """Start a service, which is stopped after the test."""
        service = EmbeddedService(reactor, attr.evolve(self.options, **changes))
        self.addCleanup(lambda: Deferred.fromCoroutine(service.stop()))
        self.auth_url, self.agent = await service.start()
        return service

    async def refused(self, **changes: Any) -> str:
        """Return the reason why the service does not start."""
        try:
            await self.start(**changes)
        except ServeError as error:
            return str(error)
        raise AssertionError("it started")

    def agents(self) -> list[str]:
        """Return the names of the agents' files."""
        return sorted(name for name in os.listdir(self.directory) if name.endswith(".yml"))

    async def test_answers(self) -> None:
        """A started service responds at the URL that it returns."""
        await self.start()
        response = await treq.get(self.auth_url, persistent=False)
        self.assertEqual(response.code, 200)
        body = await response.json()
        self.assertEqual(body["version"]["links"][0]["href"], self.auth_url + "/")

    async def test_kept_connections(self) -> None:
        """A stop ends the connections that clients keep, with and without a former request."""
        service = await self.start()
        [site] = service._sites
        address = urlsplit(self.auth_url)
        endpoint = TCP4ClientEndpoint(reactor, str(address.hostname), int(address.port or 0))
        clients = [await connectProtocol(endpoint, Client()) for _ in range(2)]
        clients[0].transport.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await clients[0].answered
        self.assertEqual(len(site._open), 2)
        await service.stop()
        self.assertEqual(len(site._open), 0)
        for client in clients:
            await client.ended

    async def test_agents(self) -> None:
        """Each node has a private file, and the first one's content is returned."""
        service = await self.start()
        self.assertEqual(self.agents(), ["agent-node-1.yml", "agent-node-2.yml"])
        with open(os.path.join(self.directory, "agent-node-1.yml")) as opened:
            self.assertEqual(opened.read(), self.agent)
            self.assertEqual(os.fstat(opened.fileno()).st_mode & 0o777, 0o600)
        dataset = yaml.safe_load(self.agent)["dataset"]
        self.assertEqual(dataset["auth_url"], self.auth_url)
        self.assertEqual(dataset["device_directory"], os.path.join(self.directory, "devices"))
        with open(dataset["password_file"]) as opened:
            password = opened.read().strip()
        output = self.agent + "".join(service.remarks)
        self.assertNotIn(password, output)

    async def test_restart(self) -> None:
        """Nodes, cluster and password are the same after a restart."""
        service = await self.start(nodes=("a",))
        first = yaml.safe_load(self.agent)["dataset"]
        await service.stop()
        await self.start(nodes=("b", "a"))
        self.assertEqual(self.agents(), ["agent-a.yml", "agent-b.yml"])
        with open(os.path.join(self.directory, "agent-a.yml")) as opened:
            second = yaml.safe_load(opened.read())["dataset"]
        del first["auth_url"], second["auth_url"]
        self.assertEqual(first, second)

    async def test_remembered_nodes(self) -> None:
        """Nodes of earlier starts are kept, and no default ones are added."""
        await (await self.start(nodes=("a",))).stop()
        await (await self.start()).stop()
        self.assertEqual(self.agents(), ["agent-a.yml"])
        # They keep their order, after those that this start names.
        await (await self.start(nodes=("c", "b"))).stop()
        service = await self.start(nodes=("d",))
        nodes = [line.split(":")[0] for line in service.remarks if "/agent-" in line]
        self.assertEqual(nodes, ["d", "a", "c", "b"])

    async def test_taken(self) -> None:
        """A second instance gets neither the directory nor the port."""
        self.patch(state_directory, "_PATIENCE", 0.0)
        await self.start()
        port = int(self.auth_url.split(":")[2].split("/")[0])
        self.assertIn("another instance", await self.refused())
        other = temporary_directory(self)
        message = await self.refused(state_dir=other, port=port)
        self.assertIn(f"port {port}: Address already in use", message)
        self.assertIn("'ss -ltnp' names it), or give another --port", message)
        message = await self.refused(state_dir=other, ec2_port=port)
        self.assertIn(f"port {port}: Address already in use", message)
        self.assertIn("or give another --ec2-port", message)
        # The refused instance left nothing open.
        await self.start(state_dir=other)

    async def test_bad_host(self) -> None:
        """An address of another machine is refused."""
        message = await self.refused(host="192.0.2.1")
        self.assertIn("192.0.2.1 port 0: Cannot assign requested address", message)
        self.assertIn("give an address of this machine with --host", message)

    async def test_port_of_root(self) -> None:
        """A port that this user can't open has a remedy of its own."""
        refusal = CannotListenError("127.0.0.1", 80, PermissionError(13, "Permission denied"))
        self.patch(reactor, "listenTCP", mock.Mock(side_effect=refusal))
        message = await self.refused(port=80)
        self.assertIn("port 80: Permission denied", message)
        self.assertIn("give --port above 1023", message)

    async def test_zone(self) -> None:
        """An address that clients can't use is refused, with the reason and a remedy."""
        message = await self.refused(host="fe80::1%lo")
        self.assertIn("fe80::1%lo: clients can't use an IPv6 address with a zone", message)
        self.assertIn("--host", message)

    async def test_bad_node(self) -> None:
        """A name that could not be a file's is refused."""
        for name in ("", "../x", "-x", "a b", "x" * 64):
            self.assertIn("can't be a node's name", await self.refused(nodes=(name,)))

    async def test_bad_database(self) -> None:
        """A file that is not a database is refused, and not overwritten."""
        path = os.path.join(self.directory, "txstorage.sqlite")
        with open(path, "w") as opened:
            opened.write("something else " * 100)
        self.assertIn("can't use the database", await self.refused())
        with open(path) as opened:
            self.assertEqual(opened.read(), "something else " * 100)
        os.unlink(path)
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA user_version = 99")
        connection.close()
        self.assertIn("version 99", await self.refused())

    async def test_remedies_of_databases(self) -> None:
        """The remedy of a database that can't be used fits the cause: none of these needs room."""
        path = os.path.join(self.directory, "txstorage.sqlite")
        Store(path, lambda: 0.0).close()
        with open(path, "rb") as opened:
            whole = opened.read()
        newer = sqlite3.connect(path)
        newer.execute("PRAGMA user_version = 99")
        newer.close()
        with open(path, "rb") as opened:
            of_later_release = opened.read()
        for content, problem, remedy in (
            (b"something else " * 100, "not a database", "restore the database from a backup"),
            (whole[:100] + b"\xff" * 900, "malformed", "restore the database from a backup"),
            (of_later_release, "version 99", "use the release of txstorage that has written it"),
        ):
            for name in os.listdir(self.directory):
                if name.startswith("txstorage.sqlite"):
                    os.unlink(os.path.join(self.directory, name))
            with open(path, "wb") as opened:
                opened.write(content)
            refused = await self.refused()
            self.assertIn(problem, refused)
            self.assertIn(remedy, refused)
            self.assertNotIn("make room", refused)
            with open(path, "rb") as opened:
                self.assertEqual(opened.read(), content, "the database was changed")

    def test_remedies_of_other_causes(self) -> None:
        """Only a full disk needs room; each other cause that SQLite names has its own remedy."""
        for text, expected in (
            ("database or disk is full", "make room on the disk"),
            ("database disk image is malformed", "restore the database from a backup"),
            ("attempt to write a readonly database", "writable for this user"),
            ("unable to open database file", "writable for this user"),
            ("database is locked", "end the program that uses the database"),
            ("disk I/O error", "dmesg"),
        ):
            remedy = opening.remedy(sqlite3.OperationalError(text))
            self.assertIn(expected, remedy)
            self.assertEqual("room" in remedy, "full" in text)

    async def test_tls(self) -> None:
        """With TLS the agents get the certificate to trust."""
        await self.start(tls=True)
        certificate = yaml.safe_load(self.agent)["dataset"]["verify_ca_path"]
        self.assertTrue(self.auth_url.startswith("https://127.0.0.1:"))
        self.assertTrue(os.path.exists(certificate))

    async def test_own_certificate(self) -> None:
        """The operator's certificate is used unchanged."""
        certificate, key = self_signed(temporary_directory(self), "127.0.0.1")
        await self.start(tls_cert=certificate, tls_key=key)
        self.assertEqual(yaml.safe_load(self.agent)["dataset"]["verify_ca_path"], certificate)
        self.assertIn(
            "--tls-cert",
            await self.refused(
                state_dir=temporary_directory(self), tls_cert=certificate, tls_key=certificate
            ),
        )

    async def test_recorded_devices(self) -> None:
        """A restart can't turn volumes that are attached as files into loop devices."""
        await (await self.start()).stop()
        store = Store(os.path.join(self.directory, "txstorage.sqlite"), reactor.seconds)
        volume_id = store.add_volume(NewVolume(None, None, 1, "gold", {})).volume_id
        store.attachments.reserve(volume_id, store.servers.every()[0].server_id, "/dev/vdb")
        store.close()
        self.assertIn("detach them first", await self.refused(devices="loop"))

    async def test_loop(self) -> None:
        """With loop devices the agents get no directory, and the devices are real."""
        await self.start(devices="loop")
        self.assertNotIn("device_directory", yaml.safe_load(self.agent)["dataset"])

    if no_loop_devices():
        test_loop.skip = no_loop_devices()  # type: ignore[attr-defined]

    async def test_stop_again(self) -> None:
        """Stopping twice, or before a start, succeeds."""
        service = await self.start()
        await service.stop()
        await service.stop()
        await EmbeddedService(reactor, self.options).stop()

    def test_default_nodes(self) -> None:
        """A first start declares two nodes, so that moving a volume can be tried."""
        self.assertEqual(serving.DEFAULT_NODES, ("node-1", "node-2"))
