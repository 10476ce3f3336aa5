"""
Tests for ``txstorage.cli.sizes``.
"""

from __future__ import annotations

import subprocess
from shutil import which

import click
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.helpers.properties import RELAXED
from txstorage.cli.sizes import LARGEST, Size, exact_size, format_size, parse_size, rounding

GIB = 2**30


class ParseTests(SynchronousTestCase):
    """``parse_size``."""

    def test_units(self) -> None:
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

    def test_as_numfmt(self) -> None:
        """Each suffix of ``numfmt --from=auto`` means the same here."""
        if which("numfmt") is None:
            raise SkipTest("numfmt, of coreutils, is not installed")
        texts = [f"3{prefix}{binary}" for prefix in "KMGTPE" for binary in ("", "i")]
        output = subprocess.check_output(["numfmt", "--from=auto", *texts], text=True)
        self.assertEqual(
            [parse_size(text) for text in texts], [int(each) for each in output.split()]
        )

    def test_refused(self) -> None:
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
            (2**60, "1 EiB"),
        ):
            self.assertEqual(format_size(size), text)

    @settings(**RELAXED)
    @given(st.integers(min_value=1, max_value=2**63))
    def test_exact(self, size: int) -> None:
        """An exact size is the size, whichever notation shows it."""
        self.assertEqual(parse_size(exact_size(size).replace(" bytes", "")), size)


class RoundingTests(SynchronousTestCase):
    """``rounding``."""

    def test_said(self) -> None:
        """Both sizes are in the sentence, as different as they are."""
        self.assertEqual(rounding(GIB, GIB), "")
        self.assertIn("1.5 GiB is rounded up to 2 GiB", rounding(3 * 2**29, 2 * GIB))
        self.assertIn("1073741825 bytes is rounded up to 2 GiB", rounding(GIB + 1, 2 * GIB))


class BoundTests(SynchronousTestCase):
    """The argument ``SIZE``."""

    def test_largest(self) -> None:
        """A size that no volume can have is refused; the largest possible one is accepted."""
        self.assertEqual(Size().convert("1000TiB", None, None), 1000 * 2**40)
        self.assertEqual(Size().convert(str(LARGEST), None, None), LARGEST)
        for text in (str(LARGEST + 1), "3EiB", "9" * 500 + "G"):
            error = self.assertRaises(click.BadParameter, Size().convert, text, None, None)
            self.assertIn("2 EiB", error.format_message())
