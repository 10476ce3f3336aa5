"""Tests for :mod:`txstorage.docker.options`."""

from __future__ import annotations

from uuid import UUID

from twisted.trial.unittest import SynchronousTestCase

from tests.documents.blocks import text_of
from txstorage.docker.options import (
    FOLDER,
    IDLE,
    NAME,
    NEW,
    OPTIONS,
    REMOVING,
    checked_name,
    checked_options,
    dataset_of,
    differences,
    filesystem_options,
    labels_for,
    options_in,
)
from txstorage.errors import InvalidName, InvalidOption
from txstorage.filesystem import Options

GIB = 2**30
CLUSTER = UUID("c0ffee00-0000-4000-8000-000000000001")

#: For each option a value, and its canonical form.
VALUES = {
    "size": ("20", str(20 * GIB)),
    "profile": ("gold", "gold"),
    "fs": ("xfs", "xfs"),
    "mkfs-options": ("-i 8192", "-i 8192"),
    "mount-options": ("noatime,nodiratime", "noatime,nodiratime"),
    "encryption": ("luks", "luks"),
    "uid": ("0999", "999"),
    "gid": ("70", "70"),
    "mode": ("700", "0700"),
    "from": ("some-id", "some-id"),
    "snapshot": ("nightly", "nightly"),
    "clone": ("pg", "pg"),
    "takeover": ("never", "never"),
}


class NameTests(SynchronousTestCase):
    """The names of volumes."""

    def test_valid(self) -> None:
        """Docker's names are names, up to a length that a label can carry."""
        for name in ("pg", "a.b-c_d", "x" * 200, "0f" * 32):
            self.assertEqual(name, checked_name(name))

    def test_invalid(self) -> None:
        """Others are refused, those that would leave the mount point's directory above all."""
        for name in ("", "a", "..", ".x", "a/b", "-x", "x" * 201, "a b", "ä1", "pg\n"):
            self.assertRaises(InvalidName, checked_name, name)

    def test_dataset(self) -> None:
        """A name's dataset is the same on every node, and another one in each cluster."""
        self.assertEqual(dataset_of(CLUSTER, "pg"), dataset_of(CLUSTER, "pg"))
        self.assertNotEqual(dataset_of(CLUSTER, "pg"), dataset_of(CLUSTER, "PG"))
        other = UUID(int=CLUSTER.int + 1)
        self.assertNotEqual(dataset_of(CLUSTER, "pg"), dataset_of(other, "pg"))


class OptionsTests(SynchronousTestCase):
    """The options of new volumes."""

    def test_each(self) -> None:
        """Each option has a canonical form, which stays itself."""
        self.assertEqual(set(OPTIONS), set(VALUES))
        for key, (given, canonical) in VALUES.items():
            self.assertEqual({key: canonical}, checked_options("pg", {key: given}), key)
            if key != "size":
                self.assertEqual({key: canonical}, checked_options("pg", {key: canonical}), key)

    def test_none(self) -> None:
        """Engines send null for no options."""
        self.assertEqual({}, checked_options("pg", None))

    def test_sizes(self) -> None:
        """A number alone counts GiB; with a unit, it is what numfmt reads."""
        for given, size in (
            ("1", GIB),
            ("20GiB", 20 * GIB),
            ("20Gi", 20 * GIB),
            ("20G", 20 * 10**9),
            ("1073741824B", GIB),
        ):
            self.assertEqual({"size": str(size)}, checked_options("pg", {"size": given}))

    def test_unreadable(self) -> None:
        """An unreadable value is an error that names the option and shows a valid value."""
        for key, values in {
            "size": ("", "0", "-1", "ten", "1073741824", "3EiB", "1.5"),
            "profile": ("",),
            "fs": ("ntfs", "", "EXT4"),
            "mkfs-options": ("'open", "/dev/sda", ""),
            "mount-options": ("", "a,,b", "bind", "loop", "offset=1", "a\nb"),
            "uid": ("-1", "root", "4294967295", ""),
            "gid": ("1.0", "9" * 11),
            "mode": ("8", "rwx", "77777", "0o700"),
            "from": ("", "x" * 256),
            "snapshot": ("",),
            "clone": ("",),
            "encryption": ("LUKS", "yes", ""),
            "takeover": ("always", "force", ""),
        }.items():
            for value in values:
                error = self.assertRaises(InvalidOption, checked_options, "pg", {key: value})
                self.assertEqual((error.name, error.option), ("pg", key), value)
                self.assertIn(key, str(error))
                self.assertTrue(error.remedy.startswith("use "), error.remedy)

    def test_not_text(self) -> None:
        """A value that is not a text is an error."""
        for value in (None, 1, [], {}):
            self.assertRaises(InvalidOption, checked_options, "pg", {"size": value})

    def test_unknown(self) -> None:
        """An unknown option is an error with the nearest one, or with all."""
        error = self.assertRaises(InvalidOption, checked_options, "pg", {"Size": "1"})
        self.assertEqual("did you mean size?", error.remedy)
        error = self.assertRaises(InvalidOption, checked_options, "pg", {"fstype": "xfs"})
        self.assertIn("fs", error.remedy)
        error = self.assertRaises(InvalidOption, checked_options, "pg", {"zzz": "1"})
        for key in OPTIONS:
            self.assertIn(key, error.remedy)

    def test_sources(self) -> None:
        """A volume has one source at most, whose own properties can't be given."""
        for given in (
            {"clone": "a1", "snapshot": "b1"},
            {"from": "a1", "clone": "b1"},
            {"from": "a1", "size": "1"},
            {"clone": "a1", "fs": "xfs"},
            {"snapshot": "a1", "mode": "700"},
        ):
            self.assertRaises(InvalidOption, checked_options, "pg", given)
        checked_options("pg", {"clone": "a1", "size": "1", "mount-options": "ro"})


