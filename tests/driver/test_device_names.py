"""
Tests of the names that a cloud gives devices, which the search gets where nothing else identifies
them.
"""

from __future__ import absolute_import, division, print_function

from txstorage._devices import block_devices as _block_devices
from txstorage._devices.finder import DeviceFinder
from txstorage.errors import DeviceBusy, DeviceNameDoubtful, OperationTimedOut

from ..helpers.memory import GIB, HERE, THERE, Fault, memory_driver
from ..helpers.sysfs import FakeSysfs
from .support import DriverTestCase, Prompt, broken

ROOT = u"vol-root"
#: The numbers of xvda and xvdf in the hypervisor.
XVDA, XVDF = 51712, 51792


class NamesTests(DriverTestCase):
    """The names that reach the search, and the requests for them."""

    def setUp(self):
        DriverTestCase.setUp(self)
        self.devices.nameless = True
        self.cloud.add(u"in-use", volume_id=ROOT, labels={})
        self.cloud.compute.add((ROOT, HERE))
        self.cloud.device_names[ROOT] = u"/dev/sda1"

    def add(self, name=u"/dev/sdf", status=u"available", **fields):
        """Add a volume whose device gets a name."""
        volume_id = u"vol-" + name[len(u"/dev/") :]
        self.cloud.device_names[volume_id] = name
        return self.cloud.add(status, volume_id=volume_id, **fields)

    def test_attach(self):
        """An attach searches by the names of all of the node's devices, from one request."""
        volume_id = self.add()
        elsewhere = self.add(u"/dev/sdg", u"in-use", attached_to=THERE)
        self.success(self.driver.attach_volume(volume_id, HERE))
        self.assertEqual([{volume_id: u"/dev/sdf", ROOT: u"/dev/sda1"}], self.devices.names)
        self.assertNotIn(elsewhere, self.devices.names[0])
        self.assertEqual(1, self.cloud.count("device names"))

    def test_repeated(self):
        """A request for the names that fails is repeated."""
        volume_id = self.add()
        self.cloud.break_next("device names", Fault(broken()))
        self.success(self.driver.attach_volume(volume_id, HERE), seconds=30)
        self.assertEqual(2, self.cloud.count("device names"))
        self.assertIn(volume_id, self.devices.names[0])

    def test_refused_for_long(self):
        """The failure of the requests for the names is the last problem of a timeout."""
        volume_id = self.add()
        self.cloud.break_next("device names", *[Fault(broken())] * 1000)
        d = self.driver.attach_volume(volume_id, HERE)
        self.pass_time(112)
        error = self.failureResultOf(d, OperationTimedOut).value
        self.assertIn(u"last problem: ", error.last_seen)
        self.assertIn(u"oops", error.last_seen)

    def test_late(self):
        """The volume's own name counts also when the list does not have it yet."""
        volume_id = self.add()
        d = self.driver.attach_volume(volume_id, HERE)
        self.cloud.compute.discard((volume_id, HERE))
        self.success(d)
        self.assertEqual([{volume_id: u"/dev/sdf", ROOT: u"/dev/sda1"}], self.devices.names)

    def test_device_path(self):
        """A search for a path has the names, too."""
        volume_id = self.add(status=u"in-use", attached_to=HERE)
        self.devices.present.add(volume_id)
        self.success(self.driver.get_device_path(volume_id))
        self.assertEqual([{volume_id: u"/dev/sdf", ROOT: u"/dev/sda1"}], self.devices.names)

    def test_grow(self):
        """A growth has the names, too."""
        volume_id = self.add(status=u"in-use", attached_to=HERE)
        self.success(self.driver.grow_volume(volume_id, 2 * GIB))
        self.assertEqual([{volume_id: u"/dev/sdf", ROOT: u"/dev/sda1"}], self.devices.names)

    def test_detach(self):
        """A detach uses the volume's own name, also when the attachment is gone."""
        volume_id = self.add(status=u"in-use", attached_to=HERE)
        self.success(self.driver.detach_volume(volume_id))
        self.assertEqual([{volume_id: u"/dev/sdf"}] * 2, self.devices.names)

    def test_detach_that_was_requested(self):
        """A detach that another caller requested has the name that was seen at first."""
        volume_id = self.add(status=u"detaching", attached_to=HERE)
        d = self.driver.detach_volume(volume_id)
        self.clock.advance(1)
        self.cloud.change(volume_id, status=u"available", attachments=())
        self.cloud.compute.discard((volume_id, HERE))
        self.success(d)
        self.assertEqual([{volume_id: u"/dev/sdf"}], self.devices.names)

    def test_not_needed(self):
        """A node whose devices have an identity sends no request for names."""
        self.devices.nameless = False
        volume_id = self.add()
        self.success(self.driver.attach_volume(volume_id, HERE))
        self.assertEqual(0, self.cloud.count("device names"))

    def test_no_names(self):
        """A cloud without names for devices is asked for none, on any node."""
        volume_id = self.cloud.add()
        self.success(self.driver.attach_volume(volume_id, HERE))
        self.assertEqual([{}], self.devices.names)
        self.assertEqual(0, self.cloud.count("device names"))


