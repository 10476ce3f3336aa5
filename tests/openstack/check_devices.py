"""
Devices and attachments of a real OpenStack that differ from the API's description.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from eliot import add_destinations, remove_destination
from twisted.internet import reactor
from twisted.internet.defer import inlineCallbacks
from twisted.internet.threads import deferToThread

from txstorage._log import DEVICE_SIZE
from txstorage._support.compat import as_text
from txstorage.errors import AttachedToHost
from txstorage.interfaces import UnattachedVolume
from txstorage.testing import block_device_size

from ..whole.test_durability import read, write
from .check_scenarios import Scenario, client
from .cloud import GIB, description

#: Bytes: the header of LUKS2, which the rig's devices of encrypted volumes lack.
HEADER = 16 * 2**20
VERSION = "volume 3.44"


class EncryptedTests(Scenario):
    """Volumes of a type with encryption."""

    @inlineCallbacks
    def test_smaller(self):
        """
        The device of an encrypted volume is smaller than the volume: it is found and usable, the
        size for Flocker remains the API's, and the difference is logged.
        """
        messages = []
        add_destinations(messages.append)
        self.addCleanup(remove_destination, messages.append)
        api = self.driver(profiles={u"secret": description()["encrypted_type"]})
        made = yield api.create_volume_with_profile(uuid4(), GIB, u"secret")
        waiting = yield deferToThread(client)
        path = "/volumes/" + made.blockdevice_id
        shown = yield deferToThread(waiting.get, "block-storage", path)
        self.assertIs(True, shown["volume"]["encrypted"])
        device = yield self.attached(api, made.blockdevice_id)
        self.assertEqual(GIB - HEADER, block_device_size(device))
        checksum = write(device)
        self.assertEqual(checksum, read(device))
        node = yield api.compute_instance_id()
        listed = yield api.list_volumes()
        self.assertEqual([made.set(attached_to=node)], listed)
        self.assertEqual(GIB, made.size)
        sizes = [
            (each[u"volume_id"], each[u"device_size"], each[u"volume_size"])
            for each in messages
            if each.get(u"message_type") == DEVICE_SIZE.message_type
        ]
        # of the attach, and of the look-up of the path
        self.assertEqual([(made.blockdevice_id, GIB - HEADER, GIB)] * 2, sizes)


class AttachmentTests(Scenario):
    """Attachments that Compute did not make."""

    @inlineCallbacks
    def setUp(self):
        self.client = yield deferToThread(client)
        self.api = self.driver()
        made = yield self.api.create_volume(uuid4(), GIB)
        self.volume_id = made.blockdevice_id

    def attach(self, **more):
        """Attach the volume in Block Storage only; :return: the attachment's id."""
        connector = {"host": "compute-1", "mountpoint": "/dev/vdb", "ip": "127.0.0.1"}
        connector.update(platform="x86_64", os_type="linux", multipath=False)
        wanted = dict(volume_uuid=self.volume_id, connector=connector, **more)
        made = self.client.post(
            "block-storage", "/attachments", {"attachment": wanted}, OpenStack_API_Version=VERSION
        )
        attachment_id = made["attachment"]["id"]
        path = "/attachments/{}/action".format(attachment_id)
        self.client.post(
            "block-storage", path, {"os-complete": {}}, OpenStack_API_Version=VERSION
        )
        self.client.wait("block-storage", "/volumes/" + self.volume_id, "in-use")
        return as_text(attachment_id)

    @inlineCallbacks
    def test_server_that_is_gone(self):
        """
        A volume that Block Storage says is attached to a server that Compute does not have is
        detached; Block Storage lets a member delete the attachment.
        """
        yield deferToThread(self.attach, instance_uuid=str(uuid4()))
        [listed] = yield self.api.list_volumes()
        self.assertIsNotNone(listed.attached_to)
        yield self.api.detach_volume(self.volume_id)
        [listed] = yield self.api.list_volumes()
        self.assertIs(None, listed.attached_to)
        yield self.assertFailure(self.api.detach_volume(self.volume_id), UnattachedVolume)

    @inlineCallbacks
    def test_host(self):
        """A detach from a host fails at once; the remedy in its error works."""
        attachment_id = yield deferToThread(self.attach)
        began = reactor.seconds()
        error = yield self.assertFailure(
            self.api.detach_volume(self.volume_id), AttachedToHost
        )
        self.assertLess(reactor.seconds() - began, 10)
        self.assertIn("volume attachment delete", str(error))
        yield deferToThread(
            self.client.request,
            "DELETE",
            "block-storage",
            "/attachments/" + attachment_id,
            OpenStack_API_Version=VERSION,
        )
        yield self.assertFailure(self.api.detach_volume(self.volume_id), UnattachedVolume)
