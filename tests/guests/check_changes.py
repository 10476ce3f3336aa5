"""Volumes that leave a guest, or grow, while the guest looks at them."""

from __future__ import annotations

from dataclasses import replace

from .machines.volumes import GIB, nvme, scsi, virtio
from .support import GuestTestCase, ebs_id

#: The outcomes of a search for a device, or of the reading of the found one, while it leaves.
LEAVING = {"DeviceNotFound", "EnvironmentError"}


class ChangeTests(GuestTestCase):
    """Volumes that are unplugged, replaced and extended."""

    def replaced(self, disk, name=None, other_name=None):
        """A search that never pauses never takes a volume's successor for the volume."""
        volume, other = self.volume(name), self.volume(other_name)
        self.guest.plug(volume, disk(volume.id))
        self.present(volume)
        gone = self.guest.begin("wait_until_gone", volume=volume.id)
        self.assertEqual("DeviceStillPresent", self.guest.look(gone)["error"])
        watch = self.guest.begin("watch", volume=volume.id, size=volume.size)
        seen = [self.guest.look(watch)]
        self.assert_found(volume, seen[0])
        self.guest.begin_unplug(volume)
        self.guest.plug(other, disk(other.id))
        self.guest.end_unplug(volume)
        self.assertIsNone(self.guest.result(gone))
        self.assert_found(other, self.present(other))
        while seen[-1].get("error") != "DeviceNotFound":
            seen.append(self.guest.look(watch))
        self.guest.call("stop", watch=watch)
        self.assertGreater(self.guest.result(watch), len(seen))
        for outcome in seen:
            if "error" in outcome:
                self.assertIn(outcome["error"], LEAVING)
            else:
                self.assert_found(volume, outcome)

    def test_replaced_virtio(self):
        """A virtio disk leaves, and another comes, while both are searched for."""
        self.replaced(virtio)

    def test_replaced_scsi(self):
        """A SCSI disk leaves, and another comes, while both are searched for."""
        self.replaced(scsi)

    def test_replaced_nvme(self):
        """An NVMe disk leaves, and another comes, while both are searched for."""
        self.replaced(nvme, ebs_id(), ebs_id())

    def test_reused_name(self):
        """A device name that a volume leaves to its successor is the successor's."""
        paths = []
        for _ in range(2):
            volume = self.volume()
            self.guest.plug(volume, virtio(volume.id))
            found = self.present(volume)
            self.assert_found(volume, found)
            paths.append(found["path"])
            gone = self.guest.begin("wait_until_gone", volume=volume.id)
            self.guest.unplug(volume)
            self.assertIsNone(self.guest.result(gone))
        self.assertEqual(paths[0], paths[1])

    def grown(self, disk):
        """A waiting search sees that a volume grows, and finds the text at the new end."""
        volume = self.volume()
        self.guest.plug(volume, disk(volume.id))
        before = self.present(volume)
        larger = replace(volume, size=volume.size + GIB)
        search = self.guest.begin("wait_until_grown", volume=larger.id, size=larger.size)
        self.assertEqual("DeviceNotGrown", self.guest.look(search)["error"])
        larger.write()
        self.guest.resize(larger)
        found = self.guest.result(search)
        self.assert_found(larger, found)
        self.assertEqual(before["path"], found["path"])

    def test_grown_virtio(self):
        """A virtio disk grows."""
        self.grown(virtio)

    def test_grown_scsi(self):
        """A SCSI disk grows."""
        self.grown(scsi)


class ChangeTestsOnPython2(ChangeTests):
    """The same on Python 2.7 with Flocker's pins."""

    python = "2.7"
