"""
Tests for :mod:`txstorage.clouds.openstack.cinder.messages`.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase

from txstorage.clouds.openstack.cinder import failure_reason

from ....helpers.wire import HANG, VOLUME_VERSIONS, VOLUMES, Answer, Wire, error, versions_answer
from .test_volumes import ID, OTHER


class MessagesTests(SynchronousTestCase):
    """The reasons of failures."""

    def session(self, *answers):
        self.wire = Wire(*answers)
        return self.wire.session({u"block-storage": u"http://cloud" + VOLUMES})

    def reason(self, session):
        return self.successResultOf(failure_reason(session, ID))

    def asked(self):
        return [target.replace(VOLUMES, u"") for target in self.wire.service.targets()]

    def test_failure_reason(self):
        """The newest message about the volume is the reason."""
        messages = [
            {u"resource_uuid": ID, u"created_at": u"2026-01-01", u"user_message": u"old"},
            {u"resource_uuid": ID, u"created_at": u"2026-01-02", u"user_message": u"new"},
            {u"resource_uuid": OTHER, u"created_at": u"2026-01-03", u"user_message": u"other"},
        ]
        for maximum, microversion in ((u"3.71", u"volume 3.5"), (u"3.4", u"volume 3.3")):
            session = self.session(
                versions_answer(200, (u"v3.0", u"/v3/", u"3.0", maximum)),
                Answer(200, {u"messages": messages}),
            )
            self.assertEqual(self.reason(session), u"new")
            self.assertEqual(
                self.asked(), [u"GET /v3/", u"GET /messages?resource_uuid=" + ID]
            )
            header = self.wire.service.seen[1].header(u"openstack-api-version")
            self.assertEqual(header, microversion)

    def test_no_messages(self):
        """A service that is too old for messages receives no request for them."""
        session = self.session(versions_answer(200, (u"v3.0", u"/v3/", u"3.0", u"3.2")))
        self.assertEqual(self.reason(session), u"")
        self.assertEqual(self.asked(), [u"GET /v3/"])

    def test_no_failure_reason(self):
        """If the messages can't be read for any reason, the failure's reason is empty."""
        for answer in (
            Answer(200, {u"messages": []}),
            Answer(200, {u"messages": [7]}),
            Answer(200, {u"messages": [{u"resource_uuid": ID}]}),
            Answer(200, b"no json"),
            error(406, u"computeFault", u"Version 3.5 is not supported by the API."),
            error(404, u"itemNotFound", u"no such thing"),
        ):
            session = self.session(VOLUME_VERSIONS, answer)
            self.assertEqual(self.reason(session), u"")
            self.assertEqual(len(self.asked()), 2)

    def test_failure_reason_can_be_cancelled(self):
        """Cancelling is the one way for it to fail."""
        asked = failure_reason(self.session(HANG), ID)
        asked.cancel()
        self.failureResultOf(asked, CancelledError)

    def test_what_one_failure_brought_about(self):
        """
        The reason contains all messages about the last request, in order and without duplicates.
        """
        messages = [
            {
                u"resource_uuid": ID,
                u"created_at": u"2026-01-01T00:00:0{}".format(second),
                u"request_id": request,
                u"user_message": text,
            }
            for second, request, text in (
                (4, u"req-2", u"no backend is left"),
                (1, u"req-1", u"long ago"),
                (3, u"req-2", u"the driver failed"),
                (2, u"req-2", u"the driver failed"),
                (0, u"req-2", None),
            )
        ]
        session = self.session(VOLUME_VERSIONS, Answer(200, {u"messages": messages}))
        self.assertEqual(
            self.reason(session),
            u"the driver failed; no backend is left",
        )
