"""
A cloud in memory, for tests of the driver's own logic with a ``Clock``, on every Python.

The cloud provides ``IVolumeService``, without a wire.  It accepts a request at once, and carries it
out later, as real clouds do.  Tests inject faults with :meth:`MemoryCloud.break_next`.
"""

from __future__ import absolute_import, division, print_function

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import attr
from twisted.internet.defer import Deferred, fail, succeed
from twisted.python.failure import Failure
from twisted.python.filepath import FilePath
from zope.interface import implementer

from txstorage._support.compat import text_type
from txstorage.clouds import (
    Attachment,
    IVolumeService,
    Server,
    Snapshot,
    SnapshotPage,
    Volume,
    VolumePage,
)
from txstorage.driver.operations import BlockDeviceDriver
from txstorage.driver.polling import Intervals
from txstorage.errors import (
    DeviceBusy,
    DeviceNotFound,
    DeviceNotGrown,
    RequestRefused,
    UnknownServer,
    UnknownSnapshot,
)
from txstorage.interfaces import UnknownVolume

GIB = 2**30
CLUSTER = UUID("c0ffee00-0000-4000-8000-000000000001")
HERE = u"11111111-1111-4111-8111-111111111111"
THERE = u"22222222-2222-4222-8222-222222222222"

#: Without jitter, so that tests know the time of each poll.
STEADY = Intervals(first=1.0, factor=1.0, longest=1.0, jitter=0.0, learning=False)


def refusal(status=400, detail=u"no"):
    return RequestRefused(u"POST", u"http://cloud.example/", status, detail)


class Fault(object):
    """A fault of one request."""

    def __init__(self, error, processed=False):
        self.error = error
        self.processed = processed


