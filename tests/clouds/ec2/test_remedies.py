"""
Tests for :mod:`txstorage.clouds.ec2.remedies`: nothing that a user of EC2 reads is OpenStack's.
"""

from __future__ import absolute_import, division, print_function

import os
import re

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

import txstorage
from txstorage import errors
from txstorage._http.messages import Response
from txstorage.clouds.ec2.codec import ErrorDocument
from txstorage.clouds.ec2.remedies import REMEDIES
from txstorage.clouds.ec2.service import EC2Service
from txstorage.clouds.ec2.session.failures import CODES, service_error
from txstorage.clouds.openstack import OpenStackService
from txstorage.driver.convergence import PlainSubject
from txstorage.driver.deadlines import TimedOperations
from txstorage.driver.last_problem import LastProblem
from txstorage.driver.lifecycle import AWAITED
from txstorage.errors import remedies

#: Words that only OpenStack has, and the names of its services.
FOREIGN = re.compile(
    u"[Nn]ova|[Cc]inder|[Kk]eystone|[Oo]pen[Ss]tack|\\bOS_|compute service|\\bCompute\\b"
    u"|Block Storage|microversion"
    u"|\\bprojects?\\b|\\bdomains?\\b|'member'|application credential|attach_through|\\bhw_|Hyper-V"
    u"|\\bKVM\\b|VMware|administrator|metadata key|the service's logs?\\b",
)

#: The errors that only an OpenStack, or a host that connects to its storage itself, raises.
ONLY_OPENSTACK = {
    "AttachedByCompute",
    "ConnectionFailed",
    "ConnectorMissing",
    "EndpointMissing",
    "InsecureEndpoint",
    "MicroversionMissing",
    "NoCompute",
    "NotThisNode",
    "ServerDeleted",
    "VersionsUnknown",
    "VolumeEncrypted",
}

#: The places in the package that EC2 does not use, which alone raise these errors.
OF_OPENSTACK = (
    "errors/",
    "clouds/openstack/",
    "_devices/connect",
    "_http/failures.py",
    "_http/microversions.py",
)


def on_ec2(remedy):
    """Return the remedy that a user of EC2 gets instead of this one."""
    return REMEDIES.get(remedy, remedy)


class WordsTests(SynchronousTestCase):
    """The remedies of EC2."""

    def own(self, text):
        """Assert that a text has no word of OpenStack's."""
        found = FOREIGN.search(text)
        self.assertIs(None, found, found and u"{!r} in {!r}".format(found.group(), text))

    def test_words(self):
        """The remedies of OpenStack have words of OpenStack's, which the pattern finds."""
        foreign = [each for each in REMEDIES if FOREIGN.search(each)]
        self.assertGreater(len(foreign), 8)
        for text in (u"Nova's", u"ask Keystone", u"'openstack server list'", u"OS_AUTH_URL"):
            self.assertTrue(FOREIGN.search(text), text)

    def test_every_class(self):
        """The remedy of each class of error that EC2's users may get is EC2's or any cloud's."""
        for name in errors.__all__:
            if name not in ONLY_OPENSTACK:
                self.own(on_ec2(getattr(errors, name).remedy))

    def test_every_cause(self):
        """So is each remedy that a wait, a status or the cloud's reason selects."""
        for remedy in remedies.OF_WAITS.values():
            self.own(on_ec2(remedy))
        for cause in remedies.OF_OPERATIONS:
            self.own(on_ec2(cause.remedy))
        for name, value in vars(remedies).items():
            if name.isupper() and isinstance(value, type(u"")):
                self.own(on_ec2(value))

    def test_every_wait(self):
        """So are the messages of all timeouts, which name the awaited event."""
        for awaited in list(AWAITED.values()) + list(remedies.OF_WAITS):
            error = errors.OperationTimedOut(u"attach", u"volume v", awaited, 1.0, u"in-use")
            error.use(REMEDIES)
            self.own(error.__unicode__())

    def test_every_code(self):
        """So is the error of each code and each status of EC2's, with any message."""
        message = u"Instance i is locked; the availability zone is invalid; detach a root volume"
        response = Response(400, {}, b"", u"r-0", u"POST", u"http://ec2.example/")
        for code in list(CODES) + [u"New"]:
            error = service_error(u"CreateVolume", response, ErrorDocument(code, message))
            self.own(error.__unicode__())
        for status in (302, 401, 403, 404, 429, 500, 503):
            response = Response(status, {}, b"", u"r-0", u"POST", u"http://ec2.example/")
            error = service_error(u"CreateVolume", response, ErrorDocument(None, message))
            self.own(error.__unicode__())

    def test_messages(self):
        """So are the messages of errors that both clouds' users get."""
        for error in (
            errors.UnknownServer(u"i-1"),
            errors.StillAttached(u"vol-1", [u"i-1"]),
            errors.AttachedToHost(u"vol-1", [u"arn:aws:1"]),
            errors.UnusableStatus(u"attach", u"vol-1", u"error", u"a reason"),
            errors.UnusableSnapshot(u"destroy", u"snap-1", u"error", u""),
            errors.UnusableSnapshot(u"destroy", u"snap-1", u"recoverable", u""),
            errors.OperationFailed(u"create", u"vol-1", u"a reason"),
            errors.SnapshotFailed(u"create", u"snap-1", u"a reason"),
            errors.AttachmentLimitReached(u"vol-1", u"i-1", u"full"),
            errors.CredentialsUnavailable(u"none"),
            errors.UnidentifiedNode(None, [(u"metadata service", u"none")]),
            errors.DeviceNotFound(u"vol-1", u"none"),
        ):
            error.use(REMEDIES)
            self.own(error.__unicode__())

    def test_only_openstack(self):
        """The errors that are left out here are raised for OpenStack only."""
        top = os.path.dirname(os.path.abspath(txstorage.__file__))
        names = "|".join(sorted(ONLY_OPENSTACK))
        raising = re.compile("(?:raise |fail\\(|Failure\\()(?:errors\\.)?({})\\(".format(names))
        for directory, _, names in os.walk(top):
            for name in names:
                path = os.path.relpath(os.path.join(directory, name), top)
                if not name.endswith(".py") or path.startswith(OF_OPENSTACK):
                    continue
                with open(os.path.join(top, path), "rb") as source:
                    found = raising.findall(source.read().decode("utf-8"))
                self.assertEqual((path, []), (path, found))


