"""
Tests for the sources of :mod:`txstorage._node.instance_id`.
"""

from __future__ import absolute_import, division, print_function

import errno
import json
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.python.failure import Failure
from twisted.python.filepath import FilePath
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import ResponseNeverReceived

from txstorage._node.config_drive import mounted_at
from txstorage._node.instance_id import canonical_uuid, smbios_orders
from txstorage._support.compat import as_text
from txstorage.interfaces import UnknownInstanceID

from ..helpers.machine import NODE, OTHER, SWAPPED, Answer, Client, Compute, NodeTestCase
from ..helpers.properties import RELAXED


class ConfiguredTests(NodeTestCase):
    """The configuration names the id."""

    def test_known(self):
        """A configured id that Compute knows is used, and no other source is read."""
        client = Client.of(uuid=OTHER)
        self.assertEqual(self.found(Compute(NODE, OTHER), client, configured=NODE), NODE)
        self.assertEqual(client.urls, [])

    def test_lower_case(self):
        """An id in capitals is the same id."""
        self.assertEqual(self.found(Compute(NODE), configured=NODE.upper()), NODE)

    def test_not_a_uuid(self):
        """
        A configured id that is not a UUID is refused, without a request and without another source.
        """
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
        self.assertIn("configuration: there is no instance {} in the cloud".format(OTHER), text)
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
        """
        A drive that is neither mounted nor readable is named in the error, and the search
        continues.
        """
        self.add_config_drive(b"", mounted=False)
        self.assertIn("sr0: it is neither mounted nor ISO 9660 or vfat", self.refused(Compute()))
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
        """The metadata service's address can be changed."""
        client = Client.of(uuid=NODE)
        self.found(Compute(NODE), client, metadata_url=u"http://metadata.example/x")
        self.assertEqual(client.urls, [b"http://metadata.example/x"])

    def test_ec2_id(self):
        """EC2's kind of id is not accepted."""
        text = self.refused(Compute(NODE), Client.of(uuid=u"i-00000001"))
        self.assertIn("metadata service: i-00000001 is not a UUID", text)

    def test_bad_answers(self):
        """A response with another status or body is skipped and reported."""
        for answer, expected in (
            (Answer(b"", 404), "metadata service: it answered with HTTP 404"),
            (Answer(b"<html>"), "metadata service: its meta_data.json has no 'uuid'"),
            (
                Answer(b'{"uuid":"a","b":[' + b"1," * 10000 + b"1]}"),
                "metadata service: its meta_data.json has no 'uuid'",
            ),
            (Answer(b"x" * 2000000), "metadata service: the answer is longer than"),
        ):
            answer.deliverBody = self.tolerant(answer.deliverBody)
            self.assertIn(expected, self.refused(Compute(), Client(succeed(answer))))

    def tolerant(self, deliver):
        """As a transport that may be stopped."""

        def deliver_body(protocol):
            class Transport(object):
                def stopProducing(self):  # noqa: N802 (Twisted's name)
                    """See ``IPushProducer``."""

            protocol.transport = Transport()
            deliver(protocol)

        return deliver_body

    def test_timeout(self):
        """After five seconds the search continues, regardless of the request's later end."""
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

    def test_timeout_is_reported(self):
        """The error contains the duration of the wait."""
        d = self.node(Compute(), Client(Deferred())).instance_id()
        self.clock.advance(5)
        text = str(self.failureResultOf(d, UnknownInstanceID).value)
        self.assertIn("metadata service: no answer within 5.0 seconds", text)

    def test_no_timer_left(self):
        """A response in time leaves no timer."""
        self.found(Compute(NODE), Client.of(uuid=NODE))
        self.assertEqual(self.clock.getDelayedCalls(), [])


class FirmwareTests(NodeTestCase):
    """The DMI product UUID."""

    def test_found(self):
        """The id is lower-cased and stripped."""
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
        """The error gives the reason of an unreadable source, most often missing root rights."""
        self.add_firmware(b"")

        def denied(path):
            raise IOError(errno.EACCES, "Permission denied")

        self.patch(FilePath, "getContent", denied)
        self.assertIn("DMI product UUID: [Errno 13] Permission denied", self.refused(Compute()))

    def test_symmetric(self):
        """A UUID that reads the same in both orders is tried once."""
        same = as_text(str(UUID(int=0)))
        self.assertEqual(smbios_orders(same), [same])

    @settings(**RELAXED)
    @given(st.integers(min_value=0, max_value=2 ** 128 - 1))
    def test_both_orders(self, number):
        """Whichever order a firmware uses, the true id is among those tried."""
        true = as_text(str(UUID(int=number)))
        swapped = as_text(str(UUID(bytes=UUID(true).bytes_le)))
        self.assertIn(true, smbios_orders(true))
        self.assertIn(true, smbios_orders(swapped))
        self.assertLessEqual(len(smbios_orders(true)), 2)


class CanonicalTests(SynchronousTestCase):
    """The forms of a UUID."""

    def test_forms(self):
        """The usual form only."""
        self.assertEqual(canonical_uuid(u" " + NODE.upper() + u"\n"), NODE)
        for text in (u"", NODE.replace(u"-", u""), u"{" + NODE + u"}", NODE + u"0", u"i-0", None):
            self.assertIsNone(canonical_uuid(text))
