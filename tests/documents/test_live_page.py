"""Tests of the tutorial's picture of the page that ``txstorage serve`` shows."""

from __future__ import annotations

import os
import struct

from twisted.trial.unittest import SynchronousTestCase

from .blocks import ROOT

PICTURE = os.path.join(ROOT, "docs", "live-page.png")


class PictureTests(SynchronousTestCase):
    """``docs/live-page.png``, which ``make picture-page`` makes."""

    def setUp(self) -> None:
        with open(PICTURE, "rb") as opened:
            self.picture = opened.read()

    def test_small(self) -> None:
        """The picture is a small PNG with a palette, as wide as two columns of the page are."""
        width, height, depth, colours = struct.unpack(">IIBB", self.picture[16:26])
        self.assertEqual(self.picture[:8], b"\x89PNG\r\n\x1a\n")
        self.assertGreaterEqual(width, 1024)
        self.assertIn(height, range(500, 1000))
        self.assertEqual(colours, 3)
        self.assertLess(len(self.picture), 65536)

    def test_nothing_else(self) -> None:
        """The picture has no text, time or place of the machine that drew it."""
        kinds, place = set(), 8
        while place < len(self.picture):
            length, kind = struct.unpack(">I4s", self.picture[place : place + 8])
            kinds.add(kind)
            place += length + 12
        self.assertEqual(kinds - {b"tRNS"}, {b"IHDR", b"PLTE", b"IDAT", b"IEND"})
