"""
Tests for :mod:`txstorage.node`.
"""

from __future__ import absolute_import, division, print_function

import errno
import json
import os
from uuid import UUID

from eliot.testing import capture_logging
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.python.filepath import FilePath
from twisted.trial.unittest import SynchronousTestCase, TestCase
from twisted.web.client import ResponseDone, ResponseNeverReceived
from twisted.web.resource import Resource
from twisted.web.server import Site
from twisted.web.static import Data

from txstorage._compat import as_text
from txstorage.errors import ServiceBroken, UnknownServer, Unreachable
from txstorage.interfaces import UnknownInstanceID
from txstorage.node import NodeIdentity, canonical_uuid, mounted_at, smbios_orders
from txstorage.services import Server

from .sysfs import FakeSysfs

NODE = u"0b1f1d7c-52a4-4c1e-9f3a-6d2f5c8e9a10"
SWAPPED = u"7c1d1f0b-a452-1e4c-9f3a-6d2f5c8e9a10"
OTHER = u"7e0d8c11-90ab-4d2f-8c55-1a2b3c4d5e6f"


class Compute(object):
    """An ``IVolumeService`` that knows servers and nothing else."""

    def __init__(self, *known):
        self.known = known
        self.asked = []
        self.answer = None

    def get_server(self, server_id):
        """As the interface has it."""
        self.asked.append(server_id)
        if self.answer is not None:
            return self.answer
        if server_id in self.known:
            return succeed(Server(server_id=server_id, status=u"ACTIVE"))
        return fail(UnknownServer(server_id))


class Answer(object):
    """A response of treq."""

    def __init__(self, body, code=200):
        self.code = code
        self._body = body

    def deliverBody(self, protocol):  # noqa: N802 (Twisted's name)
        """All of it at once."""
        protocol.dataReceived(self._body)
        protocol.connectionLost(Failure(ResponseDone()))


class Client(object):
    """A treq whose one answer is given."""

    def __init__(self, result=None):
        self.result = result
        self.urls = []

    def get(self, url, reactor):
        """As treq has it."""
        self.urls.append(url)
        if self.result is None:
            return fail(ConnectionRefusedError())
        return self.result

    @classmethod
    def of(cls, **metadata):
        """A metadata service."""
        return cls(succeed(Answer(json.dumps(metadata).encode("ascii"))))


class NodeTestCase(SynchronousTestCase):
    """A machine that has nothing to tell, unless a test adds it."""

    def setUp(self):
        self.clock = Clock()
        self.root = FilePath(self.mktemp())
        self.root.makedirs()
        self.labels = self.root.child("by-label")
        self.labels.makedirs()
        self.mounts = self.root.child("mounts")
        self.mounts.setContent(b"proc /proc proc rw 0 0\n\n")
        self.sysfs = FakeSysfs(self.root.child("sys").path).root

    def node(self, compute, client=None, **options):
        """The :class:`NodeIdentity` of the machine."""
        return NodeIdentity(
            self.clock,
            compute,
            client=client or Client(),
            mounts=self.mounts,
            labels=self.labels,
            sysfs=self.sysfs,
            **options
        )

    def found(self, *args, **options):
        """The id, found at once."""
        found = self.successResultOf(self.node(*args, **options).instance_id())
        self.assertIsInstance(found, type(u""))
        return found

    def refused(self, *args, **options):
        """The text of the error that comes at once."""
        d = self.node(*args, **options).instance_id()
        return str(self.failureResultOf(d, UnknownInstanceID).value)

    def add_config_drive(self, content, mounted=True, label="config-2"):
        """Give the machine a configuration drive."""
        device = self.root.child("sr0")
        device.setContent(b"")
        os.symlink("../sr0", self.labels.child(label).path)
        place = self.root.child("config drive")
        file = place.descendant(["openstack", "latest", "meta_data.json"])
        file.parent().makedirs()
        file.setContent(content)
        if mounted:
            paths = (os.path.realpath(device.path), os.path.abspath(place.path))
            fields = [path.replace(" ", "\\040") for path in paths]
            line = " ".join(fields + ["iso9660", "ro", "0", "0\n"])
            self.mounts.setContent(self.mounts.getContent() + line.encode("utf-8"))

    def add_firmware(self, text):
        """Give the machine a DMI product UUID."""
        path = self.sysfs.descendant(["class", "dmi", "id", "product_uuid"])
        path.parent().makedirs()
        path.setContent(text)


