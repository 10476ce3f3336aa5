"""
Drivers that are wrong, each in one way that the suite claims to catch.

Each overrides what it does wrong, in one of the two drivers of
:mod:`tests.testing.reference`.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from twisted.internet.defer import CancelledError, Deferred, maybeDeferred

from txstorage.interfaces import AlreadyAttachedVolume, UnattachedVolume, UnknownVolume

from .reference import UNIT, AsynchronousReference, BlockingReference, link

#: ``(class, what must catch it)`` of each.
MUTANTS = []


def caught_by(*tests):
    """
    Enter a class in the table.

    :param tests: names of the tests that must fail; where a test asserts
        several things, after a colon and a space what its traceback has: the
        line that asserts this one, or the error that the test stumbles on.
    """

    def enter(cls):
        MUTANTS.append((cls, tests))
        return cls

    return enter


# -- what it is ------------------------------------------------------------------


@caught_by("test_interface")
class NoGetDevicePath(AsynchronousReference):
    """A method of the interface is missing."""

    @property
    def get_device_path(self):
        raise AttributeError("get_device_path")


@caught_by("test_interface")
class OtherParameters(AsynchronousReference):
    """A method takes what the interface does not say."""

    def detach_volume(self, blockdevice_id, force):
        return AsynchronousReference.detach_volume(self, blockdevice_id)


@caught_by("test_instance_id")
class EmptyInstanceID(BlockingReference):
    """The instance id is empty."""

    node = u""


@caught_by("test_instance_id")
class BytesInstanceID(BlockingReference):
    """The instance id is bytes."""

    def compute_instance_id(self):
        return b"node-1"


@caught_by("test_instance_id")
class ChangingInstanceID(BlockingReference):
    """The instance id is another each time."""

    def compute_instance_id(self):
        return u"{}".format(uuid4())


@caught_by("test_allocation_unit")
class FloatAllocationUnit(BlockingReference):
    """The allocation unit is no whole number."""

    def allocation_unit(self):
        return float(UNIT)


@caught_by("test_allocation_unit")
class NegativeAllocationUnit(BlockingReference):
    """The allocation unit is less than nothing."""

    def allocation_unit(self):
        return -UNIT


@caught_by("test_allocation_unit")
class LargeAllocationUnit(BlockingReference):
    """Sizes that are said to be good are not multiples of the allocation unit."""

    def allocation_unit(self):
        return 3 * UNIT


# -- create and list -------------------------------------------------------------


@caught_by("test_list_empty")
class NoneForNothing(BlockingReference):
    """The list of nothing is no list."""

    def list_volumes(self):
        return BlockingReference.list_volumes(self) or None


@caught_by("test_created_is_listed")
class CreateBeforeListed(AsynchronousReference):
    """A volume is listed only some time after create has fired."""

    def create_volume(self, dataset_id, size):
        made = BlockingReference.create_volume(
            BlockingReference(self.blocking.storage, None), dataset_id, size
        )
        self.reactor.callLater(10 * self.delay, self.blocking._put, made)
        return self.wait(made)


@caught_by("test_created_attributes")
class OtherDataset(BlockingReference):
    """A volume gets a dataset of its own choice."""

    def create_volume(self, dataset_id, size):
        return BlockingReference.create_volume(self, uuid4(), size)


@caught_by("test_created_attributes")
class AllocationUnitTooMuch(BlockingReference):
    """A volume is larger than was asked for."""

    def create_volume(self, dataset_id, size):
        return BlockingReference.create_volume(self, dataset_id, size + UNIT)


@caught_by("test_created_attributes")
class CreatedAttached(BlockingReference):
    """A volume is attached when it is created."""

    def create_volume(self, dataset_id, size):
        volume = BlockingReference.create_volume(self, dataset_id, size)
        return self.attach_volume(volume.blockdevice_id, self.node)


@caught_by("test_listed_attributes")
class ListedWithoutDataset(BlockingReference):
    """The list does not know what the volumes are for."""

    def list_volumes(self):
        return [v.set(dataset_id=uuid4()) for v in BlockingReference.list_volumes(self)]


@caught_by("test_listed_attributes", "test_created_is_listed")
class ListedInUnits(BlockingReference):
    """The list has sizes in another unit."""

    def list_volumes(self):
        return [v.set(size=v.size // UNIT) for v in BlockingReference.list_volumes(self)]


@caught_by("test_list_attached_and_unattached")
class OnlyAttachedListed(BlockingReference):
    """As soon as something is attached, only that is listed."""

    def list_volumes(self):
        volumes = BlockingReference.list_volumes(self)
        return [v for v in volumes if v.attached_to is not None] or volumes


@caught_by("test_many_volumes: yield self.assert_listed(*volumes)")
class FirstPage(BlockingReference):
    """Only the first page is listed."""

    def list_volumes(self):
        return BlockingReference.list_volumes(self)[:3]


# -- attach ----------------------------------------------------------------------


@caught_by("test_attach_unattached")
class AttachSaysUnattached(BlockingReference):
    """Attach answers with the volume as it was."""

    def attach_volume(self, blockdevice_id, attach_to):
        attached = BlockingReference.attach_volume(self, blockdevice_id, attach_to)
        return attached.set(attached_to=None)


@caught_by("test_attached_is_listed")
class ListedUnattached(BlockingReference):
    """The list does not say what is attached."""

    def list_volumes(self):
        return [v.set(attached_to=None) for v in BlockingReference.list_volumes(self)]


@caught_by("test_attach_unknown")
class AttachUnknownKeyError(BlockingReference):
    """A volume that is not known is a KeyError."""

    def attach_volume(self, blockdevice_id, attach_to):
        self.storage.volumes[self.cluster_id, blockdevice_id]
        return BlockingReference.attach_volume(self, blockdevice_id, attach_to)


class _NoID(UnknownVolume):
    def __init__(self, blockdevice_id):
        Exception.__init__(self, "no volume {}".format(blockdevice_id))


class _NoAttribute(UnknownVolume):
    def __init__(self, blockdevice_id):
        Exception.__init__(self, blockdevice_id)
        self.blockdevice_id = None


def raising(error):
    """:return: a ``_known`` that raises another error."""

    def known(self, blockdevice_id):
        try:
            return BlockingReference._known(self, blockdevice_id)
        except UnknownVolume:
            raise error(blockdevice_id)

    return known


_UNKNOWN = (
    "test_attach_unknown", "test_detach_unknown", "test_destroy_unknown", "test_path_unknown"
)
_DESTROYED = (
    "test_attach_destroyed",
    "test_detach_destroyed",
    "test_destroy_destroyed",
    "test_path_destroyed",
)


@caught_by(*_UNKNOWN + _DESTROYED)
class ErrorWithoutID(BlockingReference):
    """An error says in words which volume it is about, and not in its arguments."""

    _known = raising(_NoID)


@caught_by(*_UNKNOWN + _DESTROYED)
class ErrorWithoutAttribute(BlockingReference):
    """An error does not carry the volume's id."""

    _known = raising(_NoAttribute)


