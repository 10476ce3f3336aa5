"""
A fake machine and cloud, for the tests of :mod:`txstorage._node.instance_id`.
"""

from __future__ import absolute_import, division, print_function

import json
import os

from twisted.internet.defer import fail, succeed
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.python.filepath import FilePath
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import ResponseDone
from twisted.web.http_headers import Headers

from txstorage._node.instance_id import NodeIdentity
from txstorage.clouds import Server
from txstorage.errors import UnknownServer
from txstorage.interfaces import UnknownInstanceID

from .sysfs import FakeSysfs

NODE = u"0b1f1d7c-52a4-4c1e-9f3a-6d2f5c8e9a10"
SWAPPED = u"7c1d1f0b-a452-1e4c-9f3a-6d2f5c8e9a10"
OTHER = u"7e0d8c11-90ab-4d2f-8c55-1a2b3c4d5e6f"


class Compute(object):
    """An ``IVolumeService`` that has servers only."""

    def __init__(self, *known):
        self.known = known
        self.asked = []
        self.answer = None

    def get_server(self, server_id):
        """Return the configured result, or the server if it is known."""
        self.asked.append(server_id)
        if self.answer is not None:
            return self.answer
        if server_id in self.known:
            return succeed(Server(server_id=server_id, status=u"ACTIVE"))
        return fail(UnknownServer(server_id))


class Answer(object):
    """A response of an agent."""

    headers = Headers({})

    def __init__(self, body, code=200):
        self.code = code
        self._body = body

    def deliverBody(self, protocol):  # noqa: N802 (Twisted's name)
        """Deliver the whole body at once."""
        protocol.dataReceived(self._body)
        protocol.connectionLost(Failure(ResponseDone()))


class Client(object):
    """An agent with one given result."""

    def __init__(self, result=None):
        self.result = result
        self.urls = []

    def request(self, method, url):
        """Record the URL, and return the given result, or refuse the connection."""
        self.urls.append(url)
        if self.result is None:
            return fail(ConnectionRefusedError())
        return self.result

    @classmethod
    def of(cls, **metadata):
        """Return a client of a metadata service."""
        return cls(succeed(Answer(json.dumps(metadata).encode("ascii"))))


class NodeTestCase(SynchronousTestCase):
    """A machine without sources of an instance id; a test adds them."""

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
        """Return the :class:`NodeIdentity` of the machine."""
        return NodeIdentity(
            self.clock,
            compute,
            agent=client or Client(),
            mounts=self.mounts,
            labels=self.labels,
            sysfs=self.sysfs,
            **options
        )

    def found(self, *args, **options):
        """Return the id, which must be found at once."""
        found = self.successResultOf(self.node(*args, **options).instance_id())
        self.assertIsInstance(found, type(u""))
        return found

    def refused(self, *args, **options):
        """Return the text of the error, which must be raised at once."""
        d = self.node(*args, **options).instance_id()
        return str(self.failureResultOf(d, UnknownInstanceID).value)

    def add_config_drive(self, content, mounted=True, label="config-2"):
        """Add a configuration drive to the machine."""
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
        """Add a DMI product UUID to the machine."""
        path = self.sysfs.descendant(["class", "dmi", "id", "product_uuid"])
        path.parent().makedirs()
        path.setContent(text)
