"""
Tests for :mod:`txstorage.driver.places`.
"""

from __future__ import absolute_import, division, print_function

from twisted.trial.unittest import SynchronousTestCase

from txstorage.clouds import Attachment, Volume
from txstorage.driver.lifecycle import GONE, ON_HOST
from txstorage.driver.places import (
    attached_hosts,
    attached_places,
    attached_servers,
    device_names,
    observed,
)


def volume(status=u"in-use", servers=(), hosts=()):
    attachments = [Attachment(u"v", server) for server in servers]
    attachments += [Attachment(u"v", None, host) for host in hosts]
    return Volume(volume_id=u"v", status=status, size=1, attachments=tuple(attachments))


class PlacesTests(SynchronousTestCase):
    """The servers and hosts that a volume is attached to."""

    def test_servers_and_hosts(self):
        """Servers and hosts are apart and sorted; a host without a name is a host, too."""
        both = volume(servers=[u"b", u"a"], hosts=[u"compute-1", None])
        self.assertEqual((u"a", u"b"), attached_servers(both))
        self.assertEqual((u"", u"compute-1"), attached_hosts(both))
        self.assertEqual(
            (u"a", u"b", u"host (unknown)", u"host compute-1"), attached_places(both)
        )

    def test_in_the_middle(self):
        """A volume in the middle of attaching counts as unattached."""
        for status in (u"reserved", u"attaching"):
            self.assertEqual((), attached_places(volume(status, [u"a"], [u"compute-1"])))


class DeviceNamesTests(SynchronousTestCase):
    """The names that a cloud gives a server's devices."""

    def test_names(self):
        """Only attachments to the server count, and of these only those with a name."""
        attachments = [
            Attachment(u"v1", u"a", None, u"/dev/sdf"),
            Attachment(u"v1", u"b", None, u"/dev/sdg"),
            Attachment(u"v2", u"a"),
            Attachment(u"v3", None, u"host", u"/dev/sdh"),
            Attachment(u"v4", u"a", None, u"/dev/sda1"),
        ]
        self.assertEqual({u"v1": u"/dev/sdf", u"v4": u"/dev/sda1"}, device_names(attachments, u"a"))
        self.assertEqual({}, device_names(attachments, None))


class ObservedTests(SynchronousTestCase):
    """The row and the places for a decision."""

    def test_on_host(self):
        """Only a volume in use, by hosts and not by a server, has the row of hosts."""
        on_host = volume(hosts=[None])
        self.assertEqual((ON_HOST, (u"host (unknown)",)), observed(on_host))
        for other in (
            volume(),
            volume(servers=[u"a"]),
            volume(servers=[u"a"], hosts=[u"h"]),
            volume(u"error", hosts=[u"h"]),
            volume(u"detaching", hosts=[u"h"]),
        ):
            self.assertEqual((other.status, attached_places(other)), observed(other))

    def test_gone(self):
        """A volume that is gone has its own row."""
        self.assertEqual((GONE, ()), observed(None))
