"""
Tests for ``txstorage.cli.sizes``.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from txstorage.cli.sizes import format_size, parse_size


class ParseTests(SynchronousTestCase):
    """``parse_size``."""

    def test_units(self) -> None:
        """A letter alone and ``iB`` mean powers of 1024; ``B`` behind a letter, of 1000."""
        for text, size in (
            ("1", 1),
            ("512B", 512),
            ("1K", 1024),
            ("20G", 20 * 2**30),
            ("1GiB", 2**30),
            ("1 gib", 2**30),
            ("1.5GiB", 3 * 2**29),
            ("500MB", 500 * 10**6),
            ("2T", 2**41),
            ("1PiB", 2**50),
            (" 7 ", 7),
        ):
            self.assertEqual(parse_size(text), size, text)

    def test_refused(self) -> None:
        """A text that is not a positive, whole number of bytes is not a size."""
        for text in ("", "G", "-1", "0", "0G", "0.3", "1.0001K", "1e3", "1XB", "1 2", "\u0661"):
            self.assertRaises(ValueError, parse_size, text)

    @given(st.integers(min_value=1))
    def test_bytes(self, size: int) -> None:
        """Any positive number of bytes is itself."""
        self.assertEqual(parse_size(str(size)), size)


class FormatTests(SynchronousTestCase):
    """``format_size``."""

    def test_units(self) -> None:
        """The largest unit that leaves at least one."""
        for size, text in (
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (2**30, "1 GiB"),
            (3 * 2**29, "1.5 GiB"),
            (2**60, "1024 PiB"),
        ):
            self.assertEqual(format_size(size), text)
