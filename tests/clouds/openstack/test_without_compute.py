"""
Cinder without Compute, request by request.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from txstorage._devices.connector import HostConnector
from txstorage._http.messages import Response
from txstorage._node.machine_id import HostIdentity
from txstorage._support.slices import Slices
from txstorage.clouds import IVolumeService, Volume
from txstorage.clouds.openstack.cinder.host_attachments import HostAttachments
from txstorage.clouds.openstack.cinder.wire import GIB, attached_to, place_of, volume_from_wire
from txstorage.clouds.openstack.without_compute import StandaloneService
from txstorage.errors import (
    AttachedByCompute,
    Conflict,
    ConnectionFailed,
    DeviceNotFound,
    NoCompute,
    NotTheService,
    NotThisNode,
    RequestRefused,
    ResourceNotFound,
    ResponseLost,
    ServiceBroken,
    VolumeEncrypted,
)
from txstorage.interfaces import UnknownInstanceID, UnknownVolume

from .cinder.test_volumes import described

HERE = u"5f6d6c2e-4b1c-4c55-9a35-0d3c1f6b9e01"
THERE = u"7a1f0c8e-2d3b-4e6f-8b1a-1c2d3e4f5a6b"
VOLUME = u"11111111-2222-4333-8444-555555555555"
ID = u"99999999-2222-4333-8444-555555555555"
LOCAL = {u"driver_volume_type": u"local", u"device_path": u"/dev/loop7"}
OK = object()


def attachment(status=u"attached", instance=None, connection=LOCAL, **more):
    """Return an attachment in Cinder's form."""
    document = {
        u"id": ID,
        u"status": status,
        u"instance": instance,
        u"volume_id": VOLUME,
        u"connection_info": connection,
    }
    return dict(document, **more)


def on(host, **more):
    """Return a volume that a host has, in Cinder's form."""
    place = {u"attachment_id": ID, u"server_id": None, u"device": place_of(host)}
    return dict(described(VOLUME), status=u"in-use", attachments=[dict(place, **more)])


class Session(object):
    """
    Responds from a table of ``"METHOD /path"`` to a body, an exception or a ``Deferred``, and
    records the requests.
    """

    def __init__(self, **table):
        self.table = {}
        self.asked = []
        self.bodies = []
        self.microversions = set()
        self.slices = Slices(Clock())

    def request(self, service_types, method, path, microversions=(), json=None, params=()):
        """As a session has it."""
        what = u"{} {}".format(method, path)
        self.asked.append(what)
        self.bodies.append(json)
        self.microversions.add((path.split(u"/")[1], microversions))
        answer = self.table[what]
        if isinstance(answer, Exception):
            return fail(answer)
        if isinstance(answer, Deferred):
            return answer
        body = None if answer is OK else answer
        return succeed(Response(200, {}, body, None, method, u"http://cloud" + path))


class Connector(object):
    """A fake connector of this host."""

    def __init__(self):
        self.calls = []
        self.error = None

    def properties(self):
        """As the real one has it."""
        return succeed({u"host": u"here"})

    def _do(self, what, connection, result):
        self.calls.append((what, connection))
        if isinstance(self.error, Deferred):
            return self.error
        return succeed(result) if self.error is None else fail(self.error)

    def connect(self, volume_id, connection):
        """As the real one has it."""
        return self._do("connect", connection, u"/dev/loop7")

    def disconnect(self, volume_id, connection):
        """As the real one has it."""
        return self._do("disconnect", connection, None)


class StandaloneTests(SynchronousTestCase):
    """Base: a service on a scripted Cinder."""

    def setUp(self):
        self.session = Session()
        self.connector = Connector()
        self.service = StandaloneService(self.session, HostIdentity(HERE), self.connector)
        self.can(
            {
                u"POST /attachments": {u"attachment": attachment(u"reserved")},
                u"POST /attachments/{}/action".format(ID): OK,
                u"GET /attachments/" + ID: {u"attachment": attachment()},
                u"DELETE /attachments/" + ID: {u"attachments": []},
                u"GET /attachments/detail": {u"attachments": []},
                u"GET /volumes/" + VOLUME: {u"volume": on(HERE)},
            }
        )

    def can(self, table):
        """Set the next responses."""
        self.session.table.update(table)

    def asked(self):
        """The requests since the last call."""
        asked, self.session.asked = self.session.asked, []
        return [what.replace(ID, u"ID").replace(VOLUME, u"VOLUME") for what in asked]

    def refused(self, kind, status, detail=u"no"):
        """An error of the service."""
        return kind(u"POST", u"http://cloud", status, detail, kind=u"itemNotFound")


