"""
Tests for :mod:`txstorage.clouds.ec2.session`.
"""

from __future__ import absolute_import, division, print_function

from eliot.testing import LoggedMessage, capture_logging
from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase

from txstorage import errors
from txstorage._log import HTTP_RETRY
from txstorage.clouds.ec2 import ServiceCodec
from txstorage.clouds.ec2.session import all_entries
from txstorage.clouds.ec2.session.rates import READS, WRITES, delay_before_retry

from ...helpers.wire import HANG, Answer
from .support import EC2Wire, document, element, items, refusal

DELETED = document(u"DeleteVolume", u"<return>true</return>")
VOLUMES = document(u"DescribeVolumes", items(u"volumeSet", u"<volumeId>vol-1</volumeId>"))
THROTTLED = refusal(u"RequestLimitExceeded", u"Request limit exceeded.", 503)


class CallTests(SynchronousTestCase):
    """One request."""

    def call(self, operation="DescribeVolumes", parameters=None, **options):
        """Send a request."""
        return self.wire.session.call(operation, parameters or {}, **options)

    def test_request(self):
        """A signed form is sent, and the answer comes back parsed."""
        self.wire = EC2Wire(VOLUMES)
        answer = self.successResultOf(self.call(parameters={"VolumeIds": [u"vol-1"]}))
        self.assertEqual({u"Volumes": [{u"VolumeId": u"vol-1"}]}, answer)
        [seen] = self.wire.service.seen
        self.assertEqual(u"POST", seen.method)
        self.assertEqual(
            [{u"Action": u"DescribeVolumes", u"VolumeId.1": u"vol-1"}], self.wire.forms()
        )
        self.assertEqual(u"ec2.example", seen.header(u"host"))
        self.assertEqual(u"20261122T162704Z", seen.header(u"x-amz-date"))
        self.assertEqual(u"t0ken", seen.header(u"x-amz-security-token"))
        self.assertIn(u"AKID/20261122/eu-central-1/ec2/", seen.header(u"authorization"))

    def test_other_service(self):
        """A session of another service signs for that service, with the same keys."""
        identity = document(u"GetCallerIdentity", element(u"GetCallerIdentityResult", u""))
        self.wire = EC2Wire(identity)
        session = self.wire.session.of_service(ServiceCodec.load("sts"), u"https://sts.example")
        self.successResultOf(session.call("GetCallerIdentity", {}))
        [seen] = self.wire.service.seen
        self.assertEqual(u"sts.example", seen.header(u"host"))
        self.assertIn(u"AKID/20261122/eu-central-1/sts/", seen.header(u"authorization"))
        self.assertEqual(
            self.successResultOf(session.keys()), self.successResultOf(self.wire.session.keys())
        )

    def test_refused(self):
        """An error has the operation, EC2's code and the request's id, and no secret."""
        self.wire = EC2Wire(refusal(u"VolumeInUse", u"in use; t0ken s3cret"))
        d = self.call("DeleteVolume", {"VolumeId": u"vol-1"})
        error = self.failureResultOf(d, errors.Conflict).value
        self.assertEqual((u"VolumeInUse", u"r-9"), (error.kind, error.request_id))
        self.assertIn(u"DeleteVolume: VolumeInUse: in use; [secret] [secret]", error.message)

    def test_unreadable(self):
        """An answer that is not EC2's means nothing for a read; a change may have been made."""
        for operation, kind in [
            ("DescribeVolumes", errors.NotTheService),
            ("CreateVolume", errors.ResponseLost),
        ]:
            self.wire = EC2Wire(*[Answer(200, b"<html>")] * 3)
            self.failureResultOf(self.call(operation), kind)

    def test_redirect(self):
        """A redirection is not followed with a signature."""
        self.wire = EC2Wire(Answer(302, b"", {"Location": "http://evil.example/"}))
        self.failureResultOf(self.call(), errors.NotTheService)

    def test_lost(self):
        """A read and a request with a token are sent again after a lost answer; no other is."""
        for operation, parameters, attempts in [
            ("DescribeVolumes", {}, 3),
            ("CreateVolume", {"ClientToken": u"t"}, 3),
            ("CreateVolume", {}, 1),
            ("AttachVolume", {}, 1),
            ("DeleteVolume", {}, 1),
        ]:
            self.wire = EC2Wire(*[HANG] * 3)
            d = self.call(operation, parameters)
            self.wire.clock.pump([30.0, 0.5, 30.0, 1.0, 30.0])
            self.failureResultOf(d, errors.ResponseLost)
            self.assertEqual((operation, attempts), (operation, len(self.wire.service.seen)))

    def test_cancel(self):
        """A request can be cancelled while it is sent and while it waits."""
        self.wire = EC2Wire(HANG, THROTTLED)
        for _ in range(2):
            d = self.call()
            d.cancel()
            self.failureResultOf(d, CancelledError)
        self.wire.clock.advance(60)
        self.assertEqual(2, len(self.wire.service.seen))


