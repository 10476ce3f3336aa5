"""
Tests for :mod:`txstorage.clouds.ec2.attachments`.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txstorage import errors
from txstorage.clouds.ec2 import EC2Service
from txstorage.clouds.ec2.attachments.device_names import NAMES, DeviceNames
from txstorage.clouds.ec2.attachments.device_views import LIFETIME
from txstorage.interfaces import UnknownVolume

from ...helpers.wire import HANG
from .support import (
    NO_INSTANCE,
    NO_VOLUME,
    OTHER,
    SERVER,
    VOLUME,
    EC2Wire,
    attachment,
    document,
    element,
    form_of,
    instance,
    instances,
    refusal,
    volume,
    volumes,
)

ATTACHED = document(u"AttachVolume", u"<status>attaching</status>")
DETACHED = document(u"DetachVolume", u"<status>detaching</status>")
NODE = instances(instance())


def detached(device):
    """The answer to a detach, with the device's name."""
    return document(u"DetachVolume", element(u"device", device))


def taken(seen):
    """EC2's refusal of a name that is in use."""
    name = seen.content.decode("ascii").partition(u"Device=")[2].partition(u"&")[0]
    name = name.replace(u"%2F", u"/")
    message = u"Invalid value '{}' for unixDevice. Attachment point {} is already in use"
    return refusal(u"InvalidParameterValue", message.format(name, name))


class AttachmentsTestCase(SynchronousTestCase):
    """A service that answers from a script."""

    def service(self, *script):
        """A service that answers from a script."""
        self.wire = EC2Wire(*script)
        return EC2Service(self.wire.clock, self.wire.session, u"eu-central-1a")

    def devices(self):
        """The names that were asked for."""
        return [form[u"Device"] for form in self.wire.forms() if u"Device" in form]


