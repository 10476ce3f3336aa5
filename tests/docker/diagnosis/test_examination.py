"""Tests for :mod:`txstorage.docker.diagnosis.examination` and its findings."""

from __future__ import annotations

import os
import shutil
import tempfile
from uuid import uuid4

import attr
from twisted.trial.unittest import SynchronousTestCase

from txstorage.docker.diagnosis import (
    CheckResult,
    Surroundings,
    concerns,
    examination,
    examine,
    filesystems_of,
    together,
)
from txstorage.filesystem import Options
from txstorage.interfaces import BlockDeviceVolume, LabelledVolume


class ExaminationTests(SynchronousTestCase):
    """All checks."""

    def setUp(self) -> None:
        # A socket's path has a bound of 108 bytes.
        self.place = tempfile.mkdtemp(prefix="txstorage-test-")
        self.addCleanup(shutil.rmtree, self.place)
        names = ("journal", "mounts", "engine", "pid_file", "sockets", "wanted")
        paths = {name: os.path.join(self.place, name) for name in names}
        self.surroundings = Surroundings(specs=(), **paths)

    def test_nothing(self) -> None:
        """On a machine without an engine, what can't be checked is skipped."""
        found = examine(self.surroundings)
        self.assertEqual(
            ["skipped", "ok", "skipped", "skipped"],
            [found[each].outcome for each in ("journal", "sockets", "mounts", "local volumes")],
        )

    def test_kinds(self) -> None:
        """The programs of each volume's file system are needed."""
        used: list[set[str]] = []
        self.patch(examination, "check_programs", lambda kinds: used.append(kinds))
        examine(attr.evolve(self.surroundings, kind="ext4", volumes={"pg": Options("btrfs")}))
        self.assertEqual([{"ext4", "btrfs"}], used)

    def test_encrypted(self) -> None:
        """The key is needed for the volumes that are encrypted."""
        asked: list[tuple[list[str], str | None]] = []
        self.patch(examination, "check_encryption", lambda *asks: asked.append(asks))
        volumes = {"pg": Options(encrypted=True), "other": Options()}
        examine(attr.evolve(self.surroundings, volumes=volumes, key_file="/key"))
        self.assertEqual([(["pg"], "/key")], asked)

    def test_concerns(self) -> None:
        """A machine is concerned by an engine, a socket that systemd opens, or a journal."""
        self.patch(examination.shutil, "which", lambda name, path: None)
        self.assertFalse(concerns(self.surroundings))
        for name in ("engine", "wanted", "journal"):
            path = os.path.join(self.place, name)
            with open(path, "w"):
                pass
            self.assertTrue(concerns(self.surroundings), name)
            os.unlink(path)
        self.patch(examination.shutil, "which", lambda name, path: name == "podman" or None)
        self.assertTrue(concerns(self.surroundings))

    def test_volumes(self) -> None:
        """The volumes that have a Docker name count, with their kinds."""

        def labelled(labels: dict[str, str]) -> LabelledVolume:
            volume = BlockDeviceVolume(
                blockdevice_id="id", size=1, attached_to=None, dataset_id=uuid4()
            )
            return LabelledVolume(volume, labels, "available", "")

        second = {"docker-name": "b", "docker-fs": "xfs", "docker-encryption": "luks"}
        self.assertEqual(
            {"a": Options("ext4"), "b": Options("xfs", encrypted=True)},
            filesystems_of(map(labelled, [{}, {"docker-name": "a"}, second])),
        )


class ResultTests(SynchronousTestCase):
    """Several problems in one finding."""

    def test_together(self) -> None:
        """The worst outcome counts; each remedy is given once."""
        warning, failure = CheckResult("warning", "a", "x"), CheckResult("fail", "b", "x")
        self.assertEqual(CheckResult("ok", "well"), together([], "well"))
        self.assertEqual("warning", together([warning], "well").outcome)
        self.assertEqual(CheckResult("fail", "a; b", "x"), together([warning, failure], "well"))