@implementer(IVolumeService)
class MemoryCloud(object):
    """
    :param clock: a ``Clock``.
    :param float delay: seconds from accepting a request to carrying it out.

    :ivar dict volumes: volume id to :class:`Volume`.
    :ivar dict snapshots: snapshot id to :class:`Snapshot`.
    :ivar dict servers: instance id to status.
    :ivar list requests: the names of the requests received.
    :ivar dict faults: request name to a list of :class:`Fault`, used up in order.
    :ivar dict reasons: volume id to the cloud's reason for its failure.
    :ivar bool dated: whether the cloud gives the time of a volume's last change, in whole seconds.
    """

    allocation_unit = GIB
    settles = False
    remedies = {}

    def __init__(self, clock, delay=3.0):
        self.clock = clock
        self.delay = delay
        self.volumes = {}
        self.snapshots = {}
        self.servers = {HERE: u"ACTIVE", THERE: u"ACTIVE"}
        self.compute = set()
        self.requests = []
        self.faults = {}
        self.reasons = {}
        self.malformed = ()
        self.pages = 1
        self.cancelled = []
        self.dated = False
        self._made = 0
        # By volume id: the names that the cloud gives devices.
        self.device_names = {}

    # -- for tests -------------------------------------------------------------

    def add(self, status=u"available", attached_to=None, dataset_id=None, **fields):
        """Add a volume; :return: the volume's id."""
        self._made += 1
        fields.setdefault(
            "labels",
            {
                u"flocker-cluster-id": text_type(CLUSTER),
                u"flocker-dataset-id": text_type(dataset_id or uuid4()),
            },
        )
        fields.setdefault("created_at", u"2026-01-01T00:00:{:02d}".format(self._made))
        volume_id = fields.pop("volume_id", text_type(uuid4()))
        self.volumes[volume_id] = Volume(volume_id=volume_id, status=status, size=GIB, **fields)
        if attached_to is not None:
            self.change(volume_id, attachments=(self._attachment(volume_id, attached_to),))
            self.compute.add((volume_id, attached_to))
        return volume_id

    def change(self, volume_id, **changes):
        """Change a volume, if it exists."""
        if volume_id in self.volumes:
            fields = attr.asdict(self.volumes[volume_id], recurse=False)
            if self.dated:
                now = datetime(2026, 1, 2) + timedelta(seconds=int(self.clock.seconds()))
                changes["updated_at"] = text_type(now.isoformat())
            self.volumes[volume_id] = Volume(**dict(fields, **changes))

    def add_snapshot(self, volume_id, status=u"available", **fields):
        """Add a snapshot; :return: the snapshot's id."""
        self._made += 1
        fields.setdefault("labels", dict(self.volumes[volume_id].labels))
        fields.setdefault("created_at", u"2026-01-01T00:00:{:02d}".format(self._made))
        fields.setdefault("size", self.volumes[volume_id].size)
        snapshot_id = fields.pop("snapshot_id", text_type(uuid4()))
        self.snapshots[snapshot_id] = Snapshot(snapshot_id, volume_id, status, **fields)
        return snapshot_id

    def change_snapshot(self, snapshot_id, **changes):
        """Change a snapshot, if it exists."""
        if snapshot_id in self.snapshots:
            fields = attr.asdict(self.snapshots[snapshot_id], recurse=False)
            self.snapshots[snapshot_id] = Snapshot(**dict(fields, **changes))

    def break_next(self, request, *faults):
        """Let the next requests of a name fail, one for each fault."""
        self.faults.setdefault(request, []).extend(faults)

    def count(self, request):
        return self.requests.count(request)

    # -- the cloud -------------------------------------------------------------

    def _answer(self, request, function, *args):
        self.requests.append(request)
        faults = self.faults.get(request)
        fault = faults.pop(0) if faults else None
        if fault is not None:
            if fault.processed:
                function(*args)
            if fault.error is None:
                return Deferred(lambda _: self.cancelled.append(request))
            return fail(fault.error)
        try:
            return succeed(function(*args))
        except Exception as error:
            return fail(error)

    def _get(self, volume_id):
        if volume_id not in self.volumes:
            raise UnknownVolume(volume_id)
        return self.volumes[volume_id]

    def _later(self, *changes):
        for step, change in enumerate(changes, 1):
            self.clock.callLater(self.delay * step / len(changes), change)

    def create_volume(
        self, name, size, labels, volume_type=None, snapshot_id=None, source_volume_id=None
    ):
        return self._answer(
            "create", self._create, name, size, labels, volume_type, snapshot_id, source_volume_id
        )

    def _create(self, name, size, labels, volume_type, snapshot_id, source_volume_id):
        if snapshot_id is not None and self._get_snapshot(snapshot_id).status != u"available":
            raise refusal()
        if source_volume_id is not None:
            if self._get(source_volume_id).status not in (u"available", u"in-use"):
                raise refusal()
        volume_id = self.add(
            u"creating",
            name=name,
            labels=labels,
            volume_type=volume_type,
            snapshot_id=snapshot_id,
            source_volume_id=source_volume_id,
        )
        self.change(volume_id, size=size)
        self._later(lambda: self.change(volume_id, status=u"available"))
        return self.volumes[volume_id]

    def delete_volume(self, volume_id):
        return self._answer("delete", self._delete, volume_id)

    def _delete(self, volume_id):
        if self._get(volume_id).status not in (u"available", u"error"):
            raise refusal()
        if any(each.volume_id == volume_id for each in self.snapshots.values()):
            raise refusal()
        self.change(volume_id, status=u"deleting")
        self._later(lambda: self.volumes.pop(volume_id))

    def get_volume(self, volume_id):
        return self._answer("get", self._get, volume_id)

    def list_volumes(self, labels):
        return self._answer("list", self._list, labels)

    def _list(self, labels):
        found = [
            Volume(**dict(attr.asdict(self.volumes[volume_id], recurse=False), listed=True))
            for volume_id in sorted(self.volumes)
            if set(labels.items()) <= set(self.volumes[volume_id].labels.items())
        ]
        return VolumePage(tuple(found), self.malformed, self.pages)

    def failure_reason(self, resource_id):
        return succeed(self.reasons.get(resource_id, u""))

    def extend_volume(self, volume_id, size, attached):
        return self._answer("extend", self._extend, volume_id, size, attached)

    def _extend(self, volume_id, size, attached):
        volume = self._get(volume_id)
        if volume.status != (u"in-use" if attached else u"available") or size <= volume.size:
            raise refusal()
        self.change(volume_id, status=u"extending")
        self._later(lambda: self.change(volume_id, status=volume.status, size=size))

    def set_labels(self, volume_id, labels):
        return self._answer("set labels", self._set_labels, volume_id, labels)

    def _set_labels(self, volume_id, labels):
        self.change(volume_id, labels=dict(self._get(volume_id).labels, **labels))
        return self.volumes[volume_id].labels

    def remove_label(self, volume_id, label):
        return self._answer("remove label", self._remove_label, volume_id, label)

    def _remove_label(self, volume_id, label):
        kept = dict(self._get(volume_id).labels)
        kept.pop(label, None)
        self.change(volume_id, labels=kept)

    def create_snapshot(self, volume_id, name, labels):
        return self._answer("snapshot", self._snapshot, volume_id, name, labels)

    def _snapshot(self, volume_id, name, labels):
        if self._get(volume_id).status not in (u"available", u"in-use"):
            raise refusal()
        snapshot_id = self.add_snapshot(volume_id, u"creating", name=name, labels=labels)
        self._later(lambda: self.change_snapshot(snapshot_id, status=u"available"))
        return self.snapshots[snapshot_id]

    def delete_snapshot(self, snapshot_id):
        return self._answer("delete snapshot", self._delete_snapshot, snapshot_id)

    def _delete_snapshot(self, snapshot_id):
        if self._get_snapshot(snapshot_id).status not in (u"available", u"error"):
            raise refusal()
        self.change_snapshot(snapshot_id, status=u"deleting")
        self._later(lambda: self.snapshots.pop(snapshot_id))

    def get_snapshot(self, snapshot_id):
        return self._answer("get snapshot", self._get_snapshot, snapshot_id)

    def _get_snapshot(self, snapshot_id):
        if snapshot_id not in self.snapshots:
            raise UnknownSnapshot(snapshot_id)
        return self.snapshots[snapshot_id]

    def list_snapshots(self, labels, volume_id=None, name=None):
        return self._answer("list snapshots", self._list_snapshots, labels, volume_id, name)

    def _list_snapshots(self, labels, volume_id, name):
        found = [
            Snapshot(**dict(attr.asdict(each, recurse=False), listed=True))
            for _, each in sorted(self.snapshots.items())
            if set(labels.items()) <= set(each.labels.items())
            and volume_id in (None, each.volume_id)
            and name in (None, each.name)
        ]
        return SnapshotPage(tuple(found), self.malformed, self.pages)

    def request_attach(self, volume_id, server_id):
        return self._answer("attach", self._attach, volume_id, server_id)

    def _attach(self, volume_id, server_id):
        if server_id not in self.servers:
            raise UnknownServer(server_id)
        if self._get(volume_id).status != u"available":
            raise refusal()
        self.change(volume_id, status=u"reserved")
        self.compute.add((volume_id, server_id))
        self._later(
            lambda: self.change(volume_id, status=u"attaching"),
            lambda: self.change(
                volume_id, status=u"in-use", attachments=(self._attachment(volume_id, server_id),)
            ),
        )

    def _attachment(self, volume_id, server_id):
        name = self.device_names.get(volume_id)
        return Attachment(volume_id, server_id, device_name=name)

    def request_detach(self, volume_id, server_id):
        return self._answer("detach", self._detach, volume_id, server_id)

    def _detach(self, volume_id, server_id):
        if self._get(volume_id).status != u"in-use":
            raise refusal()
        self.change(volume_id, status=u"detaching")
        self._later(
            lambda: self.change(volume_id, status=u"available", attachments=()),
            lambda: self.compute.discard((volume_id, server_id)),
        )

    def settle(self, volume):
        return self._answer("settle", lambda: None)

    def list_device_names(self, server_id):
        def names():
            here = [volume_id for volume_id, server in self.compute if server == server_id]
            return {each: self.device_names[each] for each in here if each in self.device_names}

        return self._answer("device names", names)

    def list_attachments(self, server_id):
        return self._answer(
            "attachments",
            lambda: tuple(self._attachment(v, s) for v, s in self.compute if s == server_id),
        )

    def get_server(self, server_id):
        return self._answer("server", self._server, server_id)

    def _server(self, server_id):
        if server_id not in self.servers:
            raise UnknownServer(server_id)
        return Server(server_id, self.servers[server_id])

    def list_servers(self):
        return self._answer(
            "servers", lambda: tuple(self._server(s) for s in sorted(self.servers))
        )

    def start_server(self, server_id):
        return self._answer("start", self._start, server_id)

    def _start(self, server_id):
        self._server(server_id)
        self.servers[server_id] = u"ACTIVE"


