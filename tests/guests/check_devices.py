"""The search for volumes that are plugged into a guest, by what each kind of disk shows."""

from __future__ import annotations

from .machines.guest import SearchFailed
from .machines.volumes import nameless, nvme, scsi, virtio
from .support import GuestTestCase, ebs_id, volume_id


class DiskTests(GuestTestCase):
    """Disks with and without an identity."""

    def finds(self, volume, disk, device, call="wait_until_present"):
        """A waiting search finds a volume, once the volume is plugged in."""
        search = self.begin(call, volume)
        self.assertEqual("DeviceNotFound", self.guest.look(search)["error"])
        self.guest.hardware.plug(volume, disk(volume.id))
        path = self.assert_found(volume, self.guest.result(search))
        self.assertRegex(path, f"^/dev/{device}$")
        self.assertEqual(path, self.found(volume, "find"))

    def refuses(self, volume, device, **options):
        """A search for a volume fails, and names a disk without an identity."""
        message = rf"^DeviceUnidentified: .* {volume.id}; .*: {device} \("
        with self.assertRaisesRegex(SearchFailed, message):
            self.guest.result(self.begin("find", volume, **options))

    def test_virtio(self):
        """A virtio disk is found by the first 20 characters of the id."""
        self.finds(self.volume(), virtio, "vd[a-z]")

    def test_scsi(self):
        """A SCSI disk is found by the whole id."""
        self.finds(self.volume(), scsi, "sd[a-z]")

    def test_nvme(self):
        """An NVMe disk is found by the id of an EBS volume without its hyphen."""
        self.finds(self.volume(ebs_id()), nvme, r"nvme\dn\d")

    def test_events(self):
        """The kernel's event alone makes a waiting search look again."""
        self.finds(self.volume(), virtio, "vd[a-z]", "wait_for_event")

    def test_nameless(self):
        """A disk without an identity, as on EC2's Xen, is refused and named, also while waiting."""
        volume = self.volume(ebs_id(), size=4)
        search = self.begin("wait_until_present", volume)
        self.assertEqual("DeviceNotFound", self.guest.look(search)["error"])
        self.guest.hardware.plug(volume, nameless(volume.id))
        outcome = self.guest.look(search)
        self.assertEqual("DeviceUnidentified", outcome["error"])
        self.assertRegex(outcome["message"], r": vd[a-z] \(")
        self.refuses(volume, "vd[a-z]")
        self.guest.call("cancel", search=search)
        with self.assertRaisesRegex(SearchFailed, "CancelledError"):
            self.guest.result(search)

    def test_ide(self):
        """An IDE disk with the hypervisor's own serial number is refused and named."""
        self.refuses(self.ide, "sd[a-z]")

    def test_named(self):
        """A disk without an identity that is not Xen's is refused, although a cloud names it."""
        for letter in "abc":
            self.refuses(self.ide, "sd[a-z]", names={self.ide.id: f"/dev/sd{letter}"})
        volume = self.volume(ebs_id(), size=4)
        names = {volume.id: "/dev/xvda"}
        search = self.begin("wait_until_present", volume, names=names)
        self.assertEqual("DeviceNotFound", self.guest.look(search)["error"])
        self.guest.hardware.plug(volume, nameless(volume.id))
        self.assertEqual("DeviceUnidentified", self.guest.look(search)["error"])
        self.refuses(volume, "vd[a-z]", names=names)
        self.guest.call("cancel", search=search)
        with self.assertRaisesRegex(SearchFailed, "CancelledError"):
            self.guest.result(search)

    def test_two_at_once(self):
        """Two volumes of one size that arrive together have the devices with their own texts."""
        for disk, new in ((virtio, volume_id), (scsi, volume_id), (nvme, ebs_id)):
            both = [self.volume(new()), self.volume(new())]
            searches = [self.begin("wait_until_present", each) for each in both]
            for each in reversed(both):
                self.guest.hardware.plug(each, disk(each.id))
            for each, search in zip(both, searches):
                self.assert_found(each, self.guest.result(search))

    def test_mixed(self):
        """Volumes of one size on disks of each kind are not taken for one another."""
        kinds = ((virtio, volume_id), (scsi, volume_id), (nvme, ebs_id), (virtio, volume_id))
        volumes = [self.volume(new()) for _, new in kinds]
        for volume, (disk, _) in zip(volumes, kinds):
            self.guest.hardware.plug(volume, disk(volume.id))
        paths = {self.found(volume) for volume in volumes}
        self.assertEqual(len(kinds), len(paths))

    def test_same_beginning(self):
        """Two ids with the same first 20 characters are ambiguous on virtio, and not on SCSI."""
        one = volume_id()
        volumes = [self.volume(one), self.volume(one[:20] + volume_id()[20:])]
        for volume in volumes:
            self.guest.hardware.plug(volume, virtio(volume.id))
        for volume in volumes:
            self.is_ambiguous(volume)
        for volume in volumes:
            self.guest.hardware.unplug(volume)
            self.guest.hardware.plug(volume, scsi(volume.id))
        for volume in volumes:
            self.found(volume)

    def is_ambiguous(self, volume):
        """A search fails, from when the second disk is there."""
        watch = self.begin("watch", volume)
        while self.guest.look(watch).get("error") != "DeviceAmbiguous":
            pass
        self.guest.call("stop", search=watch)
        self.guest.result(watch)


class DiskTestsOnPython2(DiskTests):
    """The same on Python 2.7 with Flocker's pins."""

    python = "2.7"
