"""Volumes that leave a guest, or grow, while the guest looks at them."""

from __future__ import annotations

from dataclasses import replace

from .machines.volumes import GIB, nvme, scsi, virtio
from .support import GuestTestCase, ebs_id, volume_id

#: The outcomes of a search for a device, or of the reading of the found one, while it leaves.
LEAVING = {"DeviceNotFound", "EnvironmentError"}


class ChangeTests(GuestTestCase):
    """Volumes that are unplugged, replaced and extended."""

    def replaced(self, disk, new):
        """A search that never pauses never takes a volume's successor for the volume."""
        volume, other = self.volume(new()), self.volume(new())
        self.guest.hardware.plug(volume, disk(volume.id))
        self.found(volume)
        gone = self.begin("wait_until_gone", volume)
        self.assertEqual("DeviceStillPresent", self.guest.look(gone)["error"])
        watch = self.begin("watch", volume)
        seen = [self.guest.look(watch)]
        self.assert_found(volume, seen[0])
        self.guest.hardware.begin_unplug(volume)
        self.guest.hardware.plug(other, disk(other.id))
        self.guest.hardware.end_unplug(volume)
        self.assertIsNone(self.guest.result(gone))
        self.found(other)
        self.guest.call("stop", search=watch)
        looks = self.guest.result(watch)
        seen += self.guest.looks(watch)
        self.assertGreater(looks, len(seen))
        self.assertEqual("DeviceNotFound", seen[-1].get("error"))
        for outcome in seen:
            if outcome.get("error") not in LEAVING:
                self.assert_found(volume, outcome)

    def test_replaced_virtio(self):
        """A virtio disk leaves, and another comes, while both are searched for."""
        self.replaced(virtio, volume_id)

    def test_replaced_scsi(self):
        """A SCSI disk leaves, and another comes, while both are searched for."""
        self.replaced(scsi, volume_id)

    def test_replaced_nvme(self):
        """An NVMe disk leaves, and another comes, while both are searched for."""
        self.replaced(nvme, ebs_id)

    def test_reused_name(self):
        """A device name that a volume leaves to its successor is the successor's."""
        paths = []
        for _ in range(2):
            volume = self.volume()
            self.guest.hardware.plug(volume, virtio(volume.id))
            paths.append(self.found(volume))
            gone = self.begin("wait_until_gone", volume)
            self.assertEqual("DeviceStillPresent", self.guest.look(gone)["error"])
            self.guest.hardware.unplug(volume)
            self.assertIsNone(self.guest.result(gone))
        self.assertEqual(paths[0], paths[1])

    def grows(self, disk):
        """A waiting search sees that a volume grows, and finds the text at the new end."""
        volume = self.volume()
        self.guest.hardware.plug(volume, disk(volume.id))
        path = self.found(volume)
        larger = replace(volume, size=volume.size + GIB)
        search = self.begin("wait_until_grown", larger)
        self.assertEqual("DeviceNotGrown", self.guest.look(search)["error"])
        larger.write()
        self.guest.hardware.resize(larger)
        self.assertEqual(path, self.assert_found(larger, self.guest.result(search)))

    def test_grown_virtio(self):
        """A virtio disk grows."""
        self.grows(virtio)

    def test_grown_scsi(self):
        """A SCSI disk grows."""
        self.grows(scsi)


class ChangeTestsOnPython2(ChangeTests):
    """The same on Python 2.7 with Flocker's pins."""

    python = "2.7"
