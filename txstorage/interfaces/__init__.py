# -*- test-case-name: tests.interfaces.test_interfaces -*-
"""
Flocker's block device contract.

Besides the dataset agent, this is the only module that imports Flocker. When Flocker can be
imported, the names are Flocker's own objects, so that ``except UnknownVolume`` in Flocker catches
the driver's errors. Otherwise the names are stand-ins of the same shape from ``stand_ins``. All
other code imports from here and works with either.
"""

from __future__ import absolute_import, division, print_function

from .extensions import (
    BlockDeviceSnapshot,
    ILabelledBlockDeviceAsyncAPI,
    IResizableBlockDeviceAsyncAPI,
    ISnapshottingBlockDeviceAsyncAPI,
    LabelledVolume,
)

MYPY = False
if MYPY:
    from .stand_ins import *  # noqa: F403
else:
    try:
        from flocker.node import BackendDescription, DeployerType
        from flocker.node.agents.blockdevice import (
            AlreadyAttachedVolume,
            BlockDeviceVolume,
            IBlockDeviceAPI,
            IBlockDeviceAsyncAPI,
            ICloudAPI,
            IProfiledBlockDeviceAPI,
            MandatoryProfiles,
            UnattachedVolume,
            UnknownInstanceID,
            UnknownVolume,
            VolumeException,
        )
        from flocker.node.exceptions import StorageInitializationError
    except ImportError:
        from .stand_ins import (
            AlreadyAttachedVolume,
            BackendDescription,
            BlockDeviceVolume,
            DeployerType,
            IBlockDeviceAPI,
            IBlockDeviceAsyncAPI,
            ICloudAPI,
            IProfiledBlockDeviceAPI,
            MandatoryProfiles,
            StorageInitializationError,
            UnattachedVolume,
            UnknownInstanceID,
            UnknownVolume,
            VolumeException,
        )

__all__ = [
    "AlreadyAttachedVolume",
    "BackendDescription",
    "BlockDeviceSnapshot",
    "BlockDeviceVolume",
    "DeployerType",
    "IBlockDeviceAPI",
    "IBlockDeviceAsyncAPI",
    "ICloudAPI",
    "ILabelledBlockDeviceAsyncAPI",
    "IProfiledBlockDeviceAPI",
    "IResizableBlockDeviceAsyncAPI",
    "ISnapshottingBlockDeviceAsyncAPI",
    "LabelledVolume",
    "MandatoryProfiles",
    "StorageInitializationError",
    "UnattachedVolume",
    "UnknownInstanceID",
    "UnknownVolume",
    "VolumeException",
]
