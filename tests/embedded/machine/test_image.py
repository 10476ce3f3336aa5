"""Tests of the one image."""

from __future__ import annotations

import hashlib
import os

from twisted.trial.unittest import SynchronousTestCase

from txstorage.embedded.machine.files import VolumeFiles
from txstorage.embedded.machine.image import IMAGE_SIZE, image_content, image_digest

from ..support import temporary_directory

_SIZE = 2 * IMAGE_SIZE


class ImageTests(SynchronousTestCase):
    """Tests of the content."""

    def test_content(self) -> None:
        """The content is the same everywhere, and no two blocks of it are alike."""
        content = image_content()
        self.assertEqual(len(content), IMAGE_SIZE)
        self.assertEqual(len({content[n : n + 512] for n in range(0, IMAGE_SIZE, 512)}), 2048)
        self.assertEqual(image_digest("sha256"), hashlib.sha256(content).hexdigest())
        self.assertEqual(image_digest("md5")[:8], "4b41b635")

    def test_file(self) -> None:
        """A file begins with the content; one that is cut short is completed, a whole one stays."""
        directory = temporary_directory(self)
        files = VolumeFiles(directory)
        files.create("v", _SIZE, image_content())
        with open(files.path("v"), "rb") as opened:
            self.assertEqual(opened.read(), image_content() + bytes(_SIZE - IMAGE_SIZE))
        os.truncate(files.path("v"), 100)
        files.create("v", _SIZE, image_content())
        with open(files.path("v"), "r+b") as opened:
            self.assertEqual(opened.read(IMAGE_SIZE), image_content())
            opened.seek(0)
            opened.write(b"data")
        files.create("v", _SIZE, image_content())
        with open(files.path("v"), "rb") as opened:
            self.assertEqual(opened.read(4), b"data")
