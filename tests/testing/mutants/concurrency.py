"""
Drivers that are wrong when several operations run at once.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import Deferred, maybeDeferred

from txstorage.interfaces import AlreadyAttachedVolume, UnattachedVolume, UnknownVolume

from ..reference import AsynchronousReference
from .table import caught_by


@caught_by("test_one_dataset: self.assertEqual([volumes[0]]")
class CreatesTwice(AsynchronousReference):
    """Create looks for the dataset's volume, and creates one some time later."""

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
    """An operation's subject is kept where the next operation overwrites it."""

    def create_volume(self, dataset_id, size):
        self._dataset_id = dataset_id
        return self.wait().addCallback(
            lambda _: self.blocking.create_volume(self._dataset_id, size)
        )


class _LastFirst(AsynchronousReference):
    """The last caller gets the first result."""

    def _last_first(self, d):
        waiting = self.__dict__.setdefault("waiting", [])
        answer = Deferred(lambda _: d.cancel())
        waiting.append(answer)
        d.addBoth(lambda result: waiting.pop().callback(result))
        return answer


@caught_by("test_many_volumes: self.assertEqual(dataset_ids,")
class SwapsCreated(_LastFirst):
    """Concurrent creates return each other's volumes."""

    def create_volume(self, dataset_id, size):
        return self._last_first(AsynchronousReference.create_volume(self, dataset_id, size))


@caught_by("test_many_volumes: self.assertEqual([v.set(attached_to=self.this_node) for v")
class SwapsAttached(_LastFirst):
    """Concurrent attaches return each other's volumes."""

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
    """
    Of several callers with the same request, each gets the error that another has carried it out.
    """

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
    """Of several callers with the same request, each gets a success, and none is carried out."""

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
    """A volume is attached to a node that does not exist."""

    def _wrong(self, volume):
        self.blocking._put(volume.set(attached_to=u""))


@caught_by("test_everything_at_once: [listed] = ")
class LosesBetween(_DetachedMeanwhile):
    """A volume is lost between two steps."""

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
    """An operation checks a condition, and acts some time later."""

    def _then(self, check, act, *arguments):
        d = self.do(check, arguments[0])
        return d.addCallback(lambda _: self.do(act, *arguments))


@caught_by("test_detach_twice_at_once: No such file")
class DetachChecksFirst(_ChecksFirst):
    """A device that disappears meanwhile causes an unknown error."""

    def detach_volume(self, blockdevice_id):
        return self._then(self.blocking._attached, self._remove, blockdevice_id)

    def _remove(self, blockdevice_id):
        self.blocking._device(blockdevice_id).remove()
        self.blocking._put(self.blocking._known(blockdevice_id).set(attached_to=None))


@caught_by("test_destroy_twice_at_once: KeyError")
class DestroyChecksFirst(_ChecksFirst):
    """A volume that disappears meanwhile causes an unknown error."""

    def destroy_volume(self, blockdevice_id):
        return self._then(self.blocking._known, self._remove, blockdevice_id)

    def _remove(self, blockdevice_id):
        self.blocking._forget(self.blocking.storage.volumes[
            self.blocking.cluster_id, blockdevice_id
        ])
