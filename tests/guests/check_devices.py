"""The search for volumes that are plugged into a guest, by what each kind of disk shows."""

from __future__ import annotations

from .machines.guest import SearchFailed
from .machines.volumes import nameless, nvme, scsi, virtio
from .support import GuestTestCase, ebs_id, volume_id


class DiskTests(GuestTestCase):
    """Disks with and without an identity."""

    def found(self, volume, disk, device):
        """A waiting search finds a volume, once the volume is plugged in."""
        search = self.guest.begin("wait_until_present", volume=volume.id, size=volume.size)
        self.assertEqual("DeviceNotFound", self.guest.look(search)["error"])
        self.guest.plug(volume, disk(volume.id))
        found = self.guest.result(search)
        self.assert_found(volume, found)
        self.assertRegex(found["path"], f"^/dev/{device}$")
        self.assertEqual(found, self.guest.call("find", volume=volume.id, size=volume.size))

    def refused(self, volume, device):
        """A search for a volume fails, and names a disk without an identity."""
        search = self.guest.begin("find", volume=volume.id, size=volume.size)
        message = rf"^DeviceUnidentified: .* {volume.id}; .*: {device} \("
        with self.assertRaisesRegex(SearchFailed, message):
            self.guest.result(search)

    def test_virtio(self):
        """A virtio disk is found by the first 20 characters of the id."""
        self.found(self.volume(), virtio, "vd[a-z]")

    def test_scsi(self):
        """A SCSI disk is found by the whole id."""
        self.found(self.volume(), scsi, "sd[a-z]")

    def test_nvme(self):
        """An NVMe disk is found by the id of an EBS volume without its hyphen."""
        self.found(self.volume(ebs_id()), nvme, r"nvme\dn\d")

    def test_nameless(self):
        """A disk without an identity, as on EC2's Xen, is refused and named, also while waiting."""
        volume = self.volume(ebs_id(), size=4)
        search = self.guest.begin("wait_until_present", volume=volume.id, size=volume.size)
        self.assertEqual("DeviceNotFound", self.guest.look(search)["error"])
        self.guest.plug(volume, nameless(volume.id))
        outcome = self.guest.look(search)
        self.assertEqual("DeviceUnidentified", outcome["error"])
        self.assertRegex(outcome["message"], r": vd[a-z] \(")
        self.refused(volume, "vd[a-z]")
        self.guest.call("cancel", wait=search)
        with self.assertRaisesRegex(SearchFailed, "CancelledError"):
            self.guest.result(search)

    def test_ide(self):
        """An IDE disk with the hypervisor's own serial number is refused and named."""
        self.refused(self.ide, "sd[a-z]")

    def test_two_at_once(self):
        """Two volumes of one size that arrive together have the devices with their own texts."""
        for disk, new in ((virtio, volume_id), (scsi, volume_id), (nvme, ebs_id)):
            both = [self.volume(new()), self.volume(new())]
            searches = [
                self.guest.begin("wait_until_present", volume=each.id, size=each.size)
                for each in both
            ]
            for each in reversed(both):
                self.guest.plug(each, disk(each.id))
            paths = set()
            for each, search in zip(both, searches):
                found = self.guest.result(search)
                self.assert_found(each, found)
                paths.add(found["path"])
            self.assertEqual(2, len(paths))

    def test_mixed(self):
        """One volume of each kind at a time, of one size: none is taken for another."""
        plugged = []
        for disk, name in ((virtio, None), (scsi, None), (nvme, ebs_id()), (virtio, None)):
            volume = self.volume(name)
            self.guest.plug(volume, disk(volume.id))
            plugged.append(volume)
        found = [self.present(volume) for volume in plugged]
        for volume, device in zip(plugged, found):
            self.assert_found(volume, device)
        self.assertEqual(4, len({device["path"] for device in found}))

    def test_same_beginning(self):
        """Of two ids with the same 20 characters, no virtio disk is either's; SCSI's are."""
        one = volume_id()
        other = one[:20] + volume_id()[20:]
        volumes = [self.volume(one), self.volume(other)]
        for volume in volumes:
            self.guest.plug(volume, virtio(volume.id))
        for volume in volumes:
            self._wait_for_ambiguity(volume)
        self.guest.unplug_all()
        for volume in volumes:
            self.guest.plug(volume, scsi(volume.id))
        for volume in volumes:
            self.assert_found(volume, self.present(volume))

    def _wait_for_ambiguity(self, volume):
        # While the second disk is not there yet, a search still finds the first.
        watch = self.guest.begin("watch", volume=volume.id, size=volume.size)
        outcome = {}
        while outcome.get("error") != "DeviceAmbiguous":
            outcome = self.guest.look(watch)
        self.guest.call("stop", watch=watch)
        self.guest.result(watch)


class DiskTestsOnPython2(DiskTests):
    """The same on Python 2.7 with Flocker's pins."""

    python = "2.7"