@caught_by(*_UNKNOWN + _DESTROYED)
class UnknownIsUnattached(BlockingReference):
    """A volume that is not known is said to be loose."""

    _known = raising(UnattachedVolume)


@caught_by("test_attach_attached", "test_attach_elsewhere_attached")
class AttachAgain(BlockingReference):
    """Attaching what is attached succeeds."""

    def attach_volume(self, blockdevice_id, attach_to):
        volume = self._known(blockdevice_id)
        if volume.attached_to is not None:
            return volume
        return BlockingReference.attach_volume(self, blockdevice_id, attach_to)


@caught_by("test_attach_elsewhere_attached")
class TargetFirst(BlockingReference):
    """It is asked for the target before it is asked for the volume."""

    def attach_volume(self, blockdevice_id, attach_to):
        if attach_to != self.node:
            raise ValueError("there is no node {!r}".format(attach_to))
        return BlockingReference.attach_volume(self, blockdevice_id, attach_to)


@caught_by("test_attach_elsewhere_attached")
class Stolen(BlockingReference):
    """A volume that is attached is taken away by another node, though it is refused."""

    def attach_volume(self, blockdevice_id, attach_to):
        try:
            return BlockingReference.attach_volume(self, blockdevice_id, attach_to)
        except AlreadyAttachedVolume:
            if attach_to != self.node:
                self._put(self._known(blockdevice_id).set(attached_to=attach_to))
            raise


