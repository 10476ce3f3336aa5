# -*- test-case-name: tests.driver -*-
"""
The steps of attaching and detaching that take place on this node and in Compute, before and after
the cloud's own.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import maybeDeferred, succeed

from .._support.deferreds import all_of
from .._support.eliot_context import resume_context
from ..errors import DeviceBusy, DeviceError
from ..errors.remedies import (
    COMPUTE_RELEASES,
    DEVICE_APPEARS,
    DEVICE_DISAPPEARS,
    DEVICE_GROWS,
    OWN_INSTANCE_ID,
)
from ..interfaces import BlockDeviceVolume, UnattachedVolume, UnknownInstanceID
from .attach_queue import AttachQueues
from .labels import dataset_of
from .places import attached_servers, device_names
from .polling import SharedPoll
from .turns import Turns

MYPY = False
if MYPY:
    from typing import Any, Callable, Dict, Iterable, Optional, Sequence, Text, TypeVar  # noqa: F401

    from twisted.internet.defer import Deferred  # noqa: F401
    from twisted.internet.interfaces import IReactorTime  # noqa: F401
    from twisted.python.failure import Failure  # noqa: F401
    from twisted.python.filepath import FilePath  # noqa: F401

    from .._devices.finder import DeviceFinder  # noqa: F401
    from ..clouds.interface import IVolumeService  # noqa: F401
    from ..clouds.values import Attachment, Volume  # noqa: F401
    from .attach_queue import Place  # noqa: F401
    from .convergence import Growth, VolumeConvergence  # noqa: F401
    from .polling import Intervals, Pace  # noqa: F401

    T = TypeVar("T")

    NodeIdentity = Any  # the wing _node stands above this one


# Seconds for which this node counts as unknown to Compute after a search for its instance id: each
# operation needs the id once or twice, and each search costs requests.
_UNKNOWN_FOR = 5.0


class NodeAttacher(object):
    """
    Attaches volumes to nodes and detaches them.

    :param reactor: provides ``IReactorTime``.
    :param service: an :class:`~txstorage.clouds.IVolumeService`.
    :param devices: a :class:`~txstorage._devices.finder.DeviceFinder` for this node.
    :param node: a :class:`~txstorage._node.search.SearchedIdentity` for this node.
    :param intervals: :class:`~txstorage.driver.polling.timing.Intervals` between polls.

    :ivar AttachQueues queues: the attaches in progress.
    :ivar Turns turns: the detaches in progress.
    """

    def __init__(self, reactor, service, devices, node, intervals):
        # type: (IReactorTime, IVolumeService, DeviceFinder, NodeIdentity, Intervals) -> None
        self._reactor = reactor
        self._service = service
        self._unknown_until = 0.0
        self._devices = devices
        self._node = node
        self._compute = SharedPoll(reactor, service.list_attachments, intervals)
        self._device_names = SharedPoll(reactor, service.list_device_names, intervals)
        self.queues = AttachQueues(reactor)
        self.turns = Turns(reactor)

    def attach(self, run, place, server_id):
        # type: (VolumeConvergence, Place, Text) -> Deferred[BlockDeviceVolume]
        """
        Attach a volume to a node.

        :param VolumeConvergence run: the attach.
        :param Place place: the attach's place in the queue of the node.
        :param text server_id: the instance id of the node.
        :return: a ``Deferred`` that fires with the ``BlockDeviceVolume``.
        """
        awaited, run.awaited = run.awaited, OWN_INSTANCE_ID
        d = self._own_id()  # type: Deferred[Any]
        d.addCallback(self._attach_knowing, run, place, server_id, awaited)
        return d.addCallback(
            lambda volume: BlockDeviceVolume(
                blockdevice_id=volume.volume_id,
                size=volume.size,
                attached_to=server_id,
                dataset_id=dataset_of(volume),
            )
        )

    def request_attach(self, run, place, server_id):
        # type: (VolumeConvergence, Place, Text) -> Deferred[None]
        """
        Request a volume's attachment when its turn has come.

        :param VolumeConvergence run: the attach.
        :param Place place: the attach's place in the queue of the node.
        :param text server_id: the instance id of the node.
        :return: a ``Deferred`` that fires when the cloud has accepted the request.
        """
        turn = resume_context(place.wait())
        return turn.addCallback(
            lambda _: self._service.request_attach(run.volume_id, server_id)
        )

    def _attach_knowing(self, own_id, run, place, server_id, awaited):
        # type: (Optional[Text], VolumeConvergence, Place, Text, Text) -> Deferred[Any]
        run.awaited = awaited
        d = run.run()  # type: Deferred[Any]
        d.addCallback(_learned, place)
        return d.addCallback(self._await_device, run, server_id) if own_id == server_id else d

    def _await_device(self, volume, run, own_id):
        # type: (Volume, VolumeConvergence, Text) -> Deferred[Volume]
        run.awaited = DEVICE_APPEARS
        d = self._names(volume, own_id, run.problem.retry)  # type: Deferred[Any]
        d.addCallback(
            lambda names: self._devices.wait_until_present(
                volume.volume_id, volume.size, volume.encrypted, run.problem.record, names
            )
        )
        return d.addCallback(lambda _: volume)

    def _names(self, volume, own_id, failed=lambda failure: None):
        # type: (Volume, Text, Callable[[Failure], object]) -> Deferred[Dict[Text, Text]]
        """
        Look up the names that the cloud gives this node's devices, if they are needed.

        :param failed: called with the ``Failure`` of each request that is repeated.
        :return: a ``Deferred`` that fires with a dict, text to text, by volume id.
        """
        own = device_names(volume.attachments, own_id)
        if not own or not self._devices.needs_names():
            return succeed(own)
        # The names of the others prove that the volume's is its alone.
        pace = self._device_names.pace(at_once=True)
        d = self._device_names.next_poll(own_id, pace, failed)
        return d.addCallback(lambda names: dict(list(names.items()) + list(own.items())))

    def request_detach(self, run):
        # type: (VolumeConvergence) -> Deferred[Any]
        """
        Request a volume's detachment, unless the volume is in use on this node.

        :param VolumeConvergence run: the detach.
        :return: a ``Deferred`` that fires when the cloud has accepted the request.
        """
        servers = sorted(set(attached_servers(run.volume)) & run.progress.servers)
        d = self._own_id()
        d.addCallback(self._refuse_if_busy, servers, run)
        return d.addCallback(
            lambda _: all_of([self._service.request_detach(run.volume_id, s) for s in servers])
        )

    def _refuse_if_busy(self, own_id, servers, run):
        # type: (Optional[Text], Sequence[Text], VolumeConvergence) -> Optional[Deferred[None]]
        if own_id is not None and own_id not in servers:
            return None
        names = device_names(run.attachments, own_id)
        d = maybeDeferred(self._devices.refuse_if_busy, run.volume_id, names)
        if own_id is None:
            # This machine may be one of the servers and have the volume mounted; or it is not
            # a node, and has no devices to check.
            d.addErrback(_unless_busy)
        return d

    def detach(self, run):
        # type: (VolumeConvergence) -> Deferred[None]
        """
        Detach a volume in the cloud, in Compute and, on this node, in the kernel.

        :param VolumeConvergence run: the detach.
        :return: a ``Deferred`` that fires with ``None``.
        """
        d = run.run()  # type: Deferred[Any]
        d.addCallback(lambda _: self._until_released(run))
        d.addCallback(lambda _: self._own_id())
        return d.addCallback(
            lambda own_id: self._until_device_gone(run, own_id)
            if own_id in run.progress.servers
            else None
        )

    def _until_released(self, run):
        # type: (VolumeConvergence) -> Deferred[Any]
        run.awaited = COMPUTE_RELEASES
        return all_of([self._until_not_listed(run, s) for s in run.progress.servers])

    def _until_not_listed(self, run, server_id):
        # type: (VolumeConvergence, Text) -> Deferred[None]
        def released(attachments):
            # type: (Iterable[Attachment]) -> bool
            run.problem.ended()
            return all(each.volume_id != run.volume_id for each in attachments)

        # One poll of a server's list serves all volumes that are being detached from it.
        pace = self._compute.pace(at_once=True)
        return self._compute.next_poll(server_id, pace, run.problem.retry, released)

    def _until_device_gone(self, run, own_id):
        # type: (VolumeConvergence, Text) -> Deferred[None]
        run.awaited = DEVICE_DISAPPEARS
        names = device_names(run.attachments, own_id)
        return self._devices.wait_until_gone(run.volume_id, names)

    def grow(self, run):
        # type: (Growth) -> Deferred[Volume]
        """
        Grow a volume in the cloud, and, if it is attached to this node, in the kernel.

        :param Growth run: the growth.
        :return: a ``Deferred`` that fires with the :class:`~txstorage.clouds.Volume`.
        """
        d = run.run()  # type: Deferred[Any]
        d.addCallback(lambda volume: self._own_id().addCallback(self._until_shown, volume, run))
        return d

    def _until_shown(self, own_id, volume, run):
        # type: (Optional[Text], Volume, Growth) -> Any
        if own_id is None or own_id not in attached_servers(volume):
            return volume
        run.awaited = DEVICE_GROWS
        d = self._names(volume, own_id, run.problem.retry)  # type: Deferred[Any]
        d.addCallback(
            lambda names: self._devices.wait_until_grown(
                volume.volume_id, volume.size, volume.encrypted, run.problem.record, names
            )
        )
        return d.addCallback(lambda _: volume)

    def device_path(self, volume):
        # type: (Volume) -> Deferred[FilePath[str]]
        """
        Find a volume's device on this node.

        :param txstorage.clouds.Volume volume: as the cloud describes it.
        :return: a ``Deferred`` that fires with the ``FilePath`` of the volume's device.
        :raises UnattachedVolume: (the Deferred) the volume is not attached to this node.
        """
        d = self._node.instance_id()  # type: Deferred[Any]
        return d.addCallback(self._find_device, volume)

    def _find_device(self, instance_id, volume):
        # type: (Text, Volume) -> Any
        if instance_id not in attached_servers(volume):
            raise UnattachedVolume(volume.volume_id)
        d = self._names(volume, instance_id)
        return d.addCallback(
            lambda names: self._devices.find(
                volume.volume_id, volume.size, volume.encrypted, names
            )
        )

    def _own_id(self):
        # type: () -> Deferred[Optional[Text]]
        if self._reactor.seconds() < self._unknown_until:
            return succeed(None)
        d = self._node.instance_id()  # type: Deferred[Any]
        return d.addErrback(self._no_instance_id)

    def _no_instance_id(self, failure):
        # type: (Failure) -> None
        failure.trap(UnknownInstanceID)
        self._unknown_until = self._reactor.seconds() + _UNKNOWN_FOR


def _learned(volume, place):
    # type: (T, Place) -> T
    place.learn()
    return volume


def _unless_busy(failure):
    # type: (Failure) -> Optional[Failure]
    if failure.check(DeviceBusy):
        return failure
    failure.trap(DeviceError)
    return None
