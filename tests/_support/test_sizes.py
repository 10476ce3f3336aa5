"""
Tests for :mod:`txstorage._support.notations.sizes`.
"""

from __future__ import absolute_import, division, print_function

import subprocess

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.helpers.properties import RELAXED
from txstorage._support.notations.sizes import format_size, parse_size


class ParseTests(SynchronousTestCase):
    """``parse_size``."""

    def test_units(self):
        """A letter alone means powers of 1000, a letter with ``i`` of 1024; ``B`` may follow."""
        for text, size in (
            ("1", 1),
            ("512B", 512),
            ("1K", 1000),
            ("100G", 100 * 10**9),
            ("100GB", 100 * 10**9),
            ("100Gi", 100 * 2**30),
            ("1GiB", 2**30),
            ("1 gib", 2**30),
            ("1.5GiB", 3 * 2**29),
            ("500MB", 500 * 10**6),
            ("2T", 2 * 10**12),
            ("1PiB", 2**50),
            ("1Ei", 2**60),
            (" 7 ", 7),
        ):
            self.assertEqual(parse_size(text), size, text)

    def test_as_numfmt(self):
        """Each suffix of ``numfmt --from=auto`` means the same here."""
        texts = [u"3{}{}".format(prefix, binary) for prefix in "KMGTPE" for binary in ("", "i")]
        try:
            output = subprocess.check_output(["numfmt", "--from=auto"] + texts).decode("ascii")
        except OSError:
            raise SkipTest("numfmt, of coreutils, is not installed")
        self.assertEqual(
            [parse_size(text) for text in texts], [int(each) for each in output.split()]
        )

    def test_refused(self):
        """A text that is not a positive, whole number of bytes is not a size."""
        for text in (
            "",
            "G",
            "-1",
            "0",
            "0G",
            "0.3",
            "1.0001K",
            "1iB",
            "1e3",
            "1XB",
            "1 2",
            "\u0661",
        ):
            self.assertRaises(ValueError, parse_size, text)

    @settings(**RELAXED)
    @given(st.integers(min_value=1))
    def test_bytes(self, size):
        """Any positive number of bytes is itself."""
        self.assertEqual(parse_size(u"{}".format(size)), size)


class FormatTests(SynchronousTestCase):
    """``format_size``."""

    def test_units(self):
        """The largest unit that leaves at least one."""
        for size, text in (
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (2**30, "1 GiB"),
            (3 * 2**29, "1.5 GiB"),
            (2**60, "1 EiB"),
        ):
            self.assertEqual(format_size(size), text)