class AttachTests(AttachmentsTestCase):
    """Attaches."""

    def test_attach(self):
        """A name is chosen that the instance does not use."""
        node = instances(instance(devices=[name.replace(u"xvd", u"sd") for name in NAMES[1:]]))
        ec2 = self.service(node, ATTACHED)
        self.assertIs(None, self.successResultOf(ec2.request_attach(VOLUME, SERVER)))
        self.assertEqual(
            {
                u"Action": u"AttachVolume",
                u"VolumeId": VOLUME,
                u"InstanceId": SERVER,
                u"Device": NAMES[0],
            },
            self.wire.forms()[1],
        )

    def test_late(self):
        """An attach shows at once, although descriptions are late."""
        ec2 = self.service(NODE, ATTACHED, volumes(volume()))
        self.successResultOf(ec2.request_attach(VOLUME, SERVER))
        self.assertEqual(u"attaching", self.successResultOf(ec2.get_volume(VOLUME)).status)

    def test_lost(self):
        """An attach or a detach whose answer was lost may have been accepted."""
        attached = volume(state=u"in-use", attachments=[attachment(u"attached")])
        for script, operation, described, expected in [
            ([NODE, HANG], "request_attach", volume(), u"attaching"),
            ([HANG], "request_detach", attached, u"detaching"),
        ]:
            ec2 = self.service(*script + [volumes(described)])
            lost = getattr(ec2, operation)(VOLUME, SERVER)
            self.wire.clock.advance(30)
            self.failureResultOf(lost, errors.ResponseLost)
            self.assertEqual(expected, self.successResultOf(ec2.get_volume(VOLUME)).status)

    def test_in_turn(self):
        """Attaches to one instance choose their names one after the other."""
        ec2 = self.service(HANG, instances(instance(u"i-02")), ATTACHED, ATTACHED, ATTACHED)
        first, second = [ec2.request_attach(each, SERVER) for each in (VOLUME, OTHER)]
        self.successResultOf(ec2.request_attach(OTHER, u"i-02"))
        self.assertEqual(3, len(self.wire.service.seen))
        self.wire.finish(NODE)
        self.successResultOf(first)
        self.successResultOf(second)
        used = [self.devices()[1], self.devices()[2]]
        self.assertEqual(2, len(set(used)))

    def described(self, ec2, volume_id=VOLUME):
        """Attach, and return whether that described the instance."""
        before = len(self.wire.service.seen)
        self.successResultOf(ec2.request_attach(volume_id, SERVER))
        return u"DescribeInstances" in self.wire.actions()[before:]

    def test_description(self):
        """Attaches share a description of the instance for thirty seconds."""
        ec2 = self.service(NODE, ATTACHED, ATTACHED, NODE, ATTACHED)
        found = [self.described(ec2)]
        self.wire.clock.advance(LIFETIME - 1)
        found.append(self.described(ec2, OTHER))
        self.wire.clock.advance(1)
        found.append(self.described(ec2))
        self.assertEqual([True, False, True], found)
        self.assertEqual(3, len(set(self.devices())))

    def test_descriptions(self):
        """Instances that are described at the same time share a request."""
        servers = [u"i-0{}".format(number) for number in range(5)]

        def answer(seen):
            form = form_of(seen)
            if form[u"Action"] == u"AttachVolume":
                return ATTACHED
            if form.get(u"InstanceId.1") == servers[4]:
                return NO_INSTANCE
            return instances(*map(instance, servers[2:4]))

        ec2 = self.service(HANG, HANG, answer)
        attaches = [ec2.request_attach(VOLUME, each) for each in servers]
        for each in servers[:2]:
            self.wire.finish(instances(instance(each)))
        for attach in attaches[:4]:
            self.successResultOf(attach)
        self.failureResultOf(attaches[4], errors.UnknownServer)
        described = [form for form in self.wire.forms() if form[u"Action"] == u"DescribeInstances"]
        self.assertEqual(4, len(described))
        values = [described[2][u"Filter.1.Value.{}".format(number)] for number in (1, 2, 3)]
        self.assertEqual((u"instance-id", servers[2:]), (described[2][u"Filter.1.Name"], values))

    def test_wrong_description(self):
        """A description that lacks a name in use is not used again."""
        ec2 = self.service(NODE)
        answers = [taken, ATTACHED, NODE, ATTACHED]

        def answer(seen):
            following = answers.pop(0)
            return following(seen) if callable(following) else following

        self.wire.service.script.append(answer)
        self.assertEqual([True, True], [self.described(ec2), self.described(ec2, OTHER)])

    def test_no_names(self):
        """Without a free name the attach fails, and the next one describes the instance again."""
        full = instances(instance(devices=NAMES))
        ec2 = self.service(full, NODE, ATTACHED)
        refused = ec2.request_attach(VOLUME, SERVER)
        self.failureResultOf(refused, errors.AttachmentLimitReached)
        self.assertTrue(self.described(ec2))

    def test_name_in_use(self):
        """A name that EC2 holds in use is passed over, also by the next attach."""
        # The fake uses callables up only by replacing itself.
        ec2 = self.service(NODE)
        script = self.wire.service.script
        answers = [taken, taken, ATTACHED, NODE, ATTACHED]

        def answer(seen):
            following = answers.pop(0)
            return following(seen) if callable(following) else following

        script.append(answer)
        self.successResultOf(ec2.request_attach(VOLUME, SERVER))
        self.successResultOf(ec2.request_attach(VOLUME, SERVER))
        names = self.devices()
        self.assertEqual(4, len(set(names)))

    def test_names_in_use(self):
        """After five names, EC2's refusal is the result."""
        ec2 = self.service(NODE)
        self.wire.service.script.append(taken)
        d = ec2.request_attach(VOLUME, SERVER)
        self.failureResultOf(d, errors.RequestRefused)
        self.assertEqual(5, len(self.devices()))

    def test_other_refusals(self):
        """Only a refusal of the name itself leads to another name."""
        for answer, kind in [
            (NO_VOLUME, UnknownVolume),
            (NO_INSTANCE, errors.UnknownServer),
            (refusal(u"VolumeInUse"), errors.Conflict),
            (refusal(u"IncorrectState"), errors.Conflict),
            (refusal(u"InvalidVolumeID.ZoneMismatch"), errors.RequestRefused),
            (refusal(u"InvalidParameterValue", u"volume is already in use"), errors.RequestRefused),
            (refusal(u"AttachmentLimitExceeded"), errors.AttachmentLimitReached),
            (
                refusal(u"InvalidParameterValue", u"Too many: attachment limit is 28"),
                errors.AttachmentLimitReached,
            ),
        ]:
            ec2 = self.service(NODE, answer)
            self.failureResultOf(ec2.request_attach(VOLUME, SERVER), kind)

    def test_unknown_instance(self):
        """An instance that does not exist is unknown, whatever the form of its id."""
        for script in ([NO_INSTANCE], [instances()]):
            d = self.service(*script).request_attach(VOLUME, SERVER)
            self.failureResultOf(d, errors.UnknownServer)
        ec2 = self.service()
        for server_id in (u"", u"i-*", u"bec4ce62-8c5d-4325-a8dc-8623184a9578"):
            for operation in (ec2.request_attach, ec2.request_detach):
                self.failureResultOf(operation(VOLUME, server_id), errors.UnknownServer)

    def test_no_name(self):
        """An instance whose names are all in use has reached its limit."""
        ec2 = self.service(instances(instance(devices=NAMES)))
        error = self.failureResultOf(
            ec2.request_attach(VOLUME, SERVER), errors.AttachmentLimitReached
        ).value
        self.assertEqual((VOLUME, SERVER), (error.volume_id, error.server_id))


