"""
Drivers that are wrong about themselves: methods, instance id, allocation unit.
"""

from __future__ import absolute_import, division, print_function

from uuid import uuid4

from ..reference import UNIT, AsynchronousReference, BlockingReference
from .table import caught_by


@caught_by("test_interface")
class NoGetDevicePath(AsynchronousReference):
    """A method of the interface is missing."""

    @property
    def get_device_path(self):
        raise AttributeError("get_device_path")


@caught_by("test_interface")
class OtherParameters(AsynchronousReference):
    """A method has other parameters than the interface."""

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
    """The allocation unit is not a whole number."""

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