class ConfiguredTests(NodeTestCase):
    """The configuration names the id."""

    def test_known(self):
        """It is used when Compute knows it, and nobody else is asked."""
        client = Client.of(uuid=OTHER)
        self.assertEqual(self.found(Compute(NODE, OTHER), client, configured=NODE), NODE)
        self.assertEqual(client.urls, [])

    def test_lower_case(self):
        """An id in capitals is the same id."""
        self.assertEqual(self.found(Compute(NODE), configured=NODE.upper()), NODE)

    def test_not_a_uuid(self):
        """What is not a UUID is refused, with no question and no other source."""
        compute = Compute(NODE)
        text = self.refused(compute, Client.of(uuid=NODE), configured=u"i-00000001")
        self.assertIn("configuration: i-00000001 is not a UUID", text)
        self.assertEqual(compute.asked, [])

    def test_empty(self):
        """An empty id is refused as well."""
        self.assertIn("is not a UUID", self.refused(Compute(NODE), configured=u""))

    def test_unknown(self):
        """An id that Compute does not know is refused; no other source is asked."""
        text = self.refused(Compute(NODE), Client.of(uuid=NODE), configured=OTHER)
        self.assertIn("configuration: Compute knows no instance " + str(OTHER), text)
        self.assertIn("set 'instance_id' in the configuration", text)


class ConfigDriveTests(NodeTestCase):
    """A configuration drive that is mounted."""

    def test_found(self):
        """Its id is used before the metadata service's; white space is no matter."""
        self.add_config_drive(json.dumps({"uuid": NODE}).encode("ascii"))
        client = Client.of(uuid=OTHER)
        self.assertEqual(self.found(Compute(NODE, OTHER), client), NODE)
        self.assertEqual(client.urls, [])

    def test_capitals(self):
        """vfat has its label in capitals."""
        self.add_config_drive(json.dumps({"uuid": NODE}).encode("ascii"), label="CONFIG-2")
        self.assertEqual(self.found(Compute(NODE)), NODE)

    def test_not_mounted(self):
        """One that is not mounted is named, and the search goes on."""
        self.add_config_drive(b"", mounted=False)
        self.assertIn("sr0 is not mounted", self.refused(Compute()))
        self.assertEqual(self.found(Compute(NODE), Client.of(uuid=NODE)), NODE)

    def test_other_device(self):
        """The same file on a file system without the label is not looked at."""
        self.add_config_drive(json.dumps({"uuid": NODE}).encode("ascii"))
        self.labels.child("config-2").remove()
        self.assertIn("config drive: there is none", self.refused(Compute(NODE)))

    def test_damaged(self):
        """Content that is not what it should be is passed over."""
        for content in (b"", b"\xff", b"[]", b"{}", b"3", b'{"uuid": null}'):
            self.setUp()
            self.add_config_drive(content)
            self.assertIn("config drive: ", self.refused(Compute(NODE)))

    def test_mounted_at(self):
        """Special characters are octal in the table."""
        table = u"/dev/sr0 /mnt/a\\040b\\134 iso9660 ro 0 0\n/dev/sr1 /x\nbad\n/dev/sr0 /y z"
        self.assertEqual(mounted_at(table, u"/dev/sr0"), [u"/mnt/a b\\", u"/y"])


class MetadataTests(NodeTestCase):
    """The metadata service."""

    def test_found(self):
        """Its id is used; it is where OpenStack has it."""
        client = Client.of(uuid=NODE)
        self.assertEqual(self.found(Compute(NODE), client), NODE)
        self.assertEqual(
            client.urls, [b"http://169.254.169.254/openstack/latest/meta_data.json"]
        )

    def test_elsewhere(self):
        """It can be somewhere else."""
        client = Client.of(uuid=NODE)
        self.found(Compute(NODE), client, metadata_url=u"http://metadata.example/x")
        self.assertEqual(client.urls, [b"http://metadata.example/x"])

    def test_ec2_id(self):
        """EC2's kind of id is not accepted."""
        text = self.refused(Compute(NODE), Client.of(uuid=u"i-00000001"))
        self.assertIn("metadata service: i-00000001 is not a UUID", text)

    def test_bad_answers(self):
        """Another status, or another body, is passed over and told."""
        for answer, expected in (
            (Answer(b"", 404), "metadata service: it answered with HTTP 404"),
            (Answer(b"<html>"), "metadata service: its meta_data.json has no 'uuid'"),
            (Answer(b"x" * 2000000), "metadata service: the answer is longer than"),
        ):
            answer.deliverBody = self.tolerant(answer.deliverBody)
            self.assertIn(expected, self.refused(Compute(), Client(succeed(answer))))

    def tolerant(self, deliver):
        """As a transport that may be stopped."""

        def deliver_body(protocol):
            class Transport(object):
                def stopProducing(self):  # noqa: N802 (Twisted's name)
                    """Nothing comes any more."""

            protocol.transport = Transport()
            deliver(protocol)

        return deliver_body

    def test_timeout(self):
        """After five seconds the search goes on, however a request ends then."""
        self.add_firmware(NODE.encode("ascii"))

        def never_received(d):
            d.errback(ResponseNeverReceived([Failure(CancelledError())]))

        for canceller in (None, never_received):
            client = Client(Deferred(canceller))
            d = self.node(Compute(NODE), client).instance_id()
            self.clock.advance(4.9)
            self.assertNoResult(d)
            self.clock.advance(0.1)
            self.assertEqual(self.successResultOf(d), NODE)

    def test_timeout_is_told(self):
        """The error says how long it waited."""
        d = self.node(Compute(), Client(Deferred())).instance_id()
        self.clock.advance(5)
        text = str(self.failureResultOf(d, UnknownInstanceID).value)
        self.assertIn("metadata service: no answer within 5.0 seconds", text)

    def test_no_timer_left(self):
        """An answer in time leaves no timer."""
        self.found(Compute(NODE), Client.of(uuid=NODE))
        self.assertEqual(self.clock.getDelayedCalls(), [])


