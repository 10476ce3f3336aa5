# -*- test-case-name: tests.interfaces.test_interfaces -*-
"""
Flocker's block device contract.

This is the only module that imports Flocker.  When Flocker is importable the
names here ARE Flocker's own objects, so ``except UnknownVolume`` in Flocker
catches what the driver raises.  Otherwise they are stand-ins of the same
shape from ``stand_ins``, so that the rest of the code imports
from one place and never asks which it got.
"""

from __future__ import absolute_import, division, print_function

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
    "BlockDeviceVolume",
    "DeployerType",
    "IBlockDeviceAPI",
    "IBlockDeviceAsyncAPI",
    "ICloudAPI",
    "IProfiledBlockDeviceAPI",
    "MandatoryProfiles",
    "StorageInitializationError",
    "UnattachedVolume",
    "UnknownInstanceID",
    "UnknownVolume",
    "VolumeException",
]