class InterfaceTests(StandaloneTests):
    """The service's interface."""

    def test_interface(self):
        """The service provides all of ``IVolumeService``."""
        self.assertTrue(verifyObject(IVolumeService, self.service))

    def test_without_compute(self):
        """
        Without Compute, hosts have only the attachments that Cinder lists, every id is a host's,
        and this host and all hosts with volumes count as live; the host of another program is none
        of them.
        """
        mine = dict(on(THERE), id=ID)
        others = on(HERE, device=u"/dev/vdb", host_name=u"compute-1")
        self.can({u"GET /volumes/detail": {u"volumes": [mine, others]}})
        self.assertEqual((), self.successResultOf(self.service.list_attachments(HERE)))
        found = self.successResultOf(self.service.get_server(THERE))
        self.assertEqual((THERE, u"UNKNOWN"), (found.server_id, found.status))
        listed = self.successResultOf(self.service.list_servers())
        self.assertEqual([HERE, THERE], sorted(server.server_id for server in listed))
        self.assertEqual({u"UNKNOWN"}, {server.status for server in listed})
        error = self.failureResultOf(self.service.start_server(THERE), NoCompute).value
        self.assertIn(u"by hand", error.remedy)
        self.assertIn(THERE, str(error))
        self.assertIn("attach_through", str(error))

    def test_grow(self):
        """
        A detached volume grows; an attached one does not, because no host would learn of it, and
        the error says what to do instead.
        """
        self.can({u"POST /volumes/{}/action".format(VOLUME): OK})
        self.successResultOf(self.service.extend_volume(VOLUME, 2 * GIB, False))
        self.assertEqual([{u"os-extend": {u"new_size": 2}}], self.session.bodies)
        error = self.failureResultOf(
            self.service.extend_volume(VOLUME, 2 * GIB, True), NoCompute
        ).value
        self.assertEqual(1, len(self.session.asked))
        for part in (VOLUME, u"while it is attached", u"detach the volume, grow it"):
            self.assertIn(part, str(error))
        self.assertNotIn(u"by hand", error.remedy)


class PlaceTests(SynchronousTestCase):
    """The host that has a volume, as Cinder describes it."""

    def test_attached_to(self):
        """A server; or what a host gave as its place; nothing else counts."""
        for document, expected in [
            ({u"server_id": THERE, u"device": place_of(HERE)}, THERE),
            ({u"server_id": None, u"device": place_of(HERE)}, HERE),
            ({u"server_id": None, u"device": u"/dev/vdb"}, None),
            ({u"server_id": None, u"device": place_of(u"")}, None),
            ({u"server_id": None, u"device": None}, None),
            ({u"server_id": 7, u"device": 7}, None),
            ({}, None),
        ]:
            self.assertEqual(expected, attached_to(document), document)

    def test_volume(self):
        """A volume names its host, with either way of attaching."""
        [found] = volume_from_wire(on(THERE)).attachments
        self.assertEqual(THERE, found.server_id)