class FirmwareTests(NodeTestCase):
    """The DMI product UUID."""

    def test_found(self):
        """It is lower-cased and stripped."""
        self.add_firmware(NODE.upper().encode("ascii") + b"\n")
        self.assertEqual(self.found(Compute(NODE)), NODE)

    def test_swapped(self):
        """A firmware that swaps the first three fields is understood."""
        self.add_firmware(SWAPPED.encode("ascii") + b"\n")
        compute = Compute(NODE)
        self.assertEqual(self.found(compute), NODE)
        self.assertEqual(compute.asked, [SWAPPED, NODE])

    def test_not_a_uuid(self):
        """Vendors write all sorts of things in there."""
        self.add_firmware(b"Not Settable\n")
        self.assertIn("DMI product UUID: Not Settable is not a UUID", self.refused(Compute()))

    def test_unreadable(self):
        """Why it can't be read is told: most often one must be root."""
        self.add_firmware(b"")

        def denied(path):
            raise IOError(errno.EACCES, "Permission denied")

        self.patch(FilePath, "getContent", denied)
        self.assertIn("DMI product UUID: [Errno 13] Permission denied", self.refused(Compute()))

    def test_symmetric(self):
        """A UUID that reads the same in both orders is tried once."""
        same = as_text(str(UUID(int=0)))
        self.assertEqual(smbios_orders(same), [same])

    @given(st.integers(min_value=0, max_value=2 ** 128 - 1))
    def test_both_orders(self, number):
        """Whichever order a firmware uses, the true id is among those tried."""
        true = as_text(str(UUID(int=number)))
        swapped = as_text(str(UUID(bytes=UUID(true).bytes_le)))
        self.assertIn(true, smbios_orders(true))
        self.assertIn(true, smbios_orders(swapped))
        self.assertLessEqual(len(smbios_orders(true)), 2)


