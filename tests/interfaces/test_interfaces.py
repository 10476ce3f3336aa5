"""
Tests for :mod:`txstorage.interfaces` and its stand-ins.
"""

from __future__ import absolute_import, division, print_function

import sys
from importlib import import_module
from types import ModuleType
from uuid import uuid4

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.interface import Method

from txstorage import interfaces
from txstorage.interfaces import extensions, stand_ins

OPERATIONS = {
    "allocation_unit": (),
    "compute_instance_id": (),
    "create_volume": ("dataset_id", "size"),
    "destroy_volume": ("blockdevice_id",),
    "attach_volume": ("blockdevice_id", "attach_to"),
    "detach_volume": ("blockdevice_id",),
    "list_volumes": (),
    "get_device_path": ("blockdevice_id",),
}


class InterfacesTests(SynchronousTestCase):
    """The contract, of Flocker or of the stand-ins."""

    def test_exports(self):
        """All exported names exist, and ``__all__`` is sorted."""
        for name in interfaces.__all__:
            self.assertTrue(hasattr(interfaces, name), name)
        self.assertEqual(sorted(interfaces.__all__), interfaces.__all__)

    def test_operations(self):
        """Both interfaces have the eight operations, with the names of their arguments."""
        for interface in (interfaces.IBlockDeviceAPI, interfaces.IBlockDeviceAsyncAPI):
            self.assertEqual(
                OPERATIONS,
                {
                    name: tuple(method.positional)
                    for name, method in interface.namesAndDescriptions()
                    if isinstance(method, Method)
                },
            )

    def test_flockers_own(self):
        """When Flocker can be imported, the names are Flocker's own objects."""
        fakes = {}
        for module, names in [
            ("flocker", []),
            ("flocker.node", ["BackendDescription", "DeployerType"]),
            ("flocker.node.agents", []),
            (
                "flocker.node.agents.blockdevice",
                set(interfaces.__all__)
                - set(extensions.__all__)
                - {"BackendDescription", "DeployerType", "StorageInitializationError"},
            ),
            ("flocker.node.exceptions", ["StorageInitializationError"]),
        ]:
            fakes[module] = ModuleType(module)
            for name in names:
                setattr(fakes[module], name, object())
        for module, fake in fakes.items():
            self.patch_module(module, fake)
        for module in ("txstorage.interfaces.extensions", "txstorage.interfaces"):
            self.patch_module(module, None)
            del sys.modules[module]
        fresh = import_module("txstorage.interfaces")
        for name in set(interfaces.__all__) - set(extensions.__all__):
            self.assertIn(
                getattr(fresh, name), [getattr(fake, name, None) for fake in fakes.values()]
            )

    def patch_module(self, name, module):
        before = sys.modules.get(name)
        parent, _, attribute = name.rpartition(".")

        def restore():
            if before is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = before
                if parent:
                    setattr(sys.modules[parent], attribute, before)

        self.addCleanup(restore)
        sys.modules[name] = module


class StandInTests(SynchronousTestCase):
    """The stand-ins behave as Flocker's objects do."""

    def volume(self, **changes):
        fields = dict(blockdevice_id=u"v", size=1, dataset_id=self.dataset_id)
        return stand_ins.BlockDeviceVolume(**dict(fields, **changes))

    dataset_id = uuid4()

    def test_volume(self):
        """Volumes are equal by value and hashable; ``set`` returns a changed copy."""
        self.assertEqual(self.volume(), self.volume())
        self.assertEqual(1, len({self.volume(), self.volume()}))
        self.assertNotEqual(self.volume(), self.volume(attached_to=u"n"))
        self.assertEqual(
            self.volume(attached_to=u"n"), self.volume().set(attached_to=u"n")
        )

    def test_volume_types(self):
        """A volume's fields must be of the types that Flocker requires."""
        for wrong in (
            {"blockdevice_id": b"v"},
            {"blockdevice_id": None},
            {"size": u"1"},
            {"attached_to": 1},
            {"dataset_id": u"x"},
        ):
            self.assertRaises(TypeError, self.volume, **wrong)

    def test_volume_exceptions(self):
        """A volume exception carries the id, which is text, and nothing else."""
        for kind in (
            stand_ins.UnknownVolume,
            stand_ins.AlreadyAttachedVolume,
            stand_ins.UnattachedVolume,
        ):
            error = kind(u"v")
            self.assertEqual((u"v", (u"v",)), (error.blockdevice_id, error.args))
            self.assertIsInstance(error, stand_ins.VolumeException)
        self.assertRaises(TypeError, stand_ins.UnknownVolume, b"v")

    def test_other_exceptions(self):
        """The other exceptions carry what Flocker reads from them."""
        error = stand_ins.StorageInitializationError(
            stand_ins.StorageInitializationError.CONFIGURATION_ERROR, u"why"
        )
        self.assertIs(stand_ins.StorageInitializationError.CONFIGURATION_ERROR, error.code)
        self.assertEqual((u"why",), error.args)
        self.assertIn("me", str(stand_ins.UnknownInstanceID("me")))

    def test_mandatory_profiles(self):
        """The mandatory profiles are gold, silver and bronze."""
        self.assertEqual(
            {u"gold", u"silver", u"bronze"},
            {constant.value for constant in stand_ins.MandatoryProfiles.iterconstants()},
        )

    def test_backend_description(self):
        """A backend description checks the types that Flocker's loader requires."""
        fields = dict(
            name=u"txstorage",
            needs_reactor=True,
            needs_cluster_id=True,
            api_factory=len,
            deployer_type=stand_ins.DeployerType.block,
        )
        self.assertEqual(
            frozenset(), stand_ins.BackendDescription(**fields).required_config
        )
        for wrong in ({"name": b"x"}, {"needs_reactor": 1}, {"deployer_type": u"block"}):
            self.assertRaises(
                TypeError, stand_ins.BackendDescription, **dict(fields, **wrong)
            )
