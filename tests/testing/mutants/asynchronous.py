"""
Drivers that are wrong about Deferreds and cancelling.
"""

from __future__ import absolute_import, division, print_function

from twisted.internet.defer import CancelledError

from txstorage.interfaces import AlreadyAttachedVolume, UnattachedVolume, UnknownVolume

from ..reference import AsynchronousReference
from .table import caught_by


@caught_by("test_deferreds")
class Blocks(AsynchronousReference):
    """An operation returns its result instead of a Deferred."""

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
    """The Deferred of a cancelled destruction never fires."""

    def destroy_volume(self, blockdevice_id):
        d = AsynchronousReference.destroy_volume(self, blockdevice_id)
        return d.addErrback(
            lambda failure: failure
            if failure.check(UnattachedVolume, UnknownVolume)
            else self.reactor_never()
        )

    def reactor_never(self):
        return self.wait().addCallback(lambda _: self.reactor_never())