class AttachTests(StandaloneTests):
    """Asking for a volume."""

    def test_attach(self):
        """
        The volume is connected before the attachment is completed; the attachment names the path,
        but no instance.
        """
        self.assertIs(None, self.successResultOf(self.service.request_attach(VOLUME, HERE)))
        self.assertEqual(["POST /attachments", "POST /attachments/ID/action"], self.asked())
        self.assertEqual([("connect", LOCAL)], self.connector.calls)
        created, completed = self.session.bodies
        connector = {u"host": u"here", u"mountpoint": place_of(HERE)}
        wanted = {u"volume_uuid": VOLUME, u"connector": connector}
        self.assertEqual({u"attachment": wanted}, created)
        self.assertEqual({u"os-complete": None}, completed)
        self.assertEqual({(u"attachments", (u"3.44",))}, self.session.microversions)

    def test_elsewhere(self):
        """Another host can't be attached to; nothing is asked."""
        d = self.service.request_attach(VOLUME, THERE)
        error = self.failureResultOf(d, NotThisNode).value
        for word in (VOLUME, THERE, HERE):
            self.assertIn(word, str(error))
        self.assertEqual([], self.asked())

    def test_unidentified(self):
        """A host that does not know its id attaches nothing."""
        self.service.node = HostIdentity(None, _Missing())
        self.failureResultOf(self.service.request_attach(VOLUME, HERE), UnknownInstanceID)
        self.assertEqual([], self.asked())

    def test_unknown(self):
        """There is no such volume."""
        self.can({u"POST /attachments": self.refused(ResourceNotFound, 404)})
        self.failureResultOf(self.service.request_attach(VOLUME, HERE), UnknownVolume)

    def test_refused(self):
        """Cinder's error is passed on."""
        self.can({u"POST /attachments": self.refused(RequestRefused, 400)})
        self.failureResultOf(self.service.request_attach(VOLUME, HERE), RequestRefused)

    def test_not_connected(self):
        """A volume that can't be connected here is released, and the error gives the reason."""
        for answer in ({u"attachments": []}, self.refused(ServiceBroken, 500)):
            self.can({u"DELETE /attachments/" + ID: answer})
            self.connector.error = ConnectionFailed(VOLUME, u"no route")
            d = self.service.request_attach(VOLUME, HERE)
            self.assertIn("no route", str(self.failureResultOf(d, ConnectionFailed).value))
            self.assertEqual(["POST /attachments", "DELETE /attachments/ID"], self.asked())

    def test_encrypted(self):
        """An encrypted volume is released, too: this host's connector refuses it."""
        connection = dict(LOCAL, encrypted=True)
        self.can(
            {
                u"POST /attachments": {u"attachment": attachment(connection=connection)},
                u"DELETE /attachments/" + ID: {u"attachments": []},
            }
        )
        self.service._connector = HostConnector(Clock(), brick=lambda: None)
        d = self.service.request_attach(VOLUME, HERE)
        self.assertIn(VOLUME, str(self.failureResultOf(d, VolumeEncrypted).value))
        self.assertEqual(["POST /attachments", "DELETE /attachments/ID"], self.asked())

    def test_cancelled(self):
        """A cancelled attach releases nothing; a retry resumes it."""
        self.connector.error = Deferred()
        d = self.service.request_attach(VOLUME, HERE)
        d.cancel()
        self.failureResultOf(d, CancelledError)
        self.assertEqual(["POST /attachments"], self.asked())

    def test_another_object(self):
        """A response about another attachment or volume is not an answer."""
        hosts = HostAttachments(self.session)
        self.can(
            {
                u"GET /attachments/" + ID: {u"attachment": attachment(id=HERE)},
                u"GET /volumes/" + VOLUME: {u"volume": dict(on(HERE), id=HERE)},
            }
        )
        self.failureResultOf(hosts.get(ID), NotTheService)
        self.failureResultOf(hosts.ids_on(VOLUME, HERE), NotTheService)

    def test_not_understood(self):
        """An attachment without an id, or of another volume, may have been made nonetheless."""
        for answer in ({u"id": u""}, {u"id": ID, u"volume_id": HERE}, {u"id": ID}):
            self.can({u"POST /attachments": {u"attachment": answer}})
            self.failureResultOf(self.service.request_attach(VOLUME, HERE), ResponseLost)
        self.assertEqual([], self.connector.calls)


class SettleTests(StandaloneTests):
    """Attachments that another host left unfinished."""

    def settle(self, status, *attachments):
        """Settle a volume that has attachments, and return the requests for them."""
        self.can({u"GET /attachments/detail": {u"attachments": list(attachments)}})
        volume = Volume(volume_id=VOLUME, status=status, size=1)
        self.assertIs(None, self.successResultOf(self.service.settle(volume)))
        return [what for what in self.asked() if u"detail" not in what]

    def test_attaching(self):
        """A connected attachment is completed, so that its owner is known."""
        asked = self.settle(u"attaching", attachment(u"attaching"))
        self.assertEqual(["POST /attachments/ID/action"], asked)

    def test_of_compute(self):
        """An attachment with an instance is Compute's."""
        self.assertEqual([], self.settle(u"attaching", attachment(u"attaching", THERE)))

    def test_of_others(self):
        """An attachment of another volume, in spite of the filter, is left alone."""
        other = attachment(u"attaching", volume_id=ID)
        self.assertEqual([], self.settle(u"attaching", other, None))

    def test_other_statuses(self):
        """Volumes in other statuses cause no requests."""
        for status in (u"available", u"detaching", u"creating", u"in-use"):
            self.assertEqual([], self.settle(status, attachment(u"attaching")))

    def test_reserved(self):
        """An attachment that is only reserved belongs to a host that is about to connect it."""
        reserved = attachment(u"reserved", connection={})
        self.assertEqual([], self.settle(u"reserved", reserved))

    def test_reserved_by_this(self):
        """
        An attachment that storage reserved for this process, and did not connect, is deleted once.
        """
        reserved = attachment(u"reserved", connection={})
        for error in (
            self.refused(ServiceBroken, 500),
            ResponseLost(u"POST", u"http://cloud", u"gone"),
        ):
            self.can({u"POST /attachments": error})
            self.failureResultOf(self.service.request_attach(VOLUME, HERE), type(error))
            self.asked()
            self.assertEqual(["DELETE /attachments/ID"], self.settle(u"reserved", reserved))
            self.assertEqual([], self.settle(u"reserved", reserved))

    def test_reserved_by_compute(self):
        """
        An attachment with an instance is Compute's also after a failed request of this process.
        """
        self.can({u"POST /attachments": self.refused(ServiceBroken, 500)})
        self.failureResultOf(self.service.request_attach(VOLUME, HERE), ServiceBroken)
        self.asked()
        reserved = attachment(u"reserved", THERE, connection={})
        self.assertEqual([], self.settle(u"reserved", reserved))