class SearchTests(NodeTestCase):
    """The search as a whole."""

    def test_everything_is_told(self):
        """The error tells of every source, of what came of it, and the remedy."""
        self.add_firmware(OTHER.encode("ascii"))
        text = self.refused(Compute(NODE))
        for part in (
            "config drive: there is none; metadata service: Connection was refused",
            "DMI product UUID: Compute knows no instance " + str(OTHER),
            "set 'instance_id' in the configuration",
        ):
            self.assertIn(part, text)

    def test_nameless_error(self):
        """An error without a text is told by its name."""
        self.assertIn(
            "metadata service: KeyError", self.refused(Compute(), Client(fail(KeyError())))
        )

    @capture_logging(None)
    def test_logged(self, logger):
        """Each source tried is one message."""
        self.add_firmware(NODE.encode("ascii"))
        self.found(Compute(NODE), Client.of(uuid=OTHER))
        self.assertEqual(
            [(message[u"source"], message[u"outcome"]) for message in logger.messages],
            [
                (u"config drive", u"there is none"),
                (u"metadata service", u"Compute knows no instance " + OTHER),
                (u"DMI product UUID", NODE),
            ],
        )

    def test_compute_is_down(self):
        """When Compute can't be asked, that is the error, and not "unknown id"."""
        self.add_firmware(NODE.encode("ascii"))
        for error in (
            Unreachable(u"GET", u"http://c/servers/x", u"refused"),
            ServiceBroken(u"GET", u"http://c/servers/x", 500, u"oops"),
        ):
            compute = Compute()
            compute.answer = fail(error)
            d = self.node(compute, Client.of(uuid=NODE)).instance_id()
            self.assertIs(self.failureResultOf(d).value, error)
            self.assertEqual(compute.asked, [NODE])

    def test_cached(self):
        """An id that was found is not looked for again."""
        compute, client = Compute(NODE), Client.of(uuid=NODE)
        node = self.node(compute, client)
        for _ in range(2):
            self.assertEqual(self.successResultOf(node.instance_id()), NODE)
        self.assertEqual((len(compute.asked), len(client.urls)), (1, 1))

    def test_failure_is_not_cached(self):
        """A search that failed is made again."""
        client = Client()
        node = self.node(Compute(NODE), client)
        self.failureResultOf(node.instance_id(), UnknownInstanceID)
        client.result = Client.of(uuid=NODE).result
        self.assertEqual(self.successResultOf(node.instance_id()), NODE)

    def test_shared(self):
        """Who asks meanwhile shares the search; leaving does not end it."""
        client = Client(Deferred())
        node = self.node(Compute(NODE), client)
        leaving, staying, late = [node.instance_id() for _ in range(3)]
        leaving.cancel()
        self.failureResultOf(leaving, CancelledError)
        client.result.callback(Answer(json.dumps({"uuid": NODE}).encode("ascii")))
        self.assertEqual([self.successResultOf(d) for d in (staying, late)], [NODE] * 2)
        self.assertEqual(len(client.urls), 1)

    def test_last_to_leave(self):
        """
        The last to leave ends the search, however the request takes it: no
        other source is asked, and no timer is left.
        """
        self.add_firmware(NODE.encode("ascii"))
        cancelled = []

        def plainly(d):
            cancelled.append(d)

        def wrapped(d):
            cancelled.append(d)
            d.errback(ResponseNeverReceived([Failure(CancelledError())]))

        for canceller in (plainly, wrapped):
            compute = Compute(NODE)
            node = self.node(compute, Client(Deferred(canceller)))
            waiting = [node.instance_id() for _ in range(2)]
            for d in waiting:
                self.assertNoResult(d)
                d.cancel()
                self.failureResultOf(d, CancelledError)
            self.assertEqual(compute.asked, [])
        self.assertEqual(len(cancelled), 2)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_cancel_while_compute_is_asked(self):
        """The question to Compute is cancelled as well."""
        cancelled = []
        compute = Compute()
        compute.answer = Deferred(cancelled.append)
        d = self.node(compute, configured=NODE).instance_id()
        d.cancel()
        self.failureResultOf(d, CancelledError)
        self.assertEqual(len(cancelled), 1)

    def test_the_error_names_the_node(self):
        """The error carries who looked, as Flocker's does."""
        node = self.node(Compute())
        error = self.failureResultOf(node.instance_id()).value
        self.assertIs(error.blockdevice, node)
        self.assertEqual(str(node), "this node")
        self.assertEqual(
            [source for source, _ in error.attempts],
            [u"config drive", u"metadata service", u"DMI product UUID"],
        )


class CanonicalTests(SynchronousTestCase):
    """What passes for a UUID."""

    def test_forms(self):
        """The usual form only."""
        self.assertEqual(canonical_uuid(u" " + NODE.upper() + u"\n"), NODE)
        for text in (u"", NODE.replace(u"-", u""), u"{" + NODE + u"}", NODE + u"0", u"i-0", None):
            self.assertIsNone(canonical_uuid(text))


class RealMetadataTests(TestCase):
    """A metadata service over TCP, asked by the default client."""

    timeout = 30

    def serve(self, resource):
        """
        :return: the address of the metadata.
        """
        root = Resource()
        root.putChild(b"meta_data.json", resource)
        port = reactor.listenTCP(0, Site(root), interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        return u"http://127.0.0.1:{}/meta_data.json".format(port.getHost().port)

    def ask(self, url):
        """Look for the id there only."""
        nowhere = FilePath(self.mktemp())
        return NodeIdentity(
            reactor, Compute(NODE), metadata_url=url, mounts=nowhere, labels=nowhere, sysfs=nowhere
        ).instance_id()

    def test_found(self):
        """The id comes over the wire, and no proxy is asked."""
        self.patch(os, "environ", dict(os.environ, http_proxy="http://127.0.0.1:1/"))
        body = json.dumps({"uuid": NODE}).encode("ascii")
        d = self.ask(self.serve(Data(body, "application/json")))
        return d.addCallback(self.assertEqual, NODE)

    def test_nobody_there(self):
        """A port where nobody listens is told."""
        port = reactor.listenTCP(0, Site(Resource()), interface="127.0.0.1")
        url = u"http://127.0.0.1:{}/meta_data.json".format(port.getHost().port)
        d = port.stopListening()
        d = (d or succeed(None)).addCallback(lambda _: self.ask(url))
        d = self.assertFailure(d, UnknownInstanceID)
        return d.addCallback(lambda error: self.assertIn("refused", str(error)))
