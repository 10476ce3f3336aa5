"""
Tests of detaching volumes from servers that Compute no longer has.
"""

from __future__ import absolute_import, division, print_function

from twisted.trial.unittest import SynchronousTestCase

from txstorage.clouds.openstack import OpenStackService
from txstorage.clouds.openstack.cinder import place_of
from txstorage.errors import (
    AttachedToHost,
    Conflict,
    ServerDeleted,
    ServiceBroken,
    UnknownServer,
)

from ...helpers.wire import VOLUME_VERSIONS, VOLUMES, Answer, Wire, error, versions_answer
from .cinder.test_volumes import described
from .test_nova import NO_SERVER, NOT_ATTACHED, SERVER, VOLUME, not_found

STALE = u"f5325973-6205-4896-9100-a87039510ac3"
OTHER = u"0c4a1c47-3f0b-4b68-9b7c-5b3f7c1d2e3f"
DETACH = u"DELETE /v2.1/servers/{}/os-volume_attachments/{}".format(SERVER, VOLUME)
SHOW_SERVER = u"GET /v2.1/servers/" + SERVER
SHOW_VOLUME = u"GET {}/volumes/{}".format(VOLUMES, VOLUME)
DELETE = u"DELETE {}/attachments/{}".format(VOLUMES, STALE)


def on(**attachment):
    """A volume with the stale attachment, and one to another server."""
    stale = dict({u"attachment_id": STALE, u"server_id": SERVER, u"device": u"/dev/vdb"})
    other = {u"attachment_id": OTHER, u"server_id": OTHER, u"device": u"/dev/vdb"}
    wire = described(VOLUME, status=u"in-use", attachments=[dict(stale, **attachment), other])
    return Answer(200, {u"volume": wire})


class DeletedServerTests(SynchronousTestCase):
    """A volume that Block Storage says is attached to a server, which Compute does not have."""

    def setUp(self):
        self.answers = {
            DETACH: not_found(NO_SERVER),
            SHOW_SERVER: not_found(NO_SERVER),
            SHOW_VOLUME: on(),
            u"GET /v3/": VOLUME_VERSIONS,
            DELETE: Answer(200, {u"attachments": []}),
        }

    def detach(self):
        """Return the ``Deferred`` of the detach, and the requests sent."""
        asked = []

        def answer(seen):
            asked.append(u"{} {}".format(seen.method, seen.target.partition(u"?")[0]))
            return self.answers[asked[-1]]

        wire = Wire(answer)
        endpoints = {u"compute": u"http://cloud/v2.1", u"block-storage": u"http://cloud" + VOLUMES}
        service = OpenStackService(wire.session(endpoints))
        return service.request_detach(VOLUME, SERVER), asked

    def test_released(self):
        """The attachment to that server, and no other, is deleted in Block Storage."""
        d, asked = self.detach()
        self.assertIs(None, self.successResultOf(d))
        self.assertEqual([DETACH, SHOW_SERVER, SHOW_VOLUME, DELETE],
                         [each for each in asked if each != u"GET /v3/"])

    def kept(self, kind, sent):
        """Return the error of a detach that deletes no attachment."""
        d, asked = self.detach()
        found = self.failureResultOf(d, kind).value
        self.assertEqual(sent, asked[-1])
        return found

    def test_server_exists(self):
        """An attachment to a server that Compute shows is not deleted."""
        server = {u"id": SERVER, u"status": u"ACTIVE", u"name": u"node"}
        self.answers[SHOW_SERVER] = Answer(200, {u"server": server})
        self.kept(UnknownServer, SHOW_SERVER)

    def test_compute_is_down(self):
        """An attachment is not deleted while Compute does not confirm that the server is gone."""
        self.answers[SHOW_SERVER] = error(500, u"computeFault", u"down")
        d, asked = self.detach()
        self.assertNoResult(d)  # the GET is retried
        d.addErrback(lambda failure: None).cancel()
        self.assertNotIn(SHOW_VOLUME, asked)

    def test_other_failures(self):
        """Only a missing server leads to Block Storage; a missing attachment is a success."""
        self.answers[DETACH] = not_found(NOT_ATTACHED)
        d, asked = self.detach()
        self.assertIs(None, self.successResultOf(d))
        self.assertEqual([DETACH], asked)
        self.answers[DETACH] = error(409, u"conflictingRequest", u"locked")
        self.kept(Conflict, DETACH)

    def test_hosts_own(self):
        """An attachment that a live host made itself, under that id, is not deleted."""
        self.answers[SHOW_VOLUME] = on(server_id=None, device=place_of(SERVER))
        found = self.kept(AttachedToHost, SHOW_VOLUME)
        self.assertEqual((SERVER,), found.hosts)

    def test_released_meanwhile(self):
        """A volume that Compute has released meanwhile counts as refused, and is polled again."""
        self.answers[SHOW_VOLUME] = Answer(200, {u"volume": described(VOLUME)})
        self.kept(UnknownServer, SHOW_VOLUME)

    def test_not_allowed(self):
        """The error of a user who may not delete attachments has the way to do it."""
        for refusal in (
            error(403, u"forbidden", u"Policy doesn't allow volume:attachment_delete"),
            error(401, u"unauthorized", u"access rules"),
        ):
            self.answers[DELETE] = refusal
            found = self.kept(ServerDeleted, DELETE)
            self.assertEqual((VOLUME, SERVER), (found.volume_id, found.server_id))
            self.assertIn("volume attachment delete", str(found))
        self.assertIn("access rules", str(found))

    def test_old_block_storage(self):
        """A Block Storage without the attachments API leads to the same error."""
        self.answers[u"GET /v3/"] = versions_answer(200, (u"v3.0", u"/v3/", u"3.0", u"3.26"))
        self.kept(ServerDeleted, u"GET /v3/")

    def test_compute_knows_it_after_all(self):
        """Block Storage's own refusal is a conflict, which the driver's table knows."""
        self.answers[DELETE] = error(409, u"conflictingRequest", u"using the Compute API")
        self.kept(Conflict, DELETE)

    def test_broken(self):
        """A failure of Block Storage is passed on."""
        self.answers[DELETE] = error(500, u"computeFault", u"oops")
        self.kept(ServiceBroken, DELETE)