class MemoryDevices(object):
    """
    A stand-in for :class:`txstorage._devices.finder.DeviceFinder`, with devices in memory.

    :ivar set present: volume ids that have a device.
    :ivar set busy: volume ids whose device is in use.
    :ivar list sizes: each volume looked for: its id, its size in bytes, whether it is encrypted.
    :ivar bool nameless: whether only the cloud's names identify the devices.
    :ivar list names: the names, by volume id, that came with each call.
    """

    nameless = False

    def __init__(self):
        self.present = set()
        self.busy = set()
        self.sizes = []
        self.names = []
        self.waits = []

    def needs_names(self):
        return self.nameless

    def find(self, volume_id, size, encrypted=False, names=None):
        self.names.append(names)
        self.sizes.append((volume_id, size, encrypted))
        if volume_id not in self.present:
            raise DeviceNotFound(volume_id, u"no device")
        return FilePath("/dev").child(str(volume_id))

    def wait_until_present(self, volume_id, size, encrypted, report, names):
        self.names.append(names)
        self.sizes.append((volume_id, size, encrypted))
        report(Failure(DeviceNotFound(volume_id, u"no device yet")))
        return self._wait(u"present", volume_id)

    def wait_until_gone(self, volume_id, names):
        self.names.append(names)
        return self._wait(u"gone", volume_id)

    def wait_until_grown(self, volume_id, size, encrypted, report, names):
        self.names.append(names)
        self.sizes.append((volume_id, size, encrypted))
        report(Failure(DeviceNotGrown(volume_id, u"it has its old size")))
        return self._wait(u"present", volume_id)

    def refuse_if_busy(self, volume_id, names):
        self.names.append(names)
        if volume_id in self.busy:
            raise DeviceBusy(volume_id, u"mounted")

    def _wait(self, what, volume_id):
        wait = (what, volume_id, Deferred(lambda _: self.waits.remove(wait)))
        self.waits.append(wait)
        return wait[2]

    def settle(self):
        """Let every awaited event happen."""
        waits, self.waits = self.waits, []
        for what, volume_id, d in waits:
            (self.present.add if what == u"present" else self.present.discard)(volume_id)
            d.callback(None)


class MemoryNode(object):
    """A stand-in for :class:`txstorage._node.instance_id.NodeIdentity`."""

    source = u"configuration"

    def __init__(self, instance_id=HERE):
        self.outcome = instance_id

    def instance_id(self):
        if isinstance(self.outcome, Exception):
            return fail(self.outcome)
        return succeed(self.outcome)


def memory_driver(clock, cloud, **changes):
    """Return a driver on a cloud in memory."""
    arguments = dict(
        reactor=clock,
        service=cloud,
        cluster_id=CLUSTER,
        devices=MemoryDevices(),
        node=MemoryNode(),
        intervals=STEADY,
    )
    arguments.update(changes)
    return BlockDeviceDriver(**arguments)
