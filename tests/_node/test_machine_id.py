"""
A host's own id, without Compute.
"""

from __future__ import absolute_import, division, print_function

from uuid import UUID

from twisted.python.filepath import FilePath
from twisted.trial.unittest import SynchronousTestCase

from txstorage._node.machine_id import HostIdentity, host_id
from txstorage.interfaces import UnknownInstanceID

MACHINE_ID = u"0123456789abcdef0123456789abcdef\n"
CONFIGURED = u"5f6d6c2e-4b1c-4c55-9a35-0d3c1f6b9e01"


class HostIdTests(SynchronousTestCase):
    """The host id that is derived from the machine's id, and shown to other hosts."""

    def test_stable(self):
        """The host id is a UUID, constant for a machine, and does not reveal the machine's id."""
        found = host_id(MACHINE_ID)
        self.assertIsInstance(found, type(u""))
        self.assertEqual(found, host_id(MACHINE_ID.strip()))
        self.assertEqual(found, u"{}".format(UUID(found)))
        self.assertNotEqual(UUID(found), UUID(MACHINE_ID.strip()))

    def test_known(self):
        """
        The host id does not change between releases: with a new id, all volumes attached to this
        host would appear to belong to another host.
        """
        self.assertEqual(u"5436c90b-ffad-50b5-aed9-21fce5503104", host_id(MACHINE_ID))

    def test_none(self):
        """A file without a machine id yields an error."""
        for text in (u"", u"uninitialized\n", u"xyz"):
            self.assertRaises(ValueError, host_id, text)


class HostIdentityTests(SynchronousTestCase):
    """The id of a host."""

    def setUp(self):
        self.file = FilePath(self.mktemp())

    def test_configured(self):
        """A configured id is it, and no file is read."""
        node = HostIdentity(CONFIGURED, self.file)
        self.assertIs(None, node.source)
        self.assertEqual(CONFIGURED, self.successResultOf(node.instance_id()))
        self.assertEqual(u"configuration", node.source)

    def test_machine(self):
        """
        Without a configured id, the id is derived from the machine's, and its source is reported.
        """
        self.file.setContent(MACHINE_ID.encode("ascii"))
        node = HostIdentity(None, self.file)
        for _ in range(2):
            found = self.successResultOf(node.instance_id())
            self.assertEqual(host_id(MACHINE_ID), found)
        self.assertEqual(u"{}".format(self.file.path), node.source)

    def test_missing(self):
        """
        The error of a host without a machine id names the files that were read; it is not cached.
        """
        node = HostIdentity(None, self.file)
        failure = self.failureResultOf(node.instance_id(), UnknownInstanceID)
        self.assertIn(self.file.path, str(failure.value))
        self.assertIn("instance_id", str(failure.value))
        self.file.setContent(b"uninitialized\n")
        failure = self.failureResultOf(node.instance_id(), UnknownInstanceID)
        self.assertIn("holds no machine id", str(failure.value))
        self.file.setContent(MACHINE_ID.encode("ascii"))
        self.successResultOf(node.instance_id())

    def test_name(self):
        """Messages show this host's name."""
        self.assertEqual("this host", str(HostIdentity()))
