"""Tests of the EC2 face's ports, on the real reactor."""

from __future__ import annotations

import configparser
import os
import socket
from typing import Any

import attr
import treq
from botocore.credentials import Credentials
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from txstorage.embedded.apis.ec2.ports import EC2Ports
from txstorage.embedded.service import EmbeddedService, ServiceOptions
from txstorage.embedded.state_directory import ServeError

from ..support import temporary_directory
from . import codec
from .support import headers_of


def key_in(path: str) -> Credentials:
    """Return the access key of a shared credentials file."""
    parser = configparser.ConfigParser()
    with open(path) as opened:
        parser.read_file(opened)
    section = parser["default"]
    return Credentials(section["aws_access_key_id"], section["aws_secret_access_key"])


class PortTests(TestCase):
    """Tests of :class:`EmbeddedService` with an EC2 face."""

    def setUp(self) -> None:
        self.directory = temporary_directory(self)
        self.options = ServiceOptions(state_dir=self.directory, devices="file", ec2_port=0)
        self.credentials = os.path.join(self.directory, "ec2-credentials")

    async def start(self, **changes: Any) -> EmbeddedService:
        """Start a service, which is stopped after the test."""
        service = EmbeddedService(reactor, attr.evolve(self.options, **changes))
        self.addCleanup(lambda: Deferred.fromCoroutine(service.stop()))
        await service.start()
        return service

    async def instances(self, ports: EC2Ports, key: Credentials) -> list[str]:
        """Return the ids of the instances."""
        request = codec.request_for(
            "ec2", "DescribeInstances", ports.api + "/", "txstorage-1", key, {}
        )
        headers = headers_of(request)
        response = await treq.post(
            request.url, headers=headers, data=request.body.encode("ascii"), persistent=False
        )
        body = await response.content()
        self.assertEqual(response.code, 200, body)
        found = codec.parsed("ec2", "DescribeInstances", 200, body)["Reservations"]
        return [each["Instances"][0]["InstanceId"] for each in found]

    async def test_answers(self) -> None:
        """EC2 answers the key in the file, and each node's metadata names the node."""
        service = await self.start()
        ports = service.ec2
        assert ports is not None
        self.assertEqual(os.stat(self.credentials).st_mode & 0o777, 0o600)
        listed = await self.instances(ports, key_in(self.credentials))
        self.assertEqual(list(ports.metadata), ["node-1", "node-2"])
        named = []
        for url in ports.metadata.values():
            ttl = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
            token = await (
                await treq.put(url + "/latest/api/token", headers=ttl, persistent=False)
            ).text()
            got = await treq.get(
                url + "/latest/meta-data/instance-id",
                headers={"X-aws-ec2-metadata-token": token},
                persistent=False,
            )
            named.append(await got.text())
        self.assertEqual(sorted(named), sorted(listed))
        remarks = "\n".join(service.remarks)
        for text in (ports.api, self.credentials, *ports.metadata.values()):
            self.assertIn(text, remarks)

    async def test_kept_key(self) -> None:
        """The access key and the ids survive a restart; a stop closes all ports."""
        service = await self.start()
        assert service.ec2 is not None
        key, ports = key_in(self.credentials), service.ec2
        listed = await self.instances(ports, key)
        await service.stop()
        for url in (ports.api, *ports.metadata.values()):
            number = int(url.rpartition(":")[2])
            self.assertRaises(OSError, socket.create_connection, ("127.0.0.1", number), 1)
        again = await self.start()
        assert again.ec2 is not None
        self.assertEqual(await self.instances(again.ec2, key), listed)

    async def test_taken(self) -> None:
        """A port that is in use is named, and nothing stays open."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            number = taken.getsockname()[1]
            try:
                await self.start(ec2_port=number)
            except ServeError as error:
                self.assertIn(f"port {number}: Address already in use", str(error))
            else:
                self.fail("it started")
        await self.start()

    async def test_none(self) -> None:
        """Without the option there is no EC2 face and no file with a key."""
        service = await self.start(ec2_port=None)
        self.assertEqual(service.ec2, None)
        self.assertEqual([], [name for name in os.listdir(self.directory) if "ec2" in name])

    async def test_loopback(self) -> None:
        """No other machine reaches the metadata, which need no secret."""
        service = await self.start(host="0.0.0.0")
        hosts = [port.getHost().host for port in service._ports]
        self.assertEqual(hosts, ["0.0.0.0", "0.0.0.0", "127.0.0.1", "127.0.0.1"])
