"""Tests of devices that the kernel shows late, wrongly or not at all."""

from __future__ import annotations

from typing import Any

from txstorage.errors import (
    DeviceAmbiguous,
    DeviceNameDoubtful,
    DeviceNotFound,
    OperationTimedOut,
)

from .support import GIB, DeviceCase

#: Of xvda in the hypervisor, and the bit of the numbers of disks after xvdp.
XVDA, EXTENDED = 51712, 1 << 28


class NVMeTests(DeviceCase):
    """NVMe devices."""

    def attaching(self, volume_id: str, name: str) -> str:
        """Attach a volume, whose device the kernel shows; return the device's path."""
        d = self.driver.attach_volume(volume_id, self.here)
        self.let_pass(20)
        self.nvme(name, volume_id)
        self.get(d)
        path: str = self.get(self.driver.get_device_path(volume_id)).path
        return path

    def test_names(self) -> None:
        """rexray#1246: an NVMe device is found by its serial number, whatever its name is."""
        one, two = self.create(), self.create()
        # The order of the names is not that of the attachments.
        self.assertEqual(self.attaching(one, "nvme2n1"), self.dev.child("nvme2n1").path)
        self.assertEqual(self.attaching(two, "nvme1n1"), self.dev.child("nvme1n1").path)
        self.assertEqual(
            self.get(self.driver.get_device_path(one)).path, self.dev.child("nvme2n1").path
        )

    def test_stale_link(self) -> None:
        """
        ebs-csi#1224: a link in ``/dev/disk/by-id`` that still leads to another volume's device is
        not followed: the device itself says whose it is.
        """
        volume_id, other = self.create(), self.create()
        self.attaching(other, "nvme1n1")
        links = self.dev.descendant(["disk", "by-id"])
        links.makedirs()
        name = "nvme-Amazon_Elastic_Block_Store_" + volume_id.replace("-", "")
        self.dev.child("nvme1n1").linkTo(links.child(name))
        d = self.driver.attach_volume(volume_id, self.here)
        self.let_pass(20)
        self.assertNoResult(d)
        self.nvme("nvme2n1", volume_id)
        self.get(d)
        path = self.get(self.driver.get_device_path(volume_id))
        self.assertEqual(path.path, self.dev.child("nvme2n1").path)

    def test_reused_name(self) -> None:
        """ebs-csi#1224: a path does not lead to the volume that has the name afterwards."""
        volume_id, other = self.create(), self.create()
        self.attaching(volume_id, "nvme1n1")
        path = self.get(self.driver.get_device_path(volume_id))
        self.sysfs.remove("nvme1n1")
        self.nvme("nvme1n1", other)
        self.assertFalse(path.isBlockDevice())
        self.error(self.driver.get_device_path(volume_id), DeviceNotFound, volume_id)

    def test_two_devices(self) -> None:
        """ebs-csi#1224: two devices with the serial number are an error, and not a guess."""
        volume_id = self.create()
        self.attaching(volume_id, "nvme1n1")
        self.nvme("nvme22n1", volume_id)
        found = self.driver.get_device_path(volume_id)
        self.error(found, DeviceAmbiguous, "nvme1n1", "nvme22n1", volume_id)

    def test_late_device(self) -> None:
        """coreos/bugs#2371: an attach is done when the kernel has the device, not before."""
        volume_id = self.create()
        d = self.driver.attach_volume(volume_id, self.here)
        self.let_pass(60)
        self.assertEqual(self.state(volume_id)[0], "in-use")
        self.assertNoResult(d)
        self.nvme("nvme1n1", volume_id)
        self.assertEqual(self.get(d).attached_to, self.here)

    def test_no_device(self) -> None:
        """
        coreos/bugs#2371: attached in the API, but not in the kernel: the error says so, and what to
        look at; a retry finds the device, without another attach.
        """
        volume_id = self.create()
        error = self.error(
            self.driver.attach_volume(volume_id, self.here),
            OperationTimedOut,
            f"Can't attach volume {volume_id}",
            "waiting for its device to appear on this node",
            f"last seen: in-use, attached to {self.here}",
        )
        self.assertIn("lsblk", error.remedy)
        self.assertEqual(self.face.count("DetachVolume"), 0)
        self.error(self.driver.get_device_path(volume_id), DeviceNotFound, volume_id)
        self.nvme("nvme1n1", volume_id)
        path = self.get(self.driver.get_device_path(volume_id))
        self.assertEqual(path.path, self.dev.child("nvme1n1").path)
        self.assertEqual(self.face.count("AttachVolume"), 1)

    def test_nameless(self) -> None:
        """The last problem of a disk without an identity has EC2's remedy, and not OpenStack's."""
        volume_id = self.create()
        self.sysfs.add("sdb", size=GIB, files=[("device/type", b"0\n")])
        d = self.driver.attach_volume(volume_id, self.here)
        text = "no identity that could be a volume's (serial number or WWN): sdb (do not use"
        error = self.error(d, OperationTimedOut, text, "the driver 'nvme'")
        self.assertNotIn("KVM", str(error))

    def test_device_stays(self) -> None:
        """A detach is done when the kernel no longer has the device."""
        volume_id = self.create()
        self.attaching(volume_id, "nvme1n1")
        d = self.driver.detach_volume(volume_id)
        self.let_pass(30)
        self.assertEqual(self.state(volume_id)[0], "available")
        self.assertNoResult(d)
        self.sysfs.remove("nvme1n1")
        self.assertIs(self.get(d), None)

    def test_grown(self) -> None:
        """A growth is done when the device shows it."""
        volume_id = self.create()
        self.attaching(volume_id, "nvme1n1")
        d = self.driver.grow_volume(volume_id, 2 * GIB)
        self.let_pass(30)
        self.assertNoResult(d)
        self.nvme("nvme1n1", volume_id, 2 * GIB)
        self.get(d)