class DetachTests(StandaloneTests):
    """Giving a volume back."""

    def test_here(self):
        """The device is disconnected first; then the attachment is deleted."""
        self.assertIs(None, self.successResultOf(self.service.request_detach(VOLUME, HERE)))
        self.assertEqual([("disconnect", LOCAL)], self.connector.calls)
        self.assertEqual(
            ["GET /volumes/VOLUME", "GET /attachments/ID", "DELETE /attachments/ID"], self.asked()
        )

    def test_busy(self):
        """A volume whose device can't be disconnected stays attached."""
        self.connector.error = ConnectionFailed(VOLUME, u"busy")
        self.failureResultOf(self.service.request_detach(VOLUME, HERE), ConnectionFailed)
        self.assertNotIn("DELETE /attachments/ID", self.asked())

    def test_elsewhere(self):
        """Storage withdraws another host's volume; nothing is disconnected here."""
        self.can({u"GET /volumes/" + VOLUME: {u"volume": on(THERE)}})
        self.successResultOf(self.service.request_detach(VOLUME, THERE))
        self.assertEqual([], self.connector.calls)
        self.assertEqual(["GET /volumes/VOLUME", "DELETE /attachments/ID"], self.asked())

    def test_not_there(self):
        """A volume that the host does not have (any more) counts as detached."""
        for volume in (on(HERE), described(VOLUME), dict(described(VOLUME), attachments=None)):
            self.can({u"GET /volumes/" + VOLUME: {u"volume": volume}})
            self.successResultOf(self.service.request_detach(VOLUME, THERE))
            self.assertEqual(["GET /volumes/VOLUME"], self.asked())

    def test_gone_meanwhile(self):
        """An attachment that is gone when it is to be deleted is deleted."""
        self.can({u"DELETE /attachments/" + ID: self.refused(ResourceNotFound, 404)})
        self.successResultOf(self.service.request_detach(VOLUME, HERE))

    def test_of_compute(self):
        """Cinder's refusal to delete Compute's attachment is an error that no retry overcomes."""
        volume = on(THERE, server_id=THERE)
        self.can({u"GET /volumes/" + VOLUME: {u"volume": volume}})
        self.can({u"DELETE /attachments/" + ID: self.refused(Conflict, 409, u"use Compute")})
        error = self.failureResultOf(
            self.service.request_detach(VOLUME, THERE), AttachedByCompute
        ).value
        self.assertEqual((VOLUME, THERE), (error.volume_id, error.server_id))
        for part in ("use Compute", "server remove volume"):
            self.assertIn(part, str(error))

    def test_unconnected(self):
        """An attachment that was never connected is deleted without disconnecting."""
        self.can({u"GET /attachments/" + ID: {u"attachment": attachment(connection=None)}})
        self.successResultOf(self.service.request_detach(VOLUME, HERE))
        self.assertEqual([], self.connector.calls)

    def test_unknown(self):
        """There is no such volume."""
        self.can({u"GET /volumes/" + VOLUME: self.refused(ResourceNotFound, 404)})
        self.failureResultOf(self.service.request_detach(VOLUME, HERE), UnknownVolume)
        self.failureResultOf(self.service.request_detach(u"a/b", HERE), UnknownVolume)
        self.can({u"GET /volumes/" + VOLUME: self.refused(ServiceBroken, 500)})
        self.failureResultOf(self.service.request_detach(VOLUME, HERE), ServiceBroken)


class ConnectTests(StandaloneTests):
    """The device of what is attached already."""

    def test_connect(self):
        """The volume is connected with the connection that Cinder stores."""
        self.assertEqual(u"/dev/loop7", self.successResultOf(self.service.connect(VOLUME)))
        self.assertEqual([("connect", LOCAL)], self.connector.calls)

    def test_not_here(self):
        """A volume that is not attached to this host, or not connected, has no device here."""
        for table in (
            {u"GET /attachments/" + ID: {u"attachment": attachment(connection={})}},
            {u"GET /volumes/" + VOLUME: {u"volume": on(THERE)}},
        ):
            self.can(table)
            error = self.failureResultOf(self.service.connect(VOLUME), DeviceNotFound).value
            self.assertIn(VOLUME, str(error))
        self.assertEqual([], self.connector.calls)


class _Missing(object):
    """A file that is not there."""

    path = "/nothing"

    def getContent(self):  # noqa: N802 (Twisted's name)
        """As ``FilePath`` has it."""
        raise IOError(2, "No such file or directory")