class RetryTests(SynchronousTestCase):
    """Requests that are sent again."""

    @capture_logging(None)
    def test_throttled(self, logger):
        """A throttled change was not made, so it is sent again; the log has the reason."""
        self.wire = EC2Wire(THROTTLED, THROTTLED, DELETED)
        d = self.wire.session.call("DeleteVolume", {"VolumeId": u"vol-1"})
        self.wire.clock.pump([0.5, 1.0])
        self.assertEqual({}, self.successResultOf(d))
        self.assertEqual(3, len(self.wire.service.seen))
        logged = LoggedMessage.of_type(logger.messages, HTTP_RETRY)
        self.assertEqual([0.5, 1.0], [each.message["delay"] for each in logged])

    def test_throttled_for_long(self):
        """Eight attempts are made."""
        self.wire = EC2Wire(*[THROTTLED] * 9)
        d = self.wire.session.call("DeleteVolume", {})
        self.wire.clock.pump([0.5] * 240)
        self.failureResultOf(d, errors.RateLimited)
        self.assertEqual(8, len(self.wire.service.seen))

    def test_throttling_slows_the_operation(self):
        """After a refusal, the operation's bucket is empty; those of other operations are not."""
        self.wire = EC2Wire(THROTTLED, *[DELETED] * 30)
        first = self.wire.session.call("DeleteVolume", {})
        others = [self.wire.session.call("DeleteVolume", {}) for _ in range(3)]
        self.assertEqual(1, len(self.wire.service.seen))
        self.successResultOf(self.wire.session.call("CreateTags", {}))
        self.wire.clock.pump([0.2] * 5)
        for each in others + [first]:
            self.successResultOf(each)

    def test_table(self):
        """A failure of the service is repeated where that is harmless; a refusal never."""
        for kind, once, repeated in [
            (errors.RateLimited, 8, 8),
            (errors.ServiceBroken, 1, 3),
            (errors.Conflict, 1, 1),
            (errors.QuotaExceeded, 1, 1),
        ]:
            for repeatable, expected in ((False, once), (True, repeated)):
                error, attempts = kind(u"POST", u"u", 500, u"d"), 1
                while delay_before_retry(error, repeatable, attempts, 0.0) is not None:
                    attempts += 1
                self.assertEqual((kind, expected), (kind, attempts))

    def test_full_jitter(self):
        """The whole delay is random, below a limit that doubles up to 20 seconds."""
        error = errors.RateLimited(u"POST", u"u", 503, u"d")
        for attempt, longest in [(1, 1.0), (2, 2.0), (3, 4.0), (5, 16.0), (7, 20.0)]:
            self.assertEqual(longest, delay_before_retry(error, False, attempt, 1.0))
            self.assertEqual(0.0, delay_before_retry(error, False, attempt, 0.0))

    def test_rates(self):
        """A burst is sent at once, and then as many as EC2's own buckets allow."""
        for operation, answer, (rate, burst) in [
            ("DescribeVolumes", VOLUMES, READS),
            ("DeleteVolume", DELETED, WRITES),
        ]:
            self.wire = EC2Wire(lambda seen, answer=answer: answer)
            for _ in range(int(burst) + 40):
                self.wire.session.call(operation, {})
            self.assertEqual(burst, len(self.wire.service.seen))
            self.wire.clock.advance(1.0)
            self.assertEqual(burst + rate, len(self.wire.service.seen))