class DetachTests(AttachmentsTestCase):
    """Detaches."""

    def test_detach(self):
        """The instance is named, and a detach shows at once."""
        attached = volume(state=u"in-use", attachments=[attachment(u"attached")])
        ec2 = self.service(DETACHED, volumes(attached))
        self.assertIs(None, self.successResultOf(ec2.request_detach(VOLUME, SERVER)))
        self.assertEqual(
            {u"Action": u"DetachVolume", u"VolumeId": VOLUME, u"InstanceId": SERVER},
            self.wire.forms()[0],
        )
        found = self.successResultOf(ec2.get_volume(VOLUME))
        self.assertEqual((u"detaching", 1), (found.status, len(found.attachments)))

    def test_detached(self):
        """A volume that is not attached (any more) is detached."""
        for code in (u"InvalidAttachment.NotFound", u"IncorrectState"):
            d = self.service(refusal(code)).request_detach(VOLUME, SERVER)
            self.assertIs(None, self.successResultOf(d))

    def test_refused(self):
        """An unknown volume or instance, and any other refusal, are errors."""
        for answer, kind in [
            (NO_VOLUME, UnknownVolume),
            (NO_INSTANCE, errors.UnknownServer),
            (refusal(u"OperationNotPermitted", u"root device"), errors.RequestRefused),
        ]:
            self.failureResultOf(self.service(answer).request_detach(VOLUME, SERVER), kind)


