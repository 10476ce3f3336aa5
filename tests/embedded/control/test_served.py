"""Tests of the routes for tests, as ``txstorage serve --test-routes`` serves them."""

from __future__ import annotations

import os
import re
import signal
import urllib.error
import urllib.request

from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.testing import ControlRefused, RunningOpenStack

from ..support import temporary_directory
from ..test_serve import Child
from ..testing.support import Client


class ServedTests(SynchronousTestCase):
    """Tests with a child process, whose state is durable."""

    def setUp(self) -> None:
        self.directory = temporary_directory(self)

    def serve(self, *options: str) -> tuple[Child, RunningOpenStack]:
        """Start the service, and make a client of its controls."""
        child = Child(self, self.directory, "--devices", "file", *options)
        with open(os.path.join(self.directory, "password"), encoding="utf-8") as opened:
            return child, RunningOpenStack(child.auth_url, opened.read().strip())

    def files(self) -> list[str]:
        """The names of the files of volumes and snapshots, and of the devices."""
        found = (os.listdir(os.path.join(self.directory, each)) for each in ("volumes", "devices"))
        return sorted(name for names in found for name in names)

    def test_off(self) -> None:
        """Without the option there are no such routes, and the error says so."""
        _, double = self.serve()
        error = self.assertRaises(ControlRefused, double.reset)
        self.assertEqual(error.status, 404)
        self.assertIn("does it serve the routes for tests?", str(error))

    def test_on(self) -> None:
        """
        With the option, the clock, faults and the log work beside durable state; a reset is
        durable, too, and leaves no file.
        """
        child, double = self.serve("--test-routes", "--transition-delay", "5")
        self.assertIn("# routes for tests: ", child.output)
        client = Client(double)
        volume_id = client.create()
        double.advance(5)
        self.assertEqual(client.status(volume_id), "available")
        double.fail("volume", status=503)
        self.assertEqual(client.ask("GET", "/volume/v3/volumes")[0], 503)
        self.assertEqual(double.requests[-1].status, 503)
        snapshot = {"snapshot": {"volume_id": volume_id}}
        self.assertEqual(client.ask("POST", "/volume/v3/snapshots", snapshot)[0], 202)
        double.advance(5)
        self.assertEqual(len([name for name in self.files() if volume_id in name]), 2)
        before = self.nodes()
        double.reset()
        # The root volumes of the two nodes.
        self.assertEqual((self.files(), len(client.volumes())), ([], 2))
        child.end(signal.SIGKILL)
        _, double = self.serve("--test-routes")
        self.assertEqual((len(Client(double).volumes()), self.files()), (2, []))
        self.assertEqual(self.nodes(), before)

    def test_ec2(self) -> None:
        """EC2's actions, which have a port of their own, can fail, and are recorded."""
        child, double = self.serve("--test-routes", "--ec2-port", "0")
        [url] = re.findall("AWS_ENDPOINT_URL=(\\S+)", child.output)
        double.fail("ec2 DescribeVolumes", status=503, code="RequestLimitExceeded")
        form = b"Action=DescribeVolumes&Version=2016-11-15"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        for status, code in ((503, b"RequestLimitExceeded"), (403, b"MissingAuthenticationToken")):
            error = self.assertRaises(urllib.error.HTTPError, opener.open, url, form)
            with error:
                self.assertEqual(error.code, status)
                self.assertIn(b"<Code>" + code + b"</Code>", error.read())
        recorded = [(each.action, each.status, each.body) for each in double.requests]
        body = {"Action": "DescribeVolumes", "Version": "2016-11-15"}
        self.assertEqual(recorded, [("DescribeVolumes", each, body) for each in (503, 403)])
        self.assertIn("ec2 CreateVolume", double.routes)

    def nodes(self) -> list[str]:
        """The lines with the nodes' ids in their ``agent.yml``."""
        found = []
        for node in ("node-1", "node-2"):
            with open(
                os.path.join(self.directory, f"agent-{node}.yml"), encoding="utf-8"
            ) as opened:
                found += [line for line in opened if "instance_id" in line]
        return found