class SignatureTests(SynchronousTestCase):
    """Signatures that EC2 does not accept."""

    HALF_PAST = {"Date": "Sun, 22 Nov 2026 16:57:04 GMT"}

    def test_skew(self):
        """With a wrong clock, requests are signed with the service's time, also later ones."""
        for code in (u"RequestExpired", u"AuthFailure", u"SignatureDoesNotMatch"):
            wire = EC2Wire(refusal(code, headers=self.HALF_PAST), VOLUMES, VOLUMES)
            for _ in range(2):
                self.successResultOf(wire.session.call("DescribeVolumes", {}))
            stamps = [seen.header(u"x-amz-date") for seen in wire.service.seen]
            self.assertEqual(
                [u"20261122T162704Z", u"20261122T165704Z", u"20261122T165704Z"], stamps
            )

    def test_ahead(self):
        """Each answer with a time shows the difference of the clocks, also one that is accepted."""
        ahead = document(u"DescribeVolumes", u"", headers=self.HALF_PAST)
        wire = EC2Wire(VOLUMES, ahead, VOLUMES)
        found = [wire.session.ahead]
        for _ in range(3):
            self.successResultOf(wire.session.call("DescribeVolumes", {}))
            found.append(wire.session.ahead)
        self.assertEqual([0.0, 0.0, 1800.0, 0.0], found)

    def test_renewed(self):
        """Keys that have ended are replaced once."""
        wire = EC2Wire(refusal(u"RequestExpired"), VOLUMES, keys=[u"OLD", u"NEW"])
        self.successResultOf(wire.session.call("DescribeVolumes", {}))
        used = [seen.header(u"authorization").split(u"/")[0] for seen in wire.service.seen]
        self.assertTrue(used[0].endswith(u"OLD") and used[1].endswith(u"NEW"))
        wire = EC2Wire(*[refusal(u"AuthFailure")] * 3, keys=[u"A", u"B", u"C"])
        failing = wire.session.call("DescribeVolumes", {})
        error = self.failureResultOf(failing, errors.AuthenticationFailed).value
        self.assertIn(u"access key", error.remedy)
        self.assertEqual(2, len(wire.service.seen))

    def test_same_keys(self):
        """Keys that do not change are not tried again."""
        wire = EC2Wire(refusal(u"AuthFailure"))
        failing = wire.session.call("DescribeVolumes", {})
        self.failureResultOf(failing, errors.AuthenticationFailed)

    def test_skew_and_renewal(self):
        """Both may be wrong; then EC2 has the last word."""
        wire = EC2Wire(
            *[refusal(u"AuthFailure", headers=self.HALF_PAST)] * 3, keys=[u"A", u"B", u"C"]
        )
        failing = wire.session.call("DescribeVolumes", {})
        self.failureResultOf(failing, errors.AuthenticationFailed)
        self.assertEqual(3, len(wire.service.seen))


class PagesTests(SynchronousTestCase):
    """Lists."""

    def page(self, name, token=None):
        """One page."""
        inner = items(u"volumeSet", element(u"volumeId", name))
        return document(u"DescribeVolumes", inner + element(u"nextToken", token))

    def read(self, *script):
        """Read a list."""
        self.wire = EC2Wire(*script)
        filters = [{"Name": u"tag:a", "Values": [u"b"]}]
        return all_entries(
            self.wire.session,
            "DescribeVolumes",
            {"Filters": filters},
            u"Volumes",
            lambda each: each[u"VolumeId"],
        )

    def test_all(self):
        """Pages of 100 are requested, each with the token of the one before."""
        script = [self.page(u"vol-1", u"n1"), self.page(u"vol-2", u"n2"), self.page(u"vol-3")]
        entries, requests = self.successResultOf(self.read(*script))
        self.assertEqual(
            ([u"vol-1", u"vol-2", u"vol-3"], 3), (entries, requests)
        )
        forms = self.wire.forms()
        self.assertEqual([None, u"n1", u"n2"], [form.get(u"NextToken") for form in forms])
        for form in forms:
            self.assertEqual((u"100", u"b"), (form[u"MaxResults"], form[u"Filter.1.Value.1"]))

    def test_empty(self):
        """An empty list, and an empty page before a full one."""
        entries = self.successResultOf(self.read(document(u"DescribeVolumes")))
        self.assertEqual(([], 1), entries)
        empty = document(u"DescribeVolumes", items(u"volumeSet") + element(u"nextToken", u"n"))
        entries, requests = self.successResultOf(self.read(empty, self.page(u"vol-1")))
        self.assertEqual((1, 2), (len(entries), requests))

    def test_endless(self):
        """A list whose pages lead back never ends."""
        script = [self.page(u"vol-1", u"n1"), self.page(u"vol-2", u"n2"), self.page(u"v", u"n1")]
        self.failureResultOf(self.read(*script), errors.NotTheService)