class StuckTests(AttachmentsTestCase):
    """Attaches that do not complete."""

    STUCK = volume(state=u"in-use", attachments=[attachment(u"attaching")])

    def look(self, ec2):
        """Look at the volume, as an operation that waits for it does."""
        found = self.successResultOf(ec2.get_volume(VOLUME))
        self.assertIs(None, self.successResultOf(ec2.settle(found)))

    def looks(self, ec2, seconds):
        """Look at the volume for a time."""
        for _ in range(seconds // 10):
            self.look(ec2)
            self.wire.clock.advance(10)

    def test_stuck(self):
        """After 90 seconds the volume is detached, and its next attach has another name."""
        script = [NODE, ATTACHED] + [volumes(self.STUCK)] * 10 + [DETACHED, NODE, ATTACHED]
        ec2 = self.service(*script)
        self.successResultOf(ec2.request_attach(VOLUME, SERVER))
        self.looks(ec2, 90)
        self.assertNotIn(u"DetachVolume", self.wire.actions())
        self.wire.service.script[1] = detached(self.devices()[0])
        self.look(ec2)
        self.assertEqual(u"DetachVolume", self.wire.actions()[-1])
        self.successResultOf(ec2.request_attach(VOLUME, SERVER))
        first, second = self.devices()
        self.assertNotEqual(first, second)
        names = ec2._attachments._names.candidates(SERVER, (), VOLUME)
        self.assertEqual(first, names[-1])

    def test_stuck_of_another_process(self):
        """The name of a stuck attachment that another process began is not used again, either."""
        [first] = [DeviceNames(Clock()).candidates(SERVER, (), VOLUME)[0]]
        script = [volumes(self.STUCK)] * 10 + [detached(first), NODE, ATTACHED]
        ec2 = self.service(*script)
        self.looks(ec2, 100)
        self.successResultOf(ec2.request_attach(VOLUME, SERVER))
        self.assertNotEqual([first], self.devices())

    def test_old_description(self):
        """The count begins with the request, although the attachment is not shown at first."""
        script = [NODE, ATTACHED, volumes(volume())] + [volumes(self.STUCK)] * 9 + [DETACHED]
        ec2 = self.service(*script)
        self.successResultOf(ec2.request_attach(VOLUME, SERVER))
        self.looks(ec2, 100)
        self.assertEqual(u"DetachVolume", self.wire.actions()[-1])

    def test_in_time(self):
        """An attach that completed, or that was not seen for a time, begins a new count."""
        attached = volume(state=u"in-use", attachments=[attachment(u"attached")])
        script = [self.STUCK] * 8 + [attached] + [self.STUCK] * 8
        ec2 = self.service(*[volumes(each) for each in script * 2])
        self.looks(ec2, 170)
        # Another node detaches the volume, and attaches it again, unseen.
        self.wire.clock.advance(40)
        self.looks(ec2, 170)
        self.assertEqual([u"DescribeVolumes"] * 34, self.wire.actions())

    def test_elsewhere(self):
        """The attachment to another instance begins a new count."""
        elsewhere = attachment(u"attaching", server_id=u"i-0fedcba9876543210")
        moved = volume(state=u"in-use", attachments=[elsewhere])
        ec2 = self.service(*[volumes(each) for each in [self.STUCK] * 6 + [moved] * 6])
        self.looks(ec2, 120)
        self.assertEqual([u"DescribeVolumes"] * 12, self.wire.actions())


class ListTests(AttachmentsTestCase):
    """The attachments of an instance."""

    def test_none(self):
        """EC2 holds no attachments besides those of the volumes, so that none is asked for."""
        ec2 = self.service()
        self.assertEqual((), self.successResultOf(ec2.list_attachments(SERVER)))
        self.assertEqual([], self.wire.service.seen)


class DeviceNamesTests(SynchronousTestCase):
    """The choice of names."""

    def setUp(self):
        """No names in use yet."""
        self.clock = Clock()
        self.names = DeviceNames(self.clock)

    def first(self, volume_id=VOLUME, server_id=SERVER, in_use=()):
        """The best name."""
        return self.names.candidates(server_id, in_use, volume_id)[0]

    def test_spread(self):
        """Nodes that know nothing of each other rarely choose the same name."""
        chosen = {self.first(u"vol-{}".format(number)) for number in range(20)}
        self.assertGreater(len(chosen), 10)

    def test_turns(self):
        """A name is used again only after all others; each instance has turns of its own."""
        used = []
        for _ in NAMES:
            used.append(self.first())
            self.names.used(SERVER, used[-1])
            self.clock.advance(1)
        self.assertEqual(len(NAMES), len(set(used)))
        self.assertEqual(used[0], self.first())
        self.assertEqual(used[0], self.first(server_id=u"i-02"))

    def test_refused_last(self):
        """A name that EC2 refused comes last."""
        name = self.first()
        self.names.refused(SERVER, name)
        self.assertEqual(name, self.names.candidates(SERVER, (), VOLUME)[-1])

    def test_prefixes(self):
        """The same letters are the same device."""
        name = self.first()
        letters = name[len(u"/dev/xvd") :]
        for other in (u"/dev/sd", u"/dev/xvd", u"xvd", u"sd"):
            self.assertNotEqual(name, self.first(in_use=[other + letters]))
