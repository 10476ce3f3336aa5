"""
Tests for :mod:`txstorage.clouds.ec2.instances`.
"""

from __future__ import absolute_import, division, print_function

from twisted.trial.unittest import SynchronousTestCase

from txstorage import errors
from txstorage.clouds import Server
from txstorage.clouds.ec2 import EC2Service

from .support import (
    NO_INSTANCE,
    SERVER,
    EC2Wire,
    document,
    element,
    instance,
    instances,
    items,
    refusal,
)


class InstancesTests(SynchronousTestCase):
    """Instances."""

    def service(self, *script):
        """A service that answers from a script."""
        self.wire = EC2Wire(*script)
        return EC2Service(self.wire.clock, self.wire.session, u"eu-central-1a")

    def test_get(self):
        """An instance is looked up by its id."""
        found = self.successResultOf(self.service(instances(instance())).get_server(SERVER))
        self.assertEqual(Server(SERVER, u"ACTIVE", u"node"), found)
        self.assertEqual(
            [{u"Action": u"DescribeInstances", u"InstanceId.1": SERVER}], self.wire.forms()
        )

    def test_unknown(self):
        """An instance that does not exist is unknown; another one is not the answer."""
        for answer, kind in [
            (NO_INSTANCE, errors.UnknownServer),
            (refusal(u"InvalidInstanceID.Malformed"), errors.UnknownServer),
            (instances(), errors.UnknownServer),
            (instances(instance(u"i-02")), errors.NotTheService),
        ]:
            self.failureResultOf(self.service(answer).get_server(SERVER), kind)
        ec2 = self.service()
        self.failureResultOf(ec2.get_server(u"x"), errors.UnknownServer)
        self.failureResultOf(ec2.start_server(u"x"), errors.UnknownServer)

    def test_device_names(self):
        """The names of all devices are those of their volumes, or stand for themselves."""
        mapped = [
            element(u"deviceName", name)
            + (u"<ebs>" + element(u"volumeId", volume_id) + u"</ebs>" if volume_id else u"")
            for name, volume_id in [
                (u"/dev/sda1", u"vol-01"),
                (u"/dev/sdf", u"vol-02"),
                (u"sdg", u""),
            ]
        ]
        found = element(u"instanceId", SERVER) + items(u"blockDeviceMapping", *mapped)
        ec2 = self.service(instances(found))
        self.assertEqual(
            {u"vol-01": u"/dev/sda1", u"vol-02": u"/dev/sdf", u"sdg": u"sdg"},
            self.successResultOf(ec2.list_device_names(SERVER)),
        )
        self.assertEqual(
            [{u"Action": u"DescribeInstances", u"InstanceId.1": SERVER}], self.wire.forms()
        )

    def test_no_device_names(self):
        """An instance that does not exist is unknown; the names of another one are not used."""
        for answer, kind in [
            (NO_INSTANCE, errors.UnknownServer),
            (instances(), errors.UnknownServer),
            (instances(instance(u"i-02")), errors.NotTheService),
        ]:
            self.failureResultOf(self.service(answer).list_device_names(SERVER), kind)

    def test_list(self):
        """All pages are read."""
        inner = items(u"reservationSet", items(u"instancesSet", instance()))
        first = document(u"DescribeInstances", inner + element(u"nextToken", u"n"))
        ec2 = self.service(first, instances(instance(u"i-02", u"terminated")))
        self.assertEqual(
            (Server(SERVER, u"ACTIVE", u"node"), Server(u"i-02", u"DELETED", u"node")),
            self.successResultOf(ec2.list_servers()),
        )

    def test_list_malformed(self):
        """An instance that was left out of the list would count as gone."""
        ec2 = self.service(instances(u"<instanceState><name>running</name></instanceState>"))
        self.failureResultOf(ec2.list_servers(), errors.NotTheService)

    def test_start(self):
        """A start of an instance that runs has nothing to do; one that stops is refused."""
        started, wrong = document(u"StartInstances"), refusal(u"IncorrectInstanceState")
        self.assertIs(None, self.successResultOf(self.service(started).start_server(SERVER)))
        for state, accepted in [(u"running", True), (u"pending", True), (u"stopping", False)]:
            ec2 = self.service(wrong, instances(instance(state=state)))
            d = ec2.start_server(SERVER)
            if accepted:
                self.assertIs(None, self.successResultOf(d))
            else:
                self.failureResultOf(d, errors.Conflict)