class XenTests(DriverTestCase):
    """The driver on a Xen host, with the real search."""

    def setUp(self):
        DriverTestCase.setUp(self)
        self.sysfs = FakeSysfs(self.mktemp())
        self.sysfs.add_xen("xvda", XVDA, 8 * GIB)
        self.patch(_block_devices, "check_node", lambda *arguments: None)
        finder = DeviceFinder(
            self.clock, sysfs=self.sysfs.root, events=lambda changed: lambda: None
        )
        driver = memory_driver(self.clock, self.cloud, devices=finder)
        self.driver = Prompt(self.clock, driver)
        self.volume_id = self.cloud.add()
        self.cloud.device_names[self.volume_id] = u"/dev/sdf"

    def attach(self):
        """Begin to attach the volume, and let the cloud finish."""
        d = self.driver.attach_volume(self.volume_id, HERE)
        self.clock.pump([1] * 5)
        return d

    def test_life(self):
        """A volume is attached, found, and detached when its device has gone."""
        d = self.attach()
        self.assertNoResult(d)
        self.sysfs.add_xen("xvdf", XVDF, GIB)
        self.clock.advance(1)
        self.assertEqual(HERE, self.successResultOf(d).attached_to)
        path = self.successResultOf(self.driver.get_device_path(self.volume_id))
        self.assertEqual("/dev/xvdf", path.path)
        d = self.driver.detach_volume(self.volume_id)
        self.clock.pump([1] * 5)
        self.assertEqual(u"available", self.cloud.volumes[self.volume_id].status)
        self.assertNoResult(d)
        self.sysfs.remove("xvdf")
        self.clock.advance(1)
        self.assertIs(None, self.successResultOf(d))

    def test_two_of_one_name(self):
        """Two attachments that claim one name are an error, and not a guess."""
        other = self.cloud.add(u"in-use", attached_to=HERE)
        self.cloud.device_names[other] = u"/dev/xvdf"
        self.sysfs.add_xen("xvdf", XVDF, GIB)
        error = self.failureResultOf(self.attach(), DeviceNameDoubtful).value
        self.assertIn(other, error.message)

    def test_busy(self):
        """A volume that is in use is not detached."""
        self.sysfs.add_xen("xvdf", XVDF, GIB)
        self.successResultOf(self.attach())
        self.patch(_block_devices, "_is_claimed", lambda path: path.path == "/dev/xvdf")
        self.failureResultOf(self.driver.detach_volume(self.volume_id), DeviceBusy)
        self.assertEqual(0, self.cloud.count("detach"))

    def test_absent(self):
        """The timeout of an attach says which disks there are, and which name was looked for."""
        d = self.attach()
        self.clock.pump([1] * 110)
        error = self.failureResultOf(d, OperationTimedOut).value
        self.assertIn(u"No Xen disk of this host is /dev/sdf", error.message)
        self.assertIn(u"xvda", error.message)