class LabelsTests(SynchronousTestCase):
    """The labels that carry the options."""

    def test_round_trip(self) -> None:
        """The labels of a volume have all its options but the size."""
        for key, (_, canonical) in VALUES.items():
            labels = labels_for("pg", {key: canonical}, "ext4")
            self.assertEqual("pg", labels[NAME])
            expected = {} if key == "size" else {key: canonical}
            if key not in ("fs", "from", "snapshot", "clone"):
                expected["fs"] = "ext4"
            self.assertEqual(expected, options_in(labels), key)

    def test_new(self) -> None:
        """A volume is new only when it has no source."""
        self.assertIn(NEW, labels_for("pg", {}, "ext4"))
        for source in ("from", "snapshot", "clone"):
            self.assertNotIn(NEW, labels_for("pg", {source: "x1"}, "ext4"))

    def test_damaged(self) -> None:
        """Labels that other programs have damaged count as missing."""
        labels = {"docker-fs": "ntfs", "docker-uid": "x", "docker-mode": "0700", "other": "1"}
        self.assertEqual({"mode": "0700"}, options_in(labels))
        self.assertEqual(Options(mode=0o700), filesystem_options(labels))

    def test_filesystem(self) -> None:
        """The file system gets the options that concern it."""
        options = {key: canonical for key, (_, canonical) in VALUES.items() if key != "from"}
        self.assertEqual(
            Options("xfs", ("-i", "8192"), ("noatime", "nodiratime"), 999, 70, 0o700, True),
            filesystem_options(labels_for("pg", options, "ext4")),
        )
        self.assertEqual("btrfs", filesystem_options(labels_for("pg", {}, "btrfs")).kind)


class PageTests(SynchronousTestCase):
    """The table of labels in the documentation."""

    def test_complete(self) -> None:
        """The page names each label that the plugin uses."""
        page = text_of("docs", "docker.rst")
        for label in (NAME, NEW, IDLE, REMOVING, FOLDER):
            self.assertIn(f"   * - ``{label}``\n", page)


class DifferencesTests(SynchronousTestCase):
    """The comparison with an existing volume."""

    def compare(
        self, given: dict[str, str], has: dict[str, str], size: int = 10 * GIB
    ) -> list[str]:
        """:return: the differences."""
        labels = labels_for("pg", checked_options("pg", has), "ext4")
        return differences(checked_options("pg", given), labels, size, GIB)

    def test_same(self) -> None:
        """Equal options are no difference, and neither are those that are not given."""
        self.assertEqual([], self.compare({}, {"uid": "1", "mode": "700"}))
        self.assertEqual([], self.compare({"mode": "0700", "fs": "ext4"}, {"mode": "700"}))
        self.assertEqual([], self.compare({"size": "10"}, {}))
        self.assertEqual([], self.compare({"size": "10G"}, {}, 10 * GIB))

    def test_other(self) -> None:
        """Each difference names the option and both values."""
        found = self.compare({"size": "20", "fs": "xfs", "uid": "5"}, {})
        self.assertEqual(3, len(found))
        self.assertEqual("size is 10 GiB, not 20 GiB", found[0])
        self.assertEqual("fs is ext4, not xfs", found[1])
        self.assertEqual("uid is not set, not 5", found[2])