class _Remembers(BlockingReference):
    """Remembers the volumes that it destroyed."""

    ghosts = ()

    def destroy_volume(self, blockdevice_id):
        ghost = self._known(blockdevice_id)
        BlockingReference.destroy_volume(self, blockdevice_id)
        self.ghosts = self.ghosts + (ghost,)

    def is_ghost(self, blockdevice_id):
        return blockdevice_id in [ghost.blockdevice_id for ghost in self.ghosts]


@caught_by("test_attach_destroyed")
class AttachesGhosts(_Remembers):
    """A volume that was destroyed can be attached."""

    def attach_volume(self, blockdevice_id, attach_to):
        for ghost in self.ghosts:
            if ghost.blockdevice_id == blockdevice_id:
                return ghost.set(attached_to=attach_to)
        return BlockingReference.attach_volume(self, blockdevice_id, attach_to)


@caught_by("test_several_on_one_node")
class OneAtATime(BlockingReference):
    """A second volume pushes the first off the node."""

    def attach_volume(self, blockdevice_id, attach_to):
        volume = self._known(blockdevice_id)
        if volume.attached_to is None:
            for other in self.list_volumes():
                if other.attached_to is not None:
                    self.detach_volume(other.blockdevice_id)
                    self._forget(other)
        return BlockingReference.attach_volume(self, blockdevice_id, attach_to)


@caught_by("test_several_on_one_node")
class OneListedAttached(BlockingReference):
    """However many are attached, the list says it of one."""

    def list_volumes(self):
        volumes = BlockingReference.list_volumes(self)
        attached = [v for v in volumes if v.attached_to is not None]
        return [v.set(attached_to=None) if v in attached[1:] else v for v in volumes]


# -- devices ---------------------------------------------------------------------


@caught_by(
    "test_several_on_one_node", "test_data_survives", "test_many_volumes: self.assertEqual(len("
)
class SharedDevice(BlockingReference):
    """Two volumes have one device: the newest."""

    def get_device_path(self, blockdevice_id):
        self._attached(blockdevice_id)
        return max(self.storage.devices.children(), key=lambda path: path.path)


