"""
Tests for :mod:`txstorage._support.notations.xen_disks`.
"""

from __future__ import absolute_import, division, print_function

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from txstorage._support.notations.xen_disks import disk_named, disk_numbered, letters_of

from ..helpers.properties import RELAXED

#: Numbers in the hypervisor, and the letters of the disks.  The examples of xen-vbd-interface(7),
#: and the numbers of EC2's PV instances (8) and HVM instances (202, and extended ones).
NUMBERS = [
    (202 << 8, u"a"),
    (202 << 8 | 1, None),
    (51792, u"f"),
    (202 << 8 | 15 << 4, u"p"),
    (1 << 28 | 16 << 8, u"q"),
    (1 << 28 | 26 << 8, u"aa"),
    (1 << 28 | 52 << 8, u"ba"),
    (1 << 28 | 52 << 8 | 1, None),
    (8 << 8, u"a"),
    (2128, u"f"),
    (2049, None),
    (65 << 8, u"q"),
    (71 << 8 | 15 << 4, letters_of(127)),
    (128 << 8, letters_of(128)),
    (135 << 8 | 15 << 4, letters_of(255)),
    (3 << 8, None),
    (22 << 8, None),
    (0, None),
]

#: Device names of EC2, and the disks.
NAMES = [
    (u"/dev/sdf", (u"f", True)),
    (u"/dev/xvdf", (u"f", True)),
    (u"xvdba", (u"ba", True)),
    (u"sdf", (u"f", True)),
    (u"/dev/sda1", (u"a", False)),
    (u"/dev/xvdf6", (u"f", False)),
    (u"/dev/nvme0n1", None),
    (u"/dev/sd", None),
    (u"/dev/sdF", None),
    (u"/dev/sdf\n", None),
    (u"/dev/../sdf", None),
    (u"", None),
]


class XenDiskTests(SynchronousTestCase):
    """Names and numbers of disks."""

    def test_numbers(self):
        """A number stands for the letters of the whole disk, if it is one of xvd's or sd's."""
        for number, letters in NUMBERS:
            self.assertEqual((number, letters), (number, disk_numbered(number)))

    def test_names(self):
        """A name stands for the letters of its disk, and is the disk's or a partition's."""
        for name, disk in NAMES:
            self.assertEqual((name, disk), (name, disk_named(name)))

    def test_letters(self):
        """The letters count like the columns of a spreadsheet."""
        self.assertEqual(
            [u"a", u"z", u"aa", u"az", u"ba", u"zz", u"aaa"],
            [letters_of(index) for index in (0, 25, 26, 51, 52, 701, 702)],
        )

    @settings(**RELAXED)
    @given(st.integers(0, 20000), st.integers(0, 20000))
    def test_no_two_disks(self, one, two):
        """Two disks have the same letters only if they are the same, by number as by name."""
        letters = [letters_of(index) for index in (one, two)]
        self.assertEqual(one == two, letters[0] == letters[1])
        for index, text in zip((one, two), letters):
            self.assertEqual(text, disk_numbered(1 << 28 | index << 8))
            self.assertEqual((text, True), disk_named(u"/dev/xvd" + text))

    @settings(**RELAXED)
    @given(st.integers(0, 1 << 33))
    def test_any_number(self, number):
        """Any number has letters or none."""
        found = disk_numbered(number)
        self.assertTrue(found is None or re.match(u"[a-z]+\\Z", found), found)