class XenTests(DeviceCase):
    """Disks of Xen instances, which have no identity."""

    def setUp(self) -> None:
        super().setUp()
        self.sysfs.add_xen("xvda", XVDA, size=8 * GIB, partitions=["xvda1"])

    def attaching(self, volume_id: str, letters: str | None = None) -> tuple[Any, str]:
        """
        Attach a volume, whose disk the kernel shows.

        :param letters: the kernel's, if they are not the attachment's.
        :return: the Deferred, and the disk's name in the kernel.
        """
        d = self.driver.attach_volume(volume_id, self.here)
        self.let_pass(20)
        self.assertNoResult(d)
        _, _, device = self.state(volume_id)
        assert device is not None
        own = device[len("/dev/xvd") :]
        index = (ord(own[0]) - ord("a") + 1) * 26 + ord(own[1]) - ord("a")
        name = "xvd" + (own if letters is None else letters)
        self.sysfs.add_xen(name, EXTENDED | index << 8, GIB)
        return d, name

    def test_life(self) -> None:
        """A volume is attached, found by its name, grown, and detached when its disk is gone."""
        volume_id, other = self.create(), self.create()
        names = {}
        for each in (volume_id, other):
            d, names[each] = self.attaching(each)
            self.get(d)
        for each, name in names.items():
            path = self.get(self.driver.get_device_path(each))
            self.assertEqual(path.path, self.dev.child(name).path)
        d = self.driver.grow_volume(volume_id, 2 * GIB)
        self.let_pass(30)
        self.assertNoResult(d)
        self.sysfs.write(names[volume_id], "size", b"%d\n" % (2 * GIB // 512))
        self.get(d)
        d = self.driver.detach_volume(volume_id)
        self.let_pass(30)
        self.assertNoResult(d)
        self.sysfs.remove(names[volume_id])
        self.get(d)
        self.get(self.driver.get_device_path(other))

    def test_shifted(self) -> None:
        """AMIgen6#24: a disk that the kernel shows with other letters is an error, not a guess."""
        volume_id = self.create()
        d, name = self.attaching(volume_id, "zz")
        text = "this kernel gives the hypervisor's disks other letters"
        error = self.error(d, DeviceNameDoubtful, volume_id, name, text)
        self.assertIn("xen_blkfront.sda_is_xvda=1", error.remedy)

    def test_serial(self) -> None:
        """A device with the volume's serial number is preferred to one with its name."""
        volume_id = self.create()
        self.get(self.attaching(volume_id)[0])
        self.nvme("nvme1n1", volume_id)
        path = self.get(self.driver.get_device_path(volume_id))
        self.assertEqual(path.path, self.dev.child("nvme1n1").path)

    def test_no_device(self) -> None:
        """
        coreos/bugs#2371: the error of a disk that does not appear says which there are, and what
        helps on EC2.
        """
        volume_id = self.create()
        error = self.error(
            self.driver.attach_volume(volume_id, self.here),
            OperationTimedOut,
            "xvda, number 51712",
            "/sys/bus/pci/rescan",
        )
        self.assertNotIn("virtio", str(error))
        self.assertNotIn("KVM", str(error))