@caught_by("test_device_size")
class SmallDevice(BlockingReference):
    """A device is smaller than its volume."""

    def attach_volume(self, blockdevice_id, attach_to):
        attached = BlockingReference.attach_volume(self, blockdevice_id, attach_to)
        with self._device(blockdevice_id).open("r+") as device:
            device.truncate(UNIT // 2)
        return attached


@caught_by("test_path_unattached", "test_path_detached")
class PathOfUnattached(BlockingReference):
    """A volume that is not attached has a path, that of nothing."""

    def get_device_path(self, blockdevice_id):
        return self._device(self._known(blockdevice_id).blockdevice_id)


@caught_by("test_path_detached")
class StalePath(BlockingReference):
    """A path that was once found is remembered for ever."""

    def get_device_path(self, blockdevice_id):
        paths = self.__dict__.setdefault("paths", {})
        if blockdevice_id not in paths:
            paths[blockdevice_id] = BlockingReference.get_device_path(self, blockdevice_id)
        return paths[blockdevice_id]


@caught_by("test_path_destroyed")
class PathOfGhost(_Remembers):
    """A volume that was destroyed has a path."""

    def get_device_path(self, blockdevice_id):
        if self.is_ghost(blockdevice_id):
            return self._device(blockdevice_id)
        return BlockingReference.get_device_path(self, blockdevice_id)


@caught_by("test_path_unknown")
class PathOfUnknown(_Remembers):
    """A volume that never was has a path."""

    def get_device_path(self, blockdevice_id):
        known = (self.cluster_id, blockdevice_id) in self.storage.volumes
        if not known and not self.is_ghost(blockdevice_id):
            return self._device(blockdevice_id)
        return BlockingReference.get_device_path(self, blockdevice_id)


@caught_by("test_path_attached")
class TextPath(BlockingReference):
    """A path is text."""

    def get_device_path(self, blockdevice_id):
        return BlockingReference.get_device_path(self, blockdevice_id).path


class _NoFilePath(object):
    def __init__(self, path):
        self.path = path.path
        self.exists = path.exists


@caught_by("test_path_attached")
class OtherPath(BlockingReference):
    """A path is an object of the driver's own."""

    def get_device_path(self, blockdevice_id):
        return _NoFilePath(BlockingReference.get_device_path(self, blockdevice_id))


@caught_by("test_path_attached", "test_device_size")
class LateDevice(AsynchronousReference):
    """The device is there only some time after attach has fired."""

    def attach_volume(self, blockdevice_id, attach_to):
        return AsynchronousReference.attach_volume(
            self, blockdevice_id, attach_to
        ).addCallback(self._hide)

    def _hide(self, volume):
        device = self.blocking._device(volume.blockdevice_id)
        if device.exists():
            device.remove()
            self.reactor.callLater(
                20 * self.delay,
                lambda: link(self.blocking.storage.files.child(volume.blockdevice_id), device),
            )
        return volume


@caught_by("test_path_repeatable")
class UnstablePath(BlockingReference):
    """A device has another path each time."""

    def get_device_path(self, blockdevice_id):
        path = BlockingReference.get_device_path(self, blockdevice_id)
        alias = path.sibling(u"{}".format(uuid4()))
        link(path, alias)
        return alias


# -- detach ----------------------------------------------------------------------


@caught_by("test_detach")
class DeviceStays(BlockingReference):
    """The device stays when its volume is detached."""

    def detach_volume(self, blockdevice_id):
        self._put(self._attached(blockdevice_id).set(attached_to=None))

    def attach_volume(self, blockdevice_id, attach_to):
        device = self._device(blockdevice_id)
        if self._known(blockdevice_id).attached_to is None and device.exists():
            device.remove()
        return BlockingReference.attach_volume(self, blockdevice_id, attach_to)


@caught_by("test_detach")
class DetachesAll(BlockingReference):
    """Detaching one detaches all."""

    def detach_volume(self, blockdevice_id):
        self._attached(blockdevice_id)
        for volume in self.list_volumes():
            if volume.attached_to is not None:
                BlockingReference.detach_volume(self, volume.blockdevice_id)


@caught_by("test_detach")
class DetachAnswers(BlockingReference):
    """Detach answers with something."""

    def detach_volume(self, blockdevice_id):
        BlockingReference.detach_volume(self, blockdevice_id)
        return self._known(blockdevice_id)


@caught_by("test_detach", "test_reattach", "test_detach_cancelled")
class DetachedStaysListed(BlockingReference):
    """A volume is listed as attached after it was detached."""

    def list_volumes(self):
        once = self.__dict__.setdefault("once", set())
        volumes = BlockingReference.list_volumes(self)
        once.update(v.blockdevice_id for v in volumes if v.attached_to is not None)
        return [
            v.set(attached_to=self.node) if v.blockdevice_id in once else v for v in volumes
        ]

    def detach_volume(self, blockdevice_id):
        self.list_volumes()
        BlockingReference.detach_volume(self, blockdevice_id)

    def attach_volume(self, blockdevice_id, attach_to):
        if blockdevice_id in self.__dict__.get("once", ()):
            raise AlreadyAttachedVolume(blockdevice_id)
        return BlockingReference.attach_volume(self, blockdevice_id, attach_to)


@caught_by("test_detach_detached")
class DetachAgain(BlockingReference):
    """Detaching what is not attached succeeds."""

    def detach_volume(self, blockdevice_id):
        if self._known(blockdevice_id).attached_to is not None:
            BlockingReference.detach_volume(self, blockdevice_id)


@caught_by("test_detach_unknown", "test_detach_destroyed")
class DetachUnknown(BlockingReference):
    """Detaching what is not known succeeds."""

    def detach_volume(self, blockdevice_id):
        if (self.cluster_id, blockdevice_id) in self.storage.volumes:
            BlockingReference.detach_volume(self, blockdevice_id)


@caught_by("test_reattach")
class AttachableOnce(BlockingReference):
    """A volume can be attached once in its life."""

    def attach_volume(self, blockdevice_id, attach_to):
        worn = self.__dict__.setdefault("worn", set())
        if blockdevice_id in worn:
            raise AlreadyAttachedVolume(blockdevice_id)
        attached = BlockingReference.attach_volume(self, blockdevice_id, attach_to)
        worn.add(blockdevice_id)
        return attached


class _CountsAttaches(BlockingReference):
    """Knows which volumes were attached before."""

    def attach_volume(self, blockdevice_id, attach_to):
        before = self.__dict__.setdefault("before", set())
        attached = BlockingReference.attach_volume(self, blockdevice_id, attach_to)
        if blockdevice_id in before:
            attached = self.again(attached)
        before.add(blockdevice_id)
        return attached


@caught_by("test_reattach")
class ReattachesElsewhere(_CountsAttaches):
    """A volume that is attached again is so to another node, as the list says."""

    def again(self, attached):
        return self._put(attached.set(attached_to=u"node-2"))


@caught_by("test_reattach")
class ReattachedIsListedLoose(_CountsAttaches):
    """A volume that is attached again is listed as before."""

    def again(self, attached):
        self._put(attached.set(attached_to=None))
        return attached


@caught_by("test_data_survives")
class Erases(BlockingReference):
    """A volume is empty whenever it is attached."""

    def attach_volume(self, blockdevice_id, attach_to):
        attached = BlockingReference.attach_volume(self, blockdevice_id, attach_to)
        with self._device(blockdevice_id).open("w") as device:
            device.truncate(attached.size)
        return attached


# -- destroy ---------------------------------------------------------------------


@caught_by("test_destroy", "test_destroy_cancelled")
class DestroyedStaysListed(_Remembers):
    """A volume is listed after it was destroyed."""

    def list_volumes(self):
        return BlockingReference.list_volumes(self) + list(self.ghosts)


@caught_by("test_destroy")
class DestroysAll(BlockingReference):
    """Destroying one destroys all."""

    def destroy_volume(self, blockdevice_id):
        self._known(blockdevice_id)
        for volume in self.list_volumes():
            BlockingReference.destroy_volume(self, volume.blockdevice_id)


@caught_by("test_destroy")
class DestroyAnswers(BlockingReference):
    """Destroy answers with something."""

    def destroy_volume(self, blockdevice_id):
        BlockingReference.destroy_volume(self, blockdevice_id)
        return blockdevice_id


@caught_by("test_destroy_destroyed")
class DestroyAgain(_Remembers):
    """Destroying what was destroyed succeeds."""

    def destroy_volume(self, blockdevice_id):
        if not self.is_ghost(blockdevice_id):
            _Remembers.destroy_volume(self, blockdevice_id)


@caught_by("test_destroy_unknown")
class DestroyUnknown(BlockingReference):
    """Destroying what never was succeeds."""

    def destroy_volume(self, blockdevice_id):
        if (self.cluster_id, blockdevice_id) in self.storage.volumes:
            BlockingReference.destroy_volume(self, blockdevice_id)


# -- other clusters --------------------------------------------------------------


@caught_by("test_others_not_listed: yield self.assert_listed(ours)")
class ListsAllClusters(BlockingReference):
    """The list has the volumes of all clusters."""

    def list_volumes(self):
        return list(self.storage.volumes.values())


@caught_by("test_others_unknown")
class KnowsAllClusters(BlockingReference):
    """A volume of another cluster can be destroyed by its id."""

    def destroy_volume(self, blockdevice_id):
        for cluster_id, volume_id in self.storage.volumes:
            if volume_id == blockdevice_id:
                owner = BlockingReference(self.storage, cluster_id)
                return BlockingReference.destroy_volume(owner, blockdevice_id)
        raise UnknownVolume(blockdevice_id)


@caught_by("test_others_unknown")
class RefusesAfterwards(KnowsAllClusters):
    """A volume of another cluster is destroyed, and then said to be unknown."""

    def destroy_volume(self, blockdevice_id):
        mine = [key for key in self.storage.volumes if key[0] == self.cluster_id]
        KnowsAllClusters.destroy_volume(self, blockdevice_id)
        if (self.cluster_id, blockdevice_id) not in mine:
            raise UnknownVolume(blockdevice_id)


@caught_by("test_one_dataset_in_two_clusters")
class SharesDatasets(BlockingReference):
    """A dataset has one volume, whoever's."""

    def create_volume(self, dataset_id, size):
        for volume in self.storage.volumes.values():
            if volume.dataset_id == dataset_id:
                return volume
        return BlockingReference.create_volume(self, dataset_id, size)


# -- several at once -------------------------------------------------------------


@caught_by("test_one_dataset: self.assertEqual([volumes[0]]")
class CreatesTwice(AsynchronousReference):
    """It is looked for the dataset's volume, and some time later one is made."""

    def create_volume(self, dataset_id, size):
        d = self.do(self.blocking.list_volumes)
        return d.addCallback(self._create, dataset_id, size)

    def _create(self, listed, dataset_id, size):
        for volume in listed:
            if volume.dataset_id == dataset_id:
                return volume
        return self.do(self.blocking._make, dataset_id, size)


@caught_by("test_one_dataset: yield self.assert_listed(volumes[0])")
class CreatesTwiceAndAgrees(CreatesTwice):
    """Of a dataset's two volumes all callers get the same; the other is there all the same."""

    def create_volume(self, dataset_id, size):
        d = CreatesTwice.create_volume(self, dataset_id, size)
        return d.addCallback(lambda _: self._first(dataset_id))

    def _first(self, dataset_id):
        volumes = [v for v in self.blocking.list_volumes() if v.dataset_id == dataset_id]
        return min(volumes, key=lambda volume: volume.blockdevice_id)


@caught_by("test_many_volumes: self.assertEqual(dataset_ids,")
class MixesUp(AsynchronousReference):
    """What an operation is about is kept where the next one writes it over."""

    def create_volume(self, dataset_id, size):
        self._dataset_id = dataset_id
        return self.wait().addCallback(
            lambda _: self.blocking.create_volume(self._dataset_id, size)
        )


class _LastFirst(AsynchronousReference):
    """Who asked last is answered first, with whatever answer there is."""

    def _last_first(self, d):
        waiting = self.__dict__.setdefault("waiting", [])
        answer = Deferred(lambda _: d.cancel())
        waiting.append(answer)
        d.addBoth(lambda result: waiting.pop().callback(result))
        return answer


@caught_by("test_many_volumes: self.assertEqual(dataset_ids,")
class SwapsCreated(_LastFirst):
    """Those who create volumes at once get each other's."""

    def create_volume(self, dataset_id, size):
        return self._last_first(AsynchronousReference.create_volume(self, dataset_id, size))


@caught_by("test_many_volumes: self.assertEqual([v.set(attached_to=self.this_node) for v")
class SwapsAttached(_LastFirst):
    """Those who attach volumes at once get each other's."""

    def attach_volume(self, blockdevice_id, attach_to):
        return self._last_first(
            AsynchronousReference.attach_volume(self, blockdevice_id, attach_to)
        )


@caught_by("test_many_volumes: yield self.assert_listed()")
class DestroysOne(AsynchronousReference):
    """Of several volumes that are destroyed at once, one is; it is said of all."""

    busy = False

    def destroy_volume(self, blockdevice_id):
        if self.busy:
            return self.wait()
        self.busy = True
        d = AsynchronousReference.destroy_volume(self, blockdevice_id)
        return d.addBoth(self._over)

    def _over(self, result):
        self.busy = False
        return result


class _Counts(AsynchronousReference):
    """Knows which operations on which volumes are under way."""

    def __init__(self, *arguments, **options):
        AsynchronousReference.__init__(self, *arguments, **options)
        self.calls = []

    def attach_volume(self, blockdevice_id, attach_to):
        return self._call("attach_volume", blockdevice_id, attach_to)

    def detach_volume(self, blockdevice_id):
        return self._call("detach_volume", blockdevice_id)

    def destroy_volume(self, blockdevice_id):
        return self._call("destroy_volume", blockdevice_id)

    def _call(self, *call):
        self.calls.append(call)
        d = self.do(self._act, call).addBoth(self.wait)
        return d.addBoth(self._over, call)

    def _over(self, result, call):
        self.calls.remove(call)
        return result

    def _act(self, call):
        return getattr(self.blocking, call[0])(*call[1:])


@caught_by(
    "test_attach_twice_at_once: self.assertIn(True",
    "test_detach_twice_at_once: self.assertIn(True",
    "test_destroy_twice_at_once: self.assertIn(True",
)
class RefusesAll(_Counts):
    """Of several who ask for the same, each is told that another has done it."""

    errors = {
        "attach_volume": AlreadyAttachedVolume,
        "detach_volume": UnattachedVolume,
        "destroy_volume": UnknownVolume,
    }

    def _act(self, call):
        if self.calls.count(call) > 1:
            raise self.errors[call[0]](call[1])
        return _Counts._act(self, call)


@caught_by(
    "test_attach_twice_at_once: yield self.assert_listed(volume.set(attached_to=self.this_node))",
    "test_detach_twice_at_once: yield self.assert_listed(attached[0].set(attached_to=None))",
    "test_destroy_twice_at_once: yield self.assert_listed()",
)
class NobodyDoesIt(_Counts):
    """Of several who ask for the same, each is told that it is done; it is not."""

    def _act(self, call):
        return None if self.calls.count(call) > 1 else _Counts._act(self, call)


class _DetachedMeanwhile(_Counts):
    """Gets a volume wrong that is detached while it is being attached."""

    def _act(self, call):
        if ("attach_volume", call[1]) in [other[:2] for other in self.calls if other != call]:
            return self._wrong(self.blocking._known(call[1]))
        return _Counts._act(self, call)


@caught_by("test_everything_at_once: self.assertIn(listed,")
class AttachedHalf(_DetachedMeanwhile):
    """It is attached to no node that there is."""

    def _wrong(self, volume):
        self.blocking._put(volume.set(attached_to=u""))


@caught_by("test_everything_at_once: [listed] = ")
class LosesBetween(_DetachedMeanwhile):
    """It is lost."""

    def _wrong(self, volume):
        self.blocking._forget(volume)


@caught_by("test_attach_twice_at_once: 409 Conflict", "test_everything_at_once: 409 Conflict")
class AttachBusy(AsynchronousReference):
    """While one operation is under way, others on the same volume break in their own way."""

    busy = ()

    def attach_volume(self, blockdevice_id, attach_to):
        return self._alone(
            AsynchronousReference.attach_volume, blockdevice_id, attach_to
        )

    def detach_volume(self, blockdevice_id):
        return self._alone(AsynchronousReference.detach_volume, blockdevice_id)

    def _alone(self, operation, blockdevice_id, *arguments):
        return maybeDeferred(self._begin, operation, blockdevice_id, *arguments)

    def _begin(self, operation, blockdevice_id, *arguments):
        if blockdevice_id in self.busy:
            raise RuntimeError("409 Conflict")
        self.busy = self.busy + (blockdevice_id,)

        def over(result):
            self.busy = tuple(busy for busy in self.busy if busy != blockdevice_id)
            return result

        return operation(self, blockdevice_id, *arguments).addBoth(over)


class _ChecksFirst(AsynchronousReference):
    """It is checked whether something can be done, and some time later it is done."""

    def _then(self, check, act, *arguments):
        d = self.do(check, arguments[0])
        return d.addCallback(lambda _: self.do(act, *arguments))


@caught_by("test_detach_twice_at_once: No such file")
class DetachChecksFirst(_ChecksFirst):
    """A device that is gone meanwhile is an error that nobody knows."""

    def detach_volume(self, blockdevice_id):
        return self._then(self.blocking._attached, self._remove, blockdevice_id)

    def _remove(self, blockdevice_id):
        self.blocking._device(blockdevice_id).remove()
        self.blocking._put(self.blocking._known(blockdevice_id).set(attached_to=None))


@caught_by("test_destroy_twice_at_once: KeyError")
class DestroyChecksFirst(_ChecksFirst):
    """A volume that is gone meanwhile is an error that nobody knows."""

    def destroy_volume(self, blockdevice_id):
        return self._then(self.blocking._known, self._remove, blockdevice_id)

    def _remove(self, blockdevice_id):
        self.blocking._forget(self.blocking.storage.volumes[
            self.blocking.cluster_id, blockdevice_id
        ])


# -- what only an asynchronous driver can get wrong ---------------------------------


@caught_by("test_deferreds")
class Blocks(AsynchronousReference):
    """An operation answers with what it should put into a Deferred."""

    def allocation_unit(self):
        return self.blocking.allocation_unit()


@caught_by("test_deferreds", "test_attach_unknown")
class Raises(AsynchronousReference):
    """An operation raises what it should fail with."""

    def attach_volume(self, blockdevice_id, attach_to):
        self.blocking._known(blockdevice_id)
        return AsynchronousReference.attach_volume(self, blockdevice_id, attach_to)


@caught_by("test_create_cancelled")
class ForgetsCreated(AsynchronousReference):
    """A volume whose creation is cancelled is there, and the next one is another."""

    def create_volume(self, dataset_id, size):
        return self.do(self.blocking._make, dataset_id, size)


@caught_by("test_attach_cancelled")
class LosesAttached(AsynchronousReference):
    """A volume whose attachment is cancelled is lost."""

    def attach_volume(self, blockdevice_id, attach_to):
        d = self.wait()
        d.addCallback(lambda _: self.blocking._known(blockdevice_id))
        d.addCallback(self._attach, attach_to)
        return d

    def _attach(self, volume, attach_to):
        if volume.attached_to is not None:
            raise AlreadyAttachedVolume(volume.blockdevice_id)
        self.blocking._forget(volume)

        def attach(_):
            self.blocking._put(volume)
            return self.blocking.attach_volume(volume.blockdevice_id, attach_to)

        return self.wait().addCallback(attach)


@caught_by("test_attach_cancelled: self.assertIn(number, allowed")
class HiddenWhenCancelled(AsynchronousReference):
    """A volume whose attachment is cancelled is not listed until it is attached again."""

    hidden = ()

    def attach_volume(self, blockdevice_id, attach_to):
        def cancelled(failure):
            failure.trap(CancelledError)
            self.hidden = self.hidden + (blockdevice_id,)
            return failure

        self.hidden = tuple(hidden for hidden in self.hidden if hidden != blockdevice_id)
        d = AsynchronousReference.attach_volume(self, blockdevice_id, attach_to)
        return d.addErrback(cancelled)

    def list_volumes(self):
        d = AsynchronousReference.list_volumes(self)
        return d.addCallback(
            lambda volumes: [v for v in volumes if v.blockdevice_id not in self.hidden]
        )


@caught_by("test_detach_cancelled")
class StuckWhenCancelled(AsynchronousReference):
    """A volume whose detachment is cancelled can't be detached any more."""

    stuck = ()

    def detach_volume(self, blockdevice_id):
        if blockdevice_id in self.stuck:
            return self.wait().addCallback(lambda _: 1 // 0)

        def failed(failure):
            if not failure.check(UnattachedVolume, UnknownVolume):
                self.stuck = self.stuck + (blockdevice_id,)
            return failure

        return AsynchronousReference.detach_volume(self, blockdevice_id).addErrback(failed)


@caught_by("test_destroy_cancelled")
class NeverAnswersCancelled(AsynchronousReference):
    """A destruction that is cancelled does not answer."""

    def destroy_volume(self, blockdevice_id):
        d = AsynchronousReference.destroy_volume(self, blockdevice_id)
        return d.addErrback(
            lambda failure: failure
            if failure.check(UnattachedVolume, UnknownVolume)
            else self.reactor_never()
        )

    def reactor_never(self):
        return self.wait().addCallback(lambda _: self.reactor_never())


# -- profiles and clouds -----------------------------------------------------------


@caught_by("ProfiledTests.test_interface")
class NoProfiles(AsynchronousReference):
    """There is no way to ask for a profile."""

    @property
    def create_volume_with_profile(self):
        raise AttributeError("create_volume_with_profile")


@caught_by("test_mandatory_profiles")
class NoGold(BlockingReference):
    """One of the mandatory profiles is not known."""

    def create_volume_with_profile(self, dataset_id, size, profile_name):
        if profile_name == u"gold":
            raise KeyError(profile_name)
        return self.create_volume(dataset_id, size)


@caught_by("test_mandatory_profiles")
class ProfiledSize(BlockingReference):
    """A profile changes the size."""

    def create_volume_with_profile(self, dataset_id, size, profile_name):
        return self.create_volume(dataset_id, 2 * size)


@caught_by("test_mandatory_profiles: yield self.assert_listed(*volumes)")
class ProfiledUnlisted(BlockingReference):
    """What has a profile is not listed."""

    def create_volume_with_profile(self, dataset_id, size, profile_name):
        volume = self.create_volume(dataset_id, size)
        self._forget(volume)
        return volume


@caught_by("CloudTests.test_interface")
class NoStartNode(AsynchronousReference):
    """There is no way to start a node."""

    @property
    def start_node(self):
        raise AttributeError("start_node")


@caught_by("test_this_node_lives")
class AllDead(BlockingReference):
    """No node is live."""

    def list_live_nodes(self):
        return []


@caught_by("test_live_nodes_are_ids")
class OneLiveNode(BlockingReference):
    """The live nodes are one text."""

    def list_live_nodes(self):
        return self.node


@caught_by("test_live_nodes_are_ids")
class BytesLiveNodes(BlockingReference):
    """A live node's id is bytes."""

    def list_live_nodes(self):
        return [self.node, b"node-2"]


@caught_by("test_live_nodes_are_ids")
class LiveTwice(BlockingReference):
    """A node lives twice."""

    def list_live_nodes(self):
        return [self.node, self.node]