class TableTests(SynchronousTestCase):
    """The table of EC2's remedies."""

    def test_used(self):
        """Each entry replaces a remedy that exists, by another one in the same style."""
        known = {getattr(errors, name).remedy for name in errors.__all__}
        known |= set(remedies.OF_WAITS.values()) | {remedies.SECOND_VOLUME}
        for usual, own in REMEDIES.items():
            self.assertIn(usual, known)
            self.assertNotEqual(usual, own)
            self.assertFalse(own.endswith(u"."), own)
            self.assertNotIn(own, REMEDIES)

    def test_devices(self):
        """The remedies of devices name the tools that show EBS's devices."""
        for kind, words in (
            (errors.DeviceNotFound, u"/sys/bus/pci/rescan"),
            (errors.DeviceUnidentified, u"lsblk -o NAME,SIZE,SERIAL"),
            (errors.DeviceNameDoubtful, u"xen_blkfront.sda_is_xvda=1"),
            (errors.DeviceMismatch, u"aws ec2 describe-volumes"),
        ):
            self.assertIn(words, on_ec2(kind.remedy))

    def test_services(self):
        """EC2's service hands the table to the driver; OpenStack's has none."""
        self.assertIs(REMEDIES, EC2Service.remedies)
        self.assertEqual({}, OpenStackService.remedies)


class DriverTests(SynchronousTestCase):
    """The driver's operations, whose errors get the cloud's remedies."""

    def error(self, function, **options):
        """Return the error of an operation."""
        operations = TimedOperations(Clock(), 10.0, **options)
        subject = PlainSubject(u"volume v")
        return self.failureResultOf(operations.run(u"attach", subject, function)).value

    def test_replaced(self):
        """An operation's error has EC2's remedy on EC2, and the usual one elsewhere."""
        error = errors.DeviceUnidentified(u"v", u"no device")
        self.assertEqual(
            errors.DeviceUnidentified.remedy, self.error(lambda: fail(error)).remedy
        )
        found = self.error(lambda: fail(error), remedies=REMEDIES)
        self.assertIs(error, found)
        self.assertIn(u"lsblk", str(found))
        self.assertNotIn(u"KVM", str(found))
        self.assertIn(u"KVM", errors.DeviceUnidentified.remedy)

    def test_timeout(self):
        """A timeout has EC2's remedy, with the key of the deadline and the kind of the subject."""
        clock = Clock()
        operations = TimedOperations(clock, 10.0, u"copy_timeout", REMEDIES)
        d = operations.run(u"create", PlainSubject(u"snapshot s", u"its end"), Deferred)
        clock.advance(11)
        error = self.failureResultOf(d, errors.OperationTimedOut).value
        self.assertIn(u"raise 'copy_timeout'", error.remedy)
        self.assertIn(u"Health Dashboard", error.remedy)

    def test_other_errors(self):
        """An error that is not txstorage's own, and a result, are left alone."""
        self.assertIsInstance(
            self.error(lambda: fail(ValueError("x")), remedies=REMEDIES), ValueError
        )
        operations = TimedOperations(Clock(), 10.0, remedies=REMEDIES)
        d = operations.run(u"list", PlainSubject(u"volumes"), lambda: succeed(1))
        self.assertEqual(1, self.successResultOf(d))

    def test_last_problem(self):
        """The last problem in a timeout's message has EC2's remedy, too."""
        problem = LastProblem(REMEDIES)
        problem.record(Failure(errors.DeviceUnidentified(u"v", u"no device")))
        self.assertIn(u"lsblk", problem.after(u"in-use"))
        self.assertNotIn(u"KVM", problem.after(u"in-use"))
